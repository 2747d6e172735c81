"""How far back the source reaches, what it will delete, and the command that comes next."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import instant_of, yesterday
from homeiot_batch.errors import SourceError
from homeiot_batch.setup_house.survey import HOUR_NS
from homeiot_batch.sources.influx_reader import InfluxReader
from homeiot_batch.sources.reach import begin_of_readings

Hours = Mapping[str, Collection[int]]  # since the epoch, by measurement
LONG = 90  # days of a first run that takes its time


@dataclass(frozen=True)
class Outlook:
    """The first local day with readings, and the last that is over.

    `kept` is how long the server keeps them, 0 for ever. `policy` is "" for an export. `untold` is
    why a server does not say it.
    """

    settings: Settings
    first: date | None
    last: date
    policy: str = ""
    kept: timedelta = timedelta()
    untold: str = ""

    def lines(self) -> Iterator[str]:
        """What a user should know, a line each."""
        yield from self._reach()
        yield f"zone: {self.settings.tz}. A day begins at its midnight. The first run fixes it"
        yield f"next: {self._next()}"

    def _reach(self) -> Iterator[str]:
        if self.first is None:
            return
        yield f"readings: since {self.first}"
        if not self.settings.is_server:
            yield "retention: an export deletes nothing"
        elif self.untold:
            yield f"retention: {self.untold}"
        elif not self.kept:
            yield f"retention: policy {self.policy!r} keeps readings for ever"
        else:
            yield self._retention()

    def _retention(self) -> str:
        """What is deleted next, and when."""
        zone = self.settings.zone
        edge = (self.settings.instant() - self.kept).astimezone(zone).date()
        # of the days that are wanted
        wanted = [day for day in (self.first, self.settings.archive_start) if day]
        oldest = max([edge, *wanted])
        gone = datetime.combine(oldest, datetime.min.time(), zone) + self.kept
        days = self.kept / timedelta(days=1)
        return (
            f"retention: policy {self.policy!r} keeps {days:g} days. The readings of {oldest} "
            f"begin to be deleted on {gone:%F}: archive them before"
        )

    def _next(self) -> str:
        if self.first is None or self.first > self.last:
            return (
                "`homeiot run` tomorrow: no day of readings is over yet. Until then "
                "`homeiot doctor` checks the set-up"
            )
        start = self.settings.archive_start
        if start and start > self.last:
            return f"`homeiot run` after {start}, which `archive_start` says is the first day"
        begin = start or self.first
        command = "homeiot run"
        if not self.settings.is_server:
            # an export has no yesterday
            begin = max(begin, self.first)
            command = f"homeiot run --from {begin} --to {self.last}"
        days = (self.last - begin).days + 1
        text = f"`{command}` archives {days} days, {begin} to {self.last}"
        if days > LONG:
            text += ". It may be stopped at any time: the next run goes on"
        return text


def outlook(settings: Settings, datasets: Iterable[Dataset], hours: Hours | None) -> Outlook:
    """What the source has of the datasets. `hours` are those of an export."""
    begins = []
    for dataset in datasets:
        first = begin_of_readings(_first_since(settings, dataset, hours))
        if first:
            begins.append(first)
    first_day = None
    if begins:
        first_day = min(begins).astimezone(settings.zone).date()
    last = yesterday(settings.instant(), settings.zone)
    if hours is None:
        try:
            policy, kept = InfluxReader(settings).retention
        except SourceError as error:
            return Outlook(settings, first_day, last, untold=str(error))
        return Outlook(settings, first_day, last, policy, kept)
    ends = [max(found) + 1 for found in hours.values() if found]
    end = instant_of(max(ends, default=0) * HOUR_NS)
    return Outlook(settings, first_day, min(last, yesterday(end, settings.zone)))


def _first_since(
    settings: Settings, dataset: Dataset, hours: Hours | None
) -> Callable[[datetime], datetime | None]:
    if hours is None:
        reader = InfluxReader(settings)
        return lambda since: reader.first_reading(dataset, since)
    of_dataset = sorted(hours.get(dataset.measurement, ()))

    def first(since: datetime) -> datetime | None:
        begins = (instant_of(hour * HOUR_NS) for hour in of_dataset)
        return next((begin for begin in begins if begin >= since), None)

    return first
