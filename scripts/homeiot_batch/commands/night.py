"""What a night reads: yesterday, missed days, and days of which the source now has more."""

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import structlog

from homeiot_batch.archive.day_bounds import DayBounds, bounded_day
from homeiot_batch.archive.day_file import prove_day, read_metadata
from homeiot_batch.archive.early_reads import days_to_read_again
from homeiot_batch.config import Settings
from homeiot_batch.core.count_change import CountChange
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.day_record import DayRecord, Marker, listed_counts, read_marker
from homeiot_batch.core.days import LocalDay, LocalDays, each_day, yesterday
from homeiot_batch.core.inventory import archived_days, first_day, is_done, loaded_days
from homeiot_batch.core.layout import Layout
from homeiot_batch.core.marker_cache import MarkerCache
from homeiot_batch.errors import ArchiveError, SourceError
from homeiot_batch.sources.influx_reader import InfluxReader

MOST_TARGETS = 4000  # of one command line, which the kernel limits to 2 MiB
YEAR = 366  # days
# a day whose last reading lies earlier may have been read before it was over
QUIET_END = timedelta(hours=1)

log = structlog.get_logger()


@dataclass
class Plan:
    """Targets of the workflow, those of them that are read again, and warnings."""

    targets: list[str] = field(default_factory=list)
    forced: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    # datasets whose late points the source was not asked for
    datasets_not_compared: list[str] = field(default_factory=list)
    # days that were read before they were over, by dataset: the run itself compares them
    read_early: dict[str, set[date]] = field(default_factory=dict)

    def add_days(self, layout: Layout, dataset: str, days: Iterable[date]) -> None:
        """Add the days, each by its folder and its marker.

        If the marker is there, Snakemake does not check whether the folder is.
        """
        self.targets += [
            str(path)
            for day in days
            for path in (layout.day(dataset, day), layout.marker(dataset, day))
        ]

    def batches(self, size: int = MOST_TARGETS) -> Iterator[list[str]]:
        """The arguments for `snakemake`: of one run, or of several if there are many targets.

        The last run has the targets that stand first: the tables. In each the targets stand before
        the options, which would swallow them.
        """
        targets = list(dict.fromkeys(self.targets))
        forced = list(dict.fromkeys(self.forced))
        for first in reversed(range(0, len(targets), size)):
            batch = targets[first : first + size]
            again = [target for target in forced if target in batch or target not in targets]
            yield [*batch, *(["--forcerun", *again] if again else [])]


def plan_night(settings: Settings, layout: Layout) -> Plan:
    """Yesterday, the tables, the days that were missed, and late points.

    Missed are days since the first one that a dataset's files or markers have. Late points are
    looked for in the last `lookback_days`.

    Found by listing the archive, and one count a field and day: a night costs the same however
    large the archive is.
    """
    last = yesterday(settings.instant(), settings.zone)
    window = list(each_day(last - timedelta(days=settings.lookback_days), last - timedelta(days=1)))
    plan = Plan(targets=["yesterday", str(layout.models)])
    markers = MarkerCache(layout)
    for name in settings.datasets:
        missed = _missed(settings, layout, name, last - timedelta(days=1))
        plan.add_days(layout, name, missed)
        plan.read_early[name] = days_to_read_again(markers, settings, name)
        plan.add_days(layout, name, sorted(plan.read_early[name]))
        _read_damaged_again(plan, settings, layout, name, sorted({*missed, *window}))
    if settings.lookback_days:
        _look_back(plan, settings, layout, last - timedelta(days=settings.lookback_days), last)
        _look_for_empty_days(plan, settings, markers, window[0])
    if plan.forced or len(plan.targets) > 2:
        # they wait for yesterday alone: a day that cannot be had must not hold them up
        plan.forced.append(str(layout.models))
    return plan


def plan_reconciliation(settings: Settings, layout: Layout, first: date, last: date) -> Plan:
    """The days of a range that are missing, or of which the source now holds more."""
    plan = Plan()
    for name in settings.datasets:
        early = plan.read_early[name] = days_to_read_again(MarkerCache(layout), settings, name)
        days = each_day(first, last)
        plan.add_days(layout, name, [d for d in days if d in early or not is_done(layout, name, d)])
    _look_back(plan, settings, layout, first, last)
    if plan.targets:
        plan.targets = [
            str(layout.models),
            str(layout.read_marker),
            str(layout.report_marker),
            *plan.targets,
        ]
        # they wait for no day of another dataset, which is then no reason to build them
        plan.forced.append(str(layout.models))
    return plan


def _missed(settings: Settings, layout: Layout, dataset: str, last: date) -> list[date]:
    archived = archived_days(layout, dataset)
    first = settings.archive_start or first_day(layout, dataset)
    if first is None:
        return []
    # markers count only if there is a database. It is not opened here, outside of the lock:
    # another run may be writing it
    loaded = loaded_days(layout, dataset) if settings.duckdb_path.exists() else []
    done = set(archived).intersection(loaded)
    return [day for day in each_day(first, last) if day not in done]


def _read_damaged_again(
    plan: Plan, settings: Settings, layout: Layout, dataset: str, days: Iterable[date]
) -> None:
    """Add the days whose files are damaged: each is replaced only by a day that holds as much."""
    bounds = DayBounds(layout, dataset, settings.zone)
    for day in days:
        if not layout.day(dataset, day).is_dir():
            continue
        try:
            loaded = read_marker(layout.marker(dataset, day)) or read_marker(
                layout.former_marker(dataset, day)
            )
            prove_day(layout.day(dataset, day), bounds.day(day), loaded)
        except ArchiveError as error:
            plan.warnings.append(f"{dataset} {day}: {error}")
            plan.add_days(layout, dataset, [day])
            plan.forced.append(str(layout.day(dataset, day)))


def _look_back(plan: Plan, settings: Settings, layout: Layout, first: date, last: date) -> None:
    """Add archived days of which the server has more to the plan.

    A day of which it has less is a warning.
    """
    if not settings.is_server:
        return  # an export does not grow
    reader = InfluxReader(settings)
    for dataset in settings.datasets.values():
        try:
            days = _archived(settings, layout, dataset, first, last)
            early = plan.read_early[dataset.name]
            _compare(plan, reader, dataset, layout, [day for day in days if day.date not in early])
        except SourceError as error:
            plan.warnings.append(f"{dataset.name}: late points were not looked for: {error}")
            plan.datasets_not_compared.append(dataset.name)


def _look_for_empty_days(plan: Plan, settings: Settings, markers: MarkerCache, end: date) -> None:
    """Add days up to `end` that are archived empty, and of which the server has readings now.

    A clock that was ahead archives days empty that are not over yet, and the one before them in
    part. Long after, their files do not show it any more. One question a run of empty days.
    """
    if not settings.is_server:
        return
    reader = InfluxReader(settings)
    for dataset in settings.datasets.values():
        if dataset.name in plan.datasets_not_compared:
            continue
        with contextlib.suppress(SourceError):  # the days before were answered: the next night asks
            for run in _empty_runs(settings, markers, dataset.name, end):
                _compare_empty_run(plan, reader, dataset, markers, run)


def _empty_runs(
    settings: Settings, markers: MarkerCache, dataset: str, end: date
) -> Iterator[list[LocalDay]]:
    """Days one after the other that are archived empty, of the year up to `end`."""
    bounds = DayBounds(markers.layout, dataset, settings.zone)
    run: list[LocalDay] = []
    for dt in each_day(end - timedelta(days=YEAR), end + timedelta(days=1)):
        marker = markers.of(dataset, dt)
        if dt <= end and marker and marker.is_empty:
            run.append(bounds.day(dt))
        elif run:
            yield run
            run = []


def _compare_empty_run(
    plan: Plan, reader: InfluxReader, dataset: Dataset, markers: MarkerCache, run: list[LocalDay]
) -> None:
    layout = markers.layout
    day_before = run[0].date - timedelta(days=1)
    before = bounded_day(layout, dataset.name, day_before, run[0].zone)
    days = [before] if _ends_early(markers.of(dataset.name, day_before), before) else []
    if any(reader.counts(dataset, LocalDays(run[0], run[-1])).values()):
        days += run
    early = plan.read_early[dataset.name]
    days = [day for day in days if day.date not in early]
    _compare(plan, reader, dataset, layout, days, warn_of_fewer=False)


def _ends_early(marker: Marker | None, day: LocalDay) -> bool:
    last = marker.last_utc if marker else None
    return last is not None and datetime.fromisoformat(last) < day.end - QUIET_END


def _archived(
    settings: Settings, layout: Layout, dataset: Dataset, first: date, last: date
) -> list[LocalDay]:
    bounds = DayBounds(layout, dataset.name, settings.zone)
    return [
        bounds.day(day) for day in each_day(first, last) if layout.day(dataset.name, day).is_dir()
    ]


def _compare(
    plan: Plan,
    reader: InfluxReader,
    dataset: Dataset,
    layout: Layout,
    days: Iterable[LocalDay],
    *,
    warn_of_fewer: bool = True,
) -> None:
    for day in days:
        archived = _record(layout, dataset, day)
        if archived is None:
            continue
        change = CountChange(reader.counts(dataset, day), archived.values)
        if change.has_fewer and warn_of_fewer:
            plan.warnings.append(
                f"{dataset.name} {day}: the source holds fewer values than are archived "
                f"({change.beside_archived(change.now)}), so the archived day is kept"
            )
        if change.has_more and not change.has_fewer:
            more = listed_counts(change.differences)
            log.info("late points", dataset=dataset.name, dt=str(day), more=more)
            plan.add_days(layout, dataset.name, [day.date])
            plan.forced.append(str(layout.day(dataset.name, day)))


def _record(layout: Layout, dataset: Dataset, day: LocalDay) -> DayRecord | None:
    try:
        metadata = read_metadata(layout.day(dataset.name, day))
        return metadata.record if metadata else None
    except ArchiveError as error:
        log.warning("the archived day cannot be read", reason=str(error))
        return None
