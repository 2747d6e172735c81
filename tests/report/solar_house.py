"""A house with solar panels, a battery, a heat pump and a car, read every hour."""

import math
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.dbt.meters import Reading, wall

KINDS = {
    "main": "grid",
    "roof": "solar",
    "powerwall": "battery",
    "heat pump": "load",
    "car": "load",
}
VARS = {"sources": {name: {"kind": kind} for name, kind in KINDS.items()}}
HOUR = timedelta(hours=1)
CAPACITY = 9.0  # kWh


def readings(days: int, last: date, zone: ZoneInfo) -> Iterator[Reading]:
    """So many days to the last one, and a last reading before midnight."""
    first = last - timedelta(days=days - 1)
    at = datetime(first.year, first.month, first.day, tzinfo=zone)
    end = datetime(last.year, last.month, last.day, tzinfo=zone) + timedelta(days=1)
    begin, end = (time.astimezone(UTC).replace(tzinfo=None) for time in (at, end))
    counters = {name: [1000.0, 500.0] for name in KINDS}
    stored = 4.0
    at = begin
    while at < end:
        yield from _shown(at, counters)
        stored = _hour(wall(at, zone), stored, counters)
        at += HOUR
    yield from _shown(end - timedelta(minutes=1), counters)


def _shown(at: datetime, counters: dict[str, list[float]]) -> Iterator[Reading]:
    for name, (taken, given) in counters.items():
        imported = None if KINDS[name] == "solar" else round(taken, 4)
        exported = None if KINDS[name] == "load" else round(given, 4)
        yield at, name, 300.0, imported, exported


def _hour(local: datetime, stored: float, counters: dict[str, list[float]]) -> float:
    """Let the counters run for an hour. What is in the battery then."""
    season = math.cos((local.timetuple().tm_yday - 172) / 365 * 2 * math.pi)
    clouds = 0.35 + 0.65 * abs(math.sin(local.toordinal() * 1.7))
    height = max(0.0, math.sin((local.hour - 5.5) / 13 * math.pi))
    sun = (3.1 + 1.6 * season) * clouds * height
    heat = max(0.1, 0.35 - 0.5 * season) * (0.6 + 0.4 * (local.hour < 7))
    car = 2.5 * (local.toordinal() % 3 == 0 and 1 <= local.hour < 4)
    used = 0.3 + 0.4 * (17 <= local.hour < 22) + 0.3 * (local.hour in (7, 12)) + heat + car
    cheap = 1.5 * (local.toordinal() % 5 == 0 and local.hour in (2, 3))
    charged = min(CAPACITY - stored, max(0.0, sun - used, cheap), 3.0)
    discharged = min(stored, max(0.0, used - sun), 2.5) * (charged == 0)
    rest = used + charged - sun - discharged
    for name, taken, given in (
        ("main", max(rest, 0.0), max(-rest, 0.0)),
        ("roof", 0.0, sun),
        ("powerwall", charged, discharged),
        ("heat pump", heat, 0.0),
        ("car", car, 0.0),
    ):
        counters[name][0] += taken
        counters[name][1] += given
    return stored + charged - discharged
