"""Whether the table's rows of a day are those of the day's file, in one pass over each side."""

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow.parquet as pq

from homeiot_batch.core.datasets import Dataset, literal, quoted, wall_columns
from homeiot_batch.core.days import LocalDay


class Digest(NamedTuple):
    """Rows as three numbers, whatever their order. Equal rows have equal numbers.

    Each row is hashed to 64 bits over all its columns in the order that is declared, and the hash
    is hashed once more. Without that, two values that trade places between rows would cancel out
    in the exclusive or, and could in the sum. `total` is the exact sum of the hashes, and `xor`
    their exclusive or. A value counts twice if it is there twice, and NULL is a value of its own.

    Rows are equal by DuckDB's rules, as for EXCEPT ALL: NULL equals NULL and not 0, NaN equals NaN,
    and 0.0 equals -0.0. Other rows have another digest, but for a chance of about 1 in 2**64 a day,
    since the hashes of two different rows are equal with that chance. A hash of DuckDB's holds for
    one version: digests are compared at once and stored nowhere.
    """

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
    query = f"SELECT {_digest(dataset)}, {times} FROM ({table_rows(dataset)})"
    [(rows, total, xor, *bounds)] = connection.execute(query, bounds_of(day)).fetchall()
    return TableDay(Digest(rows, total, xor), *bounds)


def file_digest(
    connection: duckdb.DuckDBPyConnection, part: Path, dataset: Dataset, day: LocalDay
) -> Digest:
    """The file's rows before the end of the day, read once."""
    query = f"SELECT {_digest(dataset)} FROM ({file_rows(part, dataset, day)})"
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
    selected = []
    walls = wall_columns(dataset, day.zone.key)
    for (name, kind), wall in zip(dataset.columns().items(), walls, strict=True):
        expression = f"CAST({literal(dataset.absent(name))} AS {kind})"
        if name in there:
            expression = wall
        selected.append(f"{expression} AS {quoted(name)}")
    end = f"make_timestamptz({day.end_ns // 1000})"
    read = "read_parquet(?, hive_partitioning = false) AS file"
    return f"SELECT {', '.join(selected)} FROM {read} WHERE file.ts_utc < {end}"


def column_list(dataset: Dataset) -> str:
    """The columns in the order that is declared, whatever order the table has."""
    return ", ".join(map(quoted, dataset.columns()))


def bounds_of(day: LocalDay) -> list[datetime]:
    """The day's bounds as the table has times."""
    return [day.start.replace(tzinfo=None), day.end.replace(tzinfo=None)]


def _digest(dataset: Dataset) -> str:
    row = f"hash(hash({column_list(dataset)}))"
    return f"count(*), sum({row}::HUGEINT), bit_xor({row})"
