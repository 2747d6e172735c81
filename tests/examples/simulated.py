"""A simulated house whose energy is known exactly: what flows in every ten seconds.

Everything is in whole watts and whole seconds, so energies in Ws are integers.
"""

import math
import random
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property, lru_cache
from itertools import accumulate
from zoneinfo import ZoneInfo

from homeiot_batch.core.days import LocalDay

FIRST = date(2026, 10, 19)
LAST = date(2026, 10, 26)  # in Europe, the clocks go back on the 25th
STEP_S = 10
WS_PER_KWH = 3_600_000
FLOWS = ("bought", "sold", "sun", "charged", "discharged", "used", "heat_pump", "car")

# hour of the day and W: what the house uses beside its devices, a straight line between two
BASE_W = [(0, 180), (5, 170), (7, 420), (9, 260), (13, 300), (17, 380), (20, 520), (24, 180)]
# hour of the day, minutes and W: each begins at a whole minute
DEVICES = [
    (6.8, 4, 1900),
    (7.2, 6, 1100),
    (12.2, 25, 1300),
    (16.5, 4, 1900),
    (18.3, 35, 2100),
    (20.6, 22, 1700),
]


@dataclass(frozen=True)
class Plan:
    """What a house has. W and kWh."""

    zone: str
    seed: int
    solar_w: int = 0
    noon_utc: float = 11.1  # hour of the day at which the sun is highest
    daylight_h: float = 10.4
    battery_kwh: float = 0
    battery_w: int = 0
    heat_pump_w: int = 0
    car_w: int = 0


@dataclass
class Truth:
    """The flows of a house in W, a value for each ten seconds from the first midnight on."""

    plan: Plan
    watts: dict[str, list[int]] = field(default_factory=dict)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.plan.zone)

    @property
    def begin_s(self) -> int:
        """The first midnight, in seconds since the epoch."""
        return LocalDay(FIRST, self.zone).start_ns // 10**9

    @property
    def end_s(self) -> int:
        """The midnight after the last day."""
        return LocalDay(LAST, self.zone).end_ns // 10**9

    @property
    def days(self) -> list[LocalDay]:
        count = (LAST - FIRST).days + 1
        return [LocalDay(FIRST + timedelta(days=n), self.zone) for n in range(count)]

    @cached_property
    def counted_ws(self) -> dict[str, list[int]]:
        """What has flowed until the begin of each step, in Ws."""
        found = {}
        for name, watts in self.watts.items():
            found[name] = list(accumulate((STEP_S * value for value in watts), initial=0))
        return found

    def power(self, name: str, at_s: float) -> int:
        """W at a time."""
        return self.watts[name][self._step(at_s)]

    def ws(self, name: str, at_s: float) -> float:
        """Ws that have flowed since the first midnight."""
        number = self._step(at_s)
        begin = self.begin_s + number * STEP_S
        return self.counted_ws[name][number] + self.watts[name][number] * (at_s - begin)

    def kwh(self, name: str, from_s: float, to_s: float) -> float:
        """The energy between two times."""
        return (self.ws(name, to_s) - self.ws(name, from_s)) / WS_PER_KWH

    def _step(self, at_s: float) -> int:
        last = len(self.watts["used"]) - 1
        return min(last, int((at_s - self.begin_s) // STEP_S))


@lru_cache
def simulated(plan: Plan) -> Truth:
    """The house of a plan. The same plan is the same house."""
    truth = Truth(plan, {name: [] for name in FLOWS})
    stored_ws = plan.battery_kwh * 0.4 * WS_PER_KWH
    for at, wall in _steps(truth):
        weather, devices = _of_day(plan, wall.date())
        heat_pump = _heat_pump_w(plan, wall)
        car = _car_w(plan, wall)
        used = round(_line(BASE_W, _hour(wall))) + devices[_second(wall) // STEP_S]
        used += heat_pump + car
        sun = _sun_w(plan, at, weather)
        charged, discharged = _battery_w(plan, wall, sun - used, stored_ws)
        stored_ws += STEP_S * (charged - discharged)
        rest = used + charged - sun - discharged
        flows = (max(rest, 0), max(-rest, 0), sun, charged, discharged, used, heat_pump, car)
        for name, watts in zip(FLOWS, flows, strict=True):
            truth.watts[name].append(watts)
    return truth


def _steps(truth: Truth) -> Iterator[tuple[datetime, datetime]]:
    """The begin of each step, in UTC and as wall time."""
    for at_s in range(truth.begin_s, truth.end_s, STEP_S):
        at = datetime.fromtimestamp(at_s, UTC)
        yield at, at.astimezone(truth.zone)


def _hour(at: datetime) -> float:
    return _second(at) / 3600


def _second(at: datetime) -> int:
    return 3600 * at.hour + 60 * at.minute + at.second


def _line(points: list[tuple[int, int]], hour: float) -> float:
    """The value at an hour, on the straight line between two points."""
    number = bisect_right(points, hour, key=lambda point: point[0])
    (before, value), (after, next_value) = points[number - 1], points[number]
    return value + (next_value - value) * (hour - before) / (after - before)


@lru_cache(maxsize=4)
def _of_day(plan: Plan, day: date) -> tuple[list[float], list[int]]:
    """The day's share of full sun by ten minutes of UTC, and the devices' W by ten seconds."""
    chance = random.Random(f"{plan.seed}-{day}")
    sky = chance.uniform(0.35, 1.0)
    weather = [sky * chance.uniform(0.75, 1.0) for _ in range(145)]
    devices = [0] * (86_400 // STEP_S)
    for hour, minutes, watts in DEVICES:
        begin = 60 * round(60 * (hour + chance.uniform(-0.4, 0.4)))
        for second in range(begin, begin + 60 * minutes, STEP_S):
            devices[second // STEP_S] += watts
    return weather, devices


def _sun_w(plan: Plan, at: datetime, weather: list[float]) -> int:
    """What the panels produce."""
    hour = _hour(at)
    since_noon = (hour - plan.noon_utc + 12) % 24 - 12
    height = math.cos(since_noon / plan.daylight_h * math.pi)
    if abs(since_noon) >= plan.daylight_h / 2:
        return 0
    number, part = divmod(6 * hour, 1)
    sky = weather[int(number)] * (1 - part) + weather[int(number) + 1] * part
    return round(plan.solar_w * height * sky)


def _heat_pump_w(plan: Plan, wall: datetime) -> int:
    """It runs for a part of every hour, from ten past on."""
    minutes = 22 if wall.hour < 8 or wall.hour >= 20 else 12
    if not plan.heat_pump_w or not 10 <= wall.minute < 10 + minutes:
        return 0
    return plan.heat_pump_w + 20 * (wall.day % 5)


def _car_w(plan: Plan, wall: datetime) -> int:
    """Every third day it is charged at noon, and the day after at night."""
    turn = wall.toordinal() % 3
    at_noon = turn == 0 and 11 <= wall.hour < 14
    at_night = turn == 1 and 1 <= wall.hour < 3
    return plan.car_w if at_noon or at_night else 0


def _battery_w(plan: Plan, wall: datetime, surplus: int, stored_ws: float) -> tuple[int, int]:
    """What is charged and discharged. In one night it is charged from the grid.

    It follows the house a little late, so now and then something is bought or sold meanwhile.
    """
    surplus += 50 if wall.minute % 4 < 2 else -50
    room = int((plan.battery_kwh * WS_PER_KWH - stored_ws) / STEP_S)
    if wall.day == 22 and wall.hour == 3:
        return min(room, plan.battery_w), 0
    if surplus >= 0:
        return min(surplus, plan.battery_w, room), 0
    return 0, min(-surplus, plan.battery_w, int(stored_ws / STEP_S))
