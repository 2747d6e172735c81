"""docs/tutorial.md.

Its commands, given one after the other in one shell as the page says, in a fresh checkout.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs import tables_reference
from tests.docs.pages import between, blocks, page
from tests.house import Checkout, Outcome

COMMANDS = blocks(between(page("tutorial.md"), "commands"), "sh")
TOLD = "-- block --"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A reader's checkout, with `homeiot` and `python` of the virtual environment."""
    house = Checkout(tmp_path_factory.mktemp("tutorial"))
    house.environment["PATH"] = f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"
    house.database = house.folder / "data/tutorial/home_energy.read.duckdb"
    return house


@pytest.fixture(scope="module")
def said(reader: Checkout) -> list[str]:
    """What each block of commands said, in their order. Every command ends with the exit code 0."""
    script = "set -e\n" + "".join(f"{block}echo '{TOLD}'\n" for block in COMMANDS)
    done = subprocess.run(
        ["sh", "-c", script],
        cwd=reader.folder,
        env=reader.env(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout.split(f"{TOLD}\n")[:-1]


def fetched(text: str) -> list[str]:
    """The days that a block of commands read from the source."""
    return [job.split()[-1] for job in Outcome(0, text).jobs if job.startswith("fetch")]


def test_each_step_does_what_the_page_says(said: list[str]) -> None:
    """A week. Another. The database again, from the archive and the one day that was lost.

    Whole in the end.
    """
    _, _, doctor, week, whole, table, fortnight, lost, costs, report = said
    assert "problems: 0, warnings: 0" in doctor
    promised = (
        "7 days read (20160 rows), 7 days loaded (20160 rows), tables built, 0 warnings, 0 failed"
    )
    assert promised in page("tutorial.md")
    assert promised in week
    assert "7 days verified, 20160 rows, 0 with problems" in whole
    assert table.count("2025-11-") == 14
    assert fetched(fortnight) == [f"2025-11-{day:02}" for day in range(8, 15)]
    assert fetched(lost) == ["2025-11-09"]
    assert "1 days read (2880 rows), 14 days loaded (40320 rows), tables built" in lost
    assert "14 days verified, 40320 rows, 0 with problems" in lost
    assert (fetched(costs), costs.count("meter1"), "tables built" in costs) == ([], 14, True)
    assert report == "report: data/tutorial/report/index.html\n"


def test_only_its_own_folder_is_written(reader: Checkout, said: list[str]) -> None:
    """An archive of the reader's own would stay as it is. And the report is where the page says."""
    assert [path.name for path in (reader.folder / "data").iterdir()] == ["tutorial"]
    assert (reader.folder / "data/tutorial/report/index.html").stat().st_size > 10_000


def test_the_tables_page_has_every_column(reader: Checkout, said: list[str]) -> None:
    """Of every table that a reader of the read copy finds."""
    listed = reader.query(
        "SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns() WHERE "
        "NOT internal GROUP BY 1"
    )
    found = {name: set(columns) - {"dt"} for name, columns in listed if name != "read_copy"}
    described = {
        name: {column["name"] for column in table["columns"]}
        for name, table in tables_reference.described().items()
    }
    assert {name: columns for name, columns in described.items() if name in found} == found


def test_the_queries_for_dashboards(reader: Checkout, said: list[str]) -> None:
    """Each runs as it stands on the page, and finds something or nothing as it should."""
    daily, load, balance, doubtful, readings, published = blocks(
        between(page("how-to/dashboards.md"), "queries"), "sql"
    )
    assert len(reader.query(daily)) == 28
    assert len(reader.query(load)) == 2 * 7 * 96
    # no meter of the demo has a kind
    assert reader.query(balance) == []
    assert len(reader.query(doubtful)) < 28
    assert len(reader.query(readings)) == 2880
    assert [row[1:4] for row in reader.query(published)] == [
        ("Asia/Tokyo", "raw_meter_readings", 14)
    ]
