"""Local days of the house: their dates, and their bounds in UTC.

The bounds are those of the zone's own rules, or others where an archive was cut by former rules.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from homeiot_batch.errors import SettingsError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class LocalDay:
    """One local day of a zone as the half-open UTC interval [start, end).

    It has 23, 24 or 25 hours, or another length.

    `begins` and `ends` (UTC) are set where they are not those of the zone's rules.
    """

    date: date
    zone: ZoneInfo
    begins: datetime | None = None
    ends: datetime | None = None

    @property
    def start(self) -> datetime:
        """First instant of the day, UTC."""
        return self.begins or _midnight(self.date, self.zone)

    @property
    def end(self) -> datetime:
        """First instant after the day, UTC: as a rule, that of the next day."""
        return self.ends or _midnight(self.date + timedelta(days=1), self.zone)

    def within(self, start: datetime, end: datetime) -> "LocalDay":
        """The same day with these bounds, UTC.

        It equals the plain day if these are the bounds by the zone's rules.
        """
        rule = LocalDay(self.date, self.zone)
        begins = None if start == rule.start else start
        return LocalDay(self.date, self.zone, begins, None if end == rule.end else end)

    @property
    def start_ns(self) -> int:
        """`start` as nanoseconds since 1970-01-01T00:00:00Z."""
        return nanoseconds(self.start)

    @property
    def end_ns(self) -> int:
        """`end` as nanoseconds since 1970-01-01T00:00:00Z."""
        return nanoseconds(self.end)

    def __str__(self) -> str:
        return self.date.isoformat()


@dataclass(frozen=True)
class LocalDays:
    """Local days one after the other, as one half-open interval."""

    first: LocalDay
    last: LocalDay

    @property
    def start_ns(self) -> int:
        """The first day's `start_ns`."""
        return self.first.start_ns

    @property
    def end_ns(self) -> int:
        """The last day's `end_ns`."""
        return self.last.end_ns


@lru_cache(maxsize=4096)
def _midnight(day: date, zone: ZoneInfo) -> datetime:
    # fold=0: where the clock jumps over midnight this is the instant of the jump, the day's first
    return datetime(day.year, day.month, day.day, tzinfo=zone).astimezone(UTC)


def nanoseconds(instant: datetime) -> int:
    """Exact nanoseconds since the epoch of an aware datetime."""
    return (instant - EPOCH) // timedelta(microseconds=1) * 1000


def instant_of(nanoseconds: int) -> datetime:
    """The instant, UTC, of nanoseconds since the epoch, floored to whole microseconds."""
    return EPOCH + timedelta(microseconds=nanoseconds // 1000)


def parse_day(text: object, origin: str) -> date:
    """The date that `text` (YYYY-MM-DD) means.

    SettingsError names `origin`, where the text came from.
    """
    value = (
        text.isoformat() if isinstance(text, date) and not isinstance(text, datetime) else str(text)
    )
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        try:
            return date.fromisoformat(value)
        except ValueError:
            pass
    raise SettingsError(f"{origin}={value!r} is not a date; give an existing day as YYYY-MM-DD")


def yesterday(now: datetime, zone: ZoneInfo) -> date:
    """The last local day that is over at the instant `now`."""
    return now.astimezone(zone).date() - timedelta(days=1)


def each_day(first: date, last: date) -> Iterator[date]:
    """All dates from `first` to `last`, both included."""
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)
