"""The main job on a simulated house: four weeks that end yesterday, in data/demo, without a server.

python -m homeiot_batch demo
"""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import typer

from homeiot_batch.commands.simulate import write_export
from homeiot_batch.config import ROOT, Settings
from homeiot_batch.core.days import LocalDay, yesterday
from homeiot_batch.core.duckdb_connections import connect
from homeiot_batch.core.environment import plain_environment

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
    environment = _environment(tz, export)
    failed = _run(first, last, environment)
    if failed:
        raise SystemExit(failed)
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


def _environment(tz: str, export: Path) -> dict[str, str]:
    """The demo's own places, whatever the real archive's are."""
    inherited = plain_environment()
    names = [name for name in inherited if name.lower() not in Settings.model_fields]
    environment = {name: inherited[name] for name in names}
    environment |= {
        "TZ": tz,
        "INFLUX_URL": str(export),
        "PARQUET_BASE_DIR": f"{FOLDER}/parquet",
        "MARKER_DIR": f"{FOLDER}/markers",
        "DUCKDB_PATH": f"{FOLDER}/home_energy.duckdb",
        "REPORT_DIR": f"{FOLDER}/report",
        "HOUSE_DIR": f"{FOLDER}/house",
    }
    return environment


def _run(first: LocalDay, last: LocalDay, environment: dict[str, str]) -> int:
    """Run the workflow on these days, and return its exit code."""
    snakemake = [sys.executable, "-m", "snakemake", "all"]
    days = ["--config", f"start={first}", f"end={last}"]
    done = subprocess.run([*snakemake, *days], env=environment, check=False)
    return done.returncode


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
