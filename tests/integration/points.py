"""Points of a house, the line protocol that says them, and the tables they must become.

What is expected is worked out here from the points alone, with the standard library: nothing of the
project is called.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

Value = float | int | bool | str
Row = tuple[Any, ...]
POWER_FIELDS = ("instant_power_w", "energy_import_kwh", "energy_export_kwh")
SECOND = 10**9
ODD_TAGS = (
    "a b",
    " edge ",
    "a,b=c",
    "quote\"s and 'more'",
    "back\\slash",
    "Küche/居間",
    "⚡️",
    "semi;colon#hash",
    "meter1",
)


@dataclass(frozen=True)
class Point:
    """One point as a gateway writes it."""

    time: int
    fields: Mapping[str, Value]
    tags: Mapping[str, str] = field(default_factory=dict)
    measurement: str = "power"

    @property
    def series(self) -> Row:
        """What a point of the same time overwrites."""
        return self.measurement, tuple(sorted(self.tags.items()))

    def line(self) -> str:
        """Line protocol with all fields on one line."""
        tags = "".join(
            f",{_escaped(key)}={_escaped(value)}" for key, value in sorted(self.tags.items())
        )
        fields = ",".join(
            f"{_escaped(key)}={_literal(value)}" for key, value in self.fields.items()
        )
        return f"{_escaped(self.measurement, ', ')}{tags} {fields} {self.time}"


def at(wall: str, zone: str = "Asia/Tokyo", nanoseconds: int = 0, fold: int = 0) -> int:
    """Nanoseconds since the epoch of a local wall time, `fold` 1 for its second occurrence."""
    instant = datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone), fold=fold)
    return int(instant.timestamp()) * SECOND + nanoseconds


def three_days() -> list[list[Point]]:
    """A house on 2025-11-09 to 2025-11-11 in Japan, by day.

    With the first day comes the instant before it, with the last the one after.
    """
    days = [list(_one_day(f"2025-11-{day:02}", day - 9)) for day in (9, 10, 11)]
    outside = {"instant_power_w": 99999.0, "energy_import_kwh": 99999.0}
    days[0].append(
        Point(at("2025-11-08T23:59:59", nanoseconds=999_999_999), outside, {"source": "main"})
    )
    days[2].append(Point(at("2025-11-12T00:00"), outside, {"source": "main"}))
    return days


def _one_day(day: str, index: int) -> Iterator[Point]:
    midnight = at(f"{day}T00:00")
    yield from _main_meter(midnight, index)
    for hour in range(24):
        yield Point(
            midnight + hour * 3600 * SECOND,
            {"instant_power_w": 50.0 + hour, "energy_import_kwh": 5.0 + 24 * index + hour},
        )
    yield Point(
        midnight + 40_000 * SECOND + 123_456_789,
        {"energy_import_kwh": 70.5 + index},
        {"source": "sparse"},
    )
    yield Point(
        midnight + 40_000 * SECOND + 123_456_999,
        {"energy_import_kwh": 70.75 + index},
        {"source": "sparse"},
    )
    if index == 2:
        yield Point(
            midnight + 50_004 * SECOND,
            {"instant_power_w": 0.1 + 0.2, "energy_export_kwh": 1e17},
            {"source": "sparse"},
        )
    if index != 1:  # on the second day this meter says its power only
        yield Point(
            midnight + 50_000 * SECOND, {"energy_import_kwh": 300.0 + index}, {"source": "half"}
        )
    yield Point(midnight + 50_001 * SECOND, {"instant_power_w": 3.5}, {"source": "half"})
    yield Point(midnight + 50_002 * SECOND, {"instant_power_w": 8.0 + index}, {"source": "lamp"})
    # no declared field: no row
    yield Point(midnight + 50_003 * SECOND, {"voltage": 101.5}, {"source": "lamp"})
    for number, tag in enumerate(ODD_TAGS):
        yield Point(
            midnight + 3600 * SECOND,
            {"instant_power_w": 10.0 * number, "energy_import_kwh": 1.5 + number + index},
            {"source": tag},
        )
        yield Point(
            midnight + 3600 * SECOND,
            {"instant_power_w": 11.0, "energy_import_kwh": 2.25 + number + index},
            {"source": tag, "phase": "L 2"},
        )


def _main_meter(midnight: int, index: int) -> Iterator[Point]:
    """Every ten minutes, now and then without one of the fields, and at the very end of the day.

    Solar export from the third day on.
    """
    for step in range(144):
        fields: dict[str, Value] = {
            "instant_power_w": 200.5 + 7 * (step * 37 % 101),
            "energy_import_kwh": 1000 + 20.125 * index + step / 16,
        }
        if step % 29 == 3:
            del fields["energy_import_kwh"]
        if step % 31 == 5:
            del fields["instant_power_w"]
        if index == 2:
            fields["energy_export_kwh"] = step / 8
        yield Point(midnight + step * 600 * SECOND, fields, {"source": "main"})
    last = {"instant_power_w": 1.25, "energy_import_kwh": 1000 + 20.125 * index + 10.0}
    yield Point(midnight + 86_400 * SECOND - 1, last, {"source": "main"})


def every(minutes: int, first: str, last: str, zone: str) -> list[Point]:
    """A reading every `minutes` from the first local midnight to the last one.

    There is a day more on both sides.
    """
    start = at(f"{first}T00:00", zone) - 86_400 * SECOND
    end = at(f"{date.fromisoformat(last) + timedelta(days=1)}T00:00", zone) + 86_400 * SECOND
    times = range(start, end, minutes * 60 * SECOND)
    return [
        Point(
            time,
            {"instant_power_w": float(n), "energy_import_kwh": 100 + n / 4},
            {"source": "main"},
        )
        for n, time in enumerate(times)
    ]


def rows(
    points: Iterable[Point],
    first: str,
    last: str,
    *,
    zone: str = "Asia/Tokyo",
    measurement: str = "power",
    tags: Mapping[str, str] | None = None,
    fields: Iterable[str] = POWER_FIELDS,
    missing: float | None = 0.0,
) -> list[Row]:
    """The raw table's rows of `points` for the local days from `first` to `last`.

    They are in no order and lack `ingested_at`.
    """
    defaults = {"source": "meter1"} if tags is None else tags
    found = []
    for (name, series), time, values in _last_written(points):
        wall = _wall(time, zone)
        present = [values.get(field) for field in fields]
        if (
            name == measurement
            and first <= str(wall.date()) <= last
            and present != [None] * len(present)
        ):
            kept = [dict(series).get(tag, default) for tag, default in defaults.items()]
            found.append(
                (
                    _wall(time, "UTC"),
                    wall,
                    *kept,
                    *(missing if value is None else value for value in present),
                )
            )
    return found


def energies(points: Iterable[Point], first: str, last: str, zone: str = "Asia/Tokyo") -> list[Row]:
    """The daily table's rows that `points` become, in no order."""
    days: dict[tuple[date, str], list[tuple[int, dict[str, Value]]]] = defaultdict(list)
    for (name, series), time, values in _last_written(points):
        source = dict(series).get("source", "meter1")
        day = _wall(time, zone).date()
        if name == "power" and first <= str(day) <= last and values.keys() & set(POWER_FIELDS):
            days[day, source].append((time, values))
    found = []
    for (day, source), readings in days.items():
        everything = [
            reading for (_, other), of_day in days.items() if other == source for reading in of_day
        ]
        counter = _agreeing(_readings("energy_import_kwh", readings, everything))
        energy = (
            max(value for _, value in counter) - min(value for _, value in counter)
            if counter and not _falls(counter)
            else None
        )
        power = _readings("instant_power_w", readings, everything)
        peak, before = max((value, -time) for time, value in power) if power else (None, None)
        times = [_wall(time, zone) for time, _ in readings]
        found.append(
            (
                day,
                source,
                energy,
                peak,
                None if before is None else _wall(-before, zone),
                min(times),
                max(times),
                len(readings),
            )
        )
    return found


def _readings(
    field: str,
    readings: list[tuple[int, dict[str, Value]]],
    everything: list[tuple[int, dict[str, Value]]],
) -> list[tuple[int, float]]:
    """What counts as a reading of the field: all but 0.0 and missing ones.

    Of a source that never had another value, each counts as 0.0.
    """
    values = [(time, float(found.get(field, 0.0))) for time, found in readings]
    if all(float(found.get(field, 0.0)) == 0 for _, found in everything):
        return values
    return [(time, value) for time, value in values if value != 0]


def _agreeing(counter: list[tuple[int, float]]) -> list[tuple[int, float]]:
    """The values but for those of one microsecond that contradict each other.

    Neither is a reading.
    """
    by_time: dict[int, list[float]] = defaultdict(list)
    for time, value in counter:
        by_time[time // 1000].append(value)
    return [
        (time, value)
        for time, value in counter
        if max(by_time[time // 1000]) - min(by_time[time // 1000]) <= 0.005
    ]


def _falls(counter: list[tuple[int, float]]) -> bool:
    """Whether the counter falls."""
    return any(later < earlier - 0.005 for (_, earlier), (_, later) in pairwise(sorted(counter)))


def in_order(table: Iterable[Row]) -> list[Row]:
    """The rows in an order of their own, whatever types and NULLs they hold."""
    return sorted(table, key=repr)


def _last_written(points: Iterable[Point]) -> Iterator[tuple[Row, int, dict[str, Value]]]:
    """Every point once, each of its fields as it was written last."""
    merged: dict[tuple[Row, int], dict[str, Value]] = defaultdict(dict)
    for point in points:
        merged[point.series, point.time].update(point.fields)
    for (series, time), values in merged.items():
        yield series, time, values


def _wall(time: int, zone: str) -> datetime:
    """The wall clock's reading, nanoseconds cut off."""
    seconds, rest = divmod(time, SECOND)
    return datetime.fromtimestamp(seconds, ZoneInfo(zone)).replace(
        tzinfo=None, microsecond=rest // 1000
    )


def _escaped(text: str, characters: str = ",= ") -> str:
    return "".join(f"\\{character}" if character in characters else character for character in text)


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return f"{value}i" if isinstance(value, int) else repr(value)
