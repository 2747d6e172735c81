"""What a demo runs in: places of its own, whatever the real archive's are."""

import subprocess
import sys
from datetime import date
from pathlib import Path

from homeiot_batch.config import Settings
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.environment import plain_environment


def demo_environment(folder: Path, tz: str, export: Path) -> dict[str, str]:
    """The environment of a run that writes to the folder alone. Only the language is the user's."""
    inherited = plain_environment()
    set_by_the_demo = Settings.model_fields.keys() - {"report_language"}
    names = [name for name in inherited if name.lower() not in set_by_the_demo]
    environment = {name: inherited[name] for name in names}
    environment |= {
        "TZ": tz,
        "INFLUX_URL": str(export),
        "PARQUET_BASE_DIR": f"{folder}/parquet",
        "MARKER_DIR": f"{folder}/markers",
        "DUCKDB_PATH": f"{folder}/home_energy.duckdb",
        "REPORT_DIR": f"{folder}/report",
        "HOUSE_DIR": f"{folder}/house",
    }
    return environment


def run_days(first: LocalDay | date, last: LocalDay | date, environment: dict[str, str]) -> None:
    """Run the workflow on these days. It ends the program if that fails."""
    snakemake = [sys.executable, "-m", "snakemake", "all"]
    days = ["--config", f"start={first}", f"end={last}"]
    done = subprocess.run([*snakemake, *days], env=environment, check=False)
    if done.returncode:
        raise SystemExit(done.returncode)
