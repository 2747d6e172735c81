"""An archive begun by former zone rules goes on by the locked ones, its files untouched."""

import shutil
import sys
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from homeiot_batch.archive.day_file import read_metadata
from homeiot_batch.core.days import LocalDay
from tests.house import House, Outcome
from tests.workflow.drills import UNTIL_LOAD, jobs, span

DATASET = "raw_meter_readings"
STEP = timedelta(minutes=30)
OLD_DAYS = ["2026-11-08", "2026-11-09", "2026-11-10"]
NEW_DAYS = ["2026-11-11", "2026-11-12"]
FIRST, LAST = OLD_DAYS[0], NEW_DAYS[-1]
# each with a zone that has the rules which it had before
FORMER = {
    "America/Vancouver": "America/Los_Angeles",
    "Africa/Casablanca": "Africa/Algiers",
}


def former_rules(folder: Path, zone: str) -> dict[str, str]:
    """An environment in which the package tzdata has the zone's former rules."""
    with as_file(files("tzdata")) as package:
        shutil.copytree(package, folder / "former/tzdata")
    zones = folder / "former/tzdata/zoneinfo"
    shutil.copy(zones / FORMER[zone], zones / zone)
    return {"PYTHONPATH": str(folder / "former")}


def times(start: datetime, end: datetime) -> list[datetime]:
    """Those of the readings from `start` until before `end`."""
    return [start + n * STEP for n in range((end - start) // STEP)]


def counter(at: datetime) -> float:
    """A kWh an hour."""
    return 1000 + (at - datetime(2026, 11, 1, tzinfo=UTC)) / timedelta(hours=1)


def feed(house: House) -> None:
    """An export that has more than the days."""
    all_times = times(datetime(2026, 11, 7, tzinfo=UTC), datetime(2026, 11, 14, tzinfo=UTC))
    house.export(
        *(
            f"power,source=a energy_import_kwh={counter(at)} {int(at.timestamp())}000000000"
            for at in all_times
        )
    )


def recorded(house: House, dt: str) -> tuple[str, str]:
    """The bounds that the day's file records."""
    metadata = read_metadata(house.day(dt))
    assert metadata is not None
    return str(metadata.start_utc), str(metadata.end_utc)


def read_times(house: House) -> list[datetime]:
    """Those of all archived readings."""
    return sorted(row["ts_utc"] for dt in OLD_DAYS + NEW_DAYS for row in house.archived(dt))


def verify(house: House, tz: str) -> Outcome:
    """Run the proof."""
    now = ("--config", "now=2026-11-13T12:00:00+00:00")
    command = [sys.executable, "-m", "homeiot_batch", "verify", *now]
    return house.run_in(house.folder, command, TZ=tz)


@pytest.mark.slow
@pytest.mark.parametrize("tz", FORMER)
def test_every_reading_is_archived_once(tz: str, house: House, tmp_path: Path) -> None:
    """The old days are not loaded while DuckDB's rules differ, and are by the next run after."""
    feed(house)
    zone, before = ZoneInfo(tz), ZoneInfo(FORMER[tz])
    old = house.snakemake(
        *UNTIL_LOAD, *span(FIRST, OLD_DAYS[-1]), "--keep-going", TZ=tz, **former_rules(tmp_path, tz)
    )
    starts = {dt: LocalDay(date.fromisoformat(dt), before).start for dt in OLD_DAYS}
    assert old.code == 1
    assert old.failures == [
        (
            f"failed: load {DATASET} {FIRST} to {OLD_DAYS[-1]} (3 days): {DATASET} {FIRST} stays "
            f"archived, but is not loaded: duckdb {duckdb.__version__} has other rules for {tz} "
            "than "
            f"tzdata {version('tzdata')}; update duckdb as soon as a newer one has these rules, or "
            "tzdata if its rules are the older ones. The next run then loads such days by itself"
        )
    ]
    files_before = house.snapshot()
    assert len(files_before) == len(OLD_DAYS)

    outcome = house.snakemake(*span(FIRST, LAST), TZ=tz)
    assert (outcome.code, outcome.failures) == (0, [])
    assert outcome.jobs == sorted(
        jobs("load", *OLD_DAYS) + jobs("fetch extract load", *NEW_DAYS, tables=True)
    )
    assert {name: house.snapshot()[name] for name in files_before} == files_before
    expected = times(starts[FIRST], LocalDay(date.fromisoformat(LAST), zone).end)
    assert read_times(house) == expected
    assert house.rows() == [
        (
            at.replace(tzinfo=None),
            at.astimezone(zone).replace(tzinfo=None),
            "a",
            0.0,
            counter(at),
            0.0,
        )
        for at in expected
    ]
    assert recorded(house, NEW_DAYS[0])[0] == recorded(house, OLD_DAYS[-1])[1]
    assert recorded(house, NEW_DAYS[1])[0] == recorded(house, NEW_DAYS[0])[1]
    assert verify(house, tz).stderr.splitlines()[-1] == (
        f"5 days verified, {len(expected)} rows, 0 with problems"
    )
    energy = dict(house.query("SELECT date_jst::VARCHAR, import_kwh FROM fct_daily_energy"))
    assert [energy[dt] for dt in [*OLD_DAYS[1:], NEW_DAYS[0]]] == [24, 24, 24]
    assert sum(energy.values()) == (expected[-1] - expected[0]) / timedelta(hours=1)

    again = house.snakemake(*span(FIRST, LAST), TZ=tz)
    assert (again.code, again.jobs) == (0, [])
    rows = house.rows()
    forced = house.snakemake("--forcerun", "extract", *span(FIRST, LAST), TZ=tz)
    assert (forced.code, forced.failures) == (0, [])
    assert (house.rows(), read_times(house)) == (rows, expected)


def test_a_database_by_other_rules_is_built_again(house: House) -> None:
    """After an update of DuckDB, the wall times of loaded days may be by former rules."""
    feed(house)
    assert house.snakemake(*UNTIL_LOAD, *span(FIRST, FIRST), TZ="America/Vancouver").code == 0
    rows = house.rows()
    with duckdb.connect(house.database) as connection:
        for table, time in ((DATASET, "ts_jst"), ("archive.wall_times", "last_jst")):
            connection.execute(f"UPDATE {table} SET {time} = {time} - INTERVAL 1 HOUR")
    outcome = house.snakemake(*UNTIL_LOAD, *span(FIRST, FIRST), TZ="America/Vancouver")
    assert (outcome.code, outcome.jobs) == (0, jobs("load", FIRST))
    assert house.rows() == rows
    [said] = [line for line in outcome.stderr.splitlines() if line.startswith("warning: ")]
    assert said.endswith(
        "and built again from the archive: DuckDB's zone rules for America/Vancouver have changed "
        f"since {FIRST} was loaded"
    )
