"""What is known of an archived day before it is read again: by its file, its markers and the database."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import structlog

from homeiot_batch.database import recorded_loads
from homeiot_batch.datasets import Dataset, quoted
from homeiot_batch.day_record import DayRecord
from homeiot_batch.errors import ArchiveDamaged
from homeiot_batch.files import read_json
from homeiot_batch.layout import Layout
from homeiot_batch.parquet_check import read_metadata, reading, refuse_to_delete

log = structlog.get_logger()

Loads = Mapping[tuple[str, str], tuple[str, DayRecord]]


def known_records(layout: Layout, loads: Loads | None, database: Path, dataset: str, dt: str) -> list[DayRecord]:
    """Every record of the day; none for a new one.

    `loads` are the database's, None if it could not be asked. ArchiveDamaged if a damaged file is all there is, ArchiveError if it cannot
    be read now or other files lie beside it, DatabaseBusy if only the database can say how much a day held that is missing between others.
    """
    folder = layout.day(dataset, dt)
    markers = [DayRecord.of(read_json(path)) for path in (layout.marker(dataset, dt), layout.former_marker(dataset, dt))]
    witnesses = [record for record in markers if record is not None]
    if loads is None and not witnesses and not folder.exists() and not _is_next(layout, dataset, dt):
        loads = recorded_loads(database)
    if loads and (dataset, dt) in loads:
        witnesses.append(loads[dataset, dt][1])
    return witnesses + _of_file(folder, witnesses)


def readings_lost(old: Path, new: Path, dataset: Dataset) -> int:
    """How many readings (time and tags) of the file `old` are not in `new`; 0 if there is no `old`, or it is damaged.

    DuckDB would take a damaged page for readings: `old` is read through with its checksums first. ArchiveError if it cannot be read now.
    """
    if not old.exists():
        return 0
    try:
        with reading(old), pq.ParquetFile(old, page_checksum_verification=True) as file:
            keys = ["ts_utc", *(tag for tag in dataset.tags if tag in file.schema_arrow.names)]
            for _ in file.iter_batches(columns=keys):
                """A damaged page raises."""
    except ArchiveDamaged:
        return 0
    readings = f"SELECT {', '.join(map(quoted, keys))} FROM read_parquet(?, hive_partitioning = false)"
    with duckdb.connect() as connection:
        return connection.execute(f"SELECT count(*) FROM ({readings} EXCEPT ALL {readings})", [str(old), str(new)]).fetchall()[0][0]


def _is_next(layout: Layout, dataset: str, dt: str) -> bool:
    archived = layout.archived_days(dataset)
    return bool(archived) and date.fromisoformat(dt) > archived[-1]


def _of_file(folder: Path, witnesses: list[DayRecord]) -> list[DayRecord]:
    if folder.is_dir():
        refuse_to_delete(folder)
    try:
        record = DayRecord.of(read_metadata(folder))
    except ArchiveDamaged as error:
        if not witnesses:
            raise
        log.warning("the archived day cannot be read", reason=str(error))
        return []
    return [record] if record else []
