"""What the archive holds, day by day: archived, loaded, rows, how complete, longest gap, size.

python -m homeiot_batch status [--json]
"""

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import NamedTuple

import duckdb
import typer

from homeiot_batch.archive.day_bounds import DayBounds
from homeiot_batch.archive.early_reads import days_to_read_again
from homeiot_batch.archive.zone_record import require_zone
from homeiot_batch.commands.measured_days import Measures, measured_days
from homeiot_batch.config import ROOT, Settings, given_settings, load_settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import each_day, yesterday
from homeiot_batch.core.exit_codes import DONE, FAILED
from homeiot_batch.core.host_paths import explained
from homeiot_batch.core.inventory import archived_days, first_day, loaded_days, undeclared_days
from homeiot_batch.core.layout import PART, Layout
from homeiot_batch.core.marker_cache import MarkerCache
from homeiot_batch.errors import ArchiveError, HomeIotError
from homeiot_batch.warehouse.on_change_datasets import find_on_change_datasets
from homeiot_batch.warehouse.silent_meters import find_silent_counters
from homeiot_batch.workflow.preflight import refuse_unfinished_restore

WHOLE_SHARE = 0.99
BYTES_PER_MB = 1e6
NOT_OVER = (
    "archived days are not over yet: they were read by a clock that was ahead, "
    "or this machine's is behind. Each is read again when it is over"
)


@dataclass(frozen=True)
class DayStatus:
    """One day of one dataset.

    `share` is of the readings that its series usually have, and `longest_gap_s` lies within the
    day, edges included. With `on_change` the dataset has series that are written when their values
    change. They have no usual number of readings.
    """

    dataset: str
    dt: date
    archived: bool
    loaded: bool
    rows: int = 0
    share: float | None = None
    longest_gap_s: float | None = None
    bytes: int = 0
    damaged: bool = False
    read_early: bool = False
    is_over: bool = True
    on_change: bool = False

    @property
    def is_missing(self) -> bool:
        """Whether the day still has to be archived or loaded, or restored."""
        if not self.is_over:
            return False
        if self.damaged or self.read_early:
            return True
        return not (self.archived and self.loaded)

    @property
    def kind(self) -> str:
        """The day in a word or two."""
        if not self.is_over:
            return "not over"
        if self.damaged:
            return "damaged"
        if self.read_early:
            return "read early"
        if not self.archived:
            return "missing"
        if not self.loaded:
            return "not loaded"
        return self._completeness

    @property
    def _completeness(self) -> str:
        if not self.rows:
            return "empty"
        if self.share is not None and self.share >= WHOLE_SHARE:
            return "whole"
        if self.on_change:
            return "on change"
        return "partial"


class Run(NamedTuple):
    """Days of one dataset and kind in a row: the first, the last, their rows and their bytes."""

    first: DayStatus
    last: DayStatus
    rows: int
    size: int


def archive_status(settings: Settings, layout: Layout) -> Iterator[DayStatus]:
    """Every day from each dataset's first that files or markers name to yesterday.

    Besides, archived days that are not over yet.
    """
    require_zone(layout, settings.tz)
    on_change = find_on_change_datasets(settings)
    for dataset in settings.datasets.values():
        yield from _dataset_status(settings, layout, dataset, dataset.name in on_change)


def _dataset_status(
    settings: Settings, layout: Layout, dataset: Dataset, on_change: bool
) -> Iterator[DayStatus]:
    name = dataset.name
    last = yesterday(settings.instant(), settings.zone)
    loaded = set(loaded_days(layout, name))
    archived = archived_days(layout, name)
    parts = {day: layout.day(name, day) / PART for day in archived}
    sizes = {day: part.stat().st_size for day, part in parts.items() if part.exists()}
    first = settings.archive_start or first_day(layout, name) or last
    there = {day: parts[day] for day in sizes}
    bounds = DayBounds(layout, name, settings.zone)
    damaged, measured = measured_days(dataset, there, bounds)
    early = days_to_read_again(MarkerCache(layout), settings, name)
    not_over = [day for day in archived if day > last]
    for day in [*each_day(first, last), *not_over]:
        measures = measured.get(day, Measures())
        yield DayStatus(
            dataset=name,
            dt=day,
            archived=day in sizes,
            loaded=day in loaded,
            rows=measures.rows,
            share=measures.share,
            longest_gap_s=measures.longest_gap_s,
            bytes=sizes.get(day, 0),
            damaged=day in damaged,
            read_early=day in early,
            is_over=day <= last,
            on_change=on_change,
        )


def folded(days: Iterable[DayStatus]) -> Iterator[Run]:
    """Runs of days of one dataset and kind. A partial day is a run of its own."""
    run: list[DayStatus] = []
    for day in days:
        if run and not _goes_on(run[-1], day):
            yield _run(run)
            run = []
        run.append(day)
    if run:
        yield _run(run)


def _goes_on(before: DayStatus, day: DayStatus) -> bool:
    """Whether the day is in the run of the one before."""
    is_same = before.dataset == day.dataset and before.kind == day.kind
    return is_same and day.kind != "partial"


def _run(days: list[DayStatus]) -> Run:
    rows = sum(day.rows for day in days)
    size = sum(day.bytes for day in days)
    return Run(days[0], days[-1], rows, size)


def show_status(*, as_json: bool, config: Sequence[str]) -> None:
    """Print every day, and exit with 1 if one is missing."""
    os.chdir(ROOT)
    try:
        settings = load_settings(given_settings(config))
        layout = settings.layout
        days = list(archive_status(settings, layout))
    except (HomeIotError, OSError, duckdb.Error) as error:
        line = " ".join(str(error).split())
        raise SystemExit(explained(f"error: {line}")) from None
    unfinished = _unfinished_restore(layout)
    if unfinished:
        typer.echo(explained(f"note: {unfinished}"), err=True)
    undeclared = undeclared_days(layout, settings.datasets)
    for name, count in undeclared.items():
        note = f"note: {name} is not declared in config.yaml"
        typer.echo(f"{note}: {count} archived days of it are not listed", err=True)
    for silent in find_silent_counters(settings.duckdb_path):
        typer.echo(f"note: {silent.line}", err=True)
    if as_json:
        objects = [asdict(day) | {"kind": day.kind} for day in days]
        text = json.dumps(objects, default=str, indent=1)
    else:
        text = "\n".join(_table(days))
    typer.echo(text)
    if unfinished or any(day.is_missing for day in days):
        raise SystemExit(FAILED)
    raise SystemExit(DONE)


def _unfinished_restore(layout: Layout) -> str:
    """That a restore is not finished, and what to do, or ""."""
    try:
        refuse_unfinished_restore(layout)
    except ArchiveError as error:
        return str(error)
    return ""


def _table(days: list[DayStatus]) -> Iterator[str]:
    yield _line("dataset", "days", "state", "rows", "share", "gap", "MB")
    for run in folded(days):
        yield _run_line(run)
    missing = sum(day.is_missing for day in days)
    count = f"{len(days)} days, {missing} missing"
    if missing:
        count += "; python -m homeiot_batch.run_archive brings them in"
    yield count
    not_over = sum(not day.is_over for day in days)
    if not_over:
        yield f"{not_over} {NOT_OVER}"


def _line(
    dataset: str, days: str, state: str, rows: str, share: str, gap: str, megabytes: str
) -> str:
    names = f"{dataset:<24}{days:<26}{state:<12}"
    return f"{names}{rows:>12}{share:>8}{gap:>9}{megabytes:>9}"


def _run_line(run: Run) -> str:
    first = run.first
    days = str(first.dt)
    if run.last.dt != first.dt:
        days += f" to {run.last.dt}"
    share = ""
    gap = ""
    if first.kind == "partial":
        share = _percent(first.share)
        gap = _duration(first.longest_gap_s)
    megabytes = f"{run.size / BYTES_PER_MB:.2f}"
    return _line(first.dataset, days, first.kind, str(run.rows), share, gap, megabytes)


def _percent(share: float | None) -> str:
    if share is None:
        return ""
    return f"{share:.1%}"


def _duration(seconds: float | None) -> str:
    if not seconds:
        return ""
    return str(timedelta(seconds=round(seconds)))
