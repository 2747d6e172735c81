"""Which archived days are read again because they were read before they were over."""

from datetime import date

import structlog

from homeiot_batch.archive.day_bounds import bounded_day
from homeiot_batch.archive.day_file import open_day
from homeiot_batch.archive.early_reads import (
    drop_old_notes,
    early_reads,
    is_noted,
    note_early_reads,
)
from homeiot_batch.config import Settings
from homeiot_batch.core.count_change import CountChange
from homeiot_batch.core.layout import Layout
from homeiot_batch.core.marker_cache import MarkerCache
from homeiot_batch.errors import ArchiveError, SourceError
from homeiot_batch.sources.influx_reader import InfluxReader
from homeiot_batch.sources.influxdb.client import compare_clocks

log = structlog.get_logger()


def find_early_reads(settings: Settings, markers: MarkerCache) -> None:
    """Note the days that were read too early, and drop the notes of days read again since.

    Where the server's clock is ahead of this machine's, it is the one to go by: this machine's may
    be behind now, rather than ahead when the days were read. Only under the run's lock.
    """
    layout = markers.layout
    drop_old_notes(layout, settings.datasets)
    reads = [read for name in settings.datasets for read in early_reads(markers, settings, name)]
    if all(is_noted(layout, read) for read in reads):
        note_early_reads(layout, reads)
        return
    clocks = compare_clocks(settings)
    there = clocks.there if clocks else None
    for name in settings.datasets:
        note_early_reads(layout, early_reads(markers, settings, name, there))


def values_lost(settings: Settings, layout: Layout, dataset: str, dt: str) -> str:
    """Of a day that was read too early: what the server no longer has, as text.

    "" if it may be read again.

    An export cannot be asked, and a server that does not answer fails the read: both give "".
    """
    if not settings.is_server:
        return ""
    declared = settings.datasets[dataset]
    day = bounded_day(layout, dataset, date.fromisoformat(dt), settings.zone)
    try:
        archived = open_day(layout.day(dataset, dt)).record
        counts = InfluxReader(settings).counts(declared, day)
    except (ArchiveError, SourceError) as error:
        log.warning("not compared", dataset=dataset, dt=dt, reason=str(error))
        return ""
    change = CountChange(counts, archived.values)
    if not change.has_fewer:
        return ""
    counted = change.beside_archived(change.fewer)
    return (
        "it was read before it was over, and the source now holds fewer values than are archived "
        f"({counted}), so the archived day is kept"
    )
