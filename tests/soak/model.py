"""What the server ever held, day by day, and so what the archive may hold.

Worked out from the points alone, with nothing of the project.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.integration.points import SECOND, Point, Row, rows

Version = tuple[Row, ...]


@dataclass
class Day:
    """A local day.

    Every state in which the server held it, and the earliest of them that the archive may still
    hold.
    """

    date: date
    zone: str
    points: list[Point] = field(default_factory=list)
    versions: list[Version] = field(default_factory=list)
    kept: int = -1
    is_dropped: bool = False

    def write(self, points: Iterable[Point]) -> None:
        """The server is about to hold these points too."""
        self.points += points
        day = str(self.date)
        self.versions.append(tuple(sorted(rows(self.points, day, day, zone=self.zone))))

    def drop(self) -> None:
        """The server is about to forget the day: what no run has read may be archived empty."""
        self.is_dropped = True
        if self.kept < 0:
            self.versions.append(())

    def version(self, found: Sequence[Row]) -> int:
        """Which state of the server `found` is, the latest of equal ones.

        AssertionError if it is none.
        """
        known = [number for number, version in enumerate(self.versions) if version == tuple(found)]
        assert known, f"{self.date} is no state of the server: {self._difference(found)}"
        return known[-1]

    def not_older(self, found: Sequence[Row], than: int, where: str) -> int:
        """The version that `found` is.

        AssertionError if it is an older one than was there before.
        """
        version = self.version(found)
        assert version >= than, (
            f"{self.date} in {where} went back from state {than} to {version}: "
            f"{self._difference(found)}"
        )
        return version

    def unread(self) -> int:
        """Points, or values of points, that the server forgot before any run could read them."""
        last = next(version for version in reversed(self.versions) if version)
        held = self.versions[self.kept] if self.kept >= 0 else ()
        return len(set(last) - set(held)) if self.is_dropped else 0

    def _difference(self, found: Sequence[Row]) -> str:
        last = next((version for version in reversed(self.versions) if version), ())
        doubled = [
            row for row, count in Counter((row[0], row[2]) for row in found).items() if count > 1
        ]
        lost, strange = set(last) - set(found), set(found) - set(last)
        return (
            f"{len(found)} rows, {len(last)} were written; {len(lost)} lost, {len(strange)} "
            f"others, {len(doubled)} doubled; {sorted(strange)[:2]}"
        )


class Ledger:
    """All days."""

    def __init__(self, zone: str) -> None:
        self.zone = zone
        self.days: dict[date, Day] = {}

    def write(self, points: Iterable[Point]) -> None:
        """The server is about to hold these points, as one state more of each of their days."""
        by_day: dict[date, list[Point]] = {}
        for point in points:
            by_day.setdefault(
                datetime.fromtimestamp(point.time // SECOND, ZoneInfo(self.zone)).date(), []
            ).append(point)
        for day, of_day in by_day.items():
            self.days.setdefault(day, Day(day, self.zone)).write(of_day)

    def to_be_dropped(self, before: date) -> list[Day]:
        """The days before `before` that the server still holds."""
        return [day for day in self.days.values() if day.date < before and not day.is_dropped]


def midnights(day: date, zone: str) -> tuple[int, int]:
    """The local day's first instant and the next day's, in seconds since the epoch."""
    first, last = (
        datetime(d.year, d.month, d.day, tzinfo=ZoneInfo(zone))
        for d in (day, day + timedelta(days=1))
    )
    return int(first.timestamp()), int(last.timestamp())


def by_day(table: Iterable[Row]) -> dict[date, list[Row]]:
    """Rows of the raw table by their local date, sorted."""
    days: dict[date, list[Row]] = {}
    for row in sorted(table):
        days.setdefault(row[1].date(), []).append(row)
    return days


def mart(version: Version) -> Iterator[tuple[date, str, float, int]]:
    """Date, source, highest power and readings that the daily table has for a day."""
    for source in sorted({row[2] for row in version}):
        mine = [row for row in version if row[2] == source]
        yield mine[0][1].date(), source, max(row[3] for row in mine), len(mine)
