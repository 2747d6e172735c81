"""Which jobs a run does.

What was asked for and is missing, what follows from it, and nothing else.
"""

import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from pathlib import Path

import pytest

from homeiot_batch.config import ROOT
from tests.fast_set import few
from tests.house import House, Outcome
from tests.workflow import drills
from tests.workflow.drills import (
    DATASET,
    DAYS,
    FIRST,
    FORCED,
    LAST,
    MIDDLE,
    UNTIL_LOAD,
    V1,
    jobs,
    span,
)

NEXT = "2026-11-12"
MIDNIGHT_AFTER_NEXT = "now=2026-11-13T00:10:00+09:00"

Change = Callable[[House], object]
Done = dict[str, tuple[House, Outcome]]


def nothing(house: House) -> None:
    """The archive as it is."""


def lose_marker(house: House) -> None:
    """The middle day's marker is deleted."""
    house.marker(MIDDLE).unlink()


def lose_day(house: House) -> None:
    """The middle day's dt= directory is deleted."""
    shutil.rmtree(house.day(MIDDLE))


def lose_archive(house: House) -> None:
    """Parquet, markers and Snakemake's notes are deleted."""
    shutil.rmtree(house.parquet / DATASET)
    shutil.rmtree(house.markers)
    house.forget_snakemake()


def lose_notes_and_marker(house: House) -> None:
    """A container that kept only the data, and a deleted marker."""
    house.forget_snakemake()
    lose_marker(house)


ALL_STEPS = "fetch extract load"

CASES = {
    "the same range again": (nothing, span(), []),
    "the same range again, --until load": (nothing, (*UNTIL_LOAD, *span()), []),
    "a subrange": (nothing, span(MIDDLE, MIDDLE), []),
    "default range: from the first archived day to yesterday": (
        nothing,
        ("--config", "now=2026-11-12T00:10:00+09:00"),
        [],
    ),
    "other compression and row groups": (
        nothing,
        span(FIRST, LAST, "parquet_compression=gzip", "parquet_row_group_size=2"),
        [],
    ),
    "--forcerun extract": (nothing, (*FORCED, *UNTIL_LOAD, *span()), jobs(ALL_STEPS, *DAYS)),
    "--forcerun extract of a subrange": (
        nothing,
        (*FORCED, *UNTIL_LOAD, *span(MIDDLE, LAST)),
        jobs(ALL_STEPS, MIDDLE, LAST),
    ),
    "--forcerun load": (nothing, ("--forcerun", "load", *UNTIL_LOAD, *span()), jobs("load", *DAYS)),
    "-R of one day's path": (
        nothing,
        ("-R", f"data/parquet/{DATASET}/dt={MIDDLE}", *UNTIL_LOAD, *span()),
        jobs(ALL_STEPS, MIDDLE),
    ),
    "marker deleted": (lose_marker, (*UNTIL_LOAD, *span()), jobs("load", MIDDLE)),
    "dt= directory deleted": (lose_day, (*UNTIL_LOAD, *span()), jobs(ALL_STEPS, MIDDLE)),
    "dt= directory deleted, --until extract": (
        lose_day,
        ("--until", "extract", *span()),
        jobs("fetch extract", MIDDLE),
    ),
    "dt= directory deleted, a subrange without it": (
        lose_day,
        (*UNTIL_LOAD, *span(LAST, LAST)),
        [],
    ),
    ".snakemake deleted": (House.forget_snakemake, span(), []),
    ".snakemake and marker deleted": (
        lose_notes_and_marker,
        (*UNTIL_LOAD, *span()),
        jobs("load", MIDDLE),
    ),
    "database deleted": (drills.remove_database, (*UNTIL_LOAD, *span()), jobs("load", *DAYS)),
    "only the database kept": (lose_archive, (*UNTIL_LOAD, *span()), jobs(ALL_STEPS, *DAYS)),
    "a day's path, in place": (nothing, (f"data/parquet/{DATASET}/dt={MIDDLE}",), []),
    "a day's path, deleted": (
        lose_day,
        (f"data/parquet/{DATASET}/dt={MIDDLE}",),
        jobs("fetch extract", MIDDLE),
    ),
    "a marker's path, its day deleted": (
        lose_day,
        (f"data/markers/{DATASET}/dt={MIDDLE}.json", *FORCED),
        jobs(ALL_STEPS, MIDDLE),
    ),
}


FAST_CASES = (
    "the same range again, --until load",
    "--forcerun extract of a subrange",
    "marker deleted",
    "dt= directory deleted",
    "database deleted",
    "only the database kept",
    "a day's path, deleted",
)


@pytest.fixture(scope="module")
def done(
    template: House, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Done:
    """The house and the outcome of every case that was selected. Two run at a time."""
    selected = (
        item
        for item in request.session.items
        if isinstance(item, pytest.Function) and "done" in item.fixturenames
    )
    names = [str(item.callspec.params["case"]) for item in selected]
    folders = [tmp_path_factory.mktemp("case") for _ in names]
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(names, pool.map(run_case, repeat(template), folders, names), strict=True))


def run_case(template: House, folder: Path, name: str) -> tuple[House, Outcome]:
    """Change a copy of the archived house as the case says, and run."""
    change, arguments, _ = CASES[name]
    house = drills.copy_of(template, folder / "house")
    change(house)
    return house, house.snakemake(*arguments)


@pytest.mark.parametrize("case", few(CASES, *FAST_CASES))
def test_jobs_of(case: str, done: Done) -> None:
    """Exactly the jobs of the table are done. Tables and files hold the three days."""
    archived, outcome = done[case]
    expected = CASES[case][2]
    assert (outcome.code, outcome.jobs) == (0, expected), outcome.stderr
    if archived.marker(MIDDLE).exists() and archived.day(MIDDLE).exists():
        drills.assert_archived(archived, V1)


def test_a_day_by_its_path_is_loaded_by_the_next_run(archived: House) -> None:
    """A deleted day fetched by its path is loaded by the next run, which does only that."""
    lose_day(archived)
    archived.snakemake(f"data/parquet/{DATASET}/dt={MIDDLE}")
    outcome = archived.snakemake(*UNTIL_LOAD, *span())
    assert (outcome.code, outcome.jobs) == (0, jobs("load", MIDDLE))
    drills.assert_archived(archived, V1)


@pytest.mark.slow
def test_forced_extract_takes_what_the_source_holds_now(archived: House) -> None:
    """A forced run replaces files, rows and tables by the source's new readings.

    Then there is nothing to do.
    """
    versions = {FIRST: 1, MIDDLE: 3, LAST: 2}
    drills.feed(archived, versions)
    assert archived.snakemake(*FORCED, *span()).jobs == jobs(ALL_STEPS, *DAYS, tables=True)
    drills.assert_archived(archived, versions)
    assert archived.energy() == drills.energy_rows(versions)
    assert archived.snakemake(*span()).jobs == []


@pytest.mark.slow
def test_new_range_after_an_old_one(archived: House) -> None:
    """New days are fetched although the tables are built.

    The old ones, which the source no longer holds, are left alone.
    """
    days = [NEXT, "2026-11-13"]
    drills.feed(archived, dict.fromkeys(days, 1))
    before = archived.snapshot()
    assert archived.snakemake(*span(*days)).jobs == jobs(ALL_STEPS, *days, tables=True)
    drills.assert_archived(archived, V1 | dict.fromkeys(days, 1))
    assert before.items() <= archived.snapshot().items()
    assert archived.energy() == drills.energy_rows(V1 | dict.fromkeys(days, 1))


@pytest.mark.slow
def test_days_loaded_aside_reach_the_tables(archived: House) -> None:
    """Other days loaded with --until load.

    The next plain run of the old range builds the tables again, once.
    """
    versions = V1 | {NEXT: 1}
    drills.feed(archived, versions)
    assert archived.snakemake(*UNTIL_LOAD, *span(NEXT, NEXT)).jobs == jobs(ALL_STEPS, NEXT)
    archived.forget_snakemake()
    assert archived.snakemake(*span()).jobs == jobs("", tables=True)
    assert archived.energy() == drills.energy_rows(versions)
    assert archived.snakemake(*span()).jobs == []


@pytest.mark.slow
def test_yesterday_after_a_range(archived: House) -> None:
    """`snakemake yesterday` does that day and the tables, for which every archived day is loaded.

    A deleted older day is not its business.
    """
    drills.feed(archived, {NEXT: 1})
    lose_day(archived)
    archived.marker(FIRST).unlink()
    done = archived.snakemake("yesterday", "--config", MIDNIGHT_AFTER_NEXT).jobs
    assert done == sorted(jobs(ALL_STEPS, NEXT, tables=True) + jobs("load", FIRST))
    assert archived.energy() == drills.energy_rows(V1 | {NEXT: 1})
    assert archived.snakemake("yesterday", "--config", MIDNIGHT_AFTER_NEXT).jobs == []


@pytest.mark.slow
def test_older_copy_of_the_database(archived: House, tmp_path: Path) -> None:
    """A database replaced by an older copy.

    The days that it has as they are now are left, all others are loaded, tables built.
    """
    shutil.copy(archived.database, tmp_path / "older")
    versions = V1 | {MIDDLE: 2, NEXT: 1}
    drills.feed(archived, versions)
    arguments = span(MIDDLE, NEXT)
    assert archived.snakemake(*FORCED, *UNTIL_LOAD, *arguments).jobs == jobs(
        ALL_STEPS, MIDDLE, LAST, NEXT
    )
    shutil.copy(tmp_path / "older", archived.database)
    assert archived.snakemake(*span(FIRST, NEXT)).jobs == jobs(
        "load", MIDDLE, LAST, NEXT, tables=True
    )
    drills.assert_archived(archived, versions)
    assert archived.energy() == drills.energy_rows(versions)


@pytest.mark.slow
def test_database_deleted_rebuilds_the_tables(archived: House) -> None:
    """Without its database nothing is believed: days loaded, tables built, without the source.

    Energies as before.
    """
    drills.without_source(archived)
    drills.remove_database(archived)
    assert archived.snakemake(*span()).jobs == jobs("load", *DAYS, tables=True)
    drills.assert_archived(archived, V1)
    assert archived.energy() == drills.energy_rows(V1)


@pytest.mark.slow
def test_older_copy_from_before_its_build(archived: House, tmp_path: Path) -> None:
    """A database replaced by a copy that has every load, but not the tables of them.

    Only the tables are built again.
    """
    drills.feed(archived, {MIDDLE: 2})
    assert archived.snakemake(*FORCED, *UNTIL_LOAD, *span(MIDDLE, MIDDLE)).code == 0
    shutil.copy(archived.database, tmp_path / "older")
    assert archived.snakemake(*span()).jobs == jobs("", tables=True)
    shutil.copy(tmp_path / "older", archived.database)
    assert archived.energy() == drills.energy_rows(V1)
    assert archived.snakemake(*span()).jobs == jobs("", tables=True)
    assert archived.energy() == drills.energy_rows(V1 | {MIDDLE: 2})


class _EditedHouse(House):
    """A house that runs a copy of the workflow, with rules that were edited."""

    def workflow(self) -> Path:
        """The copied workflow's Snakefile."""
        return self.folder / "checkout/Snakefile"

    def edit_rules(self) -> None:
        """Copy the workflow and change what every rule runs."""
        for name in ("workflow", "profiles"):
            shutil.copytree(ROOT / name, self.workflow().parent / name)
        shutil.copy(ROOT / "Snakefile", self.workflow())
        for rules in (self.workflow().parent / "workflow/rules").glob("*.smk"):
            rules.write_text(
                rules.read_text().replace("    run:\n", "    run:\n        edited = True\n")
            )

    def dry_run(self, *arguments: str) -> str:
        """What `snakemake -n` on the edited workflow says."""
        return self.snakemake("-n", *arguments).stderr


@pytest.mark.slow
def test_edited_rules_rerun_nothing(archived: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Editing what a rule runs re-runs nothing.

    Asked to look at code, Snakemake does see the edit.
    """
    # Snakemake's notes name the files by their full paths: a copied house has none of its own
    assert archived.snakemake("--forcerun", "load", *span()).code == 0
    house = _EditedHouse(archived.folder)
    house.environment = archived.environment
    house.edit_rules()
    monkeypatch.setattr("tests.house.ROOT", house.workflow().parent)
    outcome = house.snakemake(*span())
    assert (outcome.code, outcome.jobs) == (0, [])
    assert "Nothing to be done" in outcome.stderr
    assert "Code has changed" in house.dry_run(
        "--rerun-triggers", "mtime", "code", "--quiet", "host", *span()
    )


UNUSABLE = {
    "no such day": (
        ("start=2026-13-01", f"end={LAST}"),
        "error: --config: start='2026-13-01' is not a date; give an existing day as YYYY-MM-DD",
    ),
    "no such end": (
        (f"start={FIRST}", "end=2026-02-30"),
        "error: --config: end='2026-02-30' is not a date; give an existing day as YYYY-MM-DD",
    ),
    "digits only": (
        ("start=20261109",),
        "error: --config: start='20261109' is not a date; give an existing day as YYYY-MM-DD",
    ),
    "start empty": (
        ("start=", f"end={LAST}"),
        "error: --config start= is empty; give a value or leave it out",
    ),
    "end empty": (
        (f"start={FIRST}", "end="),
        "error: --config end= is empty; give a value or leave it out",
    ),
    "end before start": (
        (f"start={LAST}", f"end={FIRST}"),
        f"error: start={LAST} lies after end={FIRST}; give a start that does not",
    ),
    "end before the archive": (
        ("end=2026-11-01",),
        (
            f"error: the first archived day, start={FIRST} lies after end=2026-11-01; give a start "
            "that does not"
        ),
    ),
    "not over": (
        (f"start={FIRST}", f"end={NEXT}", "now=2026-11-12T23:59:59+09:00"),
        f"error: end={NEXT} is not over yet in Asia/Tokyo; the last whole day is {LAST}",
    ),
    "mistyped": (
        (f"strat={FIRST}",),
        "error: --config: there is no setting 'strat'; did you mean start?",
    ),
}


@pytest.mark.slow
def test_unusable_dates(archived: House) -> None:
    """Dates that are none: exit not 0, one line, last, and nothing is changed."""
    before = drills.state(archived)
    runs = drills.together(
        [archived.start(*FORCED, "--config", *settings) for settings, _ in UNUSABLE.values()]
    )
    assert {name: drills.said(run) for name, run in zip(UNUSABLE, runs, strict=True)} == {
        name: line for name, (_, line) in UNUSABLE.items()
    }
    assert [run.stderr.splitlines()[-1] for run in runs] == [drills.said(run) for run in runs]
    assert drills.state(archived) == before


@pytest.mark.parametrize(
    ("dt", "reason"),
    [
        ("2026-13-01", "dt='2026-13-01' is not a date; give an existing day as YYYY-MM-DD"),
        (NEXT, f"dt={NEXT} is not over yet in Asia/Tokyo; the last whole day is {LAST}"),
    ],
)
def test_unusable_day_paths(dt: str, reason: str, archived: House) -> None:
    """A day's path that is no date, or a day that is not over.

    Exit not 0, one line, nothing is changed.
    """
    before = drills.state(archived)
    outcome = archived.snakemake(
        f"data/parquet/{DATASET}/dt={dt}", "--config", "now=2026-11-12T23:59:59+09:00"
    )
    assert drills.said(outcome) == f"failed: fetch {DATASET} {dt}: {reason}"
    assert drills.state(archived) == before
    assert drills.leftovers(archived) == []
