"""What the doctor finds of an export. Tests/integration/test_doctor.py has real servers."""

import os
from pathlib import Path

from homeiot_batch.config import Settings
from homeiot_batch.doctor.finding import ok, problem
from homeiot_batch.doctor.source import check_source
from tests.doctor.findings import given


def test_an_export_is_looked_at(settings: Settings, tmp_path: Path) -> None:
    """Files, size and age of an export. A problem where there is none, or an empty file."""
    folder = tmp_path / "export"
    changed = given(settings, influx_url=str(folder))
    assert list(check_source(changed)) == [
        problem(
            "export",
            f"INFLUX_URL={str(folder)!r}: there is no file or folder {folder}",
            "give an existing export, or http://host:port of an InfluxDB",
        )
    ]
    folder.mkdir()
    for name in "ab":
        (folder / name).write_text("power value=1 1\n" * 1000)
        os.utime(folder / name, (1794193200, 1794193200))
    assert list(check_source(changed)) == [
        ok(
            "export",
            f"{folder}: 2 files, 0.03 MB, written 2026-11-09 12:00:00; read when a day is fetched",
        )
    ]
    (folder / "c").touch()
    assert list(check_source(changed)) == [
        problem("export", f"{folder / 'c'} is empty", "copy it again, or take it away")
    ]
