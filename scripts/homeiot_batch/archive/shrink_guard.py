"""A day never shrinks by accident.

What is archived may be the only copy of what the source has forgotten.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow.parquet as pq
import structlog

from homeiot_batch.archive.day_file import DayFile, translate_read_errors
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.day_record import DayRecord, FileMetadata
from homeiot_batch.core.duckdb_connections import scratch
from homeiot_batch.core.files import is_there
from homeiot_batch.core.row_digest import digest_columns
from homeiot_batch.core.sql_text import quoted
from homeiot_batch.core.stretches import stretches
from homeiot_batch.errors import ArchiveDamaged, ArchiveError, ShrinkError

KEPT = (
    "What is archived is kept; if the new one is right, run this day alone again with "
    "--config allow_shrink=true"
)

FILE = "read_parquet(?, hive_partitioning = false)"

log = structlog.get_logger()


@dataclass(frozen=True)
class ShrinkGuard:
    """Compares a new day with all that is known of it. `subject` names the day in messages."""

    subject: str
    known: Sequence[DayRecord]
    allow_shrink: bool

    def permit(self, new: DayRecord) -> DayRecord | None:
        """The larger known record, if the day holds less and may. None if it does not shrink.

        ShrinkError if it holds less than is known.
        """
        if not any(new.holds_less_than(record) for record in self.known):
            return None
        largest = self.known[0]
        for record in self.known[1:]:
            largest = largest.joined(record)
        if not new.rows:
            raise ShrinkError(
                f"{self.subject} would shrink from {largest} to nothing: the source has forgotten "
                "it, or is another one. What is archived is kept, whatever is allowed; restore "
                "the day's folder from a backup if it is missing"
            )
        if not self.allow_shrink:
            raise ShrinkError(
                f"{self.subject} would shrink from {largest} to {new}: the source may have "
                f"forgotten it. {KEPT}"
            )
        return largest

    def permit_losses(self, old: Path, new: Path, dataset: Dataset) -> int:
        """How many readings of the file `old` the file `new` lacks, where that is allowed.

        ShrinkError for any, even if there are more of others.
        """
        lost = readings_lost(old, new, dataset)
        if lost and not self.allow_shrink:
            raise ShrinkError(
                f"{self.subject} would lose {lost} archived readings that the source no longer "
                f"has, though it has others. {KEPT}"
            )
        return lost


def was_permitted(metadata: FileMetadata, archived: DayRecord) -> bool:
    """Whether the day was written with the permission to hold less than `archived`."""
    permitted = metadata.shrunk_from
    return permitted is not None and not permitted.holds_less_than(archived)


def holds_all_of(new: DayFile, old: DayFile, dataset: Dataset) -> bool:
    """Whether the day `new` lacks nothing that the day `old` holds: no count, and no reading.

    ArchiveError if one of both cannot be read now.
    """
    if new.record.holds_less_than(old.record):
        return False
    return not readings_lost(old.part, new.part, dataset)


def readings_lost(old: Path, new: Path, dataset: Dataset) -> int:
    """How many readings (time and tags) of the file `old` are not in the file `new`.

    0 if there is no `old`, or it is damaged. DuckDB would take a damaged page for readings: `old`
    is read through with its checksums first. ArchiveError if it cannot be read now.

    Equal hashes of all readings mean equal readings, but for a chance of 1 in 2**64. Other files
    are compared stretch by stretch of the day, in memory that does not grow with it.
    """
    if not is_there(old):
        return 0
    with scratch() as connection:
        try:
            keys = _sound_keys(old, dataset)
            archived = _readings(connection, old, keys)
        except ArchiveDamaged:
            return 0
        except duckdb.OutOfMemoryException as error:
            raise ArchiveError(
                f"{old} cannot be compared ({' '.join(str(error).split())[:120]}); "
                "give the run more memory"
            ) from None
        # it has just been read through: what DuckDB stumbles over is what it holds
        except duckdb.Error as error:
            log.warning("the archived day cannot be read", reason=str(error))
            return 0
        if archived == _readings(connection, new, keys):
            return 0
        parts = archived.stretches()
        return sum(_lost_in(connection, old, new, keys, *part) for part in parts)


class _Readings(NamedTuple):
    """The readings of a file: number, sum and exclusive or of their hashes, and first and last.

    Times are microseconds since 1970, UTC. All but the number are None for a file without any.
    """

    number: int
    total: int | None
    xor: int | None
    first: int | None
    last: int | None

    def stretches(self) -> Iterator[tuple[int, int]]:
        """See `stretches`. There are none in a file without readings."""
        if self.first is None or self.last is None:
            return iter(())
        return stretches(self.first, self.last, self.number)


def _readings(connection: duckdb.DuckDBPyConnection, part: Path, keys: Sequence[str]) -> _Readings:
    bounds = "min(epoch_us(ts_utc)), max(epoch_us(ts_utc))"
    [found] = connection.execute(
        f"SELECT {digest_columns(keys)}, {bounds} FROM {FILE}",
        [str(part)],
    ).fetchall()
    return _Readings(*found)


def _lost_in(
    connection: duckdb.DuckDBPyConnection,
    old: Path,
    new: Path,
    keys: Sequence[str],
    begin: int,
    end: int,
) -> int:
    """How many readings of `old` from `begin` to before `end` are not in `new`."""
    span = f"ts_utc >= make_timestamptz({begin}) AND ts_utc < make_timestamptz({end})"
    readings = f"SELECT {', '.join(map(quoted, keys))} FROM {FILE} WHERE {span}"
    [(lost,)] = connection.execute(
        f"SELECT count(*) FROM ({readings} EXCEPT ALL {readings})", [str(old), str(new)]
    ).fetchall()
    return lost


def _sound_keys(part: Path, dataset: Dataset) -> list[str]:
    """The columns that tell the file's readings apart, read through with their checksums."""
    with translate_read_errors(part), pq.ParquetFile(part, page_checksum_verification=True) as file:
        keys = ["ts_utc", *(tag for tag in dataset.tags if tag in file.schema_arrow.names)]
        for _ in file.iter_batches(columns=keys):
            pass  # a damaged page raises
    return keys
