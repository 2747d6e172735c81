"""Connections to DuckDB: all within the limits that the settings give."""

import os
import re
from collections.abc import Generator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from homeiot_batch.config import ROOT, load_settings
from homeiot_batch.core import duckdb_connections
from homeiot_batch.core.duckdb_connections import Limits, connect, scratch, set_limits

CONNECT = re.compile(r"\bduckdb\.connect\(")
# the spool of an export has a limit of its own, since it is there at the same time
OWN = {"core/duckdb_connections.py", "core/storage_version.py", "sources/exports/spool.py"}
ASKED = "SELECT current_setting('memory_limit'), current_setting('threads')"


@pytest.fixture
def limits(tmp_path: Path) -> Generator[Limits]:
    """Limits that no other test has."""
    former = duckdb_connections._Current.limits
    limits = Limits("100MiB", tmp_path / "spill")
    set_limits(limits)
    yield limits
    set_limits(former)


def test_every_connection_has_the_limits(limits: Limits, tmp_path: Path) -> None:
    """A new file, a file that is only read, and databases in memory."""
    file = tmp_path / "home.duckdb"
    expected = [("100.0 MiB", 1)]
    with connect(file) as connection:
        assert connection.execute(ASKED).fetchall() == expected
        connection.execute("CREATE TABLE readings AS SELECT 1 AS watts")
    with connect(file, read_only=True) as connection:
        assert connection.execute(ASKED).fetchall() == expected
    for opened in (connect(), scratch()):
        with opened as connection:
            assert connection.execute(ASKED).fetchall() == expected
            [(spill,)] = connection.execute("SELECT current_setting('temp_directory')").fetchall()
            assert spill == str(limits.spill)


def test_what_does_not_fit_is_put_on_disk_and_removed(limits: Limits) -> None:
    """More than the memory allows is sorted all the same, and nothing is left of it."""
    with connect() as connection:
        query = "SELECT max(place) FROM (SELECT hash(i) AS place, i FROM range(8000000) n (i) {})"
        [sorted_by] = connection.execute(query.format("ORDER BY place, i LIMIT 7999999")).fetchall()
        assert sorted_by[0] > 0
    assert not limits.spill or not limits.spill.exists()


def test_a_file_is_read_from_the_disk_each_time(limits: Limits, tmp_path: Path) -> None:
    """Also one whose size and times are as before, by another connection to the same database."""
    part = tmp_path / "part-0.parquet"
    query = "SELECT a FROM read_parquet(?)"
    for number in (1, 2):
        table = pa.table({"a": pa.array([number], pa.int64())})
        pq.write_table(table, part, compression="none")
        os.utime(part, (0, 0))
        with scratch() as connection:
            assert connection.execute(query, [str(part)]).fetchall() == [(number,)]
            cached = connection.execute("SELECT count(*) FROM duckdb_external_file_cache()")
            assert cached.fetchall() == [(0,)]


def test_scratch_connections_do_not_share_temporary_tables(limits: Limits) -> None:
    """They are closed one by one, and the database in memory stays for the next."""
    with scratch() as one, scratch() as other:
        one.execute("CREATE TEMP TABLE mine AS SELECT 1 AS number")
        other.execute("CREATE TEMP TABLE mine AS SELECT 2 AS number")
        assert one.execute("FROM mine").fetchall() == [(1,)]
    with scratch() as third:
        assert third.execute("SELECT count(*) FROM duckdb_tables()").fetchall() == [(0,)]


def test_other_limits_make_a_new_database_in_memory(limits: Limits) -> None:
    """The same limits keep the one that is open: to make one takes longer than to prove a day."""
    tables = "SELECT table_name FROM duckdb_tables()"
    with scratch() as connection:
        connection.execute("CREATE TABLE mine (number INTEGER)")
    set_limits(Limits(limits.memory, limits.spill))
    with scratch() as connection:
        assert connection.execute(tables).fetchall() == [("mine",)]
    set_limits(Limits("200MiB", limits.spill))
    with scratch() as connection:
        assert connection.execute(tables).fetchall() == []
        assert connection.execute(ASKED).fetchall() == [("200.0 MiB", 1)]


def test_the_settings_give_the_limits(tmp_path: Path, clean_environment: None) -> None:
    """DUCKDB_MEMORY_LIMIT holds for this program as for dbt; what is spilled lies in staging."""
    former = duckdb_connections._Current.limits
    try:
        given = {"duckdb_memory_limit": "300MB", "parquet_base_dir": str(tmp_path)}
        settings = load_settings(given)
        assert duckdb_connections._Current.limits == Limits("300MB", settings.layout.spill)
        assert settings.layout.spill.parent == settings.layout.staging
    finally:
        set_limits(former)


def test_nobody_else_opens_connections() -> None:
    """A connection that is opened elsewhere would have no limits."""
    package = ROOT / "scripts/homeiot_batch"
    found = {
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        if CONNECT.search(file.read_text())
    }
    assert found <= OWN
