"""The report as a part of the workflow: when it is written, that it is never missing, and Snakemake's own report of a run."""

from pathlib import Path

from tests.conftest import Checkout, House
from tests.report.reading import Reader
from tests.workflow import drills
from tests.workflow.drills import FORCED, MIDDLE, UNTIL_LOAD, V1, jobs, span


def page(house: House) -> Path:
    """The report's file."""
    return house.folder / "data/report/index.html"


def shown_peak(house: House, day: str) -> float | None:
    """The peak of a day in the page's table."""
    [part] = Reader(page(house).read_text()).parts
    return next(row[4][0] for row in part.tables["table"] if row[0][1] == f"{int(day[-2:])} Nov")


def test_the_report_follows_the_tables(archived: House) -> None:
    """Written after the read copy and not with --until load; written again where it was deleted or is wanted elsewhere; else nothing to do."""
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


def test_a_failed_report_leaves_the_former_page(archived: House) -> None:
    """The page cannot be written: one line that says so, the data is loaded, the old page stays; the next run writes it."""
    before = page(archived).read_text()
    drills.feed(archived, {MIDDLE: 2})
    blocker = page(archived).with_name(".index.html.part")
    blocker.mkdir()
    outcome = archived.snakemake(*FORCED, *span(MIDDLE, MIDDLE))
    [line] = outcome.failures
    assert (outcome.code, line.startswith("failed: report: data/report/index.html cannot be written (Is a directory)")) == (1, True)
    assert page(archived).read_text() == before
    blocker.rmdir()
    drills.without_source(archived)
    assert archived.snakemake(*span()).jobs == ["report"]
    assert shown_peak(archived, MIDDLE) == drills.energy_rows(V1 | {MIDDLE: 2})[1][3]


def test_it_is_written_by_hand(checkout: Checkout, template: House) -> None:
    """From the read copy, to a file of one's own or in place; without a read copy one line that says what to do."""
    missing = checkout.python("homeiot_batch.report")
    assert (missing.code, missing.failures) == (
        1,
        ["error: there is no read copy at data/duckdb/home_energy.read.duckdb; run the workflow, which publishes it"],
    )
    file = checkout.folder / "mine.html"
    done = checkout.python("homeiot_batch.report", "--output", str(file), "--config", f"duckdb_path={template.database}")
    assert (done.code, done.stderr.strip()) == (0, f"report: {file}")
    assert "<h1>Wednesday, 11 November 2026</h1>" in file.read_text()


def test_snakemakes_own_report_works_offline(archived: House) -> None:
    """`snakemake --report` needs no network; it has the days and the tables, with their captions."""
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    outcome = archived.snakemake("all", "--report", "run.html", *span(), **nowhere)
    assert outcome.code == 0, outcome.stderr
    text = (archived.folder / "run.html").read_text()
    assert [
        word for word in ("Archived days", "Tables", "2026-11-10", "read copy published", "Which build of the dbt models") if word not in text
    ] == []
