"""Opens the DuckDB file, waits for it, and finds damage.

The file also has the records of what was loaded and built.
"""

import contextlib
import json
import shutil
import threading
import time
import uuid
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import duckdb
import structlog

from homeiot_batch.core.datasets import OWN_COLUMNS, Dataset
from homeiot_batch.core.day_record import DayRecord
from homeiot_batch.core.duckdb_connections import connect, scratch
from homeiot_batch.core.file_locks import lock_refusal, without_locks
from homeiot_batch.core.files import sync_folder
from homeiot_batch.core.sql_text import quoted
from homeiot_batch.errors import DatabaseBusy, DatabaseDamaged, DatabaseError

RECORD_DDL = """
CREATE SCHEMA IF NOT EXISTS archive;
CREATE TABLE IF NOT EXISTS archive.loads (
  dataset VARCHAR, dt DATE, load_id VARCHAR, rows BIGINT, field_values JSON,
  first_utc TIMESTAMP, last_utc TIMESTAMP, sha256 VARCHAR, write_id VARCHAR,
  shrunk_from JSON, loaded_at TIMESTAMP, PRIMARY KEY (dataset, dt));
CREATE TABLE IF NOT EXISTS archive.house (tz VARCHAR);
CREATE TABLE IF NOT EXISTS archive.wall_times (
  dataset VARCHAR, dt DATE, last_utc TIMESTAMP, last_jst TIMESTAMP, PRIMARY KEY (dataset, dt));
CREATE TABLE IF NOT EXISTS archive.builds (build_id VARCHAR, built_at TIMESTAMP);
CREATE TABLE IF NOT EXISTS archive.tariffs (
  source VARCHAR, valid_from DATE, valid_to DATE, weekdays VARCHAR, from_time VARCHAR,
  to_time VARCHAR, import_price DOUBLE, feed_in_price DOUBLE, currency VARCHAR);
"""
RECORD_TABLES = ("archive.loads", "archive.house", "archive.wall_times", "archive.builds")

# what DuckDB says of a file that it cannot trust; another try does not help
DAMAGE = (
    "not a valid DuckDB database file",
    "Could not read enough bytes",
    "Corrupt database file",
    "replaying WAL",
    "Failed to deserialize",
)

# also held to close the file that is kept open, since that closes its other connections
write_lock = threading.RLock()
log = structlog.get_logger()


@dataclass
class _Kept:
    """A file that is kept open."""

    connection: duckdb.DuckDBPyConnection
    prepared: set[str] = field(default_factory=set)


_kept: dict[Path, _Kept] = {}


@contextlib.contextmanager
def open_database(
    path: Path, *, read_only: bool = False, wait_s: float = 0, keep: bool = False
) -> Generator[duckdb.DuckDBPyConnection]:
    """A connection to the DuckDB file, made if it is not there.

    With `keep` the file stays open afterwards, and the next call in this process is quick. No other
    process can open it then, until `release_database`.

    DatabaseBusy if another process still holds it after `wait_s` seconds, DatabaseDamaged for a
    file that DuckDB cannot trust, DatabaseError for what else it refuses.
    """
    connection = _kept_connection(path)
    if connection is None:
        connection = _connected(path, read_only, wait_s)
        if keep:
            _kept[path] = _Kept(connection)
            connection = connection.cursor()
    try:
        yield connection
        connection.close()
    except duckdb.Error as error:
        release_database(path)  # after a fatal error the file must be opened again
        raise _refusal(path, error) from None
    finally:
        connection.close()


def release_database(path: Path) -> None:
    """Close the file if it was kept open. What is committed is safe, even if that fails."""
    with write_lock, contextlib.suppress(duckdb.Error):
        if kept := _kept.pop(path, None):
            kept.connection.close()


def remove_spill(path: Path) -> None:
    """Remove what DuckDB put beside the file because it did not fit into memory.

    It does so itself, unless its process was killed. Only while nobody has the file open.
    """
    shutil.rmtree(path.with_name(f"{path.name}.tmp"), ignore_errors=True)


def _kept_connection(path: Path) -> duckdb.DuckDBPyConnection | None:
    """One more connection to the file that is kept open; None if it is not, or was deleted."""
    if not path.exists():
        release_database(path)
    with write_lock:
        kept = _kept.get(path)
        return None if kept is None else kept.connection.cursor()


def prepared_tables(path: Path) -> set[str]:
    """The preparations that callers have noted since the file was opened to be kept open."""
    kept = _kept.get(path)
    return set() if kept is None else kept.prepared


class RecordedLoad(NamedTuple):
    """A load, as the database records it."""

    load_id: str
    record: DayRecord


def recorded_loads(path: Path, wait_s: float = 0) -> dict[tuple[str, str], RecordedLoad]:
    """The load of every (dataset, YYYY-MM-DD) in the file. Nothing where there is no file."""
    if not path.exists():
        return {}
    with write_lock, open_database(path, wait_s=wait_s) as connection:
        connection.execute(RECORD_DDL)
        rows = connection.execute(
            "SELECT dataset, dt::VARCHAR, load_id, rows, field_values FROM archive.loads"
        ).fetchall()
    return {
        (name, dt): RecordedLoad(load_id, DayRecord(count, json.loads(values)))
        for name, dt, load_id, count, values in rows
    }


def recorded_build(path: Path) -> str | None:
    """Id of the last dbt build that the file records."""
    if not path.exists():
        return None
    with open_database(path) as connection:
        connection.execute(RECORD_DDL)
        row = connection.execute("SELECT build_id FROM archive.builds").fetchone()
    return row[0] if row else None


def record_build(path: Path, wait_s: float = 0) -> dict[str, object]:
    """Note in the file that dbt has built its tables. The content of dbt's marker."""
    build_id = uuid.uuid4().hex
    built_at = datetime.now(UTC)
    with write_lock, open_database(path, wait_s=wait_s) as connection:
        connection.execute(RECORD_DDL)
        with transaction(connection):
            connection.execute("DELETE FROM archive.builds")
            connection.execute(
                "INSERT INTO archive.builds VALUES (?, ?)", [build_id, naive_utc(built_at)]
            )
    return {"build_id": build_id, "built_at": built_at.isoformat()}


def reason_to_rebuild(path: Path, datasets: Iterable[Dataset], wait_s: float = 0) -> str:
    """Which table is of an older program, or lacks columns that were declared since, or "" if none.

    So is one whose wall times are by other zone rules than those that DuckDB has now. The order of
    a dataset's columns does not matter. A table with columns that are not declared any more is none
    of these: its load is refused. The records are read through.
    """
    with scratch() as today, open_database(path, wait_s=wait_s) as connection:
        today.execute(RECORD_DDL)
        expected = {table: columns_of(today, table) for table in RECORD_TABLES}
        expected |= {quoted(dataset.name): list(dataset.columns().items()) for dataset in datasets}
        for table, columns in expected.items():
            found = columns_of(connection, table)
            if found and _has_other_columns(table, found, columns):
                return (
                    f"its table {table} has the columns {dict(found)}, wanted are {dict(columns)}"
                )
            if found and table in RECORD_TABLES:
                connection.execute(f"FROM {table}").fetchall()
        return _other_wall_times(connection)


def _other_wall_times(connection: duckdb.DuckDBPyConnection) -> str:
    """The first day that was loaded by other zone rules than DuckDB's of now, in words."""
    if not columns_of(connection, "archive.wall_times"):
        return ""
    row = connection.execute(
        "SELECT dt::VARCHAR, tz FROM archive.wall_times CROSS JOIN archive.house "
        "WHERE last_jst <> timezone(tz, timezone('UTC', last_utc)) ORDER BY dt LIMIT 1"
    ).fetchone()
    return f"DuckDB's zone rules for {row[1]} have changed since {row[0]} was loaded" if row else ""


def _has_other_columns(
    table: str, found: list[tuple[str, str]], wanted: list[tuple[str, str]]
) -> bool:
    """Whether the table is of an older program, or all that it has is still declared, and more."""
    if table in RECORD_TABLES:  # written by position
        return found != wanted
    columns = dict(found)
    declared = dict(wanted)
    has_other_own = any(columns.get(name) != declared[name] for name in OWN_COLUMNS)
    return has_other_own or (columns != declared and columns.items() <= declared.items())


def columns_of(connection: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    """Names and types of the table's columns: an empty list if there is no such table.

    DESCRIBE, as duckdb_columns() costs more than a load.
    """
    # DESCRIBE tables, databases or variables lists those, also where a table has that name
    query = f"DESCRIBE SELECT * FROM {table}"
    try:
        return [(name, kind) for name, kind, *_ in connection.execute(query).fetchall()]
    except duckdb.CatalogException:
        return []


def real_file(path: Path) -> Path:
    """The file that a link leads to. The path itself if it is no link."""
    return path.resolve() if path.is_symlink() else path


def refuse_lost_link(path: Path) -> None:
    """DatabaseError for a link into a folder that is not there: its disk is not mounted, say."""
    if path.is_symlink() and not real_file(path).parent.is_dir():
        raise DatabaseError(
            f"{path} is a link to {real_file(path)}, whose folder is not there; "
            "mount or make it, or set DUCKDB_PATH"
        )


def set_aside(path: Path) -> Path:
    """Rename the file, and its log of writes, so that a new one is made.

    Returns the new name, which has the time in it.
    """
    path = real_file(path)
    aside = path.with_name(f"{path.name}.set-aside-{datetime.now(UTC):%Y%m%dT%H%M%S.%fZ}")
    for suffix in (".wal", ""):  # the log first: alone it is no database
        with contextlib.suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    sync_folder(path.parent)
    return aside


@contextlib.contextmanager
def transaction(connection: duckdb.DuckDBPyConnection) -> Generator[None]:
    """All or nothing of what is done inside."""
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        with contextlib.suppress(duckdb.Error):
            connection.rollback()
        raise


def naive_utc(instant: datetime | str | None) -> datetime | None:
    """The same instant as UTC without zone, as the tables have it."""
    parsed = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return parsed.astimezone(UTC).replace(tzinfo=None) if parsed else None


def is_damage(text: str) -> bool:
    """Whether what DuckDB said, in any process, means that its file is damaged."""
    return any(sign in text for sign in DAMAGE)


def _connected(path: Path, read_only: bool, wait_s: float) -> duckdb.DuckDBPyConnection:
    deadline = time.monotonic() + wait_s
    announced = False
    while True:
        try:
            if not read_only:
                _create(path)
            return connect(path, read_only=read_only)
        except (duckdb.Error, OSError) as error:
            problem = _problem(path, error)
        if not isinstance(problem, DatabaseBusy) or time.monotonic() >= deadline:
            raise problem
        if not announced:
            log.warning(
                "the database is open elsewhere, waiting", holder=problem.holder, seconds=wait_s
            )
            announced = True
        time.sleep(0.5)


def _create(path: Path) -> None:
    """Make a new file under another name first: a kill leaves either none or a valid one."""
    if path.exists():
        return
    refuse_lost_link(path)
    path = real_file(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.new")
    # also the log of a file that was deleted after a kill: DuckDB would refuse to open the new one
    # beside it
    for leftover in (part, part.with_name(part.name + ".wal"), path.with_name(path.name + ".wal")):
        leftover.unlink(missing_ok=True)
    with connect(part) as connection:
        connection.execute(RECORD_DDL)
        connection.execute("CHECKPOINT")
    part.rename(path)
    sync_folder(path.parent)


def _problem(path: Path, error: Exception) -> DatabaseError:
    """What keeps the file from being opened."""
    text = " ".join(str(error).split())
    folder = real_file(path).parent
    # of a missing lock DuckDB says too that process 0 holds it, as of one in another container
    if "Could not set lock" in text and (reason := lock_refusal(folder)):
        return DatabaseError(without_locks(folder, "DUCKDB_PATH", reason))
    if "Could not set lock" in text:
        return DatabaseBusy(
            path,
            text.split("Conflicting lock is held in")[-1]
            .split(". See also")[0]
            .split(". However, ")[0]
            .strip(),
        )
    if is_damage(text):
        return DatabaseDamaged(
            f"{path} is damaged ({text[:200]}); the next run sets it aside and builds it again "
            "from the archive"
        )
    return DatabaseError(
        f"{path} cannot be opened ({text[:200]}); check DUCKDB_PATH and its permissions"
    )


def _refusal(path: Path, error: duckdb.Error) -> DatabaseError:
    """What DuckDB refused once the file was open.

    A Parquet file can be cut short as well, and is not meant here.
    """
    text = " ".join(str(error).split())
    if is_damage(text) and ".parquet" not in text:
        return DatabaseDamaged(
            f"{path} is damaged ({text[:200]}); the next run sets it aside and builds it again "
            "from the archive"
        )
    return DatabaseError(f"{path}: DuckDB refused ({text[:300]}); see to disk space and run again")
