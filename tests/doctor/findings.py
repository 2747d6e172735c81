"""Findings by their names, and what stands around a house that is examined."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from homeiot_batch.config import Settings, load_settings
from homeiot_batch.doctor.finding import Finding

DATASET = "raw_meter_readings"
BRING_IN = "python -m homeiot_batch.run_archive brings them in, if the source still has them"


def by_name(findings: Iterator[Finding]) -> dict[str, Finding]:
    """The findings by their names, each name once."""
    listed = list(findings)
    named = {finding.name: finding for finding in listed}
    assert len(named) == len(listed)
    return named


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Everything that lies in the folder: kind and size."""
    return {
        str(path): (path.lstat().st_mode, path.lstat().st_size if path.is_file() else 0)
        for path in sorted(folder.rglob("*"))
    }


def given(settings: Settings, **changes: str) -> Settings:
    """The same settings with some changed."""
    places = {
        name: str(getattr(settings, name))
        for name in ("parquet_base_dir", "marker_dir", "report_dir", "duckdb_path")
    }
    house = {"tz": "Asia/Tokyo", "now": "2026-11-24T00:10:00+09:00"}
    return load_settings(places | house | changes)


def holding(code: str, path: Path) -> "subprocess.Popen[bytes]":
    """Another process that has done `code` to the path (sys.argv[1]) and stays."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import sys, time; {code}; print(flush=True); time.sleep(3600)",
            str(path),
        ],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process
