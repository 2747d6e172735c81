"""The archive's Parquet files: a day is staged, re-read, and put in place by one rename."""

import json
import shutil
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import structlog

from homeiot_batch import __version__
from homeiot_batch.archive.day_file import METADATA_KEY, check_part
from homeiot_batch.archive.transform import to_rows
from homeiot_batch.config import Settings
from homeiot_batch.core import fault_points
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.day_record import DayRecord
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.files import sync_file, sync_folder
from homeiot_batch.core.layout import PART
from homeiot_batch.errors import ArchiveError

log = structlog.get_logger()


@dataclass(frozen=True)
class StagedDay:
    """A day written whole into a folder of its own under staging, not yet under its name."""

    folder: Path
    record: DayRecord


def stage_day(
    points: Iterable[pa.RecordBatch],
    dataset: Dataset,
    day: LocalDay,
    settings: Settings,
    staging: Path,
    describe: Callable[[DayRecord], dict[str, Any]],
    accept: Callable[[Path], None] = lambda _: None,
) -> StagedDay:
    """Write `points` as one Parquet file, flush it to disk and read it back; nothing is left behind on failure.

    `describe` is asked for the metadata when all points are written, `accept` is shown the finished file; both refuse the day by raising.
    """
    folder = staging / f"tmp-{uuid.uuid4().hex}"
    try:
        folder.mkdir(parents=True)
        record = _write(folder / PART, points, dataset, day, settings, describe)
        fault_points.reach("fetch.written")
        sync_file(folder / PART)
        sync_folder(folder)
        check_part(folder / PART, record, day)
        accept(folder / PART)
    except BaseException as error:
        shutil.rmtree(folder, ignore_errors=True)
        if isinstance(error, OSError):
            raise ArchiveError(
                f"{folder} cannot be written ({error.strerror or error}); see to disk space and permissions"
            ) from None
        raise
    return StagedDay(folder, record)


def put_in_place(source: Path, target: Path) -> None:
    """Rename the folder `source` to `target`, durably; ArchiveError if a day stands there."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)
    except OSError as error:
        raise ArchiveError(
            f"{source} cannot be renamed to {target} ({error.strerror}); clear the way and run again"
        ) from None
    try:
        sync_folder(target.parent)
    except OSError as error:  # the day is in place: a failed job would have it deleted
        log.warning("not flushed to disk", folder=str(target), reason=error.strerror)


def _write(
    path: Path,
    points: Iterable[pa.RecordBatch],
    dataset: Dataset,
    day: LocalDay,
    settings: Settings,
    describe: Callable[[DayRecord], dict[str, Any]],
) -> DayRecord:
    ingested_at = settings.instant()
    values = dict.fromkeys(dataset.fields, 0)
    rows = 0
    first, last = None, None
    with pq.ParquetWriter(
        path,
        dataset.arrow_schema(settings.tz),
        compression=settings.parquet_compression,
        write_page_checksum=True,
    ) as writer:
        for batch in _of_size(_in_order(points, dataset), settings.parquet_row_group_size):
            table = to_rows(batch, dataset, settings.tz, ingested_at)
            writer.write_table(table, row_group_size=settings.parquet_row_group_size)
            rows += len(batch)
            for field in values:
                values[field] += len(batch) - batch.column(field).null_count
            first = first or table["ts_utc"][0].as_py()
            last = table["ts_utc"][-1].as_py()
        record = DayRecord(rows, values)
        content = _metadata(dataset, day, settings, record, first, last, ingested_at) | describe(
            record
        )
        writer.add_key_value_metadata({METADATA_KEY: json.dumps(content)})
    return record


def _metadata(
    dataset: Dataset,
    day: LocalDay,
    settings: Settings,
    record: DayRecord,
    first: datetime | None,
    last: datetime | None,
    read_at: datetime,
) -> dict[str, Any]:
    return {
        "write_id": uuid.uuid4().hex,
        "dt": str(day),
        "tz": settings.tz,
        "start_utc": day.start.isoformat(),
        "end_utc": day.end.isoformat(),
        "columns": {column.name: str(column.type) for column in dataset.arrow_schema(settings.tz)},
        **record.as_dict(),
        "first_utc": first.isoformat() if first else None,
        "last_utc": last.isoformat() if last else None,
        "read_at": read_at.isoformat(),
        "version": __version__,
    }


def _in_order(points: Iterable[pa.RecordBatch], dataset: Dataset) -> Iterator[pa.RecordBatch]:
    """The same points by time, then tags: a source promises the time only. Holds back points of the last time seen."""
    keys = [("time", "ascending"), *((tag, "ascending") for tag in dataset.tags)]
    held: pa.Table | None = None
    for batch in points:
        table = pa.concat_tables(
            [held, pa.Table.from_batches([batch])] if held else [pa.Table.from_batches([batch])]
        )
        times = table["time"]
        cut = pc.index(times, times[-1]).as_py()
        if cut:
            yield from table.slice(0, cut).sort_by(keys).combine_chunks().to_batches()
        held = table.slice(cut)
    if held:
        yield from held.sort_by(keys).combine_chunks().to_batches()


def _of_size(batches: Iterable[pa.RecordBatch], size: int) -> Iterator[pa.RecordBatch]:
    """The same rows in batches of `size`, the last one shorter."""
    waiting: list[pa.RecordBatch] = []
    count = 0
    for batch in batches:
        waiting.append(batch)
        count += len(batch)
        while count >= size:
            joined = pa.concat_batches(waiting)
            yield joined.slice(0, size)
            waiting, count = [joined.slice(size)], count - size
    if count:
        yield pa.concat_batches(waiting)
