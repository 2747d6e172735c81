"""One zone for an archive, and one run at a time."""

import subprocess

import pytest

from homeiot_batch.workflow.machine_zone import machine_zone
from tests.fast_set import few
from tests.house import House
from tests.workflow import drills
from tests.workflow.drills import DAYS, FIRST, FORCED, LAST, MIDDLE, UNTIL_LOAD, V1, jobs, span

NEXT = "2026-11-12"
WAITING = "data/parquet/.lock, waiting up to"


@pytest.mark.parametrize("lost", few(["nothing", "the archive's note"], "nothing"))
@pytest.mark.parametrize("arguments", [(), (*FORCED, *UNTIL_LOAD)], ids=["plain", "forced"])
def test_another_zone_is_refused(lost: str, arguments: tuple[str, ...], archived: House) -> None:
    """A run with another zone than the archive's.

    Exit not 0, one line with the fix, nothing changed, whether the zone is noted or not.
    """
    if lost != "nothing":
        (archived.parquet / ".archive.json").unlink()
    before = drills.state(archived)
    outcome = archived.snakemake(*arguments, *span(), TZ="Europe/Berlin")
    assert drills.said(outcome) == (
        "error: TZ=Europe/Berlin but the archive in data/parquet was begun with Asia/Tokyo, its "
        "days would overlap; "
        "set TZ=Asia/Tokyo, or another PARQUET_BASE_DIR, MARKER_DIR and DUCKDB_PATH for days of "
        "Europe/Berlin"
    )
    assert drills.state(archived) == before


@pytest.mark.slow
def test_zone_is_fixed_by_the_first_day_read(house: House) -> None:
    """A run that archives nothing does not fix the zone.

    The first day that is read does, also when the run was killed then.
    """
    drills.feed(house, V1)
    house.environment["INFLUX_URL"] = "gone.lp"
    assert house.snakemake(*UNTIL_LOAD, *span(), TZ="Europe/Berlin").code != 0
    drills.feed(house, V1)
    drills.die(house, "fetch.staged", *UNTIL_LOAD, *span())
    assert "was begun with Asia/Tokyo" in drills.said(
        house.snakemake(*UNTIL_LOAD, *span(), TZ="Europe/Berlin")
    )
    assert house.snakemake(*UNTIL_LOAD, *span()).code == 0
    drills.assert_archived(house, V1)


@pytest.mark.slow
@pytest.mark.skipif(machine_zone() in (None, "Asia/Tokyo"), reason="the zone would be right")
def test_a_zone_that_nobody_set_is_doubted_until_it_is_fixed(house: House) -> None:
    """The first run warns of the machine's other zone. Once a day is archived, no run does."""
    drills.feed(house, V1)
    first = house.snakemake(*UNTIL_LOAD, *span(FIRST, FIRST), TZ="")
    warnings = [line for line in first.stderr.splitlines() if line.startswith("warning: TZ is")]
    said = (
        "warning: TZ is not set: days are those of Asia/Tokyo, and this machine's zone is "
        f"{machine_zone()}; the first archived day fixes it: if it is wrong, set TZ to the zone of "
        "the house, move data/parquet, data/markers and data/duckdb/home_energy.duckdb away, and "
        "run again"
    )
    assert (first.code, warnings) == (0, [said])
    assert "TZ is not set" not in house.snakemake(*UNTIL_LOAD, *span(MIDDLE, MIDDLE), TZ="").stderr


def paused(house: House, point: str, *arguments: str) -> "subprocess.Popen[str]":
    """A run that has come to the named point and stays there, holding the lock."""
    process = house.start(*arguments, HOMEIOT_FAULT=f"{point}:pause")
    assert process.stdout is not None
    while f"paused at {point}" not in process.stdout.readline():
        assert process.poll() is None
    return process


def test_second_run_refuses_then_takes_over(archived: House) -> None:
    """While a run holds the lock another gives up after lock_wait_s with one line.

    The lock of a killed run is free at once.
    """
    drills.feed(archived, {MIDDLE: 2})
    first = paused(archived, "fetch.staged", *FORCED, *UNTIL_LOAD, *span(MIDDLE, MIDDLE))
    before = drills.state(archived)
    outcome = archived.snakemake(*span(MIDDLE, MIDDLE, "lock_wait_s=1"))
    assert drills.said(outcome) == (
        f"error: another run (process {first.pid}) still holds data/parquet/.lock after 1 s; start "
        "again when it has ended"
    )
    assert f"{WAITING} 1 s" in outcome.stderr
    assert drills.state(archived) == before
    drills.kill(first)
    outcome = archived.snakemake(*UNTIL_LOAD, *span(MIDDLE, MIDDLE, "lock_wait_s=0"))
    assert (outcome.code, outcome.jobs) == (0, jobs("load", MIDDLE))
    assert WAITING not in outcome.stderr
    drills.assert_archived(archived, V1 | {MIDDLE: 2})


def test_second_run_waits(archived: House) -> None:
    """A run that finds the lock taken waits.

    When the other one is killed it proceeds at once, and recovers what that one left.
    """
    drills.feed(archived, {MIDDLE: 2})
    first = paused(archived, "load.inserted", *FORCED, *UNTIL_LOAD, *span(MIDDLE, MIDDLE))
    second = archived.start(*UNTIL_LOAD, *span(FIRST, LAST, "lock_wait_s=7200"))  # or it hangs
    output = second.stdout
    assert output is not None
    drills.wait_until(lambda: f"{WAITING} 7200 s" in output.readline())
    drills.kill(first)
    [outcome] = drills.together([second])
    assert (outcome.code, outcome.jobs) == (0, jobs("load", MIDDLE))
    drills.assert_archived(archived, V1 | {MIDDLE: 2})


def test_runs_started_together(archived: House) -> None:
    """Three runs of the same new days started at once.

    One does the jobs, the others find nothing to do, all end well.
    """
    days = [NEXT, "2026-11-13"]
    versions = dict.fromkeys(days, 1)
    drills.feed(archived, versions)
    runs = drills.together([archived.start(*UNTIL_LOAD, *span(*days)) for _ in range(3)])
    assert [run.code for run in runs] == [0, 0, 0]
    assert sorted(run.jobs for run in runs) == [[], [], jobs("fetch extract load", *days)]
    drills.assert_archived(archived, V1 | versions)


@pytest.mark.slow
def test_other_days_wait_too(archived: House) -> None:
    """The lock is for the archive, not for days: a run for other days waits as well."""
    drills.feed(archived, {MIDDLE: 2})
    first = paused(archived, "extract.before_rename", *FORCED, *UNTIL_LOAD, *span(MIDDLE, MIDDLE))
    outcome = archived.snakemake(*UNTIL_LOAD, *span(LAST, LAST, "lock_wait_s=0"))
    drills.kill(first)
    assert drills.said(outcome).startswith(f"error: another run (process {first.pid}) still holds")
    assert archived.snakemake(*UNTIL_LOAD, *span(*DAYS[::2])).jobs == jobs("load", MIDDLE)
    drills.assert_archived(archived, V1 | {MIDDLE: 2})
