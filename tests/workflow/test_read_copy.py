"""Readers beside the workflow.

What they see of it in the read copy, and that it holds nobody up.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Generator
from datetime import date
from typing import Any

import duckdb
import pytest

from homeiot_batch.config import load_settings
from homeiot_batch.messages.meter_faults import check_meters
from homeiot_batch.messages.month import month_lines
from homeiot_batch.messages.words import Words
from tests.house import Checkout, House
from tests.workflow import drills
from tests.workflow.drills import DAYS, FIRST, FORCED, MIDDLE, V1, jobs, span

STATE = (
    "SELECT dt, list((ts_utc, ts_jst, r.source, instant_power_w, energy_import_kwh, "
    "energy_export_kwh) ORDER BY ts_utc), any_value(peak_w), "
    "any_value(readings) FROM raw_meter_readings r FULL JOIN fct_daily_energy ON date_jst = dt "
    "GROUP BY dt ORDER BY dt"
)


def read_copy(house: House) -> str:
    """The file for readers."""
    return str(house.database.with_name("home_energy.read.duckdb"))


def whole(newest: int) -> set[str]:
    """Every state that is complete: each day of one version, its mart of the same."""
    states = set()
    for version in range(1, newest + 1):
        expected = []
        for day in DAYS:
            known = drills.rows(day, version)
            expected.append(
                (date.fromisoformat(day), known, max(row[3] for row in known), len(known))
            )
        states.add(repr(expected))
    return states


class Readers:
    """One that opens the read copy again and again, and one that keeps it open."""

    def __init__(self, path: str) -> None:
        self.seen: dict[str, int] = {}
        self.kept: set[str] = set()
        self.errors: list[str] = []
        self._path, self._over = path, threading.Event()

    @contextlib.contextmanager
    def reading(self) -> Generator[None]:
        """Read as long as it lasts."""
        threads = [
            threading.Thread(target=self._again_and_again),
            threading.Thread(target=self._keep),
        ]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()

    def _again_and_again(self) -> None:
        while not self._over.wait(0.01):
            try:
                with duckdb.connect(self._path, read_only=True) as connection:
                    state = repr(connection.execute(STATE).fetchall())
                self.seen[state] = self.seen.get(state, 0) + 1
            except duckdb.Error as error:
                self.errors.append(str(error))

    def _keep(self) -> None:
        with duckdb.connect() as connection:
            connection.execute(f"ATTACH '{self._path}' AS kept (READ_ONLY)")
            connection.execute("USE kept")
            while not self._over.wait(0.1):
                try:
                    self.kept.add(repr(connection.execute(STATE).fetchall()))
                except duckdb.Error as error:
                    self.errors.append(str(error))


@pytest.mark.slow
def test_readers_always_see_a_complete_state(archived: House) -> None:
    """During forced runs that change every day: whole days of one version, never an error.

    The marts are of just these days.

    The one that keeps it open has no lock that a run would see: the other is of the same process,
    and closing one file gives up all its locks. RUNS=20 in the environment runs as often.
    """
    runs = int(os.environ.get("RUNS", "3"))
    readers = Readers(read_copy(archived))
    with readers.reading():
        for version in range(2, runs + 2):
            drills.feed(archived, dict.fromkeys(DAYS, version))
            outcome = archived.snakemake(*FORCED, *span())
            assert (outcome.code, outcome.jobs) == (
                0,
                jobs("fetch extract load", *DAYS, tables=True),
            ), outcome.stderr
    print(
        f"{runs} forced runs, {sum(readers.seen.values())} times read, {len(readers.seen)} states "
        "seen"
    )
    assert readers.errors == []
    assert set(readers.seen) <= whole(runs + 1)
    assert len(readers.seen) >= runs
    assert len(readers.kept) == 1
    assert readers.kept <= whole(1)


def test_the_read_copy_follows_the_tables(archived: House) -> None:
    """Published after the tables are built and not with --until load.

    Published again where it was deleted. Else nothing to do.
    """
    drills.feed(archived, {MIDDLE: 2})
    assert archived.snakemake("--until", "load", *FORCED, *span(MIDDLE, MIDDLE)).code == 0
    assert peaks(archived) == [row[3] for row in drills.energy_rows(V1)]
    assert archived.snakemake(*span()).jobs == jobs("", tables=True)
    assert peaks(archived) == [row[3] for row in drills.energy_rows(V1 | {MIDDLE: 2})]
    assert archived.snakemake(*span()).jobs == []
    os.unlink(read_copy(archived))  # noqa: PTH108
    assert archived.snakemake(*span()).jobs == ["publish", "report"]
    assert peaks(archived) == [row[3] for row in drills.energy_rows(V1 | {MIDDLE: 2})]


def peaks(house: House) -> list[Any]:
    """The days' peaks in the read copy."""
    with duckdb.connect(read_copy(house), read_only=True) as connection:
        return [
            peak
            for (peak,) in connection.execute(
                "SELECT peak_w FROM fct_daily_energy ORDER BY date_jst"
            ).fetchall()
        ]


@pytest.mark.usefixtures("clean_environment")
def test_messages_read_it(archived: House) -> None:
    """The published tables have what messages say of meters: three days of too few readings."""
    places = {"duckdb_path": str(archived.database), "now": "2026-11-12T23:00:00+09:00"}
    settings = load_settings(places)
    words = Words("en")
    found = check_meters(settings, settings.layout, ["partial:gone"], words)
    assert [fault.key for fault in found.faults] == ["partial:a"]
    assert found.over == {"partial:gone": "gone is no longer checked"}
    with duckdb.connect(settings.layout.read_copy, read_only=True) as connection:
        lines = list(month_lines(connection, date(2026, 11, 1), date(2026, 11, 11), words))
    assert lines == [
        (
            "a: bought 202.0 kWh, sold 1.00 kWh (203.0 kWh of it estimated); not complete: "
            "2026-11-09 to 2026-11-11"
        )
    ]


@pytest.mark.slow
def test_a_failed_day_keeps_the_former_state(archived: House) -> None:
    """A day that cannot be loaded: tables and read copy stay as they were."""
    drills.feed(archived, {MIDDLE: 2})
    outcome = archived.snakemake(
        *FORCED, *span(MIDDLE, MIDDLE), HOMEIOT_FAULT="load.inserted:disk_full"
    )
    assert (outcome.code, outcome.jobs) == (1, jobs("fetch extract", MIDDLE))
    assert peaks(archived) == [row[3] for row in drills.energy_rows(V1)]


# places


def raw(house: House, database: str = "home_energy") -> list[Any]:
    """The raw readings' hours in the read copy, by their day."""
    with duckdb.connect(
        house.database.with_name(f"{database}.read.duckdb"), read_only=True
    ) as connection:
        return connection.execute(
            "SELECT dt::VARCHAR, count(*) FROM raw_meter_readings GROUP BY dt ORDER BY dt"
        ).fetchall()


V1_RAW = [(day, len(drills.rows(day, 1))) for day in DAYS]


@pytest.mark.slow
def test_a_second_database_on_the_same_archive(archived: House) -> None:
    """As the archive's own message recommends.

    The readers of the first see what they saw, also with the new one's name but for the suffix.
    """
    other = {
        "DUCKDB_PATH": str(archived.database.with_suffix(".db")),
        "MARKER_DIR": str(archived.folder / "other"),
        "REPORT_DIR": "other",
    }
    drills.without_source(archived)
    assert archived.snakemake(*span(), **other).jobs == jobs("load", *DAYS, tables=True)
    for database in (
        archived.database.with_name("home_energy.read.duckdb"),
        archived.database.with_name("home_energy.read.db"),
    ):
        with duckdb.connect(database, read_only=True) as connection:
            assert (
                connection.execute(
                    "SELECT dt::VARCHAR, count(*) FROM raw_meter_readings GROUP BY dt ORDER BY dt"
                ).fetchall()
                == V1_RAW
            )
    assert archived.snakemake(*span()).jobs == []


@pytest.mark.slow
def test_a_house_that_moved(archived: House) -> None:
    """Its folder renamed.

    The next run, which has nothing else to do, publishes again, as the views name the old place.
    """
    moved = House(archived.folder.rename(archived.folder.with_name("moved")))
    assert moved.snakemake(*span(), INFLUX_URL="gone.lp").jobs == ["publish", "report"]
    assert raw(moved) == V1_RAW
    assert moved.snakemake(*span(), INFLUX_URL="gone.lp").jobs == []


@pytest.mark.slow
def test_a_house_that_was_copied(archived: House) -> None:
    """The readers of the copy read the copy, also when the old place is gone."""
    copied = House(archived.folder.with_name("copied"))
    shutil.copytree(archived.folder, copied.folder)
    assert copied.snakemake(*span(), INFLUX_URL="gone.lp").jobs == ["publish", "report"]
    shutil.rmtree(archived.folder)
    assert raw(copied) == V1_RAW


@pytest.mark.slow
def test_a_reader_that_wrote_and_was_killed(archived: House) -> None:
    """As root may.

    Its log of writes meets no later generation, and the next run publishes what it changed again.
    """
    path = read_copy(archived)
    os.chmod(path, 0o644)  # noqa: PTH101
    script = (
        f"import duckdb, os; c = duckdb.connect({path!r}); c.execute('DELETE FROM "
        "fct_daily_energy'); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == -signal.SIGKILL
    assert archived.database.with_name("home_energy.read.duckdb.wal").exists()
    assert archived.snakemake(*span()).jobs == ["publish", "report"]
    assert peaks(archived) == [row[3] for row in drills.energy_rows(V1)]
    assert not archived.database.with_name("home_energy.read.duckdb.wal").exists()


@pytest.mark.slow
def test_a_copy_that_older_readers_cannot_open(archived: House) -> None:
    """The next run, which has nothing else to do, publishes it again in the format that is set.

    An earlier program wrote it in DuckDB's newest format, or the setting was another one.
    """
    newest = {"READ_COPY_STORAGE_VERSION": "latest"}
    assert archived.snakemake(*span(), **newest).jobs == ["publish", "report"]
    assert storage_version(archived) != "v1.0.0+"
    assert archived.snakemake(*span(), **newest).jobs == []
    assert archived.snakemake(*span()).jobs == ["publish", "report"]
    assert storage_version(archived) == "v1.0.0+"
    assert raw(archived) == V1_RAW
    assert archived.snakemake(*span()).jobs == []


def storage_version(house: House) -> str:
    """The oldest DuckDB that can open the read copy, by DuckDB itself."""
    with duckdb.connect(read_copy(house), read_only=True) as connection:
        [(tags,)] = connection.execute(
            "SELECT tags FROM duckdb_databases() WHERE NOT internal"
        ).fetchall()
        return tags["storage_version"]


# other datasets


SECOND = "  room_climate:\n    measurement: climate\n    fields: {temperature_c: double}\n"


CLIMATE = [f"climate temperature_c=2{n} {1794193200 + n * 86400}000000000" for n in range(3)]


def declare_second(checkout: Checkout) -> None:
    """Declare another dataset."""
    config = checkout.folder / "config.yaml"
    config.write_text(config.read_text() + SECOND)


@pytest.fixture
def two_datasets(checkout: Checkout) -> Checkout:
    """The three days of two datasets, archived."""
    checkout.export(*(line for day in V1 for line in drills.lines(day, 1)), *CLIMATE)
    declare_second(checkout)
    outcome = checkout.snakemake(*span())
    assert outcome.code == 0, outcome.stderr
    return checkout


def climate(house: House) -> list[tuple[Any, ...]]:
    """The second dataset in the read copy."""
    with duckdb.connect(read_copy(house), read_only=True) as connection:
        return connection.execute(
            "SELECT dt::VARCHAR, temperature_c FROM room_climate ORDER BY dt"
        ).fetchall()


@pytest.mark.slow
def test_tables_come_after_the_days_of_every_dataset(checkout: Checkout) -> None:
    """Though they are built from one, whose days are loaded already.

    The read copy has the others' days too, and nothing is left to do.
    """
    checkout.export(*(line for day in V1 for line in drills.lines(day, 1)), *CLIMATE)
    assert checkout.snakemake("--until", "load", *span()).code == 0
    declare_second(checkout)
    assert checkout.snakemake(*span()).code == 0
    assert climate(checkout) == [(day, 20.0 + n) for n, day in enumerate(DAYS)]
    assert checkout.snakemake(*span()).jobs == []


@pytest.mark.slow
def test_a_lost_database_gets_the_days_of_every_dataset(two_datasets: Checkout) -> None:
    """Whatever days the next run is asked for."""
    drills.remove_database(two_datasets)
    drills.without_source(two_datasets)
    assert (
        two_datasets.snakemake("yesterday", "--config", "now=2026-11-12T00:10:00+09:00").code == 0
    )
    assert [len(two_datasets.rows(name)) for name in (drills.DATASET, "room_climate")] == [9, 3]


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["a value", "the end"])
def test_a_broken_day_of_another_dataset_holds_no_tables_up(
    damage: str, two_datasets: Checkout
) -> None:
    """The run fails and names it, night after night.

    The tables follow, and a file that cannot be read makes no short view.
    """
    part = two_datasets.day(FIRST, "room_climate") / "part-0.parquet"
    content = part.read_bytes()
    part.write_bytes(
        content[:40] + bytes([content[40] ^ 255]) + content[41:]
        if damage == "a value"
        else content[:-20]
    )
    drills.remove_database(two_datasets)
    drills.feed(two_datasets, V1 | {"2026-11-12": 1})
    for _ in range(2):
        outcome = two_datasets.snakemake(*span(FIRST, "2026-11-12"))
        assert outcome.code == 1
        assert f"failed: load room_climate {FIRST}: " in "\n".join(outcome.failures)
        assert peaks(two_datasets) == [row[3] for row in drills.energy_rows(V1 | {"2026-11-12": 1})]
        if damage == "the end":
            with pytest.raises(duckdb.CatalogException, match="room_climate does not exist"):
                climate(two_datasets)
