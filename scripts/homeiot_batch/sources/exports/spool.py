"""The spool: an export's points of the wanted days, on disk, to be put together day by day."""

import atexit
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from homeiot_batch.core.datasets import ARROW_TYPES, Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.sql_text import quoted
from homeiot_batch.core.stretches import stretches
from homeiot_batch.errors import ArchiveError
from homeiot_batch.sources.exports.plain_values import PlainValues

BATCH_ROWS = 50_000


class Spool:
    """A DuckDB of its own in a temporary folder. It is removed when the process ends."""

    def __init__(self, staging: Path) -> None:
        try:
            staging.mkdir(parents=True, exist_ok=True)
            folder = tempfile.mkdtemp(prefix="tmp-spool-", dir=staging)
        except OSError as error:
            raise ArchiveError(
                f"{staging} cannot be written ({error.strerror}); see to disk space and permissions"
            ) from None
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        self._connection = duckdb.connect(
            f"{folder}/spool.duckdb",
            config={"memory_limit": "1GB", "temp_directory": f"{folder}/overflow", "threads": 1},
        )

    def prepare(self, dataset: Dataset) -> None:
        """Make room for the points of a dataset."""
        columns = ["time BIGINT", "series VARCHAR", "number BIGINT"]
        for name, kind in dataset.columns().items():
            if name in dataset.tags or name in dataset.fields:
                columns.append(f"{quoted(name)} {kind}")
        table = quoted(dataset.name)
        self._connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({', '.join(columns)})")

    def add(self, dataset: Dataset, points: Sequence[tuple[Any, ...]]) -> None:
        """Write rows of time (ns), series, number of the line, tags and fields."""
        if not points:
            return
        schema = _schema(dataset)
        columns = zip(*points, strict=True)
        values_and_types = zip(columns, schema.types, strict=True)
        arrays = [pa.array(values, kind) for values, kind in values_and_types]
        self._insert(dataset, pa.table(arrays, schema=schema))

    def add_values(self, dataset: Dataset, values: PlainValues) -> None:
        """Write the values, and empty them."""
        if values:
            self._insert(dataset, values.table(_schema(dataset)))
            values.clear()

    def _insert(self, dataset: Dataset, rows: pa.Table) -> None:
        self._connection.register("new_rows", rows)
        self._connection.execute(f"INSERT INTO {quoted(dataset.name)} FROM new_rows")
        self._connection.unregister("new_rows")

    def read(self, dataset: Dataset, day: LocalDay) -> Iterator[pa.RecordBatch]:
        """The points of the day in the order of time, as batches of `dataset.raw_schema()`."""
        return self._batches(self._connection.cursor(), dataset, day)

    def _batches(
        self, cursor: duckdb.DuckDBPyConnection, dataset: Dataset, day: LocalDay
    ) -> Iterator[pa.RecordBatch]:
        with cursor:
            for bounds in _stretches(cursor, dataset, day):
                found = cursor.sql(_points(dataset), params=list(bounds))
                for batch in found.to_arrow_reader(BATCH_ROWS):
                    yield batch.cast(dataset.raw_schema())


def _stretches(
    cursor: duckdb.DuckDBPyConnection, dataset: Dataset, day: LocalDay
) -> list[tuple[int, int]]:
    """Begin and end (ns, not included) of times with some 500,000 lines each, ascending.

    Points are put together in memory: that of a stretch, however much the day holds.
    """
    [(lines, first, last)] = cursor.execute(
        f"SELECT count(*), min(time), max(time) FROM {quoted(dataset.name)} "
        "WHERE time >= ? AND time < ?",
        [day.start_ns, day.end_ns],
    ).fetchall()
    if not lines:
        return []
    return list(stretches(first, last, lines))


def _schema(dataset: Dataset) -> pa.Schema:
    """Time (ns), series, number of the line, tags and fields."""
    tags = [(tag, pa.string()) for tag in dataset.tags]
    fields = [(name, ARROW_TYPES[kind]) for name, kind in dataset.fields.items()]
    return pa.schema(
        [
            ("time", pa.int64()),
            ("series", pa.string()),
            ("number", pa.int64()),
            *tags,
            *fields,
        ]
    )


def _points(dataset: Dataset) -> str:
    """The points of a time range.

    Several lines of one point are joined: of a value the last one counts.
    """
    tags = [quoted(tag) for tag in dataset.tags]
    fields = [quoted(name) for name in dataset.fields]
    of_tags = [f"any_value({tag}) AS {tag}" for tag in tags]
    of_fields = [f"max_by({field}, number) AS {field}" for field in fields]
    columns = ", ".join(["time", *of_tags, *of_fields, "series"])
    order = ", ".join(["time", *tags, "series"])
    return (
        f"SELECT * EXCLUDE (series) FROM (SELECT {columns} "
        f"FROM {quoted(dataset.name)} WHERE time >= ? AND time < ? GROUP BY time, series) "
        f"ORDER BY {order}"
    )
