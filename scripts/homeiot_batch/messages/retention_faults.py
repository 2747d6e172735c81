"""What the server's retention will delete although it is not archived."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from homeiot_batch.config import Settings
from homeiot_batch.core.days import LocalDay, each_day, yesterday
from homeiot_batch.core.inventory import archived_days, first_day
from homeiot_batch.core.layout import Layout
from homeiot_batch.errors import SourceError
from homeiot_batch.messages.faults import Fault, Found, of_kind
from homeiot_batch.messages.words import Words
from homeiot_batch.sources.influx_reader import InfluxReader
from homeiot_batch.sources.reach import first_unarchived

SOON = timedelta(days=7)
ONE_DAY = timedelta(days=1)
POLICY = "retention:policy"
BEGIN = " begin"
# a night has asked the server before: one that does not answer is not waited for again
ASKED_ONCE = {"influx_retries": 1, "influx_timeout_s": 10.0}


@dataclass(frozen=True)
class Retention:
    """A retention policy, for how long it keeps readings, and now (UTC)."""

    policy: str
    kept: timedelta
    now: datetime

    def takes_soon(self, day: LocalDay) -> bool:
        """Whether it deletes readings of the day within a week, and has not deleted all of them."""
        return day.start + self.kept < self.now + SOON and day.end + self.kept > self.now

    def gone(self, day: LocalDay) -> date:
        """The local day on which it begins to delete the day."""
        return (day.start + self.kept).astimezone(day.zone).date()


def check_retention(
    settings: Settings, layout: Layout, told: Collection[str], words: Words
) -> Found:
    """Days that it takes within a week, and whether it is too short for a nightly run.

    Nothing where the source is an export or does not answer.
    """
    if not settings.is_server:
        return Found()
    reader = InfluxReader(settings.model_copy(update=ASKED_ONCE))
    try:
        policy, kept = reader.retention
        faults: list[Fault] = []
        if kept:
            retention = Retention(policy, kept, settings.instant())
            faults += _too_short(settings, retention, words)
            for dataset in settings.datasets:
                faults += _days(settings, layout, dataset, retention, words)
                faults += _begin(settings, layout, dataset, reader, words)
    except SourceError:
        return Found()
    keys = {fault.key for fault in faults}
    over: dict[str, str] = {}
    for key, name in of_kind("retention", told).items():
        if key == POLICY:
            over[key] = words("over_retention_policy")
        elif name.endswith(BEGIN):
            over[key] = words("over_retention_begin", name=name.removesuffix(BEGIN))
        else:
            over[key] = words("over_retention", name=name)
    return Found(faults, {key: line for key, line in over.items() if key not in keys})


def _too_short(settings: Settings, retention: Retention, words: Words) -> Iterator[Fault]:
    last = LocalDay(yesterday(settings.instant(), settings.zone), settings.zone)
    if retention.now - retention.kept > last.start:
        hours = retention.kept // timedelta(hours=1)
        line = words("retention_short", policy=repr(retention.policy), hours=hours)
        yield Fault(POLICY, line)


def _days(
    settings: Settings, layout: Layout, dataset: str, retention: Retention, words: Words
) -> Iterator[Fault]:
    """The days since the archive's first one that are not archived."""
    lacking = _not_archived(settings, layout, dataset)
    days = [LocalDay(day, settings.zone) for day in lacking]
    endangered = [day for day in days if retention.takes_soon(day)]
    if not endangered:
        return
    first, *others = endangered
    which = "retention_many_days" if others else "retention_one_day"
    shown = words.day(first.date, "date_plain")
    line = words(
        "retention_days",
        dataset=dataset,
        days=words(which, first=shown, n=len(others)),
        policy=repr(retention.policy),
        first=shown,
        gone=words.day(retention.gone(first), "date_plain"),
    )
    yield Fault(f"retention:{dataset}", line)


def _not_archived(settings: Settings, layout: Layout, dataset: str) -> list[date]:
    first = settings.archive_start or first_day(layout, dataset)
    if first is None:
        return []
    archived = set(archived_days(layout, dataset))
    last = yesterday(settings.instant(), settings.zone)
    return [day for day in each_day(first, last) if day not in archived]


def _begin(
    settings: Settings, layout: Layout, dataset: str, reader: InfluxReader, words: Words
) -> Iterator[Fault]:
    """The days before the archive's first one that the server still has."""
    first = first_day(layout, dataset)
    if first is None:
        return
    begin = first_unarchived(settings, reader, settings.datasets[dataset], first)
    if begin is None:
        return
    line = words(
        "retention_begin",
        dataset=dataset,
        begin=words.day(begin, "date_plain"),
        archive=words.day(first, "date_plain"),
        policy=repr(reader.retention[0]),
        first=begin,
        last=first - ONE_DAY,
        start=first,
    )
    yield Fault(f"retention:{dataset}{BEGIN}", line)
