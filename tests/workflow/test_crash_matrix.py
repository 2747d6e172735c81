"""Every boundary of a run with everything that may happen there.

Nothing is lost, readers see whole days, and a plain run recovers alone.
"""

import re
import signal
from pathlib import Path

import duckdb
import pytest
from _pytest.mark import ParameterSet

from homeiot_batch.config import ROOT
from homeiot_batch.core.fault_points import POINTS
from tests.house import House, Outcome
from tests.workflow import crash_matrix, drills
from tests.workflow.drills import DATASET, FORCED, MIDDLE, UNTIL_LOAD, V1, span

BEFORE_PLACE = ("fetch.written", "fetch.read", "fetch.staged")
READERS = ("publish", "report")  # steps after the tables are built, which read no day anew
LAST = "report.written"  # in the last job of a run
# the day is in place: nothing may fail the job any more
HARMLESS = {("extract.renamed", "disk_full")}
# one for each protection that `make mutate` takes out, and each signal once
FAST = {
    ("fetch.written", "kill"),
    ("fetch.staged", "interrupt"),
    ("extract.before_rename", "kill"),
    ("extract.renamed", "exception"),
    ("extract.renamed", "disk_full"),
    ("load.deleted", "kill"),
    ("load.committed", "kill"),
    ("load.inserted", "terminate"),
}


def ends_the_job(event: str) -> bool:
    """Whether the job does not come to its end.

    After a signal it does, and the run then starts no other.
    """
    return event in ("exception", "kill", "disk_full")


def run_into(house: House, point: str, event: str) -> Outcome:
    """A run that reads the middle day again, or only publishes, and meets the event."""
    fault = {"HOMEIOT_FAULT": f"{point}:{event}"}
    if point.startswith(READERS):
        (house.markers / "read_copy.json").unlink()
        return house.snakemake(*span(), **fault)
    return house.snakemake(
        *FORCED, *(() if point.startswith("dbt") else UNTIL_LOAD), *span(MIDDLE, MIDDLE), **fault
    )


def in_place(house: House, newest: int) -> int | None:
    """The version of the middle day in its folder, whole, or None if there is none."""
    if not house.day(MIDDLE).exists():
        return None
    return next(
        version
        for version in range(1, newest + 1)
        if drills.parquet_rows(house, MIDDLE) == drills.rows(MIDDLE, version)
    )


def cells() -> list[ParameterSet]:
    """The cells of the matrix. All but a few have the mark crash."""
    return [
        pytest.param(*cell, marks=() if cell in FAST else pytest.mark.crash)
        for cell in crash_matrix.cells()
    ]


@pytest.mark.parametrize(("point", "event"), cells())
def test_cell(point: str, event: str, archived: House) -> None:
    """The day is the old or the new one, never less.

    The table and the read copy hold whole days. A plain run recovers with the source gone. Half of
    the cases are without `.snakemake`, as after a container.
    """
    newest = 1 if point.startswith(READERS) else 2
    drills.feed(archived, {**V1, MIDDLE: newest})
    outcome = run_into(archived, point, event)
    check_end(outcome, point, event)
    if point == LAST and outcome.code == 0:
        assert (archived.markers / "report.json").exists()
    version = in_place(archived, newest)
    if ends_the_job(event) and (point, event) not in HARMLESS:
        assert version == (
            None if point == "extract.before_rename" else 1 if point in BEFORE_PLACE else newest
        )
    table = [row for row in archived.rows() if str(row[1].date()) == MIDDLE]
    assert table in [drills.rows(MIDDLE, known) for known in range(1, newest + 1)]
    check_read_copy(archived, newest)
    # the later read takes its place
    if (archived.parquet / f".staging/{DATASET}/dt={MIDDLE}/part-0.parquet").exists():
        version = newest
    if sum(map(ord, point + event)) % 2:
        archived.forget_snakemake()
    drills.without_source(archived)
    recovered = archived.snakemake(
        *(UNTIL_LOAD if point.startswith(("fetch", "extract", "load")) else ()), *span()
    )
    assert recovered.code == 0, recovered.stderr
    assert not [job for job in recovered.jobs if job.startswith("fetch")]
    drills.assert_archived(archived, V1 | {MIDDLE: version or 2})
    if point.startswith(("dbt", *READERS)):
        assert archived.energy() == drills.energy_rows(V1 | {MIDDLE: newest})
        check_read_copy(archived, newest, newest)


def check_end(outcome: Outcome, point: str, event: str) -> None:
    """Killed, or ended not as a success. What fails is one line that names the step.

    A fault of the program is called one.
    """
    if event == "kill":
        assert outcome.code == -signal.SIGKILL
        return
    if point == LAST and not ends_the_job(event):
        # no job is left that the signal could stop: it may come when all is done
        assert outcome.code in (0, 1)
    else:
        assert outcome.code == (0 if (point, event) in HARMLESS else 1), outcome.stderr
    if not ends_the_job(event) or (point, event) in HARMLESS:
        assert outcome.failures == []
        return
    step = point.split(".", maxsplit=1)[0]
    [line] = outcome.failures
    assert line.startswith(
        f"failed: {step}" + ("" if step in ("dbt", *READERS) else f" {DATASET} {MIDDLE}: ")
    )
    assert (
        "No space left on device"
        if event == "disk_full"
        else f"RuntimeError: a fault planted at {point}; a fault of the program"
    ) in line


def check_read_copy(house: House, newest: int, oldest: int = 1) -> None:
    """Readers see three whole days, the middle one in one of the versions, and the mart of it."""
    with duckdb.connect(house.read_copy, read_only=True) as connection:
        seen = connection.execute(
            f"SELECT * EXCLUDE (ingested_at, dt) FROM {DATASET} ORDER BY ts_utc"
        ).fetchall()
        peaks = connection.execute(
            "SELECT peak_w FROM fct_daily_energy ORDER BY date_jst"
        ).fetchall()
    states = []
    for version in range(oldest, newest + 1):
        days = [drills.rows(day, version if day == MIDDLE else 1) for day in drills.DAYS]
        states.append(
            ([row for day in days for row in day], [(max(row[3] for row in day),) for day in days])
        )
    assert (seen, peaks) in states


# the page


def test_the_page_shows_the_matrix() -> None:
    """docs/reliability.md has the table that the tests play: `make reference` writes it."""
    found = crash_matrix.TABLE.search(crash_matrix.PAGE.read_text())
    assert found is not None
    assert found[0] == crash_matrix.table()


def test_every_fault_point_is_a_boundary_of_the_matrix() -> None:
    """The matrix lists every place in the code that can be triggered, and no other."""
    code = "".join(path.read_text() for path in (ROOT / "scripts/homeiot_batch").rglob("*.py"))
    assert sorted(re.findall(r'fault_points\.reach\("([\w.]+)"\)', code)) == sorted(POINTS)


def test_tests_elsewhere_are_there() -> None:
    """A cell that names a test of another file names one that exists."""
    named = {
        said for row in crash_matrix.ELSEWHERE.values() for said in row.values() if "::" in said
    }
    for file, test in (name.split("::") for name in named):
        assert f"def {test}(" in (Path(__file__).parent / file).read_text(), f"{file}::{test}"
