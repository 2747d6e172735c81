"""Sets file times in the future to now. They come from a wrong clock or a backup.

Snakemake goes by these times. A file from the future is newer than all that is made from it: each
load would be repeated and then fail, since its marker is older than its day.
"""

import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

import structlog

from homeiot_batch.archive.day_file import SNAKEMAKE_TIMESTAMP
from homeiot_batch.core.files import file_stat
from homeiot_batch.core.inventory import archived_days, loaded_days, noted_days
from homeiot_batch.core.layout import Layout

log = structlog.get_logger()


def recover_file_times(layout: Layout, datasets: Iterable[str]) -> None:
    """Set the times that lie ahead to now. The tables are then built again.

    Nothing else of a file changes. Which of two such files is the newer one cannot be told any
    more: a day that was loaded again is known by its marker, but not whether the tables have it.
    """
    names = list(datasets)
    now = time.time()
    days = [path for path in _days(layout, names) if _lies_ahead(path, now)]
    records = [path for path in _records(layout, names) if _lies_ahead(path, now)]
    for path in [*days, *records]:
        os.utime(path)
    if days or records:
        log.warning("file times in the future are set to now", files=len(days + records))
    if records:
        layout.models.unlink(missing_ok=True)


def _days(layout: Layout, datasets: Iterable[str]) -> Iterator[Path | str]:
    """The archived days, and the files in them by which Snakemake tells when they were made."""
    for name in datasets:
        for dt in archived_days(layout, name):
            day = layout.day_text(name, dt)
            yield from (day, f"{day}/{SNAKEMAKE_TIMESTAMP}")
        # the notes of days that are to be read again, which must be newer than the days
        yield from (layout.early_note(name, dt) for dt in noted_days(layout, name))


def _records(layout: Layout, datasets: Iterable[str]) -> Iterator[Path | str]:
    """What the run notes of its work."""
    for name in datasets:
        yield from (layout.marker_text(name, dt) for dt in loaded_days(layout, name))
    yield from (layout.last_load, layout.models, layout.read_marker, layout.report_marker)


def _lies_ahead(path: Path | str, now: float) -> bool:
    try:
        return file_stat(path).st_mtime > now
    except FileNotFoundError:
        return False
