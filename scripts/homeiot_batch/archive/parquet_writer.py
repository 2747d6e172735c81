"""The archive's Parquet files: a day is staged, re-read, and put in place by one rename."""

import contextlib
import json
import shutil
import uuid
from collections.abc import Generator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq
import structlog

from homeiot_batch import __version__
from homeiot_batch.archive.day_file import METADATA_KEY, Proof, prove_part
from homeiot_batch.config import Settings
from homeiot_batch.core import fault_points
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.day_record import DayRecord, FileMetadata
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.files import set_exact_time, sync_file, sync_folder
from homeiot_batch.core.layout import PART
from homeiot_batch.errors import ArchiveError

# ascending times, kept as their differences: half the time to write, a fifth of the bytes
TIMES = ("ts_utc", "ts_jst")

log = structlog.get_logger()


@contextlib.contextmanager
def staging_folder(staging: Path) -> Generator[Path]:
    """A new folder in `staging` for one day. It is removed again on any failure.

    ArchiveError if the disk refuses.
    """
    folder = staging / f"tmp-{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True)
        yield folder
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise ArchiveError(
                f"{folder} cannot be written ({error.strerror or error}); "
                "see to disk space and permissions"
            ) from None
        raise


class DayWriter:
    """Writes the file of one day: its rows, and at the end what the file says of itself."""

    def __init__(self, folder: Path, dataset: Dataset, day: LocalDay, settings: Settings) -> None:
        """Open the file in `folder`. The writer is a context, which ends the file."""
        self.read_at = settings.instant()
        self._dataset = dataset
        self._day = day
        self._settings = settings
        self._rows = 0
        self._values = dict.fromkeys(dataset.fields, 0)
        self._first: datetime | None = None
        self._last: datetime | None = None
        self._file = pq.ParquetWriter(
            folder / PART,
            dataset.arrow_schema(settings.tz),
            compression=settings.parquet_compression,
            write_page_checksum=True,
            use_dictionary=_repeating_columns(dataset),
            column_encoding=dict.fromkeys(TIMES, "DELTA_BINARY_PACKED"),
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    @property
    def record(self) -> DayRecord:
        """How much is written."""
        return DayRecord(self._rows, dict(self._values))

    def write(self, rows: pa.Table, values: Mapping[str, int]) -> None:
        """Add rows, ascending in time, of which the fields really had so many `values`."""
        self._file.write_table(rows, row_group_size=self._settings.parquet_row_group_size)
        self._rows += len(rows)
        for field, count in values.items():
            self._values[field] += count
        self._first = self._first or rows["ts_utc"][0].as_py()
        self._last = rows["ts_utc"][-1].as_py()

    def describe(self, source: Mapping[str, object], shrunk_from: DayRecord | None) -> None:
        """Add what the file says of itself, after the last row: also where it comes from."""
        schema = self._dataset.arrow_schema(self._settings.tz)
        metadata = FileMetadata(
            write_id=uuid.uuid4().hex,
            dt=str(self._day),
            tz=self._settings.tz,
            start_utc=self._day.start.isoformat(),
            end_utc=self._day.end.isoformat(),
            columns={column.name: str(column.type) for column in schema},
            record=self.record,
            first_utc=self._first.isoformat() if self._first else None,
            last_utc=self._last.isoformat() if self._last else None,
            read_at=self.read_at.isoformat(),
            version=__version__,
            dataset=self._dataset.name,
            source=source,
            shrunk_from=shrunk_from,
        )
        self._file.add_key_value_metadata({METADATA_KEY: json.dumps(metadata.to_json())})


def _repeating_columns(dataset: Dataset) -> list[str]:
    """The columns for which Parquet keeps a dictionary of the values.

    A counter hardly repeats a value. Doubles without a dictionary take half the time to write,
    and most files are smaller.
    """
    others = [name for name, kind in dataset.fields.items() if kind != "double"]
    return [*dataset.tags, *others, "ingested_at"]


def prove_written(folder: Path, record: DayRecord, day: LocalDay) -> Proof:
    """Flush the day's file to disk and read it back: the proof that it holds what was written.

    ArchiveDamaged unless it holds what was written, ArchiveError if rows lie outside of the day.
    """
    fault_points.reach("fetch.written")
    set_exact_time(folder / PART)
    sync_file(folder / PART)
    sync_folder(folder)
    return prove_part(folder / PART, record, day)


def rename_durably(source: Path, target: Path) -> None:
    """Rename the folder `source` to `target`, durably. ArchiveError if a day stands there."""
    folder = target.parent
    try:
        is_new = not folder.exists()
        folder.mkdir(parents=True, exist_ok=True)
        source.rename(target)
    except OSError as error:
        raise ArchiveError(
            f"{source} cannot be renamed to {target} ({error.strerror}); "
            "clear the way and run again"
        ) from None
    try:
        sync_folder(folder)
        if is_new:
            sync_folder(folder.parent)
    except OSError as error:  # the day is in place: a failed job would have it deleted
        log.warning("not flushed to disk", folder=str(target), reason=error.strerror)
