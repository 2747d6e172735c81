"""A dry run says what a run would do. A run with nothing to do says so. Other runs stay quiet."""

import re

import pytest

from tests.house import House
from tests.workflow import drills
from tests.workflow.drills import DATASET, DAYS, FIRST, FORCED, LAST, MIDDLE, UNTIL_LOAD, span

NOTHING = "Nothing to be done (all requested files are present and up to date)."


def listed(shown: str) -> list[str]:
    """The jobs that the output lists, by what they say of themselves, sorted."""
    return sorted(re.findall(r"^Job \d+: (.*)$", shown, re.MULTILINE))


def counts(shown: str) -> dict[str, int]:
    """How many jobs of each rule the output's first table has."""
    [table, *_] = re.findall(r"^job +count\n-.*\n((?:\w+ +\d+\n)+)", shown, re.MULTILINE)
    return {name: int(count) for name, count in map(str.split, table.splitlines())}


def steps(*days: str) -> list[str]:
    """What the jobs of each day say of themselves."""
    return [
        f"{step} {DATASET} {day}" for day in days for step in ("Reading", "Archiving", "Loading")
    ]


def test_each_job_is_listed_and_counted(house: House) -> None:
    """Nothing is archived yet: every step of every day, the tables, and their counts.

    None is done.
    """
    drills.feed(house, drills.V1)
    dry = house.snakemake("-n", *span())
    last = ["All days of the range, and their tables", "Building the tables"]
    tables = [*last, "Publishing the read copy", "Writing the report"]
    assert dry.code == 0
    assert listed(dry.stderr) == sorted([*steps(*DAYS), *tables])
    days, once = dict.fromkeys(("fetch", "extract", "load"), 3), ("dbt", "publish", "report", "all")
    assert counts(dry.stderr) == days | dict.fromkeys(once, 1) | {"total": 13}
    assert not house.parquet.exists()
    assert not house.markers.exists()


@pytest.mark.parametrize("option", ["-n", "--dry-run", "--dryrun", "-kn"])
def test_every_way_to_ask_for_a_dry_run(option: str, archived: House) -> None:
    """However it is written, it lists the day that would be read again, and changes nothing."""
    before = drills.state(archived)
    dry = archived.snakemake(option, *UNTIL_LOAD, *FORCED, *span(MIDDLE, MIDDLE))
    assert (dry.code, listed(dry.stderr)) == (0, sorted(steps(MIDDLE)))
    assert drills.state(archived) == before


def test_what_is_given_for_quiet_is_kept(archived: House) -> None:
    """Whoever asks for a quiet dry run has one."""
    dry = archived.snakemake("-n", "--quiet", "rules", "host", *FORCED, *span())
    assert (dry.code, listed(dry.stderr), counts(dry.stderr)["fetch"]) == (0, [], 3)
    assert listed(archived.snakemake("-nq", *FORCED, *span()).stderr) == []


@pytest.mark.parametrize("dry", [(), ("-n",)], ids=["run", "dry run"])
def test_nothing_to_do_is_said(dry: tuple[str, ...], archived: House) -> None:
    """Also with --until where the tables wait, of which Snakemake says nothing by itself."""
    assert NOTHING in archived.snakemake(*dry, *span()).stderr.splitlines()
    (archived.markers / "dbt.json").unlink()
    done = archived.snakemake(*dry, *UNTIL_LOAD, *span())
    assert (done.code, done.jobs, done.stderr.splitlines().count(NOTHING)) == (0, [], 1)


def test_a_run_that_does_something_lists_no_jobs(archived: House) -> None:
    """Its own lines say what was done."""
    run = archived.snakemake(*UNTIL_LOAD, *FORCED, *span(FIRST, LAST))
    assert (run.code, listed(run.stderr), "Job stats" in run.stderr) == (0, [], False)
    assert NOTHING not in run.stderr
    assert len(run.jobs) == 9


def test_a_folder_whose_name_looks_like_an_option_is_no_dry_run(archived: House) -> None:
    """`-dnew` is a folder for Snakemake's notes: the run is a real one, under the lock."""
    with drills.locked(archived):
        run = archived.snakemake("-dnew", *UNTIL_LOAD, *span(), LOCK_WAIT_S="0")
    assert run.code == 75
