"""The DuckDB file: opened, kept open and released, and its tables found by their names."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from homeiot_batch.errors import DatabaseError
from homeiot_batch.warehouse.database import (
    columns_of,
    open_database,
    release_database,
    transaction,
)


@pytest.mark.parametrize("name", ["climate", "tables", "databases", "variables", "schemas"])
def test_columns_of_a_table(name: str) -> None:
    """DESCRIBE alone would list the tables or databases for some of the names."""
    with duckdb.connect() as connection:
        assert columns_of(connection, f'"{name}"') == []
        connection.execute(f'CREATE TABLE "{name}" (ts_utc TIMESTAMP, room VARCHAR)')
        connection.execute("CREATE TABLE other (number DOUBLE)")
        assert columns_of(connection, f'"{name}"') == [("ts_utc", "TIMESTAMP"), ("room", "VARCHAR")]


def opened_elsewhere(path: Path) -> str:
    """What another process gets that counts the rows of the table: the number or "busy"."""
    script = (
        "import duckdb, sys\n"
        "try: print(*duckdb.connect(sys.argv[1]).execute('SELECT count(*) FROM t').fetchone())\n"
        "except duckdb.IOException: print('busy')"
    )
    command = [sys.executable, "-c", script, str(path)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def test_a_database_that_is_kept_stays_open_until_it_is_released(tmp_path: Path) -> None:
    """Nobody else can open it meanwhile; afterwards all that was committed is there."""
    path = tmp_path / "home.duckdb"
    with open_database(path, keep=True) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS number")
    assert opened_elsewhere(path) == "busy"
    with open_database(path, keep=True) as connection, transaction(connection):
        connection.execute("INSERT INTO t VALUES (2)")
    with open_database(path) as connection:
        assert connection.execute("FROM t").fetchall() == [(1,), (2,)]
    assert opened_elsewhere(path) == "busy"
    release_database(path)
    release_database(path)
    assert opened_elsewhere(path) == "2"
    assert not path.with_name("home.duckdb.wal").exists()


def insert_and_fail(path: Path) -> None:
    """A transaction that DuckDB refuses after its first statement."""
    with open_database(path, keep=True) as connection, transaction(connection):
        connection.execute("INSERT INTO t VALUES (2)")
        connection.execute("SELECT error('a fault')")


def test_a_database_is_opened_anew_after_an_error(tmp_path: Path) -> None:
    """What DuckDB refuses closes the file, since it may refuse all that follows in an open one."""
    path = tmp_path / "home.duckdb"
    with open_database(path, keep=True) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS number")
    with pytest.raises(DatabaseError, match="DuckDB refused"):
        insert_and_fail(path)
    assert opened_elsewhere(path) == "1"
    with open_database(path, keep=True) as connection:
        assert connection.execute("FROM t").fetchall() == [(1,)]
    release_database(path)


def test_a_database_that_is_deleted_while_it_is_kept_is_made_anew(tmp_path: Path) -> None:
    """Nothing goes into a file that nobody can find."""
    path = tmp_path / "home.duckdb"
    with open_database(path, keep=True) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS number")
    path.unlink()
    with open_database(path, keep=True) as connection:
        assert columns_of(connection, "t") == []
        connection.execute("CREATE TABLE t AS SELECT 1 AS number")
    release_database(path)
    assert opened_elsewhere(path) == "1"
