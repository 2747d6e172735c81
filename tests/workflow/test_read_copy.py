"""Readers beside the workflow: what they see of it in the read copy, and that it holds nobody up."""

import contextlib
import os
import threading
from collections.abc import Generator
from datetime import date
from typing import Any

import duckdb

from tests.conftest import House
from tests.workflow import drills
from tests.workflow.drills import DAYS, FORCED, MIDDLE, V1, jobs, span

STATE = (
    "SELECT dt, list((ts_utc, ts_jst, r.source, instant_power_w, energy_import_kwh, energy_export_kwh) ORDER BY ts_utc), any_value(peak_w), "
    "any_value(readings) FROM raw_meter_readings r FULL JOIN fct_daily_energy ON date_jst = dt GROUP BY dt ORDER BY dt"
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
            expected.append((date.fromisoformat(day), known, max(row[3] for row in known), len(known)))
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
        threads = [threading.Thread(target=self._again_and_again), threading.Thread(target=self._keep)]
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


def test_readers_always_see_a_complete_state(archived: House) -> None:
    """During forced runs that change every day: whole days of one version with the marts of just these, never an error.

    RUNS=20 in the environment runs as often.
    """
    runs = int(os.environ.get("RUNS", "3"))
    readers = Readers(read_copy(archived))
    with readers.reading():
        for version in range(2, runs + 2):
            drills.feed(archived, dict.fromkeys(DAYS, version))
            outcome = archived.snakemake(*FORCED, *span())
            assert (outcome.code, outcome.jobs) == (0, jobs("fetch extract load", *DAYS, tables=True)), outcome.stderr
    print(f"{runs} forced runs, {sum(readers.seen.values())} times read, {len(readers.seen)} states seen")
    assert readers.errors == []
    assert set(readers.seen) <= whole(runs + 1)
    assert len(readers.seen) >= runs
    assert len(readers.kept) == 1
    assert readers.kept <= whole(1)


def test_the_read_copy_follows_the_tables(archived: House) -> None:
    """Published after the tables are built and not with --until load; published again where it was deleted; else nothing to do."""
    drills.feed(archived, {MIDDLE: 2})
    assert archived.snakemake("--until", "load", *FORCED, *span(MIDDLE, MIDDLE)).code == 0
    assert peaks(archived) == [row[3] for row in drills.energy_rows(V1)]
    assert archived.snakemake(*span()).jobs == jobs("", tables=True)
    assert peaks(archived) == [row[3] for row in drills.energy_rows(V1 | {MIDDLE: 2})]
    assert archived.snakemake(*span()).jobs == []
    os.unlink(read_copy(archived))  # noqa: PTH108
    assert archived.snakemake(*span()).jobs == ["publish"]
    assert peaks(archived) == [row[3] for row in drills.energy_rows(V1 | {MIDDLE: 2})]


def peaks(house: House) -> list[Any]:
    """The days' peaks in the read copy."""
    with duckdb.connect(read_copy(house), read_only=True) as connection:
        return [peak for (peak,) in connection.execute("SELECT peak_w FROM fct_daily_energy ORDER BY date_jst").fetchall()]


def test_a_failed_day_keeps_the_former_state(archived: House) -> None:
    """A day that cannot be loaded: tables and read copy stay as they were."""
    drills.feed(archived, {MIDDLE: 2})
    outcome = archived.snakemake(*FORCED, *span(MIDDLE, MIDDLE), HOMEIOT_FAULT="load.inserted:disk_full")
    assert (outcome.code, outcome.jobs) == (1, jobs("fetch extract", MIDDLE))
    assert peaks(archived) == [row[3] for row in drills.energy_rows(V1)]
