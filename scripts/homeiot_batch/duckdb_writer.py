"""The DuckDB file: raw tables, one transaction a day, and in it the record of what was loaded."""

import contextlib
import json
import threading
import uuid
from collections.abc import Generator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb

from homeiot_batch import fault_points
from homeiot_batch.datasets import Dataset, quoted
from homeiot_batch.day_record import DayRecord
from homeiot_batch.days import LocalDay
from homeiot_batch.errors import ArchiveError, DatabaseBusy, DatabaseError, ShrinkError
from homeiot_batch.files import file_stamp, sha256, sync_folder
from homeiot_batch.layout import PART
from homeiot_batch.parquet_writer import read_metadata
from homeiot_batch.shrink_guard import check_growth, was_permitted

BOOKKEEPING = """
CREATE SCHEMA IF NOT EXISTS archive;
CREATE TABLE IF NOT EXISTS archive.loads (
  dataset VARCHAR, dt DATE, load_id VARCHAR, rows BIGINT, field_values JSON, first_utc TIMESTAMP, last_utc TIMESTAMP,
  sha256 VARCHAR, shrunk_from JSON, loaded_at TIMESTAMP, PRIMARY KEY (dataset, dt));
CREATE TABLE IF NOT EXISTS archive.house (tz VARCHAR);
CREATE TABLE IF NOT EXISTS archive.builds (build_id VARCHAR, built_at TIMESTAMP);
"""

_writing = threading.Lock()


@dataclass(frozen=True)
class Load:
    """A day as it was loaded: the content of its marker."""

    load_id: str
    record: DayRecord
    marker: dict[str, Any]
    doubled: int = 0


@contextlib.contextmanager
def open_database(path: Path, *, read_only: bool = False) -> Generator[duckdb.DuckDBPyConnection]:
    """A connection to the DuckDB file, made if it is not there; DatabaseError if it is held elsewhere, or for what DuckDB refuses."""
    try:
        if not read_only:
            _create(path)
        connection = duckdb.connect(path, read_only=read_only)
    except (duckdb.Error, OSError) as error:
        raise _problem(path, error) from None
    try:
        yield connection
        connection.close()
    except duckdb.Error as error:
        raise DatabaseError(f"{path}: DuckDB refused ({' '.join(str(error).split())[:300]}); see to disk space and run again") from None
    finally:
        connection.close()


def recorded_loads(path: Path) -> dict[tuple[str, str], tuple[str, DayRecord]]:
    """Load id and record of every (dataset, YYYY-MM-DD) in the file; nothing where there is no file."""
    if not path.exists():
        return {}
    with open_database(path) as connection:
        connection.execute(BOOKKEEPING)
        rows = connection.execute("SELECT dataset, dt::VARCHAR, load_id, rows, field_values FROM archive.loads").fetchall()
    return {(name, dt): (load_id, DayRecord(count, json.loads(values))) for name, dt, load_id, count, values in rows}


def recorded_build(path: Path) -> str | None:
    """Id of the last dbt build that the file records."""
    if not path.exists():
        return None
    with open_database(path) as connection:
        connection.execute(BOOKKEEPING)
        row = connection.execute("SELECT build_id FROM archive.builds").fetchone()
    return row[0] if row else None


def record_build(path: Path) -> dict[str, Any]:
    """Note in the file that dbt has built its tables; the content of dbt's marker."""
    build_id, built_at = uuid.uuid4().hex, datetime.now(UTC)
    with _writing, open_database(path) as connection:
        connection.execute(BOOKKEEPING)
        with _transaction(connection):
            connection.execute("DELETE FROM archive.builds")
            connection.execute("INSERT INTO archive.builds VALUES (?, ?)", [build_id, _naive(built_at)])
    return {"build_id": build_id, "built_at": built_at.isoformat()}


def load_day(path: Path, folder: Path, dataset: Dataset, day: LocalDay, allow_shrink: bool, witness: DayRecord | None = None) -> Load:
    """Replace the day's rows by those of the Parquet file in `folder`, compare both, and record it: all or nothing.

    ShrinkError if the file holds less than was loaded before, by the database or by a `witness` of one that is gone.
    """
    metadata = read_metadata(folder)
    record = DayRecord.of(metadata)
    if metadata is None or record is None:
        raise DatabaseError(f"{folder} is not there or says nothing of its content; remove it to have the day read again")
    _refuse_another_day(folder, metadata, dataset, day)
    part = folder / PART
    marker = {
        "dataset": dataset.name,
        "dt": str(day),
        "load_id": uuid.uuid4().hex,
        **record.as_dict(),
        "first_utc": metadata.get("first_utc"),
        "last_utc": metadata.get("last_utc"),
        "sha256": sha256(part),
        "file": file_stamp(part),
        "shrunk_from": metadata.get("shrunk_from"),
        "loaded_at": datetime.now(UTC).isoformat(),
        "database": str(path),
    }
    with _writing, open_database(path) as connection:
        connection.execute(BOOKKEEPING)
        connection.execute(dataset.ddl())
        _refuse_other_columns(connection, dataset, path)
        with _transaction(connection):
            _keep_zone(connection, day.zone.key, path)
            known = [loaded for loaded in (_loaded(connection, dataset, day), witness) if loaded is not None]
            marker["shrunk_from"] = _check_growth(f"{dataset.name} {day} in DuckDB", known, record, metadata, allow_shrink)
            _replace_rows(connection, part, dataset, day)
            _compare(connection, part, dataset, day, record)
            doubled = _doubled(connection, dataset, day)
            fault_points.reach("load.inserted")
            _record(connection, marker)
        fault_points.reach("load.committed")
    return Load(marker["load_id"], record, marker, doubled)


def _create(path: Path) -> None:
    """Make a new file under another name first, so that a kill leaves either none or a valid one."""
    if path.exists():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.new")
    # also the log of a file that was deleted after a kill: DuckDB would refuse to open the new one beside it
    for leftover in (part, part.with_name(part.name + ".wal"), path.with_name(path.name + ".wal")):
        leftover.unlink(missing_ok=True)
    with duckdb.connect(part) as connection:
        connection.execute(BOOKKEEPING)
        connection.execute("CHECKPOINT")
    part.rename(path)
    sync_folder(path.parent)


def _problem(path: Path, error: Exception) -> DatabaseError:
    text = " ".join(str(error).split())
    if "Could not set lock" in text:
        holder = text.split("Conflicting lock is held in")[-1].split(". See also")[0].strip()
        return DatabaseBusy(f"{path} is open in another process ({holder}); close it there and run again")
    return DatabaseError(f"{path} cannot be opened ({text[:200]}); check DUCKDB_PATH and its permissions, or move a damaged file away, with its .wal")


@contextlib.contextmanager
def _transaction(connection: duckdb.DuckDBPyConnection) -> Generator[None]:
    connection.begin()
    try:
        yield
        connection.commit()
    except BaseException:
        with contextlib.suppress(duckdb.Error):
            connection.rollback()
        raise


def _refuse_other_columns(connection: duckdb.DuckDBPyConnection, dataset: Dataset, path: Path) -> None:
    found = [(name, kind) for name, kind, *_ in connection.execute(f"DESCRIBE {quoted(dataset.name)}").fetchall()]
    if found != list(dataset.columns().items()):
        raise DatabaseError(
            f"table {dataset.name} in {path} has the columns {dict(found)}, declared are {dataset.columns()}; "
            "declare a dataset of another name for other columns"
        )


def _loaded(connection: duckdb.DuckDBPyConnection, dataset: Dataset, day: LocalDay) -> DayRecord | None:
    row = connection.execute("SELECT rows, field_values FROM archive.loads WHERE dataset = ? AND dt = ?", [dataset.name, day.date]).fetchone()
    return DayRecord(row[0], json.loads(row[1])) if row else None


def _check_growth(subject: str, known: list[DayRecord], new: DayRecord, metadata: dict[str, Any], allow: bool) -> dict[str, Any] | None:
    """The permission to shrink, of this run or of the one that wrote the file."""
    try:
        permission = check_growth(subject, new, known, allow or all(was_permitted(metadata, record) for record in known))
    except ShrinkError as error:
        raise ShrinkError(f"{error} (the Parquet file is the smaller one; without its folder the day is read again)") from None
    return permission.get("shrunk_from", metadata.get("shrunk_from"))


def _refuse_another_day(folder: Path, metadata: dict[str, Any], dataset: Dataset, day: LocalDay) -> None:
    expected = {"dataset": dataset.name, "dt": str(day), "tz": day.zone.key}
    found = {name: metadata.get(name, value) for name, value in expected.items()}
    if found != expected:
        raise ArchiveError(f"{folder / PART} says that it holds {found}, its place is that of {expected}; put it back where it belongs")


def _keep_zone(connection: duckdb.DuckDBPyConnection, tz: str, path: Path) -> None:
    """Note the zone with the first load: days of another one would cut into each other."""
    row = connection.execute("SELECT tz FROM archive.house").fetchone()
    if row is None:
        connection.execute("INSERT INTO archive.house VALUES (?)", [tz])
    elif row[0] != tz:
        raise DatabaseError(f"{path} holds days of {row[0]}, those of {tz} would cut into them; set TZ={row[0]}, or another DUCKDB_PATH")


def _doubled(connection: duckdb.DuckDBPyConnection, dataset: Dataset, day: LocalDay) -> int:
    """How many rows of the day share time and tags with another."""
    keys = ", ".join(["ts_utc", *map(quoted, dataset.tags)])
    return connection.execute(
        f"SELECT count(*) - count(DISTINCT row({keys})) FROM {quoted(dataset.name)} WHERE ts_utc >= ? AND ts_utc < ?", _bounds(day)
    ).fetchall()[0][0]


def _replace_rows(connection: duckdb.DuckDBPyConnection, part: Path, dataset: Dataset, day: LocalDay) -> None:
    connection.execute(f"DELETE FROM {quoted(dataset.name)} WHERE ts_utc >= ? AND ts_utc < ?", _bounds(day))
    fault_points.reach("load.deleted")
    connection.execute(f"INSERT INTO {quoted(dataset.name)} {_parquet_rows(dataset, day)}", [str(part)])


def _compare(connection: duckdb.DuckDBPyConnection, part: Path, dataset: Dataset, day: LocalDay, record: DayRecord) -> None:
    """The table's day equals the file's rows, and its wall times are the day's by Python's zone rules too."""
    count, first_utc, last_utc, first, last = connection.execute(
        f"SELECT count(*), min(ts_utc), max(ts_utc), min_by(ts_jst, ts_utc), max_by(ts_jst, ts_utc) FROM ({_day_rows(dataset)})", _bounds(day)
    ).fetchall()[0]
    missing, foreign = differences(connection, part, dataset, day)
    if count != record.rows or missing or foreign:
        raise DatabaseError(
            f"{dataset.name} {day}: DuckDB holds {count} rows, {missing} of the file's {record.rows} are not there; nothing is changed. "
            "Run again; if it stays, the file is damaged"
        )
    for utc, wall in ((first_utc, first), (last_utc, last)):
        if utc is not None and utc.replace(tzinfo=UTC).astimezone(day.zone).replace(tzinfo=None) != wall:
            raise DatabaseError(f"DuckDB's rules for {day.zone.key} differ from Python's on {day}; update duckdb and tzdata")


def differences(connection: duckdb.DuckDBPyConnection, part: Path, dataset: Dataset, day: LocalDay) -> tuple[int, int]:
    """How many of the file's rows are not in the day's table, and how many of the table's are not in the file; each row counts."""
    file, table = _parquet_rows(dataset, day), _day_rows(dataset)
    missing = connection.execute(f"SELECT count(*) FROM ({file} EXCEPT ALL {table})", [str(part), *_bounds(day)]).fetchall()
    foreign = connection.execute(f"SELECT count(*) FROM ({table} EXCEPT ALL {file})", [*_bounds(day), str(part)]).fetchall()
    return missing[0][0], foreign[0][0]


def _day_rows(dataset: Dataset) -> str:
    return f"SELECT * FROM {quoted(dataset.name)} WHERE ts_utc >= ? AND ts_utc < ?"


def _parquet_rows(dataset: Dataset, day: LocalDay) -> str:
    """The file's rows as the table has them: timestamps without zone, independent of the session's."""
    zone = day.zone.key.replace("'", "''")
    wall = {
        "ts_utc": "ts_utc AT TIME ZONE 'UTC'",
        "ts_jst": f"ts_utc AT TIME ZONE '{zone}'",
        "ingested_at": "ingested_at AT TIME ZONE 'UTC'",
    }
    columns = ", ".join(wall.get(name, quoted(name)) for name in dataset.columns())
    return f"SELECT {columns} FROM read_parquet(?, hive_partitioning = false)"


def _record(connection: duckdb.DuckDBPyConnection, marker: dict[str, Any]) -> None:
    shrunk_from = marker["shrunk_from"]
    connection.execute(
        "INSERT OR REPLACE INTO archive.loads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            marker["dataset"],
            marker["dt"],
            marker["load_id"],
            marker["rows"],
            json.dumps(marker["values"]),
            _naive(marker["first_utc"]),
            _naive(marker["last_utc"]),
            marker["sha256"],
            json.dumps(shrunk_from) if shrunk_from else None,
            _naive(marker["loaded_at"]),
        ],
    )


def _bounds(day: LocalDay) -> list[datetime]:
    return [day.start.replace(tzinfo=None), day.end.replace(tzinfo=None)]


def _naive(instant: datetime | str | None) -> datetime | None:
    """The same instant as UTC without zone, as the tables have it."""
    parsed = datetime.fromisoformat(instant) if isinstance(instant, str) else instant
    return parsed.astimezone(UTC).replace(tzinfo=None) if parsed else None
