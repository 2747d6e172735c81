"""`homeiot export` on a real house: its sums are those of dbt's tables, in every format."""

import csv
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet as pq
import pytest

from homeiot_batch.config import ROOT
from tests.house import House
from tests.workflow.drills import DAYS, FIRST, LAST, rows

ROUNDED = 0.5e-9  # kWh, by which a row may differ from the table
TABLES = {
    "quarters": "int_quarter_energy WHERE counter = 'import'",
    "hours": "fct_hourly_energy",
    "days": "fct_daily_energy",
    "months": "fct_monthly_energy",
}


def export(
    house: House, *arguments: str, prefix: tuple[str, ...] = ()
) -> "subprocess.CompletedProcess[bytes]":
    """Run the command in the house."""
    command = [*prefix, sys.executable, "-m", "homeiot_batch", "export", *arguments]
    return subprocess.run(
        command, cwd=house.folder, env=house.env(), capture_output=True, check=False
    )


def days(first: str = FIRST, last: str = LAST) -> list[str]:
    """The options that ask for a range."""
    return ["--from", first, "--to", last]


def objects(form: str, content: bytes) -> list[dict[str, Any]]:
    """The rows of an export, by the names or headers of its columns."""
    if form == "csv":
        return list(csv.DictReader(io.StringIO(content.decode())))
    if form == "json":
        return json.loads(content)
    if form == "parquet":
        return pq.read_table(io.BytesIO(content)).to_pylist()
    [sheet] = openpyxl.load_workbook(io.BytesIO(content)).worksheets
    head, *found = sheet.iter_rows(values_only=True)
    return [dict(zip(head, row, strict=True)) for row in found]


def total(found: list[dict[str, Any]], *names: str) -> float:
    """The sum of the first of these columns that the export has."""
    name = next(name for name in names if name in found[0])
    return sum(float(row[name] or 0) for row in found)


@pytest.mark.parametrize("form", ["csv", "json", "parquet", "xlsx"])
def test_sums_are_those_of_the_tables(template: House, form: str) -> None:
    """Of quarters, hours, days and months, each from the files that a run has made."""
    for what, table in TABLES.items():
        if what == "quarters" and form != "csv":
            continue
        span = days()
        if what == "months":
            span = days("2026-11-01", "2026-11-30")
        done = export(template, "--what", what, *span, "--format", form)
        assert done.returncode == 0, done.stderr
        value = "kwh" if what == "quarters" else "import_kwh"
        [(count, kwh)] = template.query(f"SELECT count(*), sum({value}) FROM {table}")
        found = objects(form, done.stdout)
        assert len(found) >= count
        assert total(found, "Imported (kWh)", "import_kwh") == pytest.approx(
            kwh, abs=len(found) * ROUNDED
        )


def test_readings_are_those_of_the_archive(template: House) -> None:
    """Whole rows."""
    done = export(template, "--what", "readings", *days(), "--format", "parquet")
    assert (done.returncode, done.stderr) == (0, b"")
    columns = ("time_local", "source", "power_w", "import_counter_kwh", "export_counter_kwh")
    found = [
        (row["time_utc"].replace(tzinfo=None), *(row[name] for name in columns))
        for row in objects("parquet", done.stdout)
    ]
    assert found == [row for day in DAYS for row in rows(day, 1)]


def test_a_file_is_written_where_the_user_is(template: House, tmp_path: Path) -> None:
    """Its name says the format. Notes go to standard error."""
    target = tmp_path / "days.json"
    done = export(template, "--what", "days", *days(FIRST, "2026-11-12"), "--output", str(target))
    assert (done.returncode, done.stdout.decode(), done.stderr.decode()) == (
        0,
        f"export: {target}, 3 rows\n",
        "note: raw_meter_readings: not archived are 2026-11-12\n",
    )
    assert [row["day"] for row in json.loads(target.read_text())] == DAYS


def test_what_is_refused_is_one_line(template: House, tmp_path: Path) -> None:
    """On standard error, with exit code 1, and the former file stays."""
    target = tmp_path / "days.csv"
    target.write_text("former")
    for arguments, said in (
        (
            ["--what", "days", *days(), "--source", "A"],
            "error: --source='A' is no meter; did you mean a?\n",
        ),
        (
            ["--what", "days", *days(LAST, FIRST)],
            "error: --from=2026-11-11 is after --to=2026-11-09; give the earlier day as --from\n",
        ),
        (
            ["--what", "days", *days(), "--config", "tz=UTC"],
            (
                f"error: TZ=UTC but the archive in {template.parquet} was begun with Asia/Tokyo, "
                "its days would overlap; set TZ=Asia/Tokyo, or another PARQUET_BASE_DIR, "
                "MARKER_DIR and DUCKDB_PATH for days of UTC\n"
            ),
        ),
    ):
        done = export(template, *arguments, "--output", str(target))
        assert (done.returncode, done.stdout, done.stderr.decode()) == (1, b"", said)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [
        ("days.csv", "former")
    ]


LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (100, resource.RLIM_INFINITY))
sys.argv = ["homeiot", *sys.argv[1:]]
runpy.run_module("homeiot_batch", run_name="__main__")
"""


@pytest.mark.parametrize("form", ["csv", "json", "parquet", "xlsx"])
def test_a_full_disk_leaves_the_former_file(template: House, tmp_path: Path, form: str) -> None:
    """No file may have more than 100 bytes. One line, and nothing is left beside the file."""
    target = tmp_path / f"days.{form}"
    target.write_text("former")
    command = [sys.executable, "-c", LIMITED, "export", "--what", "days", *days()]
    done = subprocess.run(
        [*command, "--output", str(target)],
        cwd=ROOT,
        env=template.env() | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, ""), done.stderr
    [line] = done.stderr.splitlines()
    assert line.startswith(f"error: the export cannot be written in {tmp_path} (")
    assert line.endswith("; see to disk space and permissions")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [
        (target.name, "former")
    ]
