"""The rows of an export on their way from a query to a file, a batch at a time."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from homeiot_batch.core.duckdb_connections import connect
from homeiot_batch.core.sql_text import literal
from homeiot_batch.errors import ArchiveError
from homeiot_batch.export.columns import Column

BATCH_ROWS = 50_000


@dataclass
class Rows:
    """Columns, and their rows in batches. The batches can be read once.

    Times have no zone: they are UTC or local as the kind of their column says. `currency` is that
    of all money. `count` is of the rows read so far, `error` is what ended the reading, if any.
    """

    columns: tuple[Column, ...]
    schema: pa.Schema
    batches: Iterator[pa.RecordBatch]
    currency: str | None = None
    count: int = 0
    error: Exception | None = None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        try:
            for batch in self.batches:
                self.count += len(batch)
                yield batch
        except Exception as error:
            self.error = error
            raise


def copy_rows(rows: Rows, select: str, path: Path, options: str) -> None:
    """Let DuckDB write `SELECT select` of the rows to the file, in their order.

    It holds a batch at a time. HomeIotError if the rows cannot be read, or the file be written.
    """
    with connect() as connection:
        reader = pa.RecordBatchReader.from_batches(rows.schema, iter(rows))
        connection.register("rows", reader)
        target = literal(str(path))
        try:
            connection.execute(
                f"COPY (SELECT {select} FROM rows) TO {target} ({options}, USE_TMP_FILE false)"
            )
        except duckdb.Error as error:
            if rows.error is not None:
                raise rows.error from None
            raise not_written(path, error) from None


def spool(rows: Rows, path: Path) -> Rows:
    """The same rows out of a file that is written now: whatever they came from is free again."""
    copy_rows(rows, "*", path, "FORMAT parquet")
    batches = pq.ParquetFile(path).iter_batches(BATCH_ROWS)
    return Rows(rows.columns, rows.schema, batches, rows.currency)


def not_written(path: Path, error: Exception) -> ArchiveError:
    """The disk refused."""
    reason = str(error).splitlines()[0]
    if isinstance(error, OSError) and error.strerror:
        reason = error.strerror
    return ArchiveError(
        f"the export cannot be written in {path.parent.parent} ({reason}); "
        "see to disk space and permissions"
    )
