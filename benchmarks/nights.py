"""What a night costs with a month and with ten years archived.

The whole command, the read copy included, side by side.

python benchmarks/nights.py [--readings 144] [--days 30 3650]

It works in a temporary folder. To archive ten years takes some minutes.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from homeiot_batch.commands.simulate import write_export
from homeiot_batch.config import ROOT
from homeiot_batch.core.days import LocalDay

LAST = date(2026, 11, 22)
EXPORT = "export.lp.gz"
PARTS = ["Snakefile", "config.yaml", "dbt", "profiles", "scripts", "workflow"]


def house(folder: Path, days: int, step_s: int) -> Path:
    """A checkout whose archive holds so many days up to the 22nd.

    Its export then has the last days and the 23rd alone.
    """
    folder.mkdir()
    for part in PARTS:
        (shutil.copytree if (ROOT / part).is_dir() else shutil.copy)(ROOT / part, folder / part)
    zone = ZoneInfo("Asia/Tokyo")
    first, recent, last = (LocalDay(LAST + timedelta(days=n), zone) for n in (1 - days, -7, 1))
    write_export(folder / EXPORT, first, last, step_s)
    run(folder, "2026-11-23", "--from", str(first), "--to", str(LAST))
    write_export(folder / EXPORT, recent, last, step_s)
    return folder


def run(folder: Path, today: str, *arguments: str) -> float:
    """The nightly command a little after the midnight with which `today` begins. Seconds."""
    env = os.environ | {"PYTHONPATH": str(folder / "scripts"), "INFLUX_URL": str(folder / EXPORT)}
    command = [
        sys.executable,
        "-m",
        "homeiot_batch.run_archive",
        *arguments,
        "--config",
        f"now={today}T00:10:00+09:00",
    ]
    started = time.monotonic()
    done = subprocess.run(command, cwd="/", env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    return time.monotonic() - started


def main() -> None:
    """Make the houses, and time the same nights in each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--readings", type=int, default=144, help="readings a day of each of two meters"
    )
    parser.add_argument("--days", type=int, nargs=2, default=[30, 3650])
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        seconds: dict[str, list[float]] = {
            "a new day": [],
            "nothing to do": [],
            "a day read again": [],
        }
        for days in arguments.days:
            folder = house(Path(temporary) / str(days), days, 86_400 // arguments.readings)
            seconds["a new day"].append(run(folder, "2026-11-24"))
            seconds["nothing to do"].append(min(run(folder, "2026-11-24") for _ in range(3)))
            seconds["a day read again"].append(
                run(
                    folder,
                    "2026-11-24",
                    "--date",
                    "2026-11-20",
                    "--force",
                    "--config",
                    "allow_shrink=true",
                )
            )
        few, many = arguments.days
        print(f"{'':<20}{few:>8} days{many:>8} days   ratio")
        for what, (short, long) in seconds.items():
            print(f"{what:<20}{short:>11.1f} s{long:>11.1f} s{long / short:>8.2f}")


if __name__ == "__main__":
    main()
