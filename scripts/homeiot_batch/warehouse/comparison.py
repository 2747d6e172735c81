"""Whether the table's rows of a day are those of the day's file, in one pass over each side."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow.parquet as pq

from homeiot_batch.core.clock_changes import offsets
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay, nanoseconds
from homeiot_batch.core.row_digest import digest_columns
from homeiot_batch.core.sql_text import literal, quoted

MICROSECOND = timedelta(microseconds=1)


class Digest(NamedTuple):
    """Rows as three numbers, whatever their order: see `digest_columns`."""

    rows: int
    total: int | None
    xor: int | None


class TableDay(NamedTuple):
    """A day's rows in the table: first and last time in UTC, and the local times of these rows."""

    digest: Digest
    first_utc: datetime | None
    first_jst: datetime | None
    last_utc: datetime | None
    last_jst: datetime | None


def table_day(connection: duckdb.DuckDBPyConnection, dataset: Dataset, day: LocalDay) -> TableDay:
    """What the table holds of the day, read once."""
    times = "min(ts_utc), min_by(ts_jst, ts_utc), max(ts_utc), max_by(ts_jst, ts_utc)"
    query = f"SELECT {digest_columns(dataset.columns())}, {times} FROM ({table_rows(dataset)})"
    [(rows, total, xor, *bounds)] = connection.execute(query, bounds_of(day)).fetchall()
    return TableDay(Digest(rows, total, xor), *bounds)


def file_digest(
    connection: duckdb.DuckDBPyConnection, part: Path, dataset: Dataset, day: LocalDay
) -> Digest:
    """The file's rows before the end of the day, read once."""
    query = f"SELECT {digest_columns(dataset.columns())} FROM ({file_rows(part, dataset, day)})"
    [found] = connection.execute(query, [str(part)]).fetchall()
    return Digest(*found)


def differences(
    connection: duckdb.DuckDBPyConnection, part: Path, dataset: Dataset, day: LocalDay
) -> tuple[int, int]:
    """How many rows are in the file alone, and how many in the day's table alone.

    It costs ten times a digest, and memory that grows with the day: for a day that differs.
    """
    file = file_rows(part, dataset, day)
    table = table_rows(dataset)
    missing = connection.execute(
        f"SELECT count(*) FROM ({file} EXCEPT ALL {table})", [str(part), *bounds_of(day)]
    ).fetchall()
    foreign = connection.execute(
        f"SELECT count(*) FROM ({table} EXCEPT ALL {file})", [*bounds_of(day), str(part)]
    ).fetchall()
    return missing[0][0], foreign[0][0]


def table_rows(dataset: Dataset) -> str:
    """The table's rows of a day, with the columns in the order that is declared."""
    table = quoted(dataset.name)
    return f"SELECT {column_list(dataset)} FROM {table} WHERE ts_utc >= ? AND ts_utc < ?"


def file_rows(part: Path, dataset: Dataset, day: LocalDay) -> str:
    """The file's rows before the end of the day, as the table has them.

    A column that was declared later is filled as for points without it.
    """
    there = pq.read_schema(part).names
    times = {
        "ts_utc": "make_timestamp(epoch_us(ts_utc))",
        "ts_jst": local_time("ts_utc", day),
        "ingested_at": "make_timestamp(epoch_us(ingested_at))",
    }
    selected = []
    for name, kind in dataset.columns().items():
        expression = f"CAST({literal(dataset.absent(name))} AS {kind})"
        if name in there:
            expression = times.get(name, quoted(name))
        selected.append(f"{expression} AS {quoted(name)}")
    end = f"make_timestamptz({day.end_ns // 1000})"
    read = "read_parquet(?, hive_partitioning = false) AS file"
    return f"SELECT {', '.join(selected)} FROM {read} WHERE file.ts_utc < {end}"


def local_time(column: str, day: LocalDay) -> str:
    """SQL for the local time of a column of instants, by the rules that the day is cut by.

    That is AT TIME ZONE by DuckDB's own rules, which takes ten times as long.
    """
    (_, first), *changes = offsets(day)
    expression = _shifted(column, first)
    for begin, ahead in changes:
        is_after = f"{column} >= make_timestamptz({nanoseconds(begin) // 1000})"
        expression = f"CASE WHEN {is_after} THEN {_shifted(column, ahead)} ELSE {expression} END"
    return expression


def _shifted(column: str, ahead: timedelta) -> str:
    return f"make_timestamp(epoch_us({column}) + {ahead // MICROSECOND})"


def column_list(dataset: Dataset) -> str:
    """The columns in the order that is declared, whatever order the table has."""
    return ", ".join(map(quoted, dataset.columns()))


def bounds_of(day: LocalDay) -> list[datetime]:
    """The day's bounds as the table has times."""
    return [day.start.replace(tzinfo=None), day.end.replace(tzinfo=None)]
