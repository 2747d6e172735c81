"""Archived days that were read before they were over, by a wrong clock: they count as missing.

Such a day's file tells when it was read. A read time in the future shows that the clock was ahead.
Once that time has come, it shows nothing any more. So a run writes a note,
which stays until the day is read again.
"""

import contextlib
import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime

import structlog

from homeiot_batch.archive.day_bounds import DayBounds
from homeiot_batch.archive.day_file import SNAKEMAKE_TIMESTAMP, read_metadata
from homeiot_batch.config import Settings
from homeiot_batch.core.day_record import FileMetadata, Marker
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.files import read_json, write_json
from homeiot_batch.core.inventory import archived_days, noted_days
from homeiot_batch.core.layout import Layout
from homeiot_batch.core.marker_cache import MarkerCache
from homeiot_batch.errors import ArchiveError

log = structlog.get_logger()


@dataclass(frozen=True)
class EarlyRead:
    """A day that was read too early.

    `read_at` is the time of the read by the clock of then, UTC. `is_over` is as of now.
    """

    dataset: str
    day: LocalDay
    read_at: datetime
    write_id: str
    is_over: bool

    def __str__(self) -> str:
        shown = f"{self.read_at.astimezone(self.day.zone):%F %T}"
        if self.read_at < self.day.end:
            return f"it was read at {shown}, before it was over"
        return f"it was read by a clock that was ahead and said {shown}"


def early_reads(
    markers: MarkerCache, settings: Settings, dataset: str, there: datetime | None = None
) -> list[EarlyRead]:
    """The dataset's archived days that were read too early, ascending.

    A time of a read is taken for wrong if it lies ahead of every clock: this machine's, the
    server's (`there`, UTC) and the settings' `now`, by which a drill may be in the past.
    """
    layout = markers.layout
    now = settings.instant()
    latest = max(now, datetime.now(UTC), there or now)
    noted = set(noted_days(layout, dataset))
    bounds = DayBounds(layout, dataset, settings.zone)
    found = []
    for dt in archived_days(layout, dataset):
        rule = LocalDay(dt, settings.zone)
        if dt not in noted and _was_loaded_in_time(markers.of(dataset, dt), rule, latest):
            continue
        record = _record(layout, dataset, dt)
        if record is None:
            continue
        read_at, write_id = record
        day = bounds.day(dt)
        is_in_time = day.end <= read_at <= latest
        if not is_in_time or _is_noted(layout, dataset, dt, write_id):
            found.append(EarlyRead(dataset, day, read_at, write_id, day.end <= now))
    return found


def days_to_read_again(markers: MarkerCache, settings: Settings, dataset: str) -> set[date]:
    """The days that were read too early and are over now."""
    reads = early_reads(markers, settings, dataset)
    return {read.day.date for read in reads if read.is_over}


def note_early_reads(layout: Layout, reads: Iterable[EarlyRead]) -> None:
    """Write the notes of days that have none. Only under the run's lock.

    The times of the days' folders are set back: Snakemake then finds the notes newer than the days.
    """
    for read in reads:
        if not is_noted(layout, read):
            names = {"dataset": read.dataset, "dt": str(read.day)}
            log.warning("a day was read too early", **names, what=str(read))
            content = {"write_id": read.write_id, "read_at": read.read_at.isoformat()}
            write_json(layout.early_note(read.dataset, read.day), content)
        folder = layout.day(read.dataset, read.day)
        for path in (folder / SNAKEMAKE_TIMESTAMP, folder):
            with contextlib.suppress(FileNotFoundError):
                os.utime(path, (1, 1))  # Snakemake takes 0 for no time at all


def is_noted(layout: Layout, read: EarlyRead) -> bool:
    """Whether there is a note of this very file."""
    return _is_noted(layout, read.dataset, read.day.date, read.write_id)


def drop_old_notes(layout: Layout, datasets: Iterable[str]) -> None:
    """Drop the notes of days that were read again since, or are gone. Only under the run's lock."""
    for dataset in datasets:
        for dt in noted_days(layout, dataset):
            record = _record(layout, dataset, dt)
            if record is None or not _is_noted(layout, dataset, dt, record[1]):
                layout.early_note(dataset, dt).unlink()


def _is_noted(layout: Layout, dataset: str, dt: date, write_id: str) -> bool:
    note = read_json(layout.early_note(dataset, dt))
    return note is not None and note.get("write_id") == write_id


def _was_loaded_in_time(marker: Marker | None, day: LocalDay, latest: datetime) -> bool:
    """By the day's marker, which costs less than the file. A load came after its read."""
    marker = marker or Marker()
    at = _instant(marker.read_at or marker.loaded_at)
    end = _instant(marker.end_utc) or day.end  # by former rules it may have another
    return at is not None and end <= at <= latest


def _record(layout: Layout, dataset: str, dt: date) -> tuple[datetime, str] | None:
    """When the day was read, and the id of its file, or None where the file does not tell."""
    metadata = FileMetadata()
    with contextlib.suppress(ArchiveError):  # which is for others to name
        metadata = read_metadata(layout.day(dataset, dt)) or metadata
    read_at = _instant(metadata.read_at)
    return None if read_at is None else (read_at, str(metadata.write_id))


def _instant(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else None
