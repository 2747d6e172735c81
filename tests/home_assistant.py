"""A house as Home Assistant writes it: two weeks of true energy, and the points on change of them.

A float is written to the measurement of its unit when it changes, beside strings, and all of them
when Home Assistant starts. All energy is in Wh for each ten minutes, so that sums are exact.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from homeiot_batch.core.days import LocalDay

BERLIN = ZoneInfo("Europe/Berlin")
STEP = timedelta(minutes=10)
DAYS = 14
BEGUN_WH = {
    "grid_import": 12_006_123,
    "grid_export": 3_400_250,
    "pv": 4_011_007,
    "battery_in": 812_940,
    "battery_out": 700_001,
    "heat_pump": 301_333,
    "car": 95_210,
}
# by the number of the day and the local time
RESET_AT = (3, "05:00")  # the plug of the heat pump starts again from zero
SWAP_AT = (6, "12:10")  # another meter on the roof
OFF_AT = (8, "22:30")  # Home Assistant is off over midnight
ON_AT = (9, "02:00")
DIES_AT = (11, "05:00")  # the last reading of the heat pump
CAR_DAYS = (1, 4, 11, 13)

DATASETS: dict[str, Any] = {
    f"home_assistant_{name}": {
        "measurement": unit,
        "tags": {"domain": "unknown", "entity_id": "unknown"},
        "fields": {"value": "double"},
    }
    for name, unit in {"energy": "kWh", "power": "W"}.items()
}


def series(entity: str, dataset: str = "energy") -> dict[str, Any]:
    """Of an entity."""
    where = {"domain": "sensor", "entity_id": entity}
    return {"dataset": f"home_assistant_{dataset}", "where": where}


# how they are written is not said: it is learned
METERS: dict[str, Any] = {
    "house": {
        "kind": "grid",
        "import": series("grid_import"),
        "export": series("grid_export"),
        "power": series("grid_power", "power"),
    },
    "roof": {"kind": "solar", "export": series("pv")},
    "battery": {"kind": "battery", "import": series("battery_in"), "export": series("battery_out")},
    "heat_pump": {"kind": "load", "import": series("heat_pump")},
    "car": {"kind": "load", "import": series("car")},
}
REGISTERS = {
    "grid_import": ("house", "import"),
    "grid_export": ("house", "export"),
    "pv": ("roof", "export"),
    "battery_in": ("battery", "import"),
    "battery_out": ("battery", "export"),
    "heat_pump": ("heat_pump", "import"),
    "car": ("car", "import"),
}


@dataclass
class TrueHouse:
    """Two weeks from a local day on. `flows` are Wh from each time of `times` to the next one."""

    first: date
    seed: int = 1
    chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)

    @cached_property
    def times(self) -> list[datetime]:
        """When Home Assistant asks its devices, UTC: every ten minutes of the days."""
        start = LocalDay(self.first, BERLIN).start.astimezone(UTC)
        end = LocalDay(self.first + timedelta(days=DAYS - 1), BERLIN).end.astimezone(UTC)
        return [start + n * STEP for n in range((end - start) // STEP)]

    def at(self, place: tuple[int, str]) -> datetime:
        """The instant of a local time on a day of the house."""
        number, clock = place
        text = f"{self.first + timedelta(days=number)} {clock}"
        return datetime.fromisoformat(text).replace(tzinfo=BERLIN).astimezone(UTC)

    @cached_property
    def flows(self) -> list[dict[str, int]]:
        """What flows, by register. The last reading has nothing after it."""
        return [self._flow(at.astimezone(BERLIN)) for at in self.times[:-1]]

    def _flow(self, local: datetime) -> dict[str, int]:
        hour = local.hour
        sun = int(450 - 18 * (hour + local.minute / 60 - 13) ** 2)
        sun = sun if sun > 1 else 0
        base = 30 + self.chance.randrange(20)
        day = (local.date() - self.first).days
        pump = 180 + self.chance.randrange(40) if 3 <= hour < 7 else 0
        car = 1200 if hour < 3 and day in CAR_DAYS else 0
        charged = 100 if 9 <= hour < 12 else 0
        discharged = base if 18 <= hour < 22 else 0
        net = base + pump + car + charged - sun - discharged
        net = net if abs(net) > 1 else 0
        return {
            "grid_import": max(0, net),
            "grid_export": max(0, -net),
            "pv": sun,
            "battery_in": charged,
            "battery_out": discharged,
            "heat_pump": pump,
            "car": car,
        }

    # what is written

    def lines(self) -> Iterator[str]:
        """Line protocol."""
        for entity, begun in BEGUN_WH.items():
            for at, wh in self._shown(entity, begun):
                yield _line("kWh", entity, wh / 1000, at)
        for at, flow in zip(self.times, self.flows, strict=False):
            if not self.is_off(at):
                yield _line(
                    "W", "grid_power", 6.0 * (flow["grid_import"] - flow["grid_export"]), at
                )

    def _shown(self, entity: str, begun: int) -> Iterator[tuple[datetime, int]]:
        """What a register shows when it is written, in Wh."""
        shown = begun
        written = None
        was_off = False
        flows = [{entity: 0}, *self.flows]
        for at, flow in zip(self.times, flows, strict=True):
            shown += flow[entity]
            if entity == "heat_pump" and at == self.at(RESET_AT):
                shown = flow[entity]
            if entity == "pv" and at == self.at(SWAP_AT):
                shown = 150_200
            if entity == "heat_pump" and at > self.at(DIES_AT):
                return
            if not self.is_off(at) and (shown != written or was_off):
                written = shown
                yield at, shown
            was_off = self.is_off(at)

    def is_off(self, at: datetime) -> bool:
        """Whether Home Assistant is off."""
        return self.at(OFF_AT) <= at < self.at(ON_AT)


def _line(unit: str, entity: str, value: float, at: datetime) -> str:
    tags = f"domain=sensor,entity_id={entity}"
    name = entity.replace("_", " ").title()
    words = f'friendly_name_str="{name}",state_class_str="total_increasing"'
    return f"{unit},{tags} value={value!r},{words} {int(at.timestamp()) * 10**9}"


# what the tables must have, computed from the true energy alone


@dataclass
class TrueTables:
    """Energy by hour (UTC) and source in kWh: import, export, estimated."""

    house: TrueHouse
    wh: dict[tuple[datetime, str, str], float] = field(default_factory=dict)
    estimated: dict[tuple[datetime, str], float] = field(default_factory=dict)

    def __post_init__(self) -> None:
        house = self.house
        for at, flow in zip(house.times, house.flows, strict=False):
            for entity, wh in flow.items():
                self._add(entity, at, wh)
        self._spread_what_flowed_unseen()

    def _add(self, entity: str, at: datetime, wh: int) -> None:
        source, counter = REGISTERS[entity]
        house = self.house
        if entity == "heat_pump" and at >= house.at(DIES_AT):
            return
        if entity == "pv" and at + STEP == house.at(SWAP_AT):
            wh = 0  # no meter has counted it
        if entity == "grid_import" and self._is_unseen(at):
            wh = 0
        key = (_hour(at), source, counter)
        self.wh[key] = self.wh.get(key, 0.0) + wh

    def _is_unseen(self, at: datetime) -> bool:
        return self.house.is_off(at + STEP) or self.house.is_off(at)

    def _spread_what_flowed_unseen(self) -> None:
        """Evenly, from the last reading before Home Assistant was off to the first after it."""
        pairs = zip(self.house.times, self.house.flows, strict=False)
        unseen = [(at, flow["grid_import"]) for at, flow in pairs if self._is_unseen(at)]
        share = sum(wh for _, wh in unseen) / len(unseen)
        for at, _ in unseen:
            self.wh[_hour(at), "house", "import"] += share
            key = (_hour(at), "house")
            self.estimated[key] = self.estimated.get(key, 0.0) + share

    def hours(self) -> list[tuple[Any, ...]]:
        """Rows: begin UTC, source, import, export, estimated. None where there is no register."""
        keys = sorted({(hour, source) for hour, source, _ in self.wh})
        return [
            (hour.replace(tzinfo=None), source, *self._of(hour, source)) for hour, source in keys
        ]

    def _of(self, hour: datetime, source: str) -> list[float | None]:
        found = [self.wh.get((hour, source, counter)) for counter in ("import", "export")]
        kwh: list[float | None] = [None if wh is None else wh / 1000 for wh in found]
        return [*kwh, self.estimated.get((hour, source), 0.0) / 1000]

    def days(self) -> list[tuple[Any, ...]]:
        """Rows: day, source, import, export, estimated, resets, whether it is complete.

        A meter that died has days without energy.
        """
        found: dict[tuple[date, str], list[Any]] = {}
        for number in range(DAYS):
            day = self.house.first + timedelta(days=number)
            found |= {(day, source): [None, None, None] for source in METERS}
        for hour, source, *numbers in self.hours():
            key = (hour.replace(tzinfo=UTC).astimezone(BERLIN).date(), source)
            found[key] = [_plus(*pair) for pair in zip(found[key], numbers, strict=True)]
        return [
            (day, source, *numbers, *self._marks(day, source))
            for (day, source), numbers in sorted(found.items())
        ]

    def _marks(self, day: date, source: str) -> tuple[int, bool]:
        """Resets, and whether all is known where it was."""
        number = (day - self.house.first).days
        resets = int((number, source) in {(RESET_AT[0], "heat_pump"), (SWAP_AT[0], "roof")})
        is_off = source == "house" and number in (OFF_AT[0], ON_AT[0])
        is_dead = source == "heat_pump" and number >= DIES_AT[0]
        return resets, not (resets or is_off or is_dead)

    def balance_hours(self) -> list[tuple[Any, ...]]:
        """Rows: begin UTC, bought, sold, produced, charged, discharged, whether it is complete."""
        parts = [
            ("house", "import"),
            ("house", "export"),
            ("roof", "export"),
            ("battery", "import"),
            ("battery", "export"),
        ]
        swapped = _hour(self.house.at(SWAP_AT))
        rows = []
        for hour in sorted({hour for hour, *_ in self.wh}):
            kwh = [self.wh[hour, source, counter] / 1000 for source, counter in parts]
            is_complete = hour != swapped and (hour, "house") not in self.estimated
            rows.append((hour.replace(tzinfo=None), *kwh, is_complete))
        return rows


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0)


def _plus(one: float | None, other: float | None) -> float | None:
    return other if one is None else one + (other or 0.0)
