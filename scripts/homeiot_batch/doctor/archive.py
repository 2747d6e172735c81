"""Whether the archive is whole, and whether the next day finds room and a way into it."""

from collections.abc import Iterator
from datetime import date, timedelta

from homeiot_batch.archive.day_bounds import FILL_HOLE, USE_TABLES, DayBounds
from homeiot_batch.archive.early_reads import early_reads
from homeiot_batch.archive.run_lock import holder
from homeiot_batch.config import Settings
from homeiot_batch.core.days import each_day, yesterday
from homeiot_batch.core.inventory import archived_days, first_day, known_days, undeclared_days
from homeiot_batch.core.layout import Layout
from homeiot_batch.core.marker_cache import MarkerCache
from homeiot_batch.doctor.finding import Finding, of_error, ok, problem, warning
from homeiot_batch.doctor.locks import check_locks
from homeiot_batch.doctor.moves import check_moves
from homeiot_batch.doctor.places import check_permissions
from homeiot_batch.doctor.room import check_room
from homeiot_batch.doctor.zone import NONE_YET, check_time_zone
from homeiot_batch.errors import SettingsError
from homeiot_batch.workflow.preflight import refuse_undeclared_columns

CATCH_UP = "python -m homeiot_batch.run_archive brings them in, if the source still has them"
ONE_DAY = timedelta(days=1)
SHOWN_SPANS = 5


def check_archive(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """Zone, days, the run that holds it, permissions, room, and how days move into place."""
    yield from check_time_zone(settings, layout)
    for dataset in settings.datasets:
        yield _check_days(settings, layout, dataset)
        yield from _check_early_reads(settings, layout, dataset)
        yield from _check_seams(settings, layout, dataset)
    yield from _check_declarations(settings, layout)
    if not_locked := check_locks(layout.parquet, "PARQUET_BASE_DIR"):
        yield not_locked
    run = holder(layout.lock)
    yield _shown_run(run)
    yield from check_permissions(settings, layout)
    yield from check_room(settings, layout)
    if run:
        yield ok("rename", "not tried while a run is at work")
    elif not layout.parquet.is_dir():
        yield ok("rename", f"not tried before the first run has made {layout.parquet}")
    else:
        yield from check_moves(settings, layout)


def _check_seams(settings: Settings, layout: Layout, dataset: str) -> Iterator[Finding]:
    """Archived days that do not touch because they were cut by different zone rules."""
    bounds = DayBounds(layout, dataset, settings.zone)
    for dt in archived_days(layout, dataset):
        if hole := bounds.hole_before(dt):
            yield problem(f"{dataset} {dt} hole", hole, FILL_HOLE.format(dt=dt))
        if overlap := bounds.overlap_before(dt):
            yield warning(f"{dataset} {dt} overlap", overlap, USE_TABLES)


def _check_declarations(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """What is archived, but not declared."""
    try:
        refuse_undeclared_columns(layout, settings)
    except SettingsError as error:
        yield of_error("declaration", error)
    undeclared = undeclared_days(layout, settings.datasets)
    for dataset, days in undeclared.items():
        yield warning(
            dataset,
            f"{days} archived days, but it is not declared in config.yaml",
            "declare it again, or move its folder away",
        )


def _shown_run(process: str | None) -> Finding:
    if process:
        return ok("run", f"one is at work (process {process})")
    return ok("run", "none is at work")


def _check_days(settings: Settings, layout: Layout, dataset: str) -> Finding:
    days = archived_days(layout, dataset)
    over = yesterday(settings.instant(), settings.zone)
    if not days:
        return _no_day(layout, dataset)
    last = days[-1]
    found = f"{len(days)} days, {days[0]} to {last}"
    missing = _missing_days(settings, layout, dataset, over)
    if missing:
        found += f", missing ({len(missing)}): {_spans(missing)}"
        return problem(dataset, found, CATCH_UP)
    behind = (over - last).days
    if behind > 1:
        return warning(
            dataset,
            f"{found}: {behind} days behind yesterday",
            f"{CATCH_UP}; see that cron runs, and the failures in {layout.last_run}",
        )
    return ok(dataset, found)


def _no_day(layout: Layout, dataset: str) -> Finding:
    known = known_days(layout, dataset)
    if not known:
        return ok(dataset, NONE_YET)
    return problem(
        dataset,
        f"no day is archived, {len(known)} are known from {layout.markers}",
        "mount or restore the archive. A new one needs another MARKER_DIR and DUCKDB_PATH",
    )


def _missing_days(settings: Settings, layout: Layout, dataset: str, over: date) -> list[date]:
    """Ascending: days from the first to the last known one, or to `over`, that are not archived."""
    known = known_days(layout, dataset)
    first = settings.archive_start or first_day(layout, dataset) or known[0]
    last = min(known[-1], over)
    wanted = set(each_day(first, last))
    return sorted(wanted.difference(archived_days(layout, dataset)))


def _check_early_reads(settings: Settings, layout: Layout, dataset: str) -> Iterator[Finding]:
    """Days that were read before they were over."""
    over: list[date] = []
    ahead: list[date] = []
    for read in early_reads(MarkerCache(layout), settings, dataset):
        kind = ahead
        if read.is_over:
            kind = over
        kind.append(read.day.date)
    name = f"{dataset} clock"
    if over:
        found = f"read before they were over, by a wrong clock ({len(over)}): {_spans(over)}"
        yield problem(name, found, "python -m homeiot_batch.run_archive reads them again")
        name = f"{dataset} clock ahead"
    if ahead:
        yield warning(
            name,
            f"archived, but not over yet ({len(ahead)}): {_spans(ahead)}",
            "see whether this machine's clock is behind. If it was ahead when they were read, "
            "each is read again when it is over",
        )


def _spans(days: list[date]) -> str:
    """Ascending days, runs of them as first to last."""
    spans: list[tuple[date, date]] = []
    for day in days:
        if spans and day - spans[-1][1] == ONE_DAY:
            first, _ = spans.pop()
            spans.append((first, day))
        else:
            spans.append((day, day))
    listed = ", ".join(_span(first, last) for first, last in spans[:SHOWN_SPANS])
    if len(spans) > SHOWN_SPANS:
        listed += " and more"
    return listed


def _span(first: date, last: date) -> str:
    if first == last:
        return str(first)
    return f"{first} to {last}"
