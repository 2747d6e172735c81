"""What the tables of ten years cost: a reading a minute from two meters, one with solar.

A full refresh, a night, a day loaded again.

The same nights are built on 30 days and on ten years by turns, and the median of each set side by
side. Also in seconds of the processor, which depend less on what else the machine does.

python benchmarks/ten_years.py [--years 10] [--nights 3] [--folder data/benchmark]

It uses dbt and DuckDB of the project's .venv.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from datetime import date, timedelta
from pathlib import Path

import duckdb

from homeiot_batch.config import ROOT, load_settings
from homeiot_batch.warehouse.database import RECORD_DDL

FIRST = date(2016, 11, 1)
READINGS = """
INSERT INTO raw_meter_readings
SELECT ts, ts + INTERVAL 9 HOUR, source,
  round(300 + 250 * sin(minute / 230.0) + 40 * random(), 1),
  CASE WHEN random() < 0.002 THEN 0 WHEN random() < 0.00001 THEN 9e6 * random()
    ELSE round(1000 + minute * 0.005, 3) END,
  CASE WHEN source <> 'meter1' OR random() < 0.002 THEN 0
    ELSE round(
      500 + minute // 1440 * 9 + 9 * greatest(0, least(1, (minute % 1440 - 420) / 600.0)), 3) END,
  ts
FROM (SELECT minute, $start::TIMESTAMP + to_minutes(minute) AS ts
    FROM range($from_minute::BIGINT, $to_minute::BIGINT) AS minutes(minute)),
  (VALUES ('meter1'), ('heatpump')) AS sources(source)
WHERE minute % 400000 NOT BETWEEN 100000 AND 100400
ORDER BY ts
"""
LOADS = """
INSERT OR REPLACE INTO archive.loads (dataset, dt, load_id)
SELECT 'raw_meter_readings', day::DATE, uuid()::VARCHAR
FROM generate_series($first::DATE, $last::DATE, INTERVAL 1 DAY) AS days(day)
"""


def load(database: Path, first_day: int, last_day: int) -> None:
    """Load the days of these numbers, as the workflow would."""
    with duckdb.connect(database) as connection:
        bounds = {
            "start": f"{FIRST - timedelta(days=1)} 15:00",
            "from_minute": 1440 * first_day,
            "to_minute": 1440 * (last_day + 1),
        }
        connection.execute(READINGS, bounds)
        connection.execute(
            LOADS,
            {"first": FIRST + timedelta(days=first_day), "last": FIRST + timedelta(days=last_day)},
        )


def make(database: Path, days: int) -> None:
    """An archive of so many days."""
    database.parent.mkdir(parents=True, exist_ok=True)
    database.unlink(missing_ok=True)
    with duckdb.connect(database) as connection:
        connection.execute(RECORD_DDL)
        connection.execute("INSERT INTO archive.house VALUES ('Asia/Tokyo')")
        connection.execute(load_settings().datasets["raw_meter_readings"].ddl())
    load(database, 0, days - 1)


def peak_mb(pid: int) -> float:
    """The most memory that the process has had, in MB.

    The run's own, not that of the process that started it.
    """
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return max(
        (int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), default=0
    )


def build(database: Path, what: str) -> tuple[float, float]:
    """Run the nightly dbt build. Returns its seconds, and those of the processor."""
    command = [
        str(Path(sys.executable).with_name("dbt")),
        "--no-use-colors",
        "build",
        "--exclude-resource-type",
        "unit_test",
    ]
    places = {
        "DUCKDB_PATH": str(database),
        "DBT_TARGET_PATH": str(database.parent / "target"),
        "DBT_LOG_PATH": str(database.parent / "logs"),
    }
    started, used = time.monotonic(), processor_s()
    log = database.parent / "build.log"
    with (
        log.open("w") as output,
        subprocess.Popen(
            command, cwd=ROOT / "dbt", env=os.environ | places, stdout=output
        ) as process,
    ):
        memory = 0.0
        while process.poll() is None:
            memory = max(memory, peak_mb(process.pid))
            time.sleep(0.05)
    seconds, used = time.monotonic() - started, processor_s() - used
    said = log.read_text()
    if process.returncode:
        raise SystemExit(said)
    models = sorted(
        (float(line.rsplit("in ", 1)[1].split("s]")[0]), line.split(" model main.")[1].split()[0])
        for line in said.splitlines()
        if "OK created" in line
    )
    slowest = ", ".join(f"{name} {took}" for took, name in models[:-4:-1])
    print(
        f"{what:<44}{seconds:8.1f} s   {used:6.1f} s of processor   {memory:6.0f} MB   {slowest}",
        flush=True,
    )
    return seconds, used


def processor_s() -> float:
    """Seconds of the processor that the builds have had so far."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def read_again(database: Path, day: str) -> None:
    """Load the day a second time: the same readings, appended at the table's end."""
    with duckdb.connect(database) as connection:
        connection.execute(
            f"CREATE TEMP TABLE again AS FROM raw_meter_readings WHERE ts_jst::DATE = '{day}'"
        )
        connection.execute(f"DELETE FROM raw_meter_readings WHERE ts_jst::DATE = '{day}'")
        connection.execute("INSERT INTO raw_meter_readings FROM again ORDER BY ts_utc")
        connection.execute(f"UPDATE archive.loads SET load_id = uuid() WHERE dt = DATE '{day}'")


def nights(few: Path, few_days: int, many: Path, many_days: int, count: int) -> None:
    """Load and build the next nights of both archives by turns, and compare them."""
    took: dict[Path, list[tuple[float, float]]] = {few: [], many: []}
    for night in range(count):
        for database, days in ((few, few_days), (many, many_days)):
            load(database, days + night, days + night)
            took[database].append(build(database, f"{days} days, a night"))
    for what, number in (("s", 0), ("s of processor", 1)):
        short, long = (
            statistics.median(night[number] for night in took[database]) for database in (few, many)
        )
        print(
            f"a night of {few_days} and of {many_days} days: {short:.1f} and {long:.1f} {what}, "
            f"ratio {long / short:.2f}",
            flush=True,
        )


def main() -> None:
    """Make the archives, build them, and build what nights change."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", type=int, default=10)
    parser.add_argument("--nights", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=ROOT / "data/benchmark")
    arguments = parser.parse_args()
    database, days = arguments.folder / "home_energy.duckdb", round(365.25 * arguments.years)
    month = arguments.folder / "month" / "home_energy.duckdb"
    make(month, 30)
    build(month, "30 days, everything")
    make(database, days)
    print(
        f"{arguments.years} years: {database.stat().st_size / 1e6:.0f} MB before the tables",
        flush=True,
    )
    build(database, "everything")
    nights(month, 30, database, days, arguments.nights)
    read_again(database, "2020-02-29")
    build(database, "a day of years ago, loaded again")
    build(database, "nothing changed")
    print(f"{database.stat().st_size / 1e6:.0f} MB with the tables", flush=True)


if __name__ == "__main__":
    main()
