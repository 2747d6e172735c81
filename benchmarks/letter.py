"""The request to the letter, in one process: a yardstick without any of this project's checks.

For each local day: query InfluxDB as the request writes it, make a row tuple of each point, write
Parquet to a temporary folder, rename it, and put the rows into DuckDB in the place of those of the
day.

python -m benchmarks.letter URL DATABASE FOLDER FIRST LAST
"""

import shutil
import sys
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
from influxdb import InfluxDBClient

Point = dict[str, Any]

ZONE = ZoneInfo("Asia/Tokyo")
FIELDS = ["instant_power_w", "energy_import_kwh", "energy_export_kwh"]
SCHEMA = pa.schema(
    {
        "ts_utc": pa.timestamp("us", "UTC"),
        "ts_jst": pa.timestamp("us", ZONE.key),
        "source": pa.string(),
        **dict.fromkeys(FIELDS, pa.float64()),
        "ingested_at": pa.timestamp("us", "UTC"),
    }
)
TABLE = """
CREATE TABLE IF NOT EXISTS raw_meter_readings (
  ts_utc TIMESTAMP, ts_jst TIMESTAMP, source VARCHAR, instant_power_w DOUBLE,
  energy_import_kwh DOUBLE, energy_export_kwh DOUBLE, ingested_at TIMESTAMP)
"""


def read(client: InfluxDBClient, day: date) -> list[Point]:
    """The day's points, each a dict with its time as text."""
    start = datetime(day.year, day.month, day.day, tzinfo=ZONE)
    end = start + timedelta(days=1)
    bounds = [at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") for at in (start, end)]
    selection = ", ".join([*FIELDS, "source"])
    query = f"SELECT {selection} FROM power WHERE time >= '{bounds[0]}' AND time < '{bounds[1]}'"
    return list(client.query(query).get_points())


def transform(points: list[Point]) -> list[tuple[object, ...]]:
    """A row tuple for each point, as the request asks: what is missing is 0.0."""
    now = datetime.now(UTC)
    rows = []
    for point in points:
        utc = datetime.fromisoformat(point["time"])
        source = point["source"] or "meter1"
        values = [point[field] or 0.0 for field in FIELDS]
        rows.append((utc, utc.astimezone(ZONE), source, *values, now))
    return rows


def archive(rows: list[tuple[object, ...]], folder: Path, day: date) -> Path:
    """Put the day's file in place."""
    columns = zip(*rows, strict=True)
    table = pa.table(
        [pa.array(column, kind) for column, kind in zip(columns, SCHEMA.types, strict=True)],
        schema=SCHEMA,
    )
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
    database.execute("DELETE FROM raw_meter_readings WHERE DATE(ts_jst) = ?", [day])
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
            rows = transform(read(client, day))
            load(connection, archive(rows, folder, day), day)


if __name__ == "__main__":
    main(
        sys.argv[1],
        sys.argv[2],
        Path(sys.argv[3]),
        date.fromisoformat(sys.argv[4]),
        date.fromisoformat(sys.argv[5]),
    )
