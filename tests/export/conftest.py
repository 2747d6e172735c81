"""A house whose tables are made by hand, as the read copy and the database have them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from homeiot_batch.archive.zone_record import record_zone
from homeiot_batch.commands.export import export
from homeiot_batch.config import Settings
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.files import write_json
from homeiot_batch.export.job import Job
from homeiot_batch.export.request import Request

RAW = "raw_meter_readings"
SCHEMA = """
CREATE TABLE read_copy (tz VARCHAR);
CREATE TABLE dim_source (source VARCHAR);
CREATE TABLE fct_daily_energy (
    date_jst DATE, source VARCHAR, import_kwh DOUBLE, export_kwh DOUBLE, net_kwh DOUBLE,
    estimated_kwh DOUBLE, peak_w DOUBLE, readings BIGINT, coverage DOUBLE, longest_gap_s DOUBLE,
    reset_count INT, step_back_count INT, backwards_count INT, glitch_count INT,
    is_complete BOOLEAN
);
CREATE TABLE fct_hourly_energy (
    date_jst DATE, hour_jst TIMESTAMP, hour_start_utc TIMESTAMP, source VARCHAR,
    import_kwh DOUBLE, export_kwh DOUBLE, net_kwh DOUBLE, estimated_kwh DOUBLE
);
CREATE TABLE fct_monthly_energy (
    month_jst DATE, source VARCHAR, import_kwh DOUBLE, export_kwh DOUBLE, net_kwh DOUBLE,
    estimated_kwh DOUBLE, peak_w DOUBLE, reset_count INT, step_back_count INT,
    backwards_count INT, glitch_count INT, days INT, complete_days INT
);
CREATE TABLE fct_daily_cost (
    date_jst DATE, source VARCHAR, currency VARCHAR, import_cost DOUBLE, feed_in_revenue DOUBLE,
    net_cost DOUBLE, unpriced_kwh DOUBLE
);
CREATE TABLE fct_daily_balance (
    date_jst DATE, imported_kwh DOUBLE, exported_kwh DOUBLE, produced_kwh DOUBLE,
    charged_kwh DOUBLE, discharged_kwh DOUBLE, consumed_kwh DOUBLE, solar_to_house_kwh DOUBLE,
    solar_to_battery_kwh DOUBLE, solar_to_grid_kwh DOUBLE, battery_to_house_kwh DOUBLE,
    battery_to_grid_kwh DOUBLE, grid_to_house_kwh DOUBLE, grid_to_battery_kwh DOUBLE,
    unexplained_kwh DOUBLE, estimated_kwh DOUBLE, self_consumption DOUBLE,
    self_sufficiency DOUBLE, hours INT, complete_hours INT, is_complete BOOLEAN
);
"""
# of the database alone
QUARTERS = """
CREATE SCHEMA archive;
CREATE TABLE archive.house (tz VARCHAR);
CREATE TABLE int_quarter_energy (
    source VARCHAR, counter VARCHAR, quarter_utc TIMESTAMP, quarter_jst TIMESTAMP, kwh DOUBLE,
    estimated_kwh DOUBLE
);
"""


@dataclass
class ExportHouse:
    """A house that is archived and published by hand. `lines` are those of the last export."""

    settings: Settings
    folder: Path
    put_day: Callable[..., None]
    lines: Sequence[str] = ()

    def archive(self, first: date, last: date | None = None, points: Sequence[Any] = ()) -> None:
        """Archive and load the days, each with these points: seconds of the day, then values."""
        layout = self.settings.layout
        for offset in range(((last or first) - first).days + 1):
            day = LocalDay(first + timedelta(days=offset), self.settings.zone)
            found = [(day.start_ns + int(at * 10**9), *values) for at, *values in points]
            self.put_day(found, day, self.settings, layout.day(RAW, day))
            write_json(layout.marker(RAW, day), {})
        record_zone(layout, self.settings.tz)

    def publish(self, *statements: str) -> None:
        """Fill the tables by these statements, both of the read copy and of the database."""
        layout = self.settings.layout
        layout.database.parent.mkdir(exist_ok=True)
        tz = f"INSERT INTO {{}} VALUES ('{self.settings.tz}')"
        for file in (layout.read_copy, layout.database):
            file.unlink(missing_ok=True)
            with duckdb.connect(file) as connection:
                for sql in (SCHEMA, QUARTERS, tz.format("read_copy"), tz.format("archive.house")):
                    connection.execute(sql)
                for sql in statements:
                    connection.execute(sql)
                connection.execute(
                    "INSERT INTO dim_source SELECT DISTINCT source FROM fct_daily_energy"
                )
        write_json(layout.models, {})
        write_json(layout.read_marker, {})

    def export(self, what: str, first: date, last: date, *sources: str, form: str = "csv") -> Path:
        """Export to a file, which is returned."""
        target = self.folder / f"{what}.{form}"
        job = Job(self.settings, Request(what, first, last, sources), form)
        export(job, target)
        self.lines = job.lines
        return target

    def csv(self, what: str, first: date, last: date, *sources: str) -> list[str]:
        """The lines of an export as CSV."""
        return self.export(what, first, last, *sources).read_text().splitlines()


@pytest.fixture
def make_house(
    settings: Settings, put_day: Callable[..., None], tmp_path: Path
) -> Callable[..., ExportHouse]:
    """Makes an empty house in a zone."""

    def make(tz: str = "Asia/Tokyo") -> ExportHouse:
        folder = tmp_path / "exports"
        folder.mkdir()
        return ExportHouse(settings.model_copy(update={"tz": tz}), folder, put_day)

    return make


@pytest.fixture
def export_house(make_house: Callable[..., ExportHouse]) -> ExportHouse:
    """An empty house in Japan."""
    return make_house()


def day_row(day: date, source: str, kwh: float, **changes: object) -> str:
    """SQL that adds a day to fct_daily_energy. It is complete unless something else is given."""
    row = {
        "date_jst": str(day),
        "source": source,
        "import_kwh": kwh,
        "export_kwh": 0.0,
        "net_kwh": kwh,
        "estimated_kwh": 0.0,
        "peak_w": 1000.0,
        "readings": 1440,
        "coverage": 1.0,
        "longest_gap_s": 60.0,
        "reset_count": 0,
        "step_back_count": 0,
        "backwards_count": 0,
        "glitch_count": 0,
        "is_complete": True,
    } | changes
    return inserted("fct_daily_energy", row)


def inserted(table: str, row: dict[str, Any]) -> str:
    """SQL that adds the row to the table."""
    values = ", ".join(_literal(value) for value in row.values())
    return f"INSERT INTO {table} ({', '.join(row)}) VALUES ({values})"


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return "'" + value.replace("'", "''") + "'"
    return str(value)
