"""The first and last point of each source, and days of the server that no archive begins with."""

import itertools
from collections.abc import Iterator
from datetime import datetime, timedelta

from homeiot_batch.core.days import nanoseconds, yesterday
from homeiot_batch.core.inventory import first_day
from homeiot_batch.doctor.finding import Finding, ok, warning
from homeiot_batch.doctor.measurement import Measurement, from_nanoseconds
from homeiot_batch.doctor.source import MAX_SKEW_S
from homeiot_batch.errors import SourceLimit
from homeiot_batch.sources.clock import length
from homeiot_batch.sources.influx_reader import InfluxReader
from homeiot_batch.sources.influxdb.answers import Instant
from homeiot_batch.sources.influxdb.client import quote_ident
from homeiot_batch.sources.influxdb.pieces import Span, in_pieces
from homeiot_batch.sources.reach import unarchived_begin

SILENT = timedelta(days=1)
MAX_SKEW = timedelta(seconds=MAX_SKEW_S)
SHOWN_SOURCES = 20

# what is looked at where a server refuses a question about all time
LATELY = timedelta(days=7)

type Times = tuple[datetime, datetime]  # UTC, the first and the last point


def check_sources(m: Measurement) -> Iterator[Finding]:
    """The span of each source, those first that have been silent for longest."""
    try:
        spans = _spans(m, None)
    except SourceLimit:
        spans = _spans(m, m.settings.instant() - LATELY)
        yield ok(
            f"{m.dataset.name} sources",
            f"only their points of the last {LATELY.days} days are shown here: the server's "
            "--query-file-limit allows no question about all time",
        )
    by_last = sorted(spans, key=lambda source: spans[source][1])
    for source in by_last[:SHOWN_SOURCES]:
        yield _delivered(m, source, spans[source])
    more = len(spans) - SHOWN_SOURCES
    if more > 0:
        yield ok(f"{m.dataset.name} sources", f"{more} more, with later last points")


def _spans(m: Measurement, since: datetime | None) -> dict[str, Times]:
    """First and last point of each source: of each combination of the declared tags."""
    times: dict[str, list[int]] = {}
    for source, time in _ends(m, since):
        times.setdefault(source, []).append(time)
    spans: dict[str, Times] = {}
    for source, found in times.items():
        first = from_nanoseconds(min(found))
        last = from_nanoseconds(max(found))
        spans[source] = (first, last)
    return spans


def _ends(m: Measurement, since: datetime | None) -> Iterator[tuple[str, int]]:
    """The first and the last point of each source, by each field (nanoseconds)."""
    tags = [tag for tag in m.dataset.tags if tag not in m.types or tag in m.tags]
    group = ""
    if tags:
        group = f" GROUP BY {', '.join(map(quote_ident, tags))}"
    for field in sorted(m.dataset.fields.keys() & m.types.keys()):
        for end in ("first", "last"):
            selected = f"SELECT {end}({quote_ident(field)}::field) FROM {m.name}"
            for values, instant in _found(m, selected, group, since):
                yield _named_source(m, tags, values), instant.time


def _found(
    m: Measurement, selected: str, group: str, since: datetime | None
) -> Iterator[tuple[dict[str, str], Instant]]:
    """The rows of all time, or of each piece of the time from `since` until now."""
    if since is None:
        yield from m.client.tagged_rows(f"{selected}{group}", Instant)
        return

    def ask(span: Span) -> list[tuple[dict[str, str], Instant]]:
        condition = f" WHERE time >= {span.start_ns} AND time < {span.end_ns}"
        return m.client.tagged_rows(f"{selected}{condition}{group}", Instant)

    time = Span(nanoseconds(since), nanoseconds(m.settings.instant()))
    yield from itertools.chain.from_iterable(in_pieces(time, ask))


def _named_source(m: Measurement, tags: list[str], values: dict[str, str]) -> str:
    parts: list[str] = []
    for tag in tags:
        value = values.get(tag) or m.dataset.tags[tag]
        parts.append(f"{tag}={value}")
    return " ".join(parts)


def _delivered(m: Measurement, source: str, span: Times) -> Finding:
    name = f"{m.dataset.name} {source or 'points'}"
    first, last = span
    age = m.settings.instant() - last
    side = "ago"
    if age < timedelta(0):
        side = "from now"
    found = f"{m.local(first)} to {m.local(last)}, {length(age)} {side}"
    if age < -MAX_SKEW:
        return warning(
            name,
            found,
            "set the clock of what writes it. "
            "Points of the future are archived on the day that they name",
        )
    if age > SILENT:
        return warning(name, found, "see whether the meter and its gateway still deliver")
    return ok(name, found)


def check_begin(m: Measurement) -> Iterator[Finding]:
    """Whether the server has days that are not archived because they lie before the first one."""
    over = yesterday(m.settings.instant(), m.settings.zone)
    first = first_day(m.settings.layout, m.dataset.name)
    before = over
    if first:
        before = min(first, over)
    reader = InfluxReader(m.settings)
    begin = unarchived_begin(m.settings, reader, m.dataset, before)
    if not begin:
        return
    found, fix = begin
    if first is None:
        found = found.replace("the archive begins", "the first run begins the archive")
    yield warning(f"{m.dataset.name} begin", found, fix)
