"""The dbt project as dbt has parsed it, made once for the houses of all tests."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from homeiot_batch.config import ROOT, load_settings
from homeiot_batch.warehouse.dbt_build import PARSE, dbt_environment
from homeiot_batch.warehouse.table_vars import table_vars


def pytest_sessionstart(session: pytest.Session) -> None:
    """Parse the project in the checkout, if it was changed since. Workers find it done."""
    if not hasattr(session.config, "workerinput") and _is_out_of_date():
        parse()


def _is_out_of_date() -> bool:
    sources = [path for path in (ROOT / "dbt").rglob("*.*") if "target" not in path.parts]
    newest = max(path.stat().st_mtime for path in sources)
    return not PARSE.exists() or PARSE.stat().st_mtime < newest


def parse() -> None:
    """Parse it with the settings of a house that declares nothing of its own."""
    PARSE.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=PARSE.parent) as temporary:
        settings = load_settings({"house_dir": temporary, "tz": "Asia/Tokyo"})
        project = str(ROOT / "dbt")
        command = [
            *(str(Path(sys.executable).with_name("dbt")), "parse"),
            *("--project-dir", project, "--profiles-dir", project),
            *("--vars", json.dumps(table_vars(settings, {}))),
            *("--target-path", temporary, "--log-path", temporary),
        ]
        environment = dbt_environment(settings)
        subprocess.run(command, env=environment, cwd=temporary, check=True, capture_output=True)
        (Path(temporary) / PARSE.name).replace(PARSE)
