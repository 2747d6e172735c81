"""What is known of an archived day before it is read again.

It comes from the day's file, its markers and the database.
"""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import structlog

from homeiot_batch.archive.day_file import (
    read_metadata,
    refuse_changed,
    refuse_to_delete,
    translate_read_errors,
)
from homeiot_batch.core.day_record import DayRecord, Marker, read_marker
from homeiot_batch.core.files import sha256
from homeiot_batch.core.inventory import archived_days
from homeiot_batch.core.layout import PART, Layout
from homeiot_batch.errors import ArchiveDamaged
from homeiot_batch.warehouse.database import RecordedLoad, recorded_loads

log = structlog.get_logger()

Loads = Mapping[tuple[str, str], RecordedLoad]


def previous_records(
    layout: Layout, loads: Loads | None, database: Path, dataset: str, dt: str
) -> list[DayRecord]:
    """Every record of the day, or an empty list for a new one.

    `loads` are the database's, None if it could not be asked. ArchiveDamaged if a damaged file is
    all there is, ArchiveError if it cannot be read now or other files lie beside it, DatabaseBusy
    if only the database can say how much a day held that is missing between others.
    """
    folder = layout.day(dataset, dt)
    places = (layout.marker(dataset, dt), layout.former_marker(dataset, dt))
    markers = [marker for marker in map(read_marker, places) if marker is not None]
    records = [marker.record for marker in markers if marker.record is not None]
    if loads is None and not records and not folder.exists() and not _is_next(layout, dataset, dt):
        loads = recorded_loads(database)
    if loads and (dataset, dt) in loads:
        records.append(loads[dataset, dt].record)
    return records + _record_of_file(folder, records, next(iter(markers), None))


def _is_next(layout: Layout, dataset: str, dt: str) -> bool:
    archived = archived_days(layout, dataset)
    return bool(archived) and date.fromisoformat(dt) > archived[-1]


def _record_of_file(
    folder: Path, records: list[DayRecord], loaded: Marker | None
) -> list[DayRecord]:
    if folder.is_dir():
        refuse_to_delete(folder)
    try:
        metadata = read_metadata(folder)
        if metadata is not None:
            with translate_read_errors(folder / PART):
                refuse_changed(folder / PART, metadata, sha256(folder / PART), loaded)
    except ArchiveDamaged as error:
        if not records:
            raise
        log.warning("the archived day cannot be read", reason=str(error))
        return []
    return [metadata.record] if metadata and metadata.record else []
