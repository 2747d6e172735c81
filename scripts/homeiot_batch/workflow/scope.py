"""Which local days a run is about."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from homeiot_batch.archive.day_bounds import bounded_day
from homeiot_batch.config import Settings
from homeiot_batch.core.days import LocalDay, each_day, parse_day, yesterday
from homeiot_batch.core.inventory import first_day
from homeiot_batch.core.layout import Layout
from homeiot_batch.errors import SettingsError

TABLES = ("/dbt.json", "/read_copy.json", "/report.json")
DAY_PATH = re.compile(r"(?:^|/)([a-z][a-z0-9_]*)/dt=(\d{4}-\d{2}-\d{2})(?:\.json)?$")


@dataclass(frozen=True)
class Scope:
    """The days of the range, by dataset, and the day that is yesterday for this whole run."""

    range: dict[str, list[date]]
    yesterday: date

    def days(self, targets: Collection[str]) -> dict[str, list[date]]:
        """The days that a run of `targets` is about.

        The range, or only yesterday and the days named by their paths.
        """
        named = [match.groups() for match in map(DAY_PATH.search, targets) if match]
        others = [
            target
            for target in targets
            if target != "yesterday" and not DAY_PATH.search(target) and not target.endswith(TABLES)
        ]
        if others or not (named or "yesterday" in targets):
            return self.range
        days: dict[str, list[date]] = {
            name: [self.yesterday] if "yesterday" in targets else [] for name in self.range
        }
        for name, dt in named:
            if name in days and date.fromisoformat(dt) not in days[name]:
                days[name].append(date.fromisoformat(dt))
        return days


def open_scope(settings: Settings, layout: Layout) -> Scope:
    """The scope that the settings and the archived days give.

    SettingsError for a range that is none.
    """
    last_over = yesterday(settings.instant(), settings.zone)
    end = settings.end or last_over
    _refuse_unfinished("end", end, last_over, settings.tz)
    if settings.start:
        _refuse_unfinished("start", settings.start, last_over, settings.tz)
    return Scope(
        {
            name: list(each_day(_start(settings, layout, name, end), end))
            for name in settings.datasets
        },
        last_over,
    )


def finished_day(settings: Settings, dataset: str, dt: str) -> LocalDay:
    """The local day of the dataset that a path names, with its bounds in the archive.

    SettingsError if it is no date or is not over yet.
    """
    day = parse_day(dt, "dt")
    _refuse_unfinished("dt", day, yesterday(settings.instant(), settings.zone), settings.tz)
    return bounded_day(settings.layout, dataset, day, settings.zone)


def _start(settings: Settings, layout: Layout, dataset: str, end: date) -> date:
    last_over = yesterday(settings.instant(), settings.zone)
    first = first_day(layout, dataset)
    candidates = {
        "start": settings.start,
        "archive_start": settings.archive_start,
        # a clock that was ahead may have begun the archive with a day that is not over
        "the first archived day, start": first if first and first <= last_over else None,
        "yesterday, start": last_over,
    }
    origin, start = next((origin, day) for origin, day in candidates.items() if day is not None)
    if start > end:
        raise SettingsError(f"{origin}={start} lies after end={end}; give a start that does not")
    return start


def _refuse_unfinished(origin: str, day: date, last_over: date, tz: str) -> None:
    if day > last_over:
        raise SettingsError(
            f"{origin}={day} is not over yet in {tz}; the last whole day is {last_over}"
        )
