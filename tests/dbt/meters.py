"""An archive of meters as the workflow loads it, without the workflow.

Readings go straight into DuckDB, and the real dbt builds the tables.
"""

import os
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from homeiot_batch.config import ROOT, Settings, load_settings
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.files import write_json
from homeiot_batch.counters.archive import Key, judge_archive
from homeiot_batch.counters.limits import Limits
from homeiot_batch.counters.readings import COLUMNS
from homeiot_batch.warehouse.database import RECORD_DDL, record_build
from homeiot_batch.warehouse.read_copy import publish
from tests import prepared
from tests.dbt.parsed_project import kept_parse

RAW = "raw_meter_readings"
Row = tuple[Any, ...]
# time UTC without zone, source, W, import kWh, export kWh
Reading = tuple[datetime, str, float | None, float | None, float | None]


@dataclass
class Archive:
    """A DuckDB file with raw readings, the record of their loads and the house's zone."""

    database: Path
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Tokyo"))

    def __post_init__(self) -> None:
        with duckdb.connect(self.database) as connection:
            prepare(connection, self.zone)

    def load(self, readings: Iterable[Reading]) -> None:
        """Add the readings, and record a new load of each of their days."""
        with duckdb.connect(self.database) as connection:
            for day in insert(connection, readings, self.zone):
                connection.execute(
                    "INSERT OR REPLACE INTO archive.loads (dataset, dt, load_id) VALUES (?, ?, ?)",
                    [RAW, day, uuid.uuid4().hex],
                )

    def replace_day(self, day: date, readings: Iterable[Reading]) -> None:
        """Load the day again, with these readings instead of its old ones.

        None at all is an empty day.
        """
        self.replace(LocalDay(day, self.zone), readings)

    def replace(self, bounds: LocalDay, readings: Iterable[Reading]) -> None:
        """The same for a day with bounds of its own."""
        found = sorted(readings, key=lambda reading: reading[0])
        first, last = (found[0][0], found[-1][0]) if found else (None, None)
        with duckdb.connect(self.database) as connection:
            edges = [at.astimezone(UTC).replace(tzinfo=None) for at in (bounds.start, bounds.end)]
            connection.execute(f"DELETE FROM {RAW} WHERE ts_utc >= ? AND ts_utc < ?", edges)
            connection.execute(
                "INSERT OR REPLACE INTO archive.loads (dataset, dt, load_id, first_utc, last_utc) "
                "VALUES (?, ?, ?, ?, ?)",
                [RAW, bounds.date, uuid.uuid4().hex, first, last],
            )
            insert(connection, found, self.zone)

    def forget_day(self, day: date) -> None:
        """Take the day out of the database, and its record too."""
        self.replace_day(day, [])
        with duckdb.connect(self.database) as connection:
            connection.execute("DELETE FROM archive.loads WHERE dt = ?", [day])

    def dbt(self, *arguments: str) -> str:
        """Run dbt on the database to its end. What it said. AssertionError if it fails."""
        folder = self.database.parent
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name.lower() not in Settings.model_fields
        }
        places = {
            # seen from its folder: dbt parses the project again where the path is another one
            "DUCKDB_PATH": f"./{self.database.name}",
            "DBT_PROJECT_DIR": str(ROOT / "dbt"),
            "DBT_PROFILES_DIR": str(ROOT / "dbt"),
            "DBT_TARGET_PATH": str(folder / "target"),
            "DBT_LOG_PATH": str(folder / "logs"),
        }
        with kept_parse(folder / "target"):
            options = ["--no-use-colors", *arguments]
            code, said = prepared.run("dbt", options, folder, inherited | places)
        assert code == 0, said
        return said

    def publish(self, settings: Settings) -> None:
        """Show readers the tables as they were built."""
        layout = settings.layout
        settings.parquet_base_dir.mkdir(exist_ok=True)
        write_json(layout.models, record_build(settings.duckdb_path))
        publish(settings, layout, wait_s=0)

    def build(self, *arguments: str) -> str:
        """What the nightly run does."""
        return self.dbt("build", "--exclude-resource-type", "unit_test", *arguments)

    def query(self, sql: str, *values: object) -> list[Row]:
        """Rows of a query."""
        with duckdb.connect(self.database, read_only=True) as connection:
            return connection.execute(sql, values).fetchall()


def prepare(connection: duckdb.DuckDBPyConnection, zone: ZoneInfo) -> None:
    """Make the raw table and the batch's own, empty but for the zone."""
    connection.execute(RECORD_DDL)
    connection.execute("INSERT INTO archive.house VALUES (?)", [zone.key])
    connection.execute(load_settings().datasets[RAW].ddl())


def insert(
    connection: duckdb.DuckDBPyConnection, readings: Iterable[Reading], zone: ZoneInfo
) -> set[date]:
    """Add the readings to the raw table, and return their local days."""
    rows = [(at, wall(at, zone), *values, at) for at, *values in readings]
    append(connection, RAW, rows)
    return {row[1].date() for row in rows}


def append(connection: duckdb.DuckDBPyConnection, table: str, rows: Sequence[Row]) -> None:
    """Add the rows to a table by Arrow: one by one, DuckDB takes a millisecond for each."""
    if rows:
        columns = {str(n): pa.array(values) for n, values in enumerate(zip(*rows, strict=True))}
        connection.register("appended", pa.table(columns))
        connection.execute(f"INSERT INTO {table} FROM appended")
        connection.unregister("appended")


def wall(at: datetime, zone: ZoneInfo) -> datetime:
    """Local wall time of an instant, both without zone."""
    return at.replace(tzinfo=UTC).astimezone(zone).replace(tzinfo=None)


def readings_of(
    source: str, table: str, zone: ZoneInfo, missing: float | None = 0.0
) -> list[Reading]:
    """Readings from lines of `local time, import[, export]`, where `-` is a missing value.

    A time may have its offset from UTC.
    """
    found = []
    for line in table.strip().splitlines():
        at, *values = line.split()
        instant = datetime.fromisoformat(at)
        instant = (
            (instant if instant.tzinfo else instant.replace(tzinfo=zone))
            .astimezone(UTC)
            .replace(tzinfo=None)
        )
        imported, exported = [
            missing if value == "-" else float(value) for value in [*values, "-"][:2]
        ]
        found.append((instant, source, 100.0, imported, exported))
    return found


MODELS = [
    "stg_meter_readings",
    "int_daily_power",
    "int_counter_judged",
    "int_counter_steps",
    "int_counter_quarters",
    "int_counter_days",
    "int_register_begins",
    "int_counter_begins",
    "int_quarter_energy",
    "int_daily_counters",
    "fct_hourly_energy",
    "fct_daily_energy",
]


def compiled_models(
    archive: Archive, variables: Mapping[str, Any], names: Sequence[str] = MODELS
) -> dict[str, str]:
    """The SQL of the models, as dbt compiles it for a database without tables."""
    archive.dbt("compile", "--vars", repr(dict(variables)))
    folder = archive.database.parent / "target/compiled/homeiot/models"
    found = {path.stem: path.read_text() for path in folder.rglob("*.sql")}
    return {name: found.get(name, "") for name in names}


def create_tables(connection: duckdb.DuckDBPyConnection, models: Mapping[str, str]) -> None:
    """Create the tables of compiled models in order, with a register's default settings."""
    for name, sql in models.items():
        if name == "int_counter_judged":
            sources = connection.execute(f"SELECT DISTINCT source FROM {RAW}").fetchall()
            limits = {Key(row[0], counter): Limits() for row in sources for counter in COLUMNS}
            judge_archive(connection, limits, None, "")
        connection.execute(f"CREATE TABLE {name} AS {sql or 'FROM judged_anew'}")
