"""Which days of an export are not there, or not whole: no export is silently short."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta

import duckdb

from homeiot_batch.archive.early_reads import early_reads
from homeiot_batch.config import Settings
from homeiot_batch.core.files import is_there
from homeiot_batch.core.inventory import archived_days
from homeiot_batch.core.layout import PART, Layout
from homeiot_batch.core.marker_cache import MarkerCache
from homeiot_batch.errors import ArchiveError, DatabaseError
from homeiot_batch.export.request import Request
from homeiot_batch.warehouse.table_vars import table_datasets

# of each dataset of the tables, the days of a range that have their file
ArchivedDays = Mapping[str, set[date]]

LATEST_NS = 2**63
MOST_SPANS = 6  # that a line names
METER_DAYS = """
SELECT source, date_jst
FROM fct_daily_energy
WHERE
    date_jst BETWEEN $first AND $last
    AND ($sources IS NULL OR list_contains($sources, source))
ORDER BY ALL
"""
BALANCE_DAYS = """
SELECT 'the balance', date_jst
FROM fct_daily_balance
WHERE date_jst BETWEEN $first AND $last AND $sources IS NULL
ORDER BY ALL
"""


def find_archived(settings: Settings, request: Request) -> ArchivedDays:
    """The days of the range that have their file. What is exported is those, whatever goes on."""
    names = table_datasets(settings)
    return {name: _archived_in(settings.layout, request, name) for name in names}


def _archived_in(layout: Layout, request: Request, dataset: str) -> set[date]:
    found = set()
    for day in archived_days(layout, dataset):
        is_wanted = request.first <= day <= request.last
        if is_wanted and (layout.day(dataset, day) / PART).exists():
            found.add(day)
    return found


def refuse_unarchived(settings: Settings, request: Request, archived: ArchivedDays) -> None:
    """ArchiveError if no day of the range is archived."""
    if any(archived.values()):
        return
    known = sorted({day for name in archived for day in archived_days(settings.layout, name)})
    there = f"nothing is archived in {settings.layout.parquet} yet"
    if known:
        there = f"archived are days of {known[0]} to {known[-1]}"
    raise ArchiveError(
        f"--from={request.first} --to={request.last}: no day of these is archived, {there}; give "
        f"other days, or run `homeiot run --from {request.first} --to {request.last}`"
    )


def refuse_unbuilt(layout: Layout, what: str, archived: ArchivedDays) -> None:
    """DatabaseError if a day of the range is archived, and the tables do not have it as it is."""
    for name, days in archived.items():
        unbuilt = unbuilt_days(layout, name, days)
        if unbuilt:
            raise DatabaseError(
                f"the tables are older than the archive: of {name} they lack {spans(unbuilt)}; "
                "run `homeiot run`, which builds them, and export again"
            )
    if what != "quarters":
        refuse_unpublished(layout)


def refuse_unpublished(layout: Layout) -> None:
    """DatabaseError if the read copy was not published since the tables were built."""
    if not is_there(layout.models):
        return
    built_ns = layout.models.stat().st_mtime_ns
    if is_there(layout.read_marker) and layout.read_marker.stat().st_mtime_ns >= built_ns:
        return
    raise DatabaseError(
        f"{layout.read_copy} is older than the tables; run `homeiot run`, which publishes them, "
        "and export again"
    )


def unbuilt_days(layout: Layout, dataset: str, days: Collection[date]) -> list[date]:
    """Those of the archived days that are not loaded, or were loaded after the last build."""
    built_ns = _build_time(layout)
    found = []
    for day in sorted(days):
        marker = layout.marker(dataset, day)
        if not marker.exists() or marker.stat().st_mtime_ns > built_ns:
            found.append(day)
    return found


def _build_time(layout: Layout) -> int:
    """When the tables were built, in ns: later than the last load, by the times of the markers.

    Snakemake goes by the same times. It is before all loads if the tables were never built.
    """
    if not is_there(layout.models):
        return 0
    built_ns = layout.models.stat().st_mtime_ns
    if not is_there(layout.last_load) or layout.last_load.stat().st_mtime_ns <= built_ns:
        return LATEST_NS
    return built_ns


def missing_lines(settings: Settings, request: Request, archived: ArchivedDays) -> Iterator[str]:
    """A line for each dataset that lacks days of the range, or has days that are not whole."""
    for name, days in archived.items():
        missing = [day for day in request.days if day not in days]
        if missing:
            yield f"{name}: not archived are {spans(missing)}"
        early = []
        for read in early_reads(MarkerCache(settings.layout), settings, name):
            if read.day.date in days:
                early.append(read.day.date)
        if early:
            yield f"{name}: read before they were over, and not whole, are {spans(early)}"


def unarchived_days(request: Request, archived: ArchivedDays) -> set[date]:
    """The days of the range that no dataset of the tables has."""
    return set(request.days).difference(*archived.values())


def lines_of_tables(
    connection: duckdb.DuckDBPyConnection, request: Request, said: set[date]
) -> Iterator[str]:
    """A line for each meter that has no rows on days of the range, but for days that are `said`.

    ArchiveError if there are no rows at all.
    """
    query = METER_DAYS
    if request.what == "balance":
        query = BALANCE_DAYS
    found: dict[str, set[date]] = {}
    for source, day in connection.execute(query, request.params).fetchall():
        found.setdefault(source, set()).add(day)
    if not found:
        raise ArchiveError(
            f"--from={request.first} --to={request.last}: the tables have no row of these days; "
            "give other days, or run `homeiot run`"
        )
    yield from _lines_of_meters(found, request, said)


def lines_of_readings(
    found: dict[str, set[date]], request: Request, said: set[date]
) -> Iterator[str]:
    """The same of readings. ArchiveError if there are none."""
    if not found:
        raise ArchiveError(
            f"--from={request.first} --to={request.last}: the archived days have no such reading; "
            "give other days or meters"
        )
    yield from _lines_of_meters(found, request, said)


def _lines_of_meters(
    found: dict[str, set[date]], request: Request, said: set[date]
) -> Iterator[str]:
    """Also for a wanted meter that has none of the days."""
    wanted = [name for name in request.sources if name not in found]
    for source in [*found, *wanted]:
        there = found.get(source, set()) | said
        missing = [day for day in request.days if day not in there]
        if missing:
            yield f"{source}: no rows of {spans(missing)}"


def spans(days: Iterable[date]) -> str:
    """The days, ascending, as spans. Of many spans, the first ones and how many more there are."""
    found: list[list[date]] = []
    for day in days:
        if found and day - found[-1][-1] == timedelta(days=1):
            found[-1].append(day)
        else:
            found.append([day])
    words = [_span(span) for span in found[:MOST_SPANS]]
    if len(found) > MOST_SPANS:
        words.append(f"{len(found) - MOST_SPANS} more spans")
    return ", ".join(words)


def _span(days: list[date]) -> str:
    if len(days) == 1:
        return str(days[0])
    return f"{days[0]} to {days[-1]}"
