"""The main job on a simulated house: four weeks that end yesterday, in data/demo, without a server.

python -m homeiot_batch demo
"""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import typer

from homeiot_batch.commands.demo_run import demo_environment, run_days
from homeiot_batch.commands.simulate import write_export
from homeiot_batch.config import ROOT, Settings
from homeiot_batch.core.days import LocalDay, yesterday
from homeiot_batch.core.duckdb_connections import connect

FOLDER = Path("data/demo")
DAYS = 28


TABLE = "SELECT date_jst, source, import_kwh, peak_w FROM fct_daily_energy ORDER BY ALL"
PLACES = """
The readings of every day:   {folder}/parquet/raw_meter_readings/dt=YYYY-MM-DD/part-0.parquet
The database:                {database}   tables {tables}
The report:                  {folder}/report/index.html   open it in a browser
Next: `make demo` again finds nothing to do. The README shows how to archive a real house."""
TABLES = "raw_meter_readings, stg_meter_readings, fct_daily_energy"


def show_demo() -> None:
    """Simulate the house, run the workflow on it, and show the daily table."""
    os.chdir(ROOT)
    tz = Settings.model_fields["tz"].default
    zone = ZoneInfo(tz)
    over = yesterday(datetime.now(UTC), zone)
    first = LocalDay(over - timedelta(days=DAYS - 1), zone)
    last = LocalDay(over, zone)
    export = _simulated(first, last)
    environment = demo_environment(FOLDER, tz, export)
    run_days(first, last, environment)
    _show(Path(environment["DUCKDB_PATH"]))


def _simulated(first: LocalDay, last: LocalDay) -> Path:
    """The export of the house. The one of an earlier call stays if it has the same days."""
    export = FOLDER / f"house-{last}.lp.gz"
    if not export.exists():
        # other weeks are another house: its counters begin elsewhere
        shutil.rmtree(FOLDER, ignore_errors=True)
        write_export(export, first, last, with_mishaps=True)
    (FOLDER / "house").mkdir(exist_ok=True)
    return export


def _show(database: Path) -> None:
    with connect(database, read_only=True) as connection:
        rows = connection.execute(TABLE).fetchall()
    head = _line("date", "source", "kWh", "peak W")
    typer.echo(f"\n{head}")
    for day, source, energy, peak in rows:
        kwh = _shown(energy, 2)
        watts = _shown(peak, 0)
        typer.echo(_line(str(day), source, kwh, watts))
    places = PLACES.format(folder=FOLDER, database=database, tables=TABLES)
    typer.echo(places)


def _line(day: str, source: str, energy: str, peak: str) -> str:
    return f"{day:<12}{source:<12}{energy:>8}{peak:>10}"


def _shown(value: float | None, digits: int) -> str:
    if value is None:
        return "no data"
    return f"{value:.{digits}f}"
