"""How far back a source reaches beyond the archive, which begins with the days of the first run."""

from collections.abc import Callable
from datetime import date, datetime, timedelta

from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import EPOCH
from homeiot_batch.sources.source import Source

# a day of readings that lies so long before all others may be of a clock that began in 1970
STRAY = timedelta(days=31)
MOST_STRAYS = 5


def begin_of_readings(first_since: Callable[[datetime], datetime | None]) -> datetime | None:
    """The first reading, UTC, without single days that lie more than a month before the others.

    `first_since` gives the first reading at a time or later, or None.
    """
    begin = first_since(EPOCH)
    for _ in range(MOST_STRAYS):
        if begin is None:
            return None
        day_after = begin + timedelta(days=1)
        following = first_since(day_after)
        if following is None or following - day_after <= STRAY:
            return begin
        begin = following
    return begin


def unarchived_begin(
    settings: Settings, source: Source, dataset: Dataset, archive: date
) -> tuple[str, str] | None:
    """What the source has before the archive's first day, and what to do, or None."""
    first = first_unarchived(settings, source, dataset, archive)
    if first is None:
        return None
    found = f"the source has readings from {first} on, and the archive begins with {archive}"
    last_missing = archive - timedelta(days=1)
    what_to_do = (
        f"`homeiot run --from {first} --to {last_missing}` archives the days before, "
        f"as long as the source keeps them, or set ARCHIVE_START={archive}"
    )
    return found, what_to_do


def first_unarchived(
    settings: Settings, source: Source, dataset: Dataset, archive: date
) -> date | None:
    """The local day of the source's first reading, if it is before the archive's first day.

    Where ARCHIVE_START is set, the days before it are not wanted.
    """
    if settings.archive_start:
        return None
    begin = begin_of_readings(lambda since: source.first_reading(dataset, since))
    if begin is None:
        return None
    first = begin.astimezone(settings.zone).date()
    if first >= archive:
        return None
    return first
