"""The clock of this machine beside the server's: a day is archived only if it is over by both."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from homeiot_batch.core.days import LocalDay
from homeiot_batch.errors import SourceError
from homeiot_batch.sources.http_dates import http_date

# from a minute on a run warns, from a day on it would take wrong dates for yesterday
WORTH_A_WARNING = timedelta(minutes=1)
TOO_FAR = timedelta(days=1)
WHAT_TO_DO = "set the one that is wrong (NTP)"


@dataclass(frozen=True)
class Clocks:
    """Both clocks at one moment, UTC."""

    here: datetime
    there: datetime

    @classmethod
    def of(cls, headers: Mapping[str, str], here: datetime | None = None) -> "Clocks | None":
        """From the Date of an answer, which is cut to seconds, or None if it has no Date."""
        try:
            there = http_date(headers["Date"])
        except (KeyError, ValueError):
            return None
        half_a_second = timedelta(seconds=0.5)
        return cls(here or datetime.now(UTC), there + half_a_second)

    @property
    def difference(self) -> timedelta:
        """How far the server's clock is ahead of this machine's. Negative if it is behind."""
        return self.there - self.here

    def __str__(self) -> str:
        which = "behind"
        if self.difference > timedelta(0):
            which = "ahead of"
        shown = f"{self.there:%F %T} UTC, here it is {self.here:%F %T}"
        return f"the server's clock is {length(self.difference)} {which} this machine's ({shown})"

    def warning(self) -> str:
        """The warning of a difference that is worth one, or "" for a smaller one."""
        if abs(self.difference) < WORTH_A_WARNING:
            return ""
        return f"{self}; {WHAT_TO_DO}"

    def refuse_too_far(self) -> None:
        """SourceError if the clocks differ by a day or more: one of them gives wrong dates."""
        if abs(self.difference) >= TOO_FAR:
            raise SourceError(f"{self}: nothing is archived; {WHAT_TO_DO}, and run again")

    def refuse_unfinished(self, day: LocalDay) -> None:
        """SourceError if the day is not over yet by the server's clock."""
        self.refuse_too_far()
        if self.there < day.end:
            raise SourceError(
                f"{day} is not over by the server's clock: {self}; {WHAT_TO_DO}, and run again"
            )


def length(time: timedelta) -> str:
    """A length of time in its largest fitting unit."""
    seconds = abs(time.total_seconds())
    for unit, size in (("days", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
