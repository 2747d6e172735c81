"""The bounds of archived days, and of days between them.

A country may change its zone rules, and a system may get them late: some days of an archive are
then cut by the former rules. An archived day keeps the bounds that its file records, for ever. A
new day begins where the archived day before it ends, and ends where the archived day after it
begins, so that each reading is in one day.
"""

import contextlib
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from homeiot_batch.archive.day_file import file_metadata
from homeiot_batch.core.day_record import FileMetadata
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.layout import PART, Layout
from homeiot_batch.errors import ArchiveError

# no rules move a midnight further: it is the step over the date line
FURTHEST = timedelta(days=1)
DAY = timedelta(days=1)
FILL_HOLE = "homeiot run --date {dt} --force reads it, if the source still has it"
USE_TABLES = "the tables have each reading once, the files and the read copy's view of them twice"


def recorded_day(folder: Path, dt: date, zone: ZoneInfo) -> LocalDay | None:
    """The day with the bounds that its file in `folder` records, or None where it records none."""
    with contextlib.suppress(ArchiveError):  # which is for others to name
        return day_of(file_metadata(folder / PART), dt, zone)
    return None


def day_of(metadata: FileMetadata, dt: date, zone: ZoneInfo) -> LocalDay | None:
    """The day with the bounds of a file's metadata, or None if they cannot be the day's."""
    if (metadata.dt, metadata.tz) != (str(dt), zone.key):
        return None
    try:
        start = datetime.fromisoformat(metadata.start_utc or "")
        end = datetime.fromisoformat(metadata.end_utc or "")
    except ValueError:
        return None
    rule = LocalDay(dt, zone)
    if start.tzinfo is None or end.tzinfo is None or end < start:
        return None
    if not (_is_near(start, rule.start) and _is_near(end, rule.end)):
        return None
    return rule.within(start.astimezone(UTC), end.astimezone(UTC))


def bounded_day(layout: Layout, dataset: str, dt: date, zone: ZoneInfo) -> LocalDay:
    """The day as it is archived, or is to be: see `DayBounds.day`."""
    return DayBounds(layout, dataset, zone).day(dt)


def end_of_share(layout: Layout, dataset: str, day: LocalDay) -> datetime:
    """Until when (UTC) the day's own rows are loaded: see `DayBounds.end_of_share`."""
    return DayBounds(layout, dataset, day.zone).end_of_share(day)


@dataclass
class DayBounds:
    """The days of one dataset. The file of each is opened once."""

    layout: Layout
    dataset: str
    zone: ZoneInfo
    _recorded: dict[date, LocalDay | None] = field(default_factory=dict)

    def day(self, dt: date) -> LocalDay:
        """The day with the bounds by which it is archived, or between those of its neighbours.

        A hole before it, which lies in no file, belongs to it: it is found when the source is
        asked, and filled when the day is read again.
        """
        own, before, after = (self._of(dt + n * DAY) for n in (0, -1, 1))
        day = own or LocalDay(dt, self.zone)
        start = day.start
        end = day.end
        if before and _is_near(before.end, start):
            start = min(start, before.end) if own else before.end
        if after and not own and _is_near(after.start, end):
            end = after.start
        return day.within(start, max(start, end))

    def end_of_share(self, day: LocalDay) -> datetime:
        """Until when (UTC) the day's own rows are loaded.

        What the file of the day after holds too is loaded from that one.
        """
        after = self._of(day.date + DAY)
        if after and day.start <= after.start < day.end:
            return after.start
        return day.end

    def hole_before(self, dt: date) -> str:
        """Which time before the day is in no file, in words, or "" if the archived days touch."""
        day = self._of(dt)
        before = self._of(dt - DAY)
        if not (day and before and before.end < day.start):
            return ""
        return f"no file holds {_span(before.end, day.start)}, between {before} and {day}"

    def overlap_before(self, dt: date) -> str:
        """Which time the day's file and the one before it both hold, in words, or "" if none."""
        day = self._of(dt)
        before = self._of(dt - DAY)
        if not (day and before and day.start < before.end):
            return ""
        return f"the files of {before} and {day} both hold {_span(day.start, before.end)}"

    def _of(self, dt: date) -> LocalDay | None:
        if dt not in self._recorded:
            self._recorded[dt] = self._found(dt)
        return self._recorded[dt]

    def _found(self, dt: date) -> LocalDay | None:
        """By the file in place, or by the staged one that another job is about to put there."""
        place = self.layout.day(self.dataset, dt)
        for folder in (place, self.layout.staged(self.dataset, dt), place):
            if (folder / PART).exists() and (found := recorded_day(folder, dt, self.zone)):
                return found
        return None


def _span(first: datetime, last: datetime) -> str:
    return f"{first:%F %H:%M} to {last:%F %H:%M} UTC"


def _is_near(one: datetime, other: datetime) -> bool:
    return abs(one - other) <= FURTHEST
