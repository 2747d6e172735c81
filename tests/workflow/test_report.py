"""The report as a part of the workflow.

When it is written, that it is never missing, and Snakemake's own report of a run.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from tests.house import Checkout, House
from tests.report.reading import Reader
from tests.workflow import drills
from tests.workflow.drills import FORCED, MIDDLE, UNTIL_LOAD, V1, jobs, span

PLAIN = [
    "setpriv",
    "--bounding-set",
    "-dac_override,-dac_read_search",
    "--inh-caps",
    "-dac_override,-dac_read_search",
]


def page(house: House) -> Path:
    """The report's file."""
    return house.folder / "data/report/index.html"


def shown_peak(house: House, day: str) -> float | None:
    """The peak of a day in the page's table."""
    [part] = Reader(page(house).read_text()).parts
    return next(row[4][0] for row in part.tables["table"] if row[0][1] == f"{int(day[-2:])} Nov")


@pytest.mark.slow
def test_the_report_follows_the_tables(archived: House) -> None:
    """Written after the read copy and not with --until load.

    Written again where it was deleted or is wanted elsewhere. Else nothing to do.
    """
    assert shown_peak(archived, MIDDLE) == drills.energy_rows(V1)[1][3]
    drills.feed(archived, {MIDDLE: 2})
    before = page(archived).read_text()
    assert archived.snakemake(*UNTIL_LOAD, *FORCED, *span(MIDDLE, MIDDLE)).code == 0
    assert page(archived).read_text() == before
    assert archived.snakemake(*span()).jobs == jobs("", tables=True)
    assert shown_peak(archived, MIDDLE) == drills.energy_rows(V1 | {MIDDLE: 2})[1][3]
    page(archived).unlink()
    assert archived.snakemake(*span()).jobs == ["report"]
    assert page(archived).exists()
    assert archived.snakemake(*span()).jobs == []
    assert archived.snakemake(*span(), REPORT_DIR="data/elsewhere").jobs == ["report"]
    assert (archived.folder / "data/elsewhere/index.html").exists()


@pytest.mark.slow
def test_a_former_place_of_the_report_has_an_older_page(archived: House) -> None:
    """REPORT_DIR is set to another place, the tables change, it is set back.

    The page there is written again, and then there is nothing to do.
    """
    assert archived.snakemake(*span(), REPORT_DIR="data/elsewhere").jobs == ["report"]
    drills.feed(archived, {MIDDLE: 2})
    assert archived.snakemake(*FORCED, *span(MIDDLE, MIDDLE), REPORT_DIR="data/elsewhere").code == 0
    assert shown_peak(archived, MIDDLE) == drills.energy_rows(V1)[1][3]
    assert archived.snakemake(*span()).jobs == ["report"]
    assert shown_peak(archived, MIDDLE) == drills.energy_rows(V1 | {MIDDLE: 2})[1][3]
    assert archived.snakemake(*span()).jobs == []


@pytest.mark.slow
def test_a_failed_report_leaves_the_former_page(archived: House) -> None:
    """The page cannot be written: one line that says so, the data is loaded, the old page stays.

    The next run writes it.
    """
    before = page(archived).read_text()
    drills.feed(archived, {MIDDLE: 2})
    blocker = page(archived).with_name(".index.html.part")
    blocker.mkdir()
    outcome = archived.snakemake(*FORCED, *span(MIDDLE, MIDDLE))
    [line] = outcome.failures
    assert (
        outcome.code,
        line.startswith(
            "failed: report: data/report/index.html cannot be written (Is a directory)"
        ),
    ) == (1, True)
    assert page(archived).read_text() == before
    blocker.rmdir()
    drills.without_source(archived)
    assert archived.snakemake(*span()).jobs == ["report"]
    assert shown_peak(archived, MIDDLE) == drills.energy_rows(V1 | {MIDDLE: 2})[1][3]


def test_it_is_written_by_hand(checkout: Checkout, template: House) -> None:
    """From the read copy, to a file of one's own or in place.

    Without a read copy one line that says what to do.
    """
    missing = checkout.python("homeiot_batch", "report")
    assert (missing.code, missing.failures) == (
        1,
        [
            (
                "error: there is no read copy at data/duckdb/home_energy.read.duckdb; run the "
                "workflow, which publishes it"
            )
        ],
    )
    file = checkout.folder / "mine.html"
    done = checkout.python(
        "homeiot_batch",
        "report",
        "--output",
        str(file),
        "--config",
        f"duckdb_path={template.database}",
    )
    assert (done.code, done.stderr.strip()) == (0, f"report: {file}")
    assert "<h1>Wednesday, 11 November 2026</h1>" in file.read_text()
    assert 'href="months/' not in file.read_text()


@pytest.mark.parametrize("usual", ["data/report/index.html", "data/../data/report/index.html"])
def test_the_usual_page_that_is_named_has_its_months(
    usual: str, checkout: Checkout, template: House
) -> None:
    """It is the same page, with or without --output."""
    file = checkout.folder / usual
    config = f"duckdb_path={template.database}"
    done = checkout.python("homeiot_batch", "report", "--output", str(file), "--config", config)
    assert done.code == 0
    assert 'href="months/2026-11.html"' in page(checkout).read_text()
    assert (page(checkout).parent / "months/2026-11.html").exists()


def by_hand(checkout: Checkout, database: Path, *prefix: str) -> tuple[int, str, str]:
    """Exit code, output and errors of `homeiot report` on the database."""
    command = [
        *prefix,
        sys.executable,
        "-m",
        "homeiot_batch",
        "report",
        "--config",
        f"duckdb_path={database}",
    ]
    done = subprocess.run(
        command, cwd="/", env=checkout.env(), text=True, capture_output=True, check=False
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def old_page(checkout: Checkout) -> Path:
    """A former page, in place."""
    page(checkout).parent.mkdir(parents=True)
    page(checkout).write_text("former")
    return page(checkout)


@pytest.mark.skipif(os.getuid() != 0, reason="gives files to somebody else")
@pytest.mark.parametrize("name", [".", "home_energy.read.duckdb"])
def test_a_read_copy_behind_a_closed_door_is_said_in_one_line(
    name: str, checkout: Checkout, template: House, old_page: Path, tmp_path: Path
) -> None:
    """Its folder or the file itself belongs to somebody else.

    With the fix, without a traceback, and the former page stays.
    """
    folder = shutil.copytree(template.database.parent, tmp_path / "closed")
    closed = folder / name
    os.chown(closed, 65534, 65534)
    closed.chmod(0o700 if name == "." else 0o400)
    said = (
        f"error: {folder / 'home_energy.read.duckdb'} cannot be read (Permission denied); see to "
        "its permissions and those of its folders, or run"
    )
    assert by_hand(checkout, folder / "home_energy.duckdb", *PLAIN) == (
        1,
        "",
        f"{said} as the user of the batch\n",
    )
    assert [(path.name, path.read_text()) for path in old_page.parent.iterdir()] == [
        ("index.html", "former")
    ]


def test_a_read_copy_that_says_nothing_of_itself_is_said_in_one_line(
    checkout: Checkout, old_page: Path, tmp_path: Path
) -> None:
    """Its table `read_copy` has no row.

    With the fix, without a traceback, and the former page stays.
    """
    copy = tmp_path / "home.read.duckdb"
    with duckdb.connect(copy) as connection:
        connection.execute("CREATE TABLE read_copy (tz VARCHAR, published_at TIMESTAMP)")
    said = f"error: {copy} names no time zone that is known (read_copy.tz is None); "
    said += "run `snakemake --forcerun dbt`, which builds and publishes it anew\n"
    assert by_hand(checkout, tmp_path / "home.duckdb") == (1, "", said)
    assert [(path.name, path.read_text()) for path in old_page.parent.iterdir()] == [
        ("index.html", "former")
    ]


@pytest.mark.slow
def test_snakemakes_own_report_works_offline(archived: House) -> None:
    """`snakemake --report` needs no network.

    It has the days and the tables, with their captions.
    """
    nowhere = dict.fromkeys(
        ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9"
    )
    place = archived.folder / "data/report/run.html"
    place.parent.mkdir(parents=True, exist_ok=True)  # a run of one's own has made it
    outcome = archived.snakemake("all", "--report", str(place), *span(), **nowhere)
    assert outcome.code == 0, outcome.stderr
    text = place.read_text()
    assert [
        word
        for word in (
            "Archived days",
            "Tables",
            "2026-11-10",
            "read copy published",
            "Which build of the dbt models",
        )
        if word not in text
    ] == []
