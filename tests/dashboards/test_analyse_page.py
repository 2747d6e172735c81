"""The queries of docs/how-to/analyse.md, each as it stands on the page.

Those of pandas and polars run in both, in an environment that `make readers` makes. Of the other
programs only the SQL runs, on DuckDB 1.5.
"""

import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from homeiot_batch.core.days import LocalDay
from tests.dashboards import house
from tests.docs.pages import blocks, page, sections
from tests.readers.environments import needs, older_python
from tests.report.conftest import Built

PAGE = sections(page("how-to/analyse.md"))
NOTEBOOKS = older_python("notebooks")
DAY = date(2025, 10, 26)
pytestmark = needs(NOTEBOOKS)

# what the page's program leaves behind, as JSON
RUN = """
import json, sys
scope = {}
exec(compile(sys.stdin.read(), "page", "exec"), scope)
rows = {rows}
json.dump(rows, sys.stdout, default=str)
"""
SQL = """
import json, sys, duckdb
connection = duckdb.connect("data/duckdb/home_energy.read.duckdb", read_only=True)
json.dump(connection.execute(sys.stdin.read()).fetchall(), sys.stdout, default=str)
"""


@pytest.fixture
def folder(built: Built, tmp_path: Path) -> Path:
    """The folder that the page's programs run in, with the read copy at its place."""
    place = tmp_path / "data/duckdb"
    place.mkdir(parents=True)
    shutil.copy(built.settings.layout.read_copy, place)
    return tmp_path


def run(folder: Path, script: str, text: str) -> list[Any]:
    """What the script makes of the page's text."""
    command = [str(NOTEBOOKS), "-W", "error", "-c", script]
    done = subprocess.run(
        command, input=text, cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def as_text(rows: list[tuple[Any, ...]]) -> list[list[Any]]:
    """The rows as JSON has them."""
    return json.loads(json.dumps(rows, default=str))


def test_pandas(built: Built, folder: Path) -> None:
    """Days of the table, and the complete ones as a column for each meter."""
    [program] = blocks(PAGE["pandas"], "python")
    script = RUN.replace("{rows}", "scope['table'].stack().dropna().reset_index().values.tolist()")
    found = run(folder, script, program)
    expected = built.archive.query(
        "SELECT date_jst::TIMESTAMP, source, import_kwh FROM fct_daily_energy "
        "WHERE is_complete AND import_kwh IS NOT NULL ORDER BY ALL"
    )
    assert found == as_text(expected)


def test_polars(folder: Path, settings: Any, put_day: Callable[..., None]) -> None:
    """The counter in the day of 25 hours, by hour, without the days beside it.

    A reading without the counter does not count.
    """
    parquet = folder / "data/parquet/raw_meter_readings"
    zone = settings.model_copy(update={"tz": house.ZONE.key})
    for day in (date(2025, 10, 25), DAY, date(2025, 10, 27)):
        local = LocalDay(day, house.ZONE)
        points = []
        for second in range(0, int((local.end - local.start).total_seconds()), 1800):
            at = local.start_ns + second * 10**9
            points.append((at, "main", 0.0, 100.0 + second / 3600, None))
            points.append((at + 9 * 10**9, "main", 412.0, None, None))
        put_day(points, local, zone, parquet / f"dt={day}")
    [program] = blocks(PAGE["polars"], "python")
    found = run(folder, RUN.replace("{rows}", "scope['hours'].rows()"), program)
    begin = house.midnight(DAY)
    assert [row[1:] for row in found] == [["main", 2, 0.5] for _ in range(25)]
    assert found[0][0][:19] == str(begin)


def test_r(built: Built, folder: Path) -> None:
    """Its SQL: the rows of the months."""
    [program] = blocks(PAGE["R"], "r")
    expected = built.archive.query(
        "SELECT month_jst, source, import_kwh, export_kwh, complete_days, days "
        "FROM fct_monthly_energy ORDER BY 1, 2"
    )
    assert run(folder, SQL, program.split('"')[3]) == as_text(expected)
    assert len(expected) == 6


def test_evidence(built: Built, folder: Path) -> None:
    """The rows of the months of the house."""
    [sql] = blocks(PAGE["Evidence"], "sql")
    expected = built.archive.query(
        "SELECT month_jst, imported_kwh, exported_kwh, consumed_kwh, self_sufficiency, "
        "known_days, days, is_complete FROM fct_monthly_balance ORDER BY 1"
    )
    assert run(folder, SQL, sql) == as_text(expected)
    assert len(expected) == 2


def test_excel(built: Built, folder: Path) -> None:
    """Each month and currency, with the days whose cost is whole."""
    [sql] = blocks(PAGE["Excel"], "sql")
    costs = built.archive.query(
        "SELECT strftime(date_jst, '%Y-%m'), currency, sum(net_cost) FROM fct_daily_cost "
        "WHERE currency IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2"
    )
    counts = [(6, 4), (5, 4), (2, 2)]
    assert run(folder, SQL, sql) == [
        [month, "main", currency, pytest.approx(cost), *days]
        for (month, currency, cost), days in zip(costs, counts, strict=True)
    ]


def test_metabase(built: Built, folder: Path) -> None:
    """The days, the newest first, and when they were published."""
    [sql] = blocks(PAGE["Metabase"], "sql")
    found = run(folder, SQL, sql)
    rows = built.archive.query(
        "SELECT date_jst, source, import_kwh, export_kwh, is_complete FROM fct_daily_energy "
        "ORDER BY date_jst DESC, source"
    )
    assert [row[:-1] for row in found] == as_text(rows)
    assert len({row[-1] for row in found}) == 1
