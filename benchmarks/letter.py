"""The request to the letter, in one process: a yardstick without any of this project's checks.

For each local day: query InfluxDB, write Parquet to a temporary folder, rename it, and put the rows
into DuckDB in the place of those of the day.

python -m benchmarks.letter URL DATABASE FOLDER FIRST LAST
"""

import shutil
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from influxdb import InfluxDBClient

ZONE = ZoneInfo("Asia/Tokyo")
FIELDS = ["instant_power_w", "energy_import_kwh", "energy_export_kwh"]
TABLE = """
CREATE TABLE IF NOT EXISTS raw_meter_readings (
  ts_utc TIMESTAMP, ts_jst TIMESTAMP, source VARCHAR, instant_power_w DOUBLE,
  energy_import_kwh DOUBLE, energy_export_kwh DOUBLE, ingested_at TIMESTAMP)
"""


def read(client: InfluxDBClient, day: date) -> pa.Table:
    """The day's readings."""
    start = datetime(day.year, day.month, day.day, tzinfo=ZONE)
    end = start + timedelta(days=1)
    bounds = [at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in (start, end)]
    selection = ", ".join([*FIELDS, "source"])
    query = f"SELECT {selection} FROM power WHERE time >= '{bounds[0]}' AND time < '{bounds[1]}'"
    points = list(client.query(query, epoch="us").get_points())
    utc = pa.array([point["time"] for point in points], pa.timestamp("us", "UTC"))
    now = datetime.now(UTC)
    columns = {
        "ts_utc": utc,
        "ts_jst": utc.cast(pa.timestamp("us", ZONE.key)),
        "source": [point["source"] or "meter1" for point in points],
        **{field: [point[field] or 0.0 for point in points] for field in FIELDS},
        "ingested_at": pa.array([now] * len(points), pa.timestamp("us", "UTC")),
    }
    return pa.table(columns)


def archive(table: pa.Table, folder: Path, day: date) -> Path:
    """Put the day's file in place."""
    partition = folder / "raw_meter_readings" / f"dt={day}"
    temporary = folder / "__tmp__"
    shutil.rmtree(partition, ignore_errors=True)
    temporary.mkdir(parents=True)
    partition.parent.mkdir(exist_ok=True)
    pq.write_table(table, temporary / "part-0.parquet", compression="zstd")
    temporary.rename(partition)
    return partition / "part-0.parquet"


def load(database: duckdb.DuckDBPyConnection, file: Path, day: date) -> None:
    """Put the day's rows in the place of those that the table has."""
    database.execute("BEGIN")
    database.execute("DELETE FROM raw_meter_readings WHERE ts_jst::DATE = ?", [day])
    database.execute(
        "INSERT INTO raw_meter_readings SELECT ts_utc AT TIME ZONE 'UTC', "
        "ts_jst AT TIME ZONE 'Asia/Tokyo', * EXCLUDE (ts_utc, ts_jst, ingested_at), "
        "ingested_at AT TIME ZONE 'UTC' FROM read_parquet(?, hive_partitioning = false)",
        [str(file)],
    )
    database.execute("COMMIT")


def main(url: str, database: str, folder: Path, first: date, last: date) -> None:
    """Archive and load the days."""
    place = urlsplit(url)
    client = InfluxDBClient(place.hostname, place.port, database=database)
    with duckdb.connect(folder / "home_energy.duckdb") as connection:
        connection.execute(TABLE)
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            load(connection, archive(read(client, day), folder, day), day)


if __name__ == "__main__":
    main(
        sys.argv[1],
        sys.argv[2],
        Path(sys.argv[3]),
        date.fromisoformat(sys.argv[4]),
        date.fromisoformat(sys.argv[5]),
    )
