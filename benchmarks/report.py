"""What the report of ten years costs, with a page for each month.

Three meters, a reading each half an hour, marts by the real dbt. KB, seconds to make, ms to first
paint.

python -m benchmarks.report [--years 10] [--folder data/benchmark-report]
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from homeiot_batch.config import ROOT, load_settings
from tests.dbt.meters import Archive
from tests.report.browser import CHROMIUM, DESKTOP, PHONE, Browser

LAST = date(2026, 11, 23)
READINGS = """
INSERT INTO raw_meter_readings
SELECT ts, ts + INTERVAL 9 HOUR, source, round(300 + 250 * sin(half / 9.0) + 400 * random(), 1),
  round(1000 + sum(0.1 + 0.4 * random()) OVER (PARTITION BY source ORDER BY ts), 3),
  CASE source WHEN 'grid'
    THEN round(500 + sum(greatest(0, sin((half % 48 - 14) / 20.0 * pi())) * random())
      OVER (PARTITION BY source ORDER BY ts), 3) ELSE 0 END,
  ts
FROM (SELECT half, $start::TIMESTAMP + to_minutes(30 * half) AS ts
    FROM range($halves::BIGINT) AS r(half)),
  (VALUES ('grid'), ('heatpump'), ('car')) AS s(source)
WHERE half % 9000 NOT BETWEEN 4000 AND 4100
ORDER BY ts
"""
LOADS = """
INSERT INTO archive.loads (dataset, dt, load_id)
SELECT 'raw_meter_readings', day::DATE, uuid()::VARCHAR
FROM generate_series($first::DATE, $last::DATE, INTERVAL 1 DAY) AS days(day)
"""


def make(folder: Path, years: int) -> dict[str, str]:
    """The archive with its marts, published. The settings that name it."""
    folder.mkdir(parents=True, exist_ok=True)
    database = folder / "home_energy.duckdb"
    database.unlink(missing_ok=True)
    archive = Archive(database, ZoneInfo("Asia/Tokyo"))
    days = round(365.25 * years)
    first = LAST - timedelta(days=days - 1)
    with duckdb.connect(database) as connection:
        connection.execute(
            READINGS, {"start": f"{first - timedelta(days=1)} 15:00", "halves": 48 * days}
        )
        connection.execute(LOADS, {"first": first, "last": LAST})
    archive.build()
    places = {
        "duckdb_path": str(database),
        "parquet_base_dir": str(folder / "parquet"),
        "marker_dir": str(folder / "markers"),
        "report_dir": str(folder / "report"),
    }
    archive.publish(load_settings(places))
    return places


def paint(file: Path, width: int, slower: int) -> dict[str, float]:
    """First contentful paint and end of load, in ms, on a processor so many times slower."""
    with Browser() as browser:
        browser.call("Emulation.setCPUThrottlingRate", rate=slower)
        browser.open(file.as_uri(), width)
        time.sleep(1)
        script = """JSON.stringify({
            paint: performance.getEntriesByName('first-contentful-paint')[0]?.startTime,
            load: performance.getEntriesByType('navigation')[0].loadEventEnd})"""
        return json.loads(browser.evaluate(script))


def _seconds(places: dict[str, str]) -> float:
    """How long the command takes."""
    settings = [
        argument for name, value in places.items() for argument in ("--config", f"{name}={value}")
    ]
    started = time.monotonic()
    command = [sys.executable, "-m", "homeiot_batch", "report", *settings]
    subprocess.run(command, cwd=ROOT, check=True)
    return time.monotonic() - started


def main() -> None:
    """Make it, write the report as a user would, open it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--folder", type=Path, default=ROOT / "data/benchmark-report")
    arguments = parser.parse_args()
    places = make(arguments.folder, arguments.years)
    file = arguments.folder / "report/index.html"
    shutil.rmtree(file.parent, ignore_errors=True)
    first, again = _seconds(places), _seconds(places)
    months = [month.stat().st_size for month in file.parent.glob("months/*.html")]
    print(
        f"{arguments.years} years, 3 sources: {file.stat().st_size / 1000:.0f} kB and "
        f"{len(months)} months of {sum(months) / 1e6:.0f} MB, made in {first:.1f} s. "
        f"Without a month that has changed: {again:.1f} s"
    )
    if CHROMIUM:
        for name, width, slower in (("desktop", DESKTOP, 1), ("phone, 4 times slower", PHONE, 4)):
            times = paint(file, width, slower)
            print(f"{name}: first paint {times['paint']:.0f} ms, loaded {times['load']:.0f} ms")


if __name__ == "__main__":
    main()
