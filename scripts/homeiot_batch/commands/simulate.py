"""A simulated house as a line-protocol export: two meters, solar, a missing field here and there.

python -m homeiot_batch simulate FILE --from 2026-11-09 --to 2026-11-22
    [--tz Asia/Tokyo] [--step 60] [--seed 1]
"""

import contextlib
import gzip
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import TextIO

import typer

from homeiot_batch.config import load_settings
from homeiot_batch.core.days import LocalDay, parse_day
from homeiot_batch.core.host_paths import explained
from homeiot_batch.errors import HomeIotError

NS_PER_S = 10**9
WS_PER_KWH = 3.6e6
MISSING_COUNTER = 0.002  # share of the readings without it
KETTLE = 0.01  # share of the readings with it
KETTLE_W = 1800
WEEKEND = 0.15
FRIDAY = 5
SUNRISE = 6.5  # hours
SUNSET = 17.5

LOAD_W = [  # at an hour of the day, a straight line between two of them
    (0, 250),
    (5, 230),
    (7, 900),
    (9, 450),
    (12, 600),
    (15, 400),
    (18, 1100),
    (21, 900),
    (24, 250),
]

HEADERS = """# INFLUXDB EXPORT: {start} - {end}
# DDL
CREATE DATABASE home_energy WITH NAME autogen
# DML
# CONTEXT-DATABASE:home_energy
# CONTEXT-RETENTION-POLICY:autogen
"""


@dataclass(frozen=True)
class Meter:
    """A meter: its share of the house's load, and the peak of the solar panels behind it (W)."""

    source: str
    scale: float
    solar_w: float


METERS = [Meter("meter1", 1.0, 4200.0), Meter("heatpump", 0.6, 0.0)]


class SimulatedMeter:
    """A meter with its counters. The same seed makes the same meter."""

    def __init__(self, meter: Meter, seed: int) -> None:
        self.source = meter.source
        self._meter = meter
        self._chance = random.Random(f"{seed}-{meter.source}")  # noqa: S311 - weather, not a secret
        self.imported_kwh = self._chance.uniform(1000, 9000)
        self.exported_kwh = self._chance.uniform(100, 900)

    def fields(self, wall: datetime, step_s: int) -> dict[str, float]:
        """The fields of the reading at a wall time, `step_s` seconds after the one before."""
        load = _load_w(wall, self._chance)
        net = self._meter.scale * load - self._meter.solar_w * _sun(wall)
        self.imported_kwh += max(net, 0) * step_s / WS_PER_KWH
        self.exported_kwh += max(-net, 0) * step_s / WS_PER_KWH
        fields = {
            "instant_power_w": round(net, 1),
            "energy_import_kwh": round(self.imported_kwh, 4),
        }
        if self._meter.solar_w:
            fields["energy_export_kwh"] = round(self.exported_kwh, 4)
        if self._chance.random() < MISSING_COUNTER:
            del fields["energy_import_kwh"]
        return fields


def readings(
    start: LocalDay, end: LocalDay, step_s: int, seed: int, *, with_mishaps: bool = False
) -> Iterator[str]:
    """Lines of both meters from the first instant of `start` to the last of `end`.

    One field a line, as an export has them. Mishaps, by days before `end`: the router is off for
    an afternoon (9), a heat pump's meter is silent for two days (19) and swapped (13), and one
    reading is wrong (5).
    """
    for meter in METERS:
        simulated = SimulatedMeter(meter, seed)
        for time in range(start.start_ns, end.end_ns, step_s * NS_PER_S):
            wall = datetime.fromtimestamp(time / NS_PER_S, start.zone)
            fields = simulated.fields(wall, step_s)
            if with_mishaps:
                before = end.date - wall.date()
                _mishap(fields, meter.source, wall, before.days)
            for name, value in fields.items():
                yield f"power,source={meter.source} {name}={value} {time}\n"


def _mishap(fields: dict[str, float], source: str, wall: datetime, days_before: int) -> None:
    """Change the fields of one reading as the mishaps have it."""
    minute = wall.hour * 60 + wall.minute
    is_heatpump = source == "heatpump"
    is_router_off = days_before == 9 and 800 <= minute < 1130
    is_silent = is_heatpump and 18 <= days_before <= 19
    if is_router_off or is_silent:
        fields.clear()
    if "energy_import_kwh" not in fields:
        return
    is_wrong = source == "meter1" and days_before == 5 and minute == 600
    if is_wrong:
        fields["energy_import_kwh"] *= 10
    is_swapped = is_heatpump and (days_before, -minute) <= (13, -600)
    if is_swapped:
        fields["energy_import_kwh"] = round(fields["energy_import_kwh"] % 1000, 4)


def _load_w(wall: datetime, chance: random.Random) -> float:
    """What the house takes (W)."""
    season = 0.2 * math.sin(wall.toordinal() * 2.3)
    weekend = 0.0
    if wall.isoweekday() > FRIDAY:
        weekend = WEEKEND
    hour = _hour(wall)
    load = _usual_load_w(hour) * (1 + season + weekend)
    kettle = 0
    if chance.random() < KETTLE:
        kettle = KETTLE_W
    return load * chance.uniform(0.85, 1.15) + kettle


def _usual_load_w(hour: float) -> float:
    """The load curve at an hour of the day, on the line between the two that are given."""
    for (before, load), (after, next_load) in pairwise(LOAD_W):
        if before <= hour < after:
            return load + (next_load - load) * (hour - before) / (after - before)
    raise ValueError(hour)


def _hour(wall: datetime) -> float:
    return wall.hour + wall.minute / 60


def _sun(wall: datetime) -> float:
    """The share of the solar panels' peak."""
    hour = _hour(wall)
    if not SUNRISE < hour < SUNSET:
        return 0.0
    clouds = 0.35 + 0.65 * abs(math.sin(wall.toordinal() * 1.7))
    height = math.sin((hour - SUNRISE) / 11 * math.pi)
    return clouds * max(0.0, height)


def simulate_house(file: Path, first: str, last: str, tz: str, step: int, seed: int) -> None:
    """Write the export that the options ask for, and say so."""
    try:
        zone = load_settings({"tz": tz}).zone
        start = LocalDay(parse_day(first, "--from"), zone)
        end = LocalDay(parse_day(last, "--to"), zone)
    except HomeIotError as error:
        raise SystemExit(explained(f"error: {error}")) from None
    write_export(file, start, end, step, seed)
    size = file.stat().st_size
    written = f"{file}: {first} to {last}, a reading every {step} s, {size} bytes"
    typer.echo(written, err=True)


def write_export(
    file: Path,
    start: LocalDay,
    end: LocalDay,
    step_s: int = 60,
    seed: int = 1,
    *,
    with_mishaps: bool = False,
) -> None:
    """Write the readings as `influx_inspect export` would: with its headers, gzip by the name."""
    file.parent.mkdir(parents=True, exist_ok=True)
    headers = HEADERS.format(start=start.start.isoformat(), end=end.end.isoformat())
    lines = readings(start, end, step_s, seed, with_mishaps=with_mishaps)
    with _opened(file) as stream:
        stream.write(headers)
        stream.writelines(lines)


def _opened(file: Path) -> contextlib.AbstractContextManager[TextIO]:
    if file.suffix == ".gz":
        return gzip.open(file, "wt", compresslevel=3)
    return file.open("w")
