"""Runs `dbt build` on the DuckDB file, in a process of its own: inside ours, dbt would keep the file open to the end."""

import json
import os
import subprocess
import sys
from pathlib import Path

from homeiot_batch import run_lock
from homeiot_batch.config import ROOT, Settings, is_secret
from homeiot_batch.database import is_damage
from homeiot_batch.errors import BuildError, DatabaseDamaged


def build_models(settings: Settings, log: Path) -> None:
    """Build and test all models; dbt's own output goes to `log`. BuildError if a model or test fails."""
    project = ROOT / "dbt"
    command = [
        str(Path(sys.executable).with_name("dbt")),
        "--no-use-colors",
        "build",
        "--exclude-resource-type",
        "unit_test",  # they test the models, not the data
        "--project-dir",
        str(project),
        "--profiles-dir",
        str(project),
        "--vars",
        json.dumps(settings.dbt_vars),
    ]
    with log.open("ab") as output:
        # the child keeps the run's lock: if this process is killed, the next run waits until dbt has let go of the database
        done = subprocess.run(
            command,
            env=_environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=run_lock.descriptors(),
            check=False,
        )
    if done.returncode and is_damage(log.read_text(errors="replace")):
        raise DatabaseDamaged(
            f"{settings.duckdb_path} is damaged, dbt build failed; the next run sets it aside and builds it again from the archive"
        )
    if done.returncode:
        raise BuildError(f"dbt build failed ({_first_problem(log)}); the whole story is in {log}")


def _environment(settings: Settings) -> dict[str, str]:
    secrets = {name.upper() for name, field in Settings.model_fields.items() if is_secret(field)}
    inherited = {name: value for name, value in os.environ.items() if name not in secrets}
    given = {
        "DUCKDB_PATH": str(settings.duckdb_path.absolute()),
        "DUCKDB_MEMORY_LIMIT": settings.duckdb_memory_limit,
    }
    return inherited | given | {"DBT_SEND_ANONYMOUS_USAGE_STATS": "false"}


def _first_problem(log: Path) -> str:
    lines = [line.strip() for line in log.read_text(errors="replace").splitlines()]
    problems = [line for line in lines if "Error" in line or "FAIL" in line or "ERROR" in line]
    return (problems or lines or ["it said nothing"])[0][:200]
