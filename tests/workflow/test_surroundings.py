"""What lies around a run: file times ahead, odd paths, links, the environment, the home."""

import os
import shutil
import time
from pathlib import Path

import pytest

from tests.house import Checkout, House
from tests.workflow import drills
from tests.workflow.drills import DATASET, DAYS, FIRST, FORCED, MIDDLE, UNTIL_LOAD, V1, jobs, span

FORTY_DAYS = 40 * 86400
ODD = "we#ird ; 'q\" %20ü$HOME,=:&(x)!"
# each empties the tables, builds none of them, or ends the run, if it is handed on
OPTIONS = {
    "DBT_EMPTY": "1",
    "DBT_EXCLUDE_RESOURCE_TYPES": "model",
    "DBT_PROFILE": "of_another_project",
    "DBT_TARGET": "nowhere",
    "DBT_WARN_ERROR": "1",
}


def put_ahead(*places: Path) -> None:
    """Let the times of the files and folders, and of all in them, lie forty days ahead."""
    then = time.time() + FORTY_DAYS
    for place in places:
        for path in [*place.rglob("*"), place]:
            os.utime(path, (then, then))


@pytest.mark.slow
def test_after_a_night_with_a_wrong_clock(archived: House) -> None:
    """All times lie ahead: the next run is right, and the one after it has nothing to do."""
    put_ahead(archived.parquet, archived.markers)
    # a file of another time is another file to the marker: it is loaded again
    run = archived.snakemake(*span())
    assert (run.code, run.jobs) == (0, jobs("load", *DAYS, tables=True)), run.stderr
    drills.assert_archived(archived, V1)
    assert archived.energy() == drills.energy_rows(V1)
    assert archived.snakemake(*span()).jobs == []


@pytest.mark.slow
def test_days_from_a_backup_whose_times_lie_ahead(archived: House) -> None:
    """Only Snakemake's times of the days: nothing is loaded again, and a day can be forced."""
    for day in DAYS:
        put_ahead(archived.day(day) / ".snakemake_timestamp")
    run = archived.snakemake(*UNTIL_LOAD, *span())
    assert (run.code, run.failures) == (0, []), run.stderr
    drills.feed(archived, V1 | {MIDDLE: 2})
    run = archived.snakemake(*UNTIL_LOAD, *FORCED, *span(MIDDLE, MIDDLE))
    assert (run.code, run.jobs) == (0, jobs("fetch extract load", MIDDLE))
    drills.assert_archived(archived, V1 | {MIDDLE: 2})


@pytest.mark.slow
def test_a_clock_that_is_set_back_during_the_run(archived: House) -> None:
    """Snakemake refuses the marker that is older than its day: the summary names it.

    The run waits for a database that is open elsewhere, first before its jobs and then in the load.
    """
    log = archived.markers / f"log/{DATASET}/dt={FIRST}.load.log"
    log.unlink()
    forced = ("--forcerun", "load")
    with archived.held():
        process = archived.start(*UNTIL_LOAD, *forced, *span(FIRST, FIRST), DUCKDB_WAIT_S="15")
        drills.wait_until(lambda: log.exists() and "open elsewhere" in log.read_text())
        put_ahead(archived.day(FIRST) / ".snakemake_timestamp")
    [run] = drills.together([process])
    marker, day = archived.marker(FIRST), archived.day(FIRST)
    assert drills.said(run) == (
        f"failed: {marker} became older than {day}, which it is made from: the machine's clock "
        "was set back during the run; check the clock and run the same command again"
    )
    assert "1 days loaded" in run.stderr
    assert "1 failed" in run.stderr
    run = archived.snakemake(*UNTIL_LOAD, *span(FIRST, FIRST))
    assert (run.code, run.failures) == (0, []), run.stderr
    drills.assert_archived(archived, V1)


@pytest.mark.slow
def test_a_path_of_odd_characters(tmp_path: Path) -> None:
    """A name that means something to a shell, a URL, SQL or YAML is a name like any other."""
    house = House(tmp_path / ODD)
    house.folder.mkdir()
    drills.feed(house, V1)
    run = house.snakemake(*span())
    assert (run.code, run.failures) == (0, []), run.stderr
    drills.assert_archived(house, V1)
    assert house.energy() == drills.energy_rows(V1)
    assert house.snakemake(*span()).jobs == []


@pytest.mark.parametrize(
    ("name", "reason"),
    [("a\\b", "takes a backslash for a slash"), ("a<b>", "holds < or >")],
)
def test_a_path_that_cannot_be_used(name: str, reason: str, house: House) -> None:
    """Where no day could be archived nothing is begun, and the setting is named."""
    drills.feed(house, V1)
    said = drills.said(house.snakemake(*span(), PARQUET_BASE_DIR=f"{name}/parquet"))
    assert said.startswith("error: environment variable PARQUET_BASE_DIR: parquet_base_dir=")
    assert said.endswith("; choose a path without")
    assert reason in said
    assert not (house.folder / name).exists()
    assert not house.markers.exists()


def move_database(house: House) -> Path:
    """Put the database elsewhere under another name, with a link in its place. Where it is now."""
    target = house.folder / "other#disk/energy of the house.duckdb"
    target.parent.mkdir()
    house.database.rename(target)
    house.database.symlink_to(target)
    return target


@pytest.mark.slow
def test_a_database_behind_a_link(archived: House) -> None:
    """Loaded and built like any other. A damaged one is set aside where it is, the link stays."""
    target = move_database(archived)
    drills.feed(archived, V1 | {MIDDLE: 2})
    run = archived.snakemake(*FORCED, *span(MIDDLE, MIDDLE))
    assert (run.code, run.jobs) == (0, jobs("fetch extract load", MIDDLE, tables=True)), run.stderr
    assert archived.energy() == drills.energy_rows(V1 | {MIDDLE: 2})
    target.write_bytes(b"no database" * 1000)
    drills.without_source(archived)
    run = archived.snakemake(*UNTIL_LOAD, *span())
    assert (run.code, run.jobs) == (0, jobs("load", *DAYS)), run.stderr
    assert archived.database.readlink() == target
    assert len(list(target.parent.glob("*.set-aside-*"))) == 1
    drills.assert_archived(archived, V1 | {MIDDLE: 2})


@pytest.mark.slow
def test_a_link_to_a_disk_that_is_not_there(archived: House) -> None:
    """Nothing is loaded anew in another place, and no marker is set aside."""
    target = move_database(archived)
    shutil.move(target.parent, archived.folder / "away")
    markers = {path: path.read_bytes() for path in archived.markers.rglob("dt=*.json")}
    said = drills.said(archived.snakemake(*UNTIL_LOAD, *span()))
    assert said == (
        f"error: data/duckdb/home_energy.duckdb is a link to {target}, whose folder is not there; "
        "mount or make it, or set DUCKDB_PATH"
    )
    assert {path: path.read_bytes() for path in archived.markers.rglob("dt=*.json")} == markers
    assert archived.database.is_symlink()
    shutil.move(archived.folder / "away", target.parent)
    assert archived.snakemake(*UNTIL_LOAD, *span()).jobs == []


@pytest.mark.slow
def test_dbt_s_own_variables_change_nothing(archived: House) -> None:
    """Options that another project has left in the environment: the tables are whole."""
    drills.feed(archived, V1 | {MIDDLE: 2})
    run = archived.snakemake(*FORCED, *span(MIDDLE, MIDDLE), **OPTIONS)
    assert (run.code, run.failures) == (0, []), run.stderr
    assert archived.energy() == drills.energy_rows(V1 | {MIDDLE: 2})


@pytest.mark.slow
def test_a_night_of_a_system_user(checkout: Checkout, tmp_path: Path) -> None:
    """No home, a Snakemake profile of a cluster, warnings as errors: a night like any other."""
    profile = checkout.folder / "cluster"
    profile.mkdir()
    (profile / "config.yaml").write_text("dry-run: true\nforceall: true\n")
    drills.feed(checkout, V1)
    options = {
        "HOME": "/dev/null",
        "PYTHONWARNINGS": "error",
        "PYTHONOPTIMIZE": "2",
        "SNAKEMAKE_PROFILE": str(profile),
    }
    night = checkout.night("2026-11-12", **options, **OPTIONS)
    assert (night.code, night.failures) == (0, []), night.stderr
    drills.assert_archived(checkout, {DAYS[-1]: 1})
    assert checkout.energy() == drills.energy_rows({DAYS[-1]: 1})
    assert "Traceback" not in night.stderr


def test_snakemake_without_a_home(archived: House) -> None:
    """Called directly it needs no place in a home either."""
    drills.feed(archived, V1 | {MIDDLE: 2})
    nowhere = {"HOME": "/dev/null", "XDG_CACHE_HOME": ""}
    run = archived.snakemake(*UNTIL_LOAD, *FORCED, *span(MIDDLE, MIDDLE), **nowhere)
    assert (run.code, run.jobs) == (0, jobs("fetch extract load", MIDDLE)), run.stderr
