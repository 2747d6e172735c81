"""What a night costs with a month and with ten years archived.

The whole command, the read copy included. Both houses take turns, and each figure is the median.
Also in seconds of the processor, which depend less on what else the machine does.

python benchmarks/nights.py [--readings 144] [--days 30 3650] [--nights 5]

It works in a temporary folder. To archive ten years takes some minutes.
"""

import argparse
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from homeiot_batch.commands.simulate import write_export
from homeiot_batch.config import ROOT
from homeiot_batch.core.days import LocalDay

LAST = date(2026, 10, 22)
EXPORT = "export.lp.gz"
PARTS = ["Snakefile", "config.yaml", "dbt", "profiles", "scripts", "workflow"]


class Cost(NamedTuple):
    """Seconds of one run: on the clock, and of the processor."""

    clock_s: float
    processor_s: float


def house(folder: Path, days: int, step_s: int, nights: int) -> Path:
    """A checkout whose archive holds so many days up to LAST.

    Its export then has the last days before LAST, and the nights after it.
    """
    folder.mkdir()
    for part in PARTS:
        (shutil.copytree if (ROOT / part).is_dir() else shutil.copy)(ROOT / part, folder / part)
    zone = ZoneInfo("Asia/Tokyo")
    first, recent, last, end = (
        LocalDay(LAST + timedelta(days=n), zone) for n in (1 - days, -7, 0, nights)
    )
    write_export(folder / EXPORT, first, last, step_s)
    run(folder, LAST + timedelta(days=1), "--from", str(first), "--to", str(LAST))
    write_export(folder / EXPORT, recent, end, step_s)
    return folder


def run(folder: Path, today: date, *arguments: str) -> Cost:
    """The nightly command a little after the midnight with which `today` begins."""
    env = os.environ | {"PYTHONPATH": str(folder / "scripts"), "INFLUX_URL": str(folder / EXPORT)}
    command = [sys.executable, "-m", "homeiot_batch.run_archive", *arguments]
    command += ["--config", f"now={today}T00:10:00+09:00"]
    started, used = time.monotonic(), processor_s()
    done = subprocess.run(command, cwd="/", env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return Cost(time.monotonic() - started, processor_s() - used)


def processor_s() -> float:
    """Seconds of the processor that all commands have had so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def night_costs(folder: Path, night: int) -> dict[str, Cost]:
    """One night's new day, then the same again, then a day read once more."""
    today = LAST + timedelta(days=night + 1)
    again = ["--date", str(today - timedelta(days=4)), "--force"]
    return {
        "a new day": run(folder, today),
        "nothing to do": run(folder, today),
        "a day read again": run(folder, today, *again, "--config", "allow_shrink=true"),
    }


def main() -> None:
    """Make the houses, and measure the same nights in each by turns."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--readings", type=int, default=144, help="readings a day of each of two meters"
    )
    parser.add_argument("--days", type=int, nargs=2, default=[30, 3650])
    parser.add_argument("--nights", type=int, default=5)
    arguments = parser.parse_args()
    step_s = 86_400 // arguments.readings
    with tempfile.TemporaryDirectory() as temporary:
        folders = [
            house(Path(temporary) / str(days), days, step_s, arguments.nights)
            for days in arguments.days
        ]
        nights = [
            [night_costs(folder, night) for folder in folders]
            for night in range(1, arguments.nights + 1)
        ]
    show(arguments.days, nights)


def show(days: list[int], nights: list[list[dict[str, Cost]]]) -> None:
    """Print the medians of both houses and their ratio, by the clock and by the processor."""
    few, many = days
    for number, unit in enumerate(("s", "s of processor")):
        print(f"{unit:<20}{few:>8} days{many:>8} days   ratio")
        for what in nights[0][0]:
            short, long = (
                statistics.median(night[place][what][number] for night in nights)
                for place in (0, 1)
            )
            print(f"{what:<20}{short:>13.2f}{long:>13.2f}{long / short:>8.2f}", flush=True)


if __name__ == "__main__":
    main()
