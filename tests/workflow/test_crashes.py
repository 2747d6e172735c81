"""kill -9 at every boundary of a run.

The next plain run recovers, without --unlock, without a hand, and without the source where it can.
"""

import contextlib
import fcntl
import os
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.house import Checkout, House, Outcome
from tests.workflow import drills
from tests.workflow.drills import DATASET, DAYS, FIRST, FORCED, MIDDLE, UNTIL_LOAD, V1, jobs, span

ONE_DAY = (*UNTIL_LOAD, *span(MIDDLE, MIDDLE))
KEPT_OR_LOST = pytest.mark.parametrize(
    "snakemake_notes", ["kept", pytest.param("lost", marks=pytest.mark.slow)]
)


def lose(house: House, snakemake_notes: str) -> None:
    """Delete `.snakemake` if it is to be lost."""
    if snakemake_notes == "lost":
        house.forget_snakemake()


FIRST_RUN = {
    "fetch.read": ("lost", jobs("fetch extract load", *DAYS)),
    "fetch.staged": ("kept", None),  # the other thread may have staged its day too
    "extract.renamed": ("lost", None),
    "load.committed": ("kept", jobs("load", *DAYS)),
}


@pytest.mark.crash
@pytest.mark.parametrize("point", FIRST_RUN)
def test_first_run_killed(point: str, house: House) -> None:
    """The very first run of a house is killed.

    The next one does the rest, and then there is nothing to do.
    """
    snakemake_notes, expected = FIRST_RUN[point]
    drills.feed(house, V1)
    drills.die(house, point, *UNTIL_LOAD, *span())
    lose(house, snakemake_notes)
    outcome = house.snakemake(*UNTIL_LOAD, *span())
    assert outcome.code == 0
    assert expected in (None, outcome.jobs)
    drills.assert_archived(house, V1)
    assert house.snakemake(*UNTIL_LOAD, *span()).jobs == []


@pytest.mark.crash
def test_all_staged_none_in_place(house: House) -> None:
    """Days read whole by a killed run are put in place and loaded without the source."""
    drills.feed(house, {FIRST: 1})
    drills.die(house, "fetch.staged", *UNTIL_LOAD, *span(FIRST, FIRST))
    drills.without_source(house)
    assert house.snakemake(*UNTIL_LOAD, *span(FIRST, FIRST)).jobs == jobs("load", FIRST)
    drills.assert_archived(house, {FIRST: 1})


@pytest.mark.crash
def test_forced_run_takes_the_newest_read(archived: House) -> None:
    """v2 was staged by a forced run that was killed, the source holds v3 now, forced again.

    V3, not the older read.
    """
    drills.feed(archived, {MIDDLE: 2})
    drills.die(archived, "fetch.staged", *FORCED, *ONE_DAY)
    drills.feed(archived, {MIDDLE: 3})
    assert archived.snakemake(*FORCED, *ONE_DAY).jobs == jobs("fetch extract load", MIDDLE)
    drills.assert_archived(archived, V1 | {MIDDLE: 3})


@pytest.mark.crash
@pytest.mark.parametrize("source", ["gone", "v3"])
def test_forced_run_after_a_staged_day_lost_its_place(source: str, archived: House) -> None:
    """dt= missing and v2 staged, forced again: v3 where the source has it.

    Where the source is gone the run fails and v2 is in place.
    """
    drills.feed(archived, {MIDDLE: 2})
    drills.die(archived, "extract.before_rename", *FORCED, *ONE_DAY)
    assert not archived.day(MIDDLE).exists()
    if source == "gone":
        drills.without_source(archived)
        assert drills.said(archived.snakemake(*FORCED, *ONE_DAY)).startswith(
            f"failed: fetch {DATASET} {MIDDLE}: INFLUX_URL="
        )
        assert drills.parquet_rows(archived, MIDDLE) == drills.rows(MIDDLE, 2)
        assert archived.snakemake(*ONE_DAY).jobs == jobs("load", MIDDLE)
    else:
        drills.feed(archived, {MIDDLE: 3})
        assert archived.snakemake(*FORCED, *ONE_DAY).jobs == jobs("fetch extract load", MIDDLE)
    drills.assert_archived(archived, V1 | {MIDDLE: 2 if source == "gone" else 3})


@pytest.mark.crash
def test_killed_while_it_heals(archived: House) -> None:
    """A run that is killed while it recovers what an earlier kill left is recovered by the next."""
    drills.feed(archived, {MIDDLE: 2})
    drills.die(archived, "extract.before_rename", *FORCED, *ONE_DAY)
    drills.without_source(archived)
    drills.die(archived, "load.inserted", *ONE_DAY)
    drills.die(archived, "load.committed", *ONE_DAY)
    assert archived.snakemake(*ONE_DAY).jobs == jobs("load", MIDDLE)
    drills.assert_archived(archived, V1 | {MIDDLE: 2})


@pytest.mark.crash
def test_database_deleted_beside_its_log(archived: House) -> None:
    """Killed after a commit, DuckDB leaves a write-ahead log.

    With only the database deleted, that log is no obstacle.
    """
    drills.feed(archived, {MIDDLE: 2})
    drills.die(archived, "load.committed", *FORCED, *ONE_DAY)
    assert archived.database.with_name(archived.database.name + ".wal").exists()
    drills.remove_database(archived)
    outcome = archived.snakemake(*UNTIL_LOAD, *span())
    assert (outcome.code, outcome.jobs) == (0, jobs("load", *DAYS)), outcome.stderr
    drills.assert_archived(archived, V1 | {MIDDLE: 2})


@pytest.mark.parametrize(
    "left",
    [[], pytest.param([".snakemake_timestamp"], marks=pytest.mark.crash)],
    ids=["nothing", "timestamp"],
)
def test_killed_inside_snakemakes_delete(left: list[str], archived: House) -> None:
    """Killed while Snakemake deletes the old day, its file gone, its folder not yet.

    The staged day takes its place.
    """
    drills.feed(archived, {MIDDLE: 2})
    drills.die(archived, "extract.before_rename", *FORCED, *ONE_DAY)
    archived.day(MIDDLE).mkdir()
    for name in left:
        (archived.day(MIDDLE) / name).touch()
    drills.without_source(archived)
    outcome = archived.snakemake(*UNTIL_LOAD, *span())
    assert (outcome.code, outcome.jobs) == (0, jobs("load", MIDDLE)), outcome.stderr
    drills.assert_archived(archived, V1 | {MIDDLE: 2})


@pytest.mark.crash
def test_killed_while_a_leftover_is_deleted(archived: House) -> None:
    """A staged folder without its file never replaces a day, nor a deleted one."""
    drills.feed(archived, {MIDDLE: 2})
    drills.die(archived, "fetch.staged", *FORCED, *ONE_DAY)
    (archived.parquet / ".staging" / DATASET / f"dt={MIDDLE}/part-0.parquet").unlink()
    shutil.rmtree(archived.day(MIDDLE))
    assert archived.snakemake(*UNTIL_LOAD, *span()).jobs == jobs("fetch extract load", MIDDLE)
    drills.assert_archived(archived, V1 | {MIDDLE: 2})


# dbt


def dbt_children(pid: int) -> list[int]:
    """The processes that `pid` has started and in which dbt works: it writes its log."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = {child for task in tasks for child in (task / "children").read_text().split()}
        return [
            int(child)
            for child in children
            if Path(f"/proc/{child}/fd/1").readlink().name == "dbt.log"
        ]
    except (FileNotFoundError, ProcessLookupError):  # one has ended meanwhile
        return []


def is_running(pid: int) -> bool:
    """Whether the process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@KEPT_OR_LOST
def test_killed_in_dbt(snakemake_notes: str, archived: House) -> None:
    """Dbt outlives the run that started it.

    The next run waits until it has let go of the database, and builds the tables.
    """
    drills.feed(archived, {MIDDLE: 2})
    process = archived.start(*FORCED, *span(MIDDLE, MIDDLE))
    drills.wait_until(lambda: dbt_children(process.pid))
    [dbt] = dbt_children(process.pid)
    drills.kill(process)
    assert is_running(dbt)
    lose(archived, snakemake_notes)
    drills.without_source(archived)
    outcome = archived.snakemake(*span())
    assert not is_running(dbt)
    assert (outcome.code, outcome.jobs) == (0, jobs("", tables=True)), outcome.stderr
    assert "another run holds data/parquet/.lock, waiting up to 60 s" in outcome.stderr
    drills.assert_archived(archived, V1 | {MIDDLE: 2})
    assert archived.energy() == drills.energy_rows(V1 | {MIDDLE: 2})


@pytest.mark.parametrize(
    "number", [pytest.param(signal.SIGTERM, marks=pytest.mark.crash), signal.SIGINT]
)
def test_ended_in_dbt(number: int, archived: House) -> None:
    """Asked to end (the run alone) or by Ctrl-C (dbt too).

    Exit code 1, readings as loaded, and the next run builds the tables.
    """
    drills.feed(archived, {MIDDLE: 2})
    process = archived.start_in_terminal(*FORCED, *span(MIDDLE, MIDDLE))
    drills.wait_until(lambda: dbt_children(process.pid))
    if number == signal.SIGINT:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    [outcome] = drills.together([process])
    assert outcome.code == 1, outcome.stderr
    drills.without_source(archived)
    assert archived.snakemake(*span()).code == 0
    drills.assert_archived(archived, V1 | {MIDDLE: 2})
    assert archived.energy() == drills.energy_rows(V1 | {MIDDLE: 2})


@pytest.mark.crash
def test_dbt_fails(checkout: Checkout) -> None:
    """A model that fails: one line with the cause and what to do.

    The day is loaded, the read copy stays, and the next run builds.
    """
    drills.feed(checkout, V1)
    assert checkout.snakemake(*span()).code == 0
    published = (checkout.markers / "read_copy.json").read_text()
    model = checkout.folder / "dbt/models/marts/fct_daily_energy.sql"
    whole = model.read_text()
    model.write_text("select no_such_column from {{ ref('stg_meter_readings') }}")
    drills.feed(checkout, {MIDDLE: 2})
    said = drills.said(checkout.snakemake(*FORCED, *span(MIDDLE, MIDDLE)))
    assert said == (
        "failed: dbt: model fct_daily_energy failed: Binder Error: Referenced column "
        '"no_such_column" not found in FROM clause! Candidate bindings: "source", "ts_utc"; '
        "correct dbt/models/marts/fct_daily_energy.sql, or report it if it is as it came; "
        "all that dbt said is in data/markers/log/dbt.log"
    )
    assert (checkout.markers / "read_copy.json").read_text() == published
    drills.assert_archived(checkout, V1 | {MIDDLE: 2})
    model.write_text(whole)
    drills.without_source(checkout)
    assert checkout.snakemake(*span()).jobs == jobs("", tables=True)
    assert checkout.energy() == drills.energy_rows(V1 | {MIDDLE: 2})


# at random


def held_versions(house: House, day: str, newest: int) -> list[int]:
    """The versions of the day that lie in its dt= directory and in staging, whole."""
    known = {tuple(drills.rows(day, version)): version for version in range(1, newest + 1)}
    found = []
    for folder in (house.day(day), house.parquet / ".staging" / DATASET / f"dt={day}"):
        # a folder without it: killed while Snakemake was deleting it
        if (folder / "part-0.parquet").exists():
            held = House(house.folder)
            held.parquet = folder.parents[1]
            found.append(known[tuple(drills.parquet_rows(held, day))])
    return found


def check_killed(house: House, newest: int) -> None:
    """Before any recovery.

    Every day lies whole in its place or in staging, and the table holds one version of each day.
    """
    table = house.rows()
    for day in DAYS:
        assert held_versions(house, day, newest), f"{day} is lost"
        mine = [row for row in table if str(row[1].date()) == day]
        assert mine in [drills.rows(day, version) for version in range(1, newest + 1)], (
            f"{day} in the table is {mine}"
        )


def killed_at(house: House, seconds: float, *arguments: str) -> str:
    """Start a run and kill it `seconds` after it has taken the lock.

    The last step it had done, or `ended` if it was over before.
    """
    process = house.start(*arguments)
    lock = house.parquet / ".lock"
    drills.wait_until(
        lambda: lock.read_text().strip() == str(process.pid) or process.poll() is not None
    )
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(timeout=seconds)
    process.kill()
    stdout, _ = process.communicate()
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # dbt may live on for a while
    if process.returncode != -signal.SIGKILL:
        return "ended"
    done = [job.split()[0] for job in Outcome(process.returncode, stdout).jobs]
    return max(
        done, key=["fetch", "extract", "load", "dbt", "publish", "report"].index, default="none"
    )


@pytest.mark.crash
def test_kills_at_random_moments(archived: House) -> None:
    """Runs, forced and plain, killed at random moments: no day is lost or doubled.

    A plain run recovers, also without `.snakemake`.

    KILLS=200 in the environment kills as often. SEED repeats a series.
    """
    kills, seed = (
        int(os.environ.get("KILLS", "6")),
        int(os.environ.get("SEED", time.time_ns() % 10**6)),
    )
    print(f"SEED={seed} KILLS={kills}")
    chance = random.Random(seed)
    newest, recoveries = 1, 0
    moments: Counter[str] = Counter()
    started = time.monotonic()
    while moments.total() - moments["ended"] < kills:
        newest += chance.random() < 0.5
        drills.feed(archived, dict.fromkeys(DAYS, newest))
        forced = FORCED if chance.random() < 0.8 else ()
        if chance.random() < 0.04:
            moments[killed_at(archived, chance.uniform(1, 8), *forced, *span())] += 1
        else:
            moments[killed_at(archived, chance.uniform(0, 1.2), *forced, *UNTIL_LOAD, *span())] += 1
        check_killed(archived, newest)
        if chance.random() < 0.3:
            archived.forget_snakemake()
        if moments.total() % 4 == 0:
            recover(archived, newest)
            recoveries += 1
    recover(archived, newest)
    print(
        f"{kills} kills, 0 lost, 0 doubled, {recoveries + 1} recoveries, "
        f"{time.monotonic() - started:.0f} s; last step done: {dict(moments)}"
    )


def recover(house: House, newest: int) -> None:
    """A plain run without the source ends well, and the archive is whole."""
    drills.without_source(house)
    recovered = house.snakemake(*UNTIL_LOAD, *span())
    assert recovered.code == 0, recovered.stderr
    drills.assert_archived(house, {day: held_versions(house, day, newest)[0] for day in DAYS})
