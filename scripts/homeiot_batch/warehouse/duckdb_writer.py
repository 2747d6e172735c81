"""Loads days into their raw tables.

Each day is one transaction, with the record of what was loaded.
"""

import json
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from homeiot_batch.archive.day_file import DayFile, Proof, open_day, refuse_undeclared
from homeiot_batch.archive.shrink_guard import ShrinkGuard, was_permitted
from homeiot_batch.core import fault_points
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.day_record import DayRecord, Marker
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.files import file_stamp
from homeiot_batch.core.sql_text import quoted
from homeiot_batch.errors import ArchiveError, DatabaseError, ShrinkError
from homeiot_batch.warehouse.comparison import (
    TableDay,
    bounds_of,
    column_list,
    differences,
    file_digest,
    file_rows,
    table_day,
    table_rows,
)
from homeiot_batch.warehouse.database import (
    RECORD_DDL,
    columns_of,
    naive_utc,
    open_database,
    prepared_tables,
    transaction,
    write_lock,
)
from homeiot_batch.warehouse.zone_rules import UPDATE, other_rules


@dataclass(frozen=True)
class Load:
    """A day as it was loaded: the content of its marker."""

    record: DayRecord
    marker: Marker
    duplicates: int = 0

    @property
    def load_id(self) -> str | None:
        """As the marker and the database have it."""
        return self.marker.load_id


def load_day(
    path: Path,
    folder: Path,
    dataset: Dataset,
    day: LocalDay,
    allow_shrink: bool,
    former: Marker | None = None,
    wait_s: float = 0,
    until: datetime | None = None,
    keep_open: bool = False,
    proof: Proof | None = None,
) -> Load:
    """Replace the day's rows by those of the file in `folder`, compare, and record: all or nothing.

    A file that `proof` does not hold for is read through before. Rows from `until` (UTC) on are
    left out: they are loaded with the day after. `keep_open` is that of `open_database`.

    ShrinkError if the file holds less than was loaded before, by the database or by the `former`
    marker of one that is gone. ArchiveDamaged if it is not as it was then. SettingsError if it has
    columns that are not declared. DatabaseBusy if another process still holds the database after
    `wait_s` seconds.
    """
    file = open_day(folder)
    _refuse_another_day(file, dataset, day)
    file.prove(day, proof)
    refuse_undeclared(file.part, dataset, day.zone.key)
    marker = _marker(path, file, dataset, day)
    share = day.within(day.start, until or day.end)
    with write_lock, open_database(path, wait_s=wait_s, keep=keep_open) as connection:
        _prepare(connection, dataset, path)
        with transaction(connection):
            _require_same_zone(connection, day.zone.key, path)
            loads = [_loaded(connection, dataset, day), former]
            for load in loads:
                file.refuse_changed(load)
            shrunk_from = _permitted_from(f"{dataset.name} {day}", loads, file, allow_shrink)
            marker = replace(marker, shrunk_from=shrunk_from)
            _replace_rows(connection, file.part, dataset, share)
            table = _compare(connection, file, dataset, share, is_whole=share == day)
            duplicates = _count_duplicates(connection, dataset, share)
            fault_points.reach("load.inserted")
            _record(connection, _insert(loads[0]), marker, file.record)
            _record_wall_time(connection, _insert(loads[0]), dataset, share, table)
        fault_points.reach("load.committed")
    return Load(file.record, marker, duplicates)


def _marker(path: Path, file: DayFile, dataset: Dataset, day: LocalDay) -> Marker:
    return Marker(
        dataset=dataset.name,
        dt=str(day),
        load_id=uuid.uuid4().hex,
        rows=file.record.rows,
        values=file.record.values,
        first_utc=file.metadata.first_utc,
        last_utc=file.metadata.last_utc,
        end_utc=day.end.isoformat(),
        sha256=file.sha256,
        write_id=file.metadata.write_id,
        file=file_stamp(file.part),
        shrunk_from=file.metadata.shrunk_from,
        read_at=file.metadata.read_at,
        loaded_at=datetime.now(UTC).isoformat(),
        database=str(path),
    )


def _prepare(connection: duckdb.DuckDBPyConnection, dataset: Dataset, path: Path) -> None:
    """Make the tables, and refuse one of other columns: once while the database stays open."""
    done = prepared_tables(path)
    ddl = dataset.ddl()
    if ddl not in done:
        connection.execute(RECORD_DDL)
        connection.execute(ddl)
        _refuse_other_columns(connection, dataset, path)
        done.add(ddl)


def _refuse_other_columns(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset, path: Path
) -> None:
    found = dict(columns_of(connection, quoted(dataset.name)))
    if found != dataset.columns():
        raise DatabaseError(
            f"table {dataset.name} in {path} has the columns {found}, declared are "
            f"{dataset.columns()}; "
            "declare a dataset of another name for other columns, or delete the database: it is "
            "built again from the archive"
        )


def _loaded(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset, day: LocalDay
) -> Marker | None:
    """What the database records of the day, as its marker has it."""
    load = """SELECT rows, field_values, sha256, write_id FROM archive.loads
        WHERE dataset = ? AND dt = ?"""
    row = connection.execute(load, [dataset.name, day.date]).fetchone()
    if row is None:
        return None
    rows, values, checksum, write_id = row
    return Marker(
        dataset=dataset.name,
        dt=str(day),
        rows=rows,
        values=json.loads(values),
        sha256=checksum,
        write_id=write_id,
    )


def _permitted_from(
    subject: str, loads: Sequence[Marker | None], new: DayFile, allow: bool
) -> DayRecord | None:
    """The permission to shrink, of this run or of the one that wrote the file."""
    known = [load.record for load in loads if load and load.record]
    try:
        allowed = allow or all(was_permitted(new.metadata, record) for record in known)
        shrunk_from = ShrinkGuard(f"{subject} in DuckDB", known, allowed).permit(new.record)
    except ShrinkError as error:
        raise ShrinkError(
            f"{error} (the database holds more than the file: a newer backup of the file may hold "
            "it too)"
        ) from None
    return shrunk_from or new.metadata.shrunk_from


def _refuse_another_day(file: DayFile, dataset: Dataset, day: LocalDay) -> None:
    expected = {"dataset": dataset.name, "dt": str(day), "tz": day.zone.key}
    metadata = file.metadata
    told = {"dataset": metadata.dataset, "dt": metadata.dt, "tz": metadata.tz}
    found = {name: told[name] or value for name, value in expected.items()}
    if found != expected:
        raise ArchiveError(
            f"{file.part} says that it holds {found}, its place is that of {expected}; "
            "put it back where it belongs"
        )


def _require_same_zone(connection: duckdb.DuckDBPyConnection, tz: str, path: Path) -> None:
    """Note the zone with the first load: days of another one would cut into each other."""
    row = connection.execute("SELECT tz FROM archive.house").fetchone()
    if row is None:
        connection.execute("INSERT INTO archive.house VALUES (?)", [tz])
    elif row[0] != tz:
        raise DatabaseError(
            f"{path} holds days of {row[0]}, those of {tz} would cut into them; set TZ={row[0]}, "
            "or another DUCKDB_PATH"
        )


def _count_duplicates(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset, day: LocalDay
) -> int:
    """How many rows of the day share time and tags with another.

    There are none if each row comes after the one before it. That check needs no memory for a large
    day.
    """
    if _are_ascending(connection, dataset, day):
        return 0
    keys = _keys(dataset)
    return connection.execute(
        f"SELECT count(*) - count(DISTINCT row({keys})) FROM ({table_rows(dataset)})",
        bounds_of(day),
    ).fetchall()[0][0]


def _are_ascending(connection: duckdb.DuckDBPyConnection, dataset: Dataset, day: LocalDay) -> bool:
    """Whether each row, in the order that DuckDB gives them, comes after the one before it."""
    key = f"row({_keys(dataset)})"
    former = f"SELECT {key} AS key, lag({key}) OVER () AS former FROM ({table_rows(dataset)})"
    [(others,)] = connection.execute(
        f"SELECT count(*) FROM ({former}) WHERE key IS NULL OR key <= former", bounds_of(day)
    ).fetchall()
    return others == 0


def _keys(dataset: Dataset) -> str:
    return ", ".join(["ts_utc", *map(quoted, dataset.tags)])


def _replace_rows(
    connection: duckdb.DuckDBPyConnection, part: Path, dataset: Dataset, day: LocalDay
) -> None:
    connection.execute(
        f"DELETE FROM {quoted(dataset.name)} WHERE ts_utc >= ? AND ts_utc < ?", bounds_of(day)
    )
    fault_points.reach("load.deleted")
    # by name: the table keeps the order of columns that was declared when it was made
    table = f"{quoted(dataset.name)} ({column_list(dataset)})"
    connection.execute(f"INSERT INTO {table} {file_rows(part, dataset, day)}", [str(part)])


def _compare(
    connection: duckdb.DuckDBPyConnection,
    file: DayFile,
    dataset: Dataset,
    day: LocalDay,
    *,
    is_whole: bool,
) -> TableDay:
    """The table's day, if it equals the file's rows and DuckDB's zone rules are Python's.

    DatabaseError if not. `digest_columns` says what the comparison proves.
    """
    table = table_day(connection, dataset, day)
    in_file = file_digest(connection, file.part, dataset, day)
    if (is_whole and table.digest.rows != file.record.rows) or table.digest != in_file:
        missing, _ = differences(connection, file.part, dataset, day)
        raise DatabaseError(
            f"{dataset.name} {day}: DuckDB holds {table.digest.rows} rows, {missing} of the file's "
            f"{file.record.rows} are not there, and nothing is changed; "
            "run again. If it stays, the file is damaged"
        )
    _refuse_other_rules(connection, dataset, table, day)
    return table


def _refuse_other_rules(
    connection: duckdb.DuckDBPyConnection, dataset: Dataset, table: TableDay, day: LocalDay
) -> None:
    """DatabaseError if DuckDB's zone rules give other local times to the first or last reading.

    The read copy and dbt go by them.
    """
    for utc, wall in ((table.first_utc, table.first_jst), (table.last_utc, table.last_jst)):
        zone = day.zone.key
        query = "SELECT timezone(?, timezone('UTC', ?::TIMESTAMP))"
        [(by_duckdb,)] = connection.execute(query, [zone, utc]).fetchall()
        if by_duckdb != wall:
            raise DatabaseError(
                f"{dataset.name} {day} stays archived, but is not loaded: "
                f"{other_rules(day.zone)}; {UPDATE}"
            )


def _insert(recorded: Marker | None) -> str:
    """How a day is recorded. Where nothing was recorded of it, INSERT takes less time."""
    if recorded is None:
        return "INSERT"
    return "INSERT OR REPLACE"


def _record(
    connection: duckdb.DuckDBPyConnection, insert: str, marker: Marker, record: DayRecord
) -> None:
    shrunk_from = marker.shrunk_from
    connection.execute(
        f"{insert} INTO archive.loads VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            marker.dataset,
            marker.dt,
            marker.load_id,
            record.rows,
            json.dumps(record.values),
            naive_utc(marker.first_utc),
            naive_utc(marker.last_utc),
            marker.sha256,
            marker.write_id,
            json.dumps(shrunk_from.as_dict()) if shrunk_from else None,
            naive_utc(marker.loaded_at),
        ],
    )


def _record_wall_time(
    connection: duckdb.DuckDBPyConnection,
    insert: str,
    dataset: Dataset,
    day: LocalDay,
    table: TableDay,
) -> None:
    """Note the day's last reading in UTC and local time, by which other zone rules are found."""
    connection.execute(
        f"{insert} INTO archive.wall_times VALUES (?, ?, ?, ?)",
        [dataset.name, day.date, table.last_utc, table.last_jst],
    )
