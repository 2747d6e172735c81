"""The command as a user gives it."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from homeiot_batch.config import Settings
from tests.doctor.findings import BRING_IN, DATASET


def doctor(settings: Settings, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """Run the command as a user would."""
    places = {
        name.upper(): str(getattr(settings, name))
        for name in ("parquet_base_dir", "marker_dir", "report_dir", "duckdb_path")
    }
    command = [
        sys.executable,
        "-m",
        "homeiot_batch",
        "doctor",
        *arguments,
        "--config",
        "now=2026-11-24T08:00:00+09:00",
    ]
    environment = os.environ | {"TZ": "Asia/Tokyo"} | places | env
    return subprocess.run(command, env=environment, text=True, capture_output=True, check=False)


def test_the_command_lists_groups_and_fixes(
    settings: Settings, house: Callable[..., None], tmp_path: Path
) -> None:
    """A line a finding, aligned under its group, a fix on the next.

    Exit code 1 with a problem, 0 with warnings only. JSON says the same.
    """
    house(21, 23)
    export = tmp_path / "house.lp"
    done = doctor(settings, INFLUX_URL=str(export))
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (1, "")
    assert lines[:5] == [
        "source",
        (
            f"  problem  export              INFLUX_URL={str(export)!r}: there is no file or "
            "folder "
            f"{export}"
        ),
        (
            "                               fix: give an existing export, or http://host:port of "
            "an "
            "InfluxDB"
        ),
        "archive",
        (
            "  ok       zone                Asia/Tokyo, the archive was begun with it, now is "
            "2026-11-24 08:00, yesterday 2026-11-23"
        ),
    ]
    assert lines[-1] == "14 findings, problems: 2, warnings: 0"
    listed = json.loads(doctor(settings, "--json", INFLUX_URL=str(export)).stdout)
    groups = ["source", *["archive"] * 10, "database", *["house"] * 2]
    assert [entry["group"] for entry in listed] == groups
    assert listed[2] == {
        "group": "archive",
        "name": DATASET,
        "level": "problem",
        "found": "2 days, 2026-11-21 to 2026-11-23, missing (1): 2026-11-22",
        "fix": BRING_IN,
    }
    export.write_text("power value=1 1\n")
    settings.layout.day(DATASET, "2026-11-22").mkdir()
    well = doctor(settings, INFLUX_URL=str(export))
    assert (well.returncode, well.stdout.splitlines()[-1]) == (
        0,
        "15 findings, problems: 0, warnings: 1",
    )


def test_a_setting_that_cannot_be_used_is_an_error(settings: Settings) -> None:
    """One line, as everywhere."""
    done = doctor(settings, TZ="Tokyo")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "error: environment variable TZ: tz='Tokyo' is not the IANA name of a time zone"
    )
