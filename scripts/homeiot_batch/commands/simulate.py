"""A simulated house as a line-protocol export: load, solar export, two meters, a missing field here and there.

python -m homeiot_batch simulate FILE --from 2026-11-09 --to 2026-11-22 [--tz Asia/Tokyo] [--step 60] [--seed 1]
"""

import gzip
import math
import random
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import typer

from homeiot_batch.config import load_settings
from homeiot_batch.core.days import LocalDay, parse_day
from homeiot_batch.core.host_paths import explained
from homeiot_batch.errors import HomeIotError


def readings(
    start: LocalDay, end: LocalDay, step_s: int, seed: int, *, with_mishaps: bool = False
) -> Iterator[str]:
    """Lines of both meters from the first instant of `start` to the last of `end`, one field a line, as an export has them.

    Mishaps, by days before `end`: the router is off for an afternoon (9), a heat pump's meter is silent for two days (19) and swapped (13), and one
    reading is wrong (5).
    """
    for source, scale, solar in (("meter1", 1.0, 4200.0), ("heatpump", 0.6, 0.0)):
        chance = random.Random(f"{seed}-{source}")  # noqa: S311 - weather, not a secret
        imported, exported = chance.uniform(1000, 9000), chance.uniform(100, 900)
        for time in range(start.start_ns, end.end_ns, step_s * 10**9):
            wall = datetime.fromtimestamp(time / 1e9, start.zone)
            net = scale * _load_w(wall, chance) - solar * _sun(wall)
            imported += max(net, 0) * step_s / 3.6e6
            exported += max(-net, 0) * step_s / 3.6e6
            fields = {"instant_power_w": round(net, 1), "energy_import_kwh": round(imported, 4)}
            if solar:
                fields["energy_export_kwh"] = round(exported, 4)
            if chance.random() < 0.002:
                del fields["energy_import_kwh"]
            if with_mishaps:
                _mishap(fields, source, wall, (end.date - wall.date()).days)
            yield from (
                f"power,source={source} {name}={value} {time}\n" for name, value in fields.items()
            )


def _mishap(fields: dict[str, float], source: str, wall: datetime, days_before: int) -> None:
    minute = wall.hour * 60 + wall.minute
    if (source == "heatpump" and 18 <= days_before <= 19) or (
        days_before == 9 and 800 <= minute < 1130
    ):
        fields.clear()
    if source == "meter1" and days_before == 5 and minute == 600 and "energy_import_kwh" in fields:
        fields["energy_import_kwh"] *= 10
    if (
        source == "heatpump"
        and "energy_import_kwh" in fields
        and (days_before, -minute) <= (13, -600)
    ):
        fields["energy_import_kwh"] = round(fields["energy_import_kwh"] % 1000, 4)


def _load_w(wall: datetime, chance: random.Random) -> float:
    hour = wall.hour + wall.minute / 60
    curve = [
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
    load = next(
        a + (b - a) * (hour - h) / (k - h) for (h, a), (k, b) in pairwise(curve) if h <= hour < k
    )
    load *= 1 + 0.2 * math.sin(wall.toordinal() * 2.3) + (0.15 if wall.isoweekday() > 5 else 0)
    kettle = 1800 if chance.random() < 0.01 else 0
    return load * chance.uniform(0.85, 1.15) + kettle


def _sun(wall: datetime) -> float:
    hour = wall.hour + wall.minute / 60
    clouds = 0.35 + 0.65 * abs(math.sin(wall.toordinal() * 1.7))
    return clouds * max(0.0, math.sin((hour - 6.5) / 11 * math.pi)) if 6.5 < hour < 17.5 else 0.0


def simulate_house(file: Path, first: str, last: str, tz: str, step: int, seed: int) -> None:
    """Write the export that the options ask for, and say so."""
    try:
        zone = load_settings({"tz": tz}).zone
        start, end = (
            LocalDay(parse_day(text, option), zone)
            for text, option in ((first, "--from"), (last, "--to"))
        )
    except HomeIotError as error:
        raise SystemExit(explained(f"error: {error}")) from None
    write_export(file, start, end, step, seed)
    typer.echo(
        f"{file}: {first} to {last}, a reading every {step} s, {file.stat().st_size} bytes",
        err=True,
    )


def write_export(
    file: Path,
    start: LocalDay,
    end: LocalDay,
    step_s: int = 60,
    seed: int = 1,
    *,
    with_mishaps: bool = False,
) -> None:
    """Write the readings to `file` as `influx_inspect export` would: with its headers, gzip by the name."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with (
        gzip.open(file, "wt", compresslevel=3) if file.suffix == ".gz" else file.open("w") as stream
    ):
        stream.write(f"# INFLUXDB EXPORT: {start.start.isoformat()} - {end.end.isoformat()}\n")
        stream.write("# DDL\nCREATE DATABASE home_energy WITH NAME autogen\n# DML\n")
        stream.write("# CONTEXT-DATABASE:home_energy\n# CONTEXT-RETENTION-POLICY:autogen\n")
        stream.writelines(readings(start, end, step_s, seed, with_mishaps=with_mishaps))
