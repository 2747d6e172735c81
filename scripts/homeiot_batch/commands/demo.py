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

import duckdb
import typer

from homeiot_batch.commands.simulate import write_export
from homeiot_batch.config import ROOT, Settings
from homeiot_batch.core.days import LocalDay, yesterday
from homeiot_batch.core.environment import plain_environment

FOLDER = Path("data/demo")
DAYS = 28


def show_demo() -> None:
    """Simulate the house, run the workflow on it, and show the daily table."""
    os.chdir(ROOT)
    zone = Settings.model_fields["tz"].default
    environment = _environment(zone)
    first, last = _weeks(zone)
    export = FOLDER / f"house-{last}.lp.gz"
    if not export.exists():
        # other weeks are another house: its counters begin elsewhere
        shutil.rmtree(FOLDER, ignore_errors=True)
        write_export(export, first, last, with_mishaps=True)
    (FOLDER / "house").mkdir(exist_ok=True)
    command = [
        sys.executable,
        "-m",
        "snakemake",
        "all",
        "--config",
        f"start={first}",
        f"end={last}",
    ]
    done = subprocess.run(command, env=environment | {"INFLUX_URL": str(export)}, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)
    _show(Path(environment["DUCKDB_PATH"]))


def _weeks(tz: str) -> tuple[LocalDay, LocalDay]:
    zone = ZoneInfo(tz)
    last = yesterday(datetime.now(UTC), zone)
    return LocalDay(last - timedelta(days=DAYS - 1), zone), LocalDay(last, zone)


def _environment(zone: str) -> dict[str, str]:
    """The demo's own places, whatever the real archive's are."""
    inherited = {
        name: value
        for name, value in plain_environment().items()
        if name.lower() not in Settings.model_fields
    }
    return inherited | {
        "TZ": zone,
        "PARQUET_BASE_DIR": f"{FOLDER}/parquet",
        "MARKER_DIR": f"{FOLDER}/markers",
        "DUCKDB_PATH": f"{FOLDER}/home_energy.duckdb",
        "REPORT_DIR": f"{FOLDER}/report",
        "HOUSE_DIR": f"{FOLDER}/house",
    }


def _show(database: Path) -> None:
    with duckdb.connect(database, read_only=True) as connection:
        rows = connection.execute(
            "SELECT date_jst, source, import_kwh, peak_w FROM fct_daily_energy ORDER BY ALL"
        ).fetchall()
    typer.echo(f"\n{'date':<12}{'source':<12}{'kWh':>8}{'peak W':>10}")
    for day, source, energy, peak in rows:
        shown = [
            f"{value:.{digits}f}" if value is not None else "no data"
            for value, digits in ((energy, 2), (peak, 0))
        ]
        typer.echo(f"{day!s:<12}{source:<12}{shown[0]:>8}{shown[1]:>10}")
    typer.echo(
        f"\nThe readings of every day:   {FOLDER}/parquet/raw_meter_readings/dt=YYYY-MM-DD/part-0.parquet"
    )
    typer.echo(
        f"The database:                {database}   tables raw_meter_readings, stg_meter_readings, fct_daily_energy"
    )
    typer.echo(f"The report:                  {FOLDER}/report/index.html   open it in a browser")
    typer.echo(
        "Next: `make demo` again finds nothing to do; the README shows how to archive a real house."
    )
