"""Meters whose true steps are known, disturbed at random.

The days add up to what was counted, and every kWh is in one day and one hour.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.dbt.meters import (
    Archive,
    Reading,
    compiled_models,
    create_tables,
    insert,
    prepare,
    wall,
)

ZONES = ["Asia/Tokyo", "Europe/Berlin", "Asia/Kathmandu", "Australia/Darwin"]
START = datetime(2026, 3, 28, 9, 17)  # a day before the clocks go forward in Berlin
MAX_KW = 50


class Meter:
    """What a meter really did, and what was archived of it.

    Times UTC without zone, energy in kWh.
    """

    def __init__(self, at: datetime, counter: float) -> None:
        self.at, self.counter = at, counter
        self.readings: list[tuple[datetime, float]] = []
        self.steps: list[tuple[datetime, datetime, float]] = []
        self.resets: list[datetime] = []
        self.glitches: list[datetime] = []
        self.since_change = 9  # good readings since the last doubt
        self.read_at, self.read_kwh = at, counter
        self.readings.append((at, counter))

    def __repr__(self) -> str:
        shown = [(str(at), value) for at, value in self.readings]
        resets = [str(at) for at in self.resets]
        glitches = [str(at) for at in self.glitches]
        return f"Meter(readings={shown}, resets={resets}, glitches={glitches})"[:3000]

    @property
    def is_plain(self) -> bool:
        """Whether a change now has one truth.

        The last doubt is some readings ago, and no hole just before could be the zero of a reset.
        """
        return self.since_change >= 5 and self.readings[-1][1] != 0

    @property
    def highest_kw(self) -> float:
        """The highest power that was counted so far."""
        hour = timedelta(hours=1)
        return max(energy / ((until - since) / hour) for since, until, energy in self.steps)

    def count(self, minutes: int, power_kw: float) -> None:
        """Time passes. What flows is counted."""
        self.at += timedelta(minutes=minutes)
        self.counter = round(self.counter + power_kw * minutes / 60, 4)

    def read(self, energy: float | None = None) -> None:
        """Archive the counter, whose step has the rise or `energy`."""
        self.steps.append(
            (self.read_at, self.at, self.counter - self.read_kwh if energy is None else energy)
        )
        self.readings.append((self.at, self.counter))
        self.read_at, self.read_kwh = self.at, self.counter
        self.since_change += 1


def run(meter: Meter, minutes: int, power_kw: float) -> None:
    """A good reading."""
    meter.count(minutes, power_kw)
    meter.read()


def hole(meter: Meter, minutes: int, power_kw: float) -> None:
    """A reading without the counter."""
    meter.count(minutes, power_kw)
    meter.readings.append((meter.at, 0.0))


def gap(meter: Meter, minutes: int, power_kw: float) -> None:
    """Hours or days without a reading.

    Not just after a doubt, when what comes next may bear out either of two paths.
    """
    if not meter.is_plain:
        return run(meter, minutes, power_kw)
    meter.count(minutes * 97, power_kw / 20)
    meter.read()
    return None


def glitch(meter: Meter, minutes: int, power_kw: float) -> None:
    """Up to three wrong values, far from the counter or near it."""
    if not meter.is_plain:
        return run(meter, minutes, power_kw)
    far = (9e5, round(meter.counter / 3, 4) if meter.counter > 400 else 8e5, 1e6)[
        : 1 + int(100 * power_kw) % 3
    ]
    for wrong in far if power_kw < 5 else [round(meter.counter + 20, 4)]:
        meter.count(minutes, power_kw / 10)
        meter.readings.append((meter.at, wrong))
        meter.glitches.append(meter.at)
    meter.count(minutes, power_kw / 10)
    meter.read()
    meter.since_change = 0
    return None


def reset(meter: Meter, minutes: int, power_kw: float) -> None:
    """The counter begins again from zero.

    It delivers no more than before. More than twice as much would be another meter's value, whose
    energy is in no number.
    """
    if not meter.is_plain or meter.counter < 400:
        return run(meter, minutes, power_kw)
    meter.counter = 0
    meter.count(minutes, min(power_kw, meter.highest_kw))
    meter.read(energy=meter.counter)
    meter.resets.append(meter.at)
    meter.since_change = 0
    return None


def swap(meter: Meter, minutes: int, power_kw: float) -> None:
    """Another meter, that has counted more, or less."""
    if not meter.is_plain or meter.counter < 400:
        return run(meter, minutes, power_kw)
    meter.counter += 20_000 if minutes % 2 else 137 - meter.counter
    meter.count(minutes, 0)
    meter.read(energy=0)
    meter.resets.append(meter.at)
    meter.since_change = 0
    return None


EVENTS: list[Callable[[Meter, int, float], None]] = [
    *[run] * 12,
    hole,
    hole,
    gap,
    glitch,
    glitch,
    reset,
    swap,
]
POWERS = st.floats(0.05, 9.0).map(lambda power: round(power, 2))


@st.composite
def meters(draw: st.DrawFn) -> Meter:
    """A meter with some hundred readings at intervals of its own.

    They are somewhere else in the disturbed week, begun well and ended well.
    """
    meter = Meter(
        START
        + timedelta(minutes=draw(st.integers(0, 3000)), microseconds=draw(st.integers(0, 999_999))),
        draw(st.integers(500, 90_000)),
    )
    usual = draw(st.sampled_from([1, 5, 15, 30]))
    for event in (
        [run] * 6 + draw(st.lists(st.sampled_from(EVENTS), min_size=20, max_size=120)) + [run] * 6
    ):
        event(meter, usual, draw(POWERS))
    return meter


class Models(dict[str, str]):
    """SQL by the model's name, which Hypothesis need not show."""

    def __repr__(self) -> str:
        return "models"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    """The models' SQL, compiled once."""
    archive = Archive(tmp_path_factory.mktemp("compiled") / "house.duckdb")
    return Models(compiled_models(archive, {}))


def built(models: Models, zone: ZoneInfo, readings: Iterable[Reading]) -> duckdb.DuckDBPyConnection:
    """A database in memory with the tables of these readings."""
    connection = duckdb.connect()
    connection.execute("ATTACH ':memory:' AS house; USE house")
    prepare(connection, zone)
    insert(connection, readings, zone)
    create_tables(connection, models)
    return connection


def spread(meter: Meter, zone: ZoneInfo, unit: str) -> dict[object, float]:
    """The true energy by local day or hour, minute by minute with Python's own zone rules."""
    parts: dict[object, float] = defaultdict(float)
    for start, end, energy in meter.steps:
        at = start
        while at < end:
            later = min(end, at.replace(second=0, microsecond=0) + timedelta(minutes=1))
            local = at.replace(tzinfo=UTC).astimezone(zone)
            key = (
                local.date()
                if unit == "day"
                else at
                - timedelta(
                    minutes=local.minute, seconds=local.second, microseconds=local.microsecond
                )
            )
            parts[key] += energy * ((later - at) / (end - start))
            at = later
    return parts


@settings(
    max_examples=40,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
@given(found=st.lists(meters(), min_size=2, max_size=2), zone=st.sampled_from(ZONES).map(ZoneInfo))
def test_days_add_up_to_the_counted_energy(
    found: list[Meter], zone: ZoneInfo, models: Models
) -> None:
    """Of two meters under two names.

    Energy by day and by hour, resets and glitches on their days, all within 1e-6 kWh.
    """
    readings = [
        (at, f"m{n}", 1.0, value, 0.0)
        for n, meter in enumerate(found)
        for at, value in meter.readings
    ]
    with built(models, zone, readings) as connection:
        for n, meter in enumerate(found):
            ask = [f"m{n}"]
            days = connection.execute(
                "SELECT date_jst, import_kwh, reset_count, glitch_count FROM fct_daily_energy "
                "WHERE source = ?",
                ask,
            ).fetchall()
            hours = connection.execute(
                "SELECT hour_start_utc, import_kwh FROM fct_hourly_energy WHERE source = ?", ask
            ).fetchall()
            assert {day: energy for day, energy, *_ in days} == pytest.approx(
                spread(meter, zone, "day"), abs=1e-6
            )
            assert dict(hours) == pytest.approx(spread(meter, zone, "hour"), abs=1e-6)
            assert len(hours) == len(dict(hours))
            [(steps_kwh,)] = connection.execute(
                "SELECT sum(step_kwh) FROM int_counter_steps WHERE source = ? AND counter = "
                "'import'",
                ask,
            ).fetchall()
            assert sum(energy for _, energy, *_ in days) == pytest.approx(steps_kwh, abs=1e-6)
            assert sum(energy for _, energy, *_ in days) == pytest.approx(
                sum(energy for *_, energy in meter.steps), abs=1e-6
            )
            assert {day: count for day, _, count, _ in days if count} == by_day(meter.resets, zone)
            assert {day: count for day, *_, count in days if count} == by_day(meter.glitches, zone)


def by_day(times: list[datetime], zone: ZoneInfo) -> dict[date, int]:
    """How many of the times lie in each local day."""
    found: dict[date, int] = defaultdict(int)
    for at in times:
        found[wall(at, zone).date()] += 1
    return found
