"""Whether the server holds what config.yaml declares: measurement, fields, tags, and the first and last point of each source."""

import difflib
import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import EPOCH, yesterday
from homeiot_batch.doctor.finding import Finding, of_error, ok, problem, warning
from homeiot_batch.doctor.source import MAX_SKEW_S, near, visible_databases
from homeiot_batch.errors import HomeIotError, SourceError
from homeiot_batch.sources.clock import length
from homeiot_batch.sources.influx_reader import COMPATIBLE, InfluxReader
from homeiot_batch.sources.influxdb.answers import Instant
from homeiot_batch.sources.influxdb.client import InfluxClient, quote_ident
from homeiot_batch.sources.influxdb.schema import (
    Types,
    field_types,
    measurements,
    tag_keys,
    tag_values,
)
from homeiot_batch.sources.reach import unarchived_begin

POLICY_CURE = "set INFLUX_RETENTION_POLICY to the one that has the readings"
SILENT = timedelta(days=1)
SHOWN_SOURCES = 20


@dataclass(frozen=True)
class Place:
    """A retention policy that holds the measurement: the types of its fields there."""

    database: str
    policy: str
    is_default: bool
    types: Types

    def __str__(self) -> str:
        return f"{self.database}/{self.policy}"


@dataclass(frozen=True)
class Measurement:
    """A dataset's measurement where it is read."""

    settings: Settings
    client: InfluxClient
    dataset: Dataset
    policy: str
    types: Types

    @property
    def name(self) -> str:
        """For a query's FROM."""
        return f"{quote_ident(self.policy)}.{quote_ident(self.dataset.measurement)}"

    @functools.cached_property
    def tags(self) -> set[str]:
        """The tags that points have."""
        return tag_keys(self.client, self.name, self.types)


def check_readings(settings: Settings) -> Iterator[Finding]:
    """Every declared dataset; the server must be one that can be read."""
    reader = InfluxReader(settings)
    for dataset in settings.datasets.values():
        try:
            yield from _check_dataset(settings, reader, dataset)
        except HomeIotError as error:
            yield of_error(dataset.name, error)


def _check_dataset(settings: Settings, reader: InfluxReader, dataset: Dataset) -> Iterator[Finding]:
    policies = _policies(reader, settings.influx_bucket)
    wanted = settings.influx_retention_policy or next(
        (name for name, is_default in policies.items() if is_default), None
    )
    places = list(_places(settings, reader, dataset))
    here = [place for place in places if place.database == settings.influx_bucket]
    read = next((place for place in here if place.policy == wanted), None)
    if settings.influx_retention_policy and wanted not in policies:
        yield problem(
            dataset.name,
            f"{settings.influx_bucket!r} has no retention policy {wanted!r}; {near(str(wanted), list(policies))}",
            POLICY_CURE,
        )
    elif read is None:
        yield _elsewhere(settings, reader, dataset, places, wanted)
    elif len(here) > 1 and not settings.influx_retention_policy:
        yield problem(
            dataset.name,
            f"{_listed(dataset, places, read)}: a day with points in several policies is refused",
            POLICY_CURE,
        )
    else:
        yield ok(dataset.name, _listed(dataset, places, read))
    if read is not None:
        measurement = Measurement(settings, reader.client, dataset, read.policy, read.types)
        yield from _looked_at("tags", _check_tags, measurement)
        yield from _looked_at("fields", _check_fields, measurement)
        yield from _looked_at("sources", _check_sources, measurement)
        yield from _looked_at("begin", _check_begin, measurement)


def _looked_at(
    what: str, check: Callable[[Measurement], Iterator[Finding]], m: Measurement
) -> Iterator[Finding]:
    """The findings; a warning where the server refuses a question: a run asks about a day only."""
    try:
        yield from check(m)
    except SourceError as error:
        yield of_error(f"{m.dataset.name} {what}", error, "warning")


def _policies(reader: InfluxReader, database: str) -> dict[str, bool]:
    """Its retention policies, and whether each is the default one."""
    return {policy.name: policy.is_default for policy in reader.policies(database)}


def _places(settings: Settings, reader: InfluxReader, dataset: Dataset) -> Iterator[Place]:
    """Where the measurement is, first in the database that is read, then in the others that can be."""
    for database in sorted(
        visible_databases(reader.client), key=lambda name: (name != settings.influx_bucket, name)
    ):
        try:
            yield from _places_in(database, reader, dataset)
        except SourceError:  # another database may not be for these credentials
            if database == settings.influx_bucket:
                raise


def _places_in(database: str, reader: InfluxReader, dataset: Dataset) -> Iterator[Place]:
    for policy, is_default in _policies(reader, database).items():
        source = ".".join(map(quote_ident, (database, policy, dataset.measurement)))
        if types := field_types(reader.client, source):
            yield Place(database, policy, is_default, types)


def _listed(dataset: Dataset, places: list[Place], read: Place | None) -> str:
    return f"measurement {dataset.measurement!r} is in {', '.join(_marked(place, read) for place in places)}"


def _marked(place: Place, read: Place | None) -> str:
    marks = [
        word
        for word, holds in (("default", place.is_default), ("read now", place is read))
        if holds
    ]
    return f"{place} ({', '.join(marks)})" if marks else str(place)


def _elsewhere(
    settings: Settings,
    reader: InfluxReader,
    dataset: Dataset,
    places: list[Place],
    wanted: str | None,
) -> Finding:
    """The measurement is not where it would be read."""
    read = (
        f"{settings.influx_bucket}/{wanted}"
        if wanted
        else f"{settings.influx_bucket}, which has no default policy"
    )
    if places:
        cure = (
            POLICY_CURE
            if places[0].database == settings.influx_bucket
            else "set INFLUX_BUCKET to the one that has the readings"
        )
        return problem(dataset.name, f"{_listed(dataset, places, None)}, read is {read}", cure)
    others = sorted(measurements(reader.client, wanted))
    found = f"there is no measurement {dataset.measurement!r} in {read}; {near(dataset.measurement, others)}"
    return problem(
        dataset.name,
        found,
        "correct the dataset's measurement in config.yaml, or INFLUX_MEASUREMENT; if it is new, wait for its first point",
    )


def _check_tags(m: Measurement) -> Iterator[Finding]:
    on_server = m.tags
    for tag, default in m.dataset.tags.items():
        name = f"{m.dataset.name}.{tag}"
        if tag in m.types and tag in on_server:
            yield _also_a_field(m, tag)
        elif tag in m.types:
            yield problem(
                name,
                "is a field there, declared is a tag",
                "declare it under fields in config.yaml",
            )
        elif tag not in on_server:
            yield ok(name, f"tag that no point has: every row gets {default!r}")
        else:
            yield ok(name, "tag")
    for field in sorted(on_server & m.dataset.fields.keys() - m.types.keys()):
        yield problem(
            f"{m.dataset.name}.{field}",
            "is a tag there, declared is a field",
            "declare it under tags in config.yaml",
        )
    for tag in sorted(on_server - m.dataset.tags.keys() - m.dataset.fields.keys()):
        yield _undeclared(m, tag)


def _also_a_field(m: Measurement, tag: str) -> Finding:
    last = _last_written(m, tag, m.types[tag])
    found = f"tag, and a field of some points, the last at {_shown(m, last)}: such a day is refused"
    cure = "correct what writes it, and delete those points: a run of the day says how"
    return _by_age(m, last)(f"{m.dataset.name}.{tag}", found, cure)


def _undeclared(m: Measurement, tag: str) -> Finding:
    values = tag_values(m.client, m.name, tag)
    name = f"{m.dataset.name}.{tag}"
    if values <= 1:
        return ok(name, "tag that is not declared; it has one value, so it keeps no readings apart")
    return warning(
        name,
        f"tag that is not declared, with {values} values: readings that differ in it alone become rows of one source and time",
        "declare it under tags in config.yaml; if days are archived already, in a dataset of another name",
    )


def _check_fields(m: Measurement) -> Iterator[Finding]:
    on_server = sorted(m.types)
    declared = m.dataset.fields
    if not declared.keys() & m.types.keys():
        yield problem(
            m.dataset.name,
            f"has none of the declared fields but {', '.join(on_server)}",
            "correct the dataset's fields in config.yaml",
        )
        return
    for field, kind in declared.items():
        if field in m.types:
            yield _typed(m, field, kind)
        elif field not in m.tags:
            fill = "NULL" if m.dataset.missing is None else m.dataset.missing
            similar = difflib.get_close_matches(field, m.types.keys() - declared.keys(), n=1)
            found = f"field that no point has: every row gets {fill}{f'; there is {similar[0]!r}' if similar else ''}"
            yield warning(
                f"{m.dataset.name}.{field}",
                found,
                "correct its name in config.yaml, if the house has such a reading",
            )


def _typed(m: Measurement, field: str, declared: str) -> Finding:
    name, kinds = f"{m.dataset.name}.{field}", " and ".join(sorted(m.types[field]))
    wrong = sorted(m.types[field] - COMPATIBLE[declared])
    if not wrong and len(m.types[field]) == 1:
        return ok(name, f"field, {kinds}, declared {declared}")
    if not wrong:
        return warning(
            name,
            f"field of two types, by shard: {kinds}; read as {declared}",
            "let what writes it write one type only",
        )
    last = _last_written(m, field, wrong)
    found = (
        f"field, {kinds}, declared {declared}; last written as {' or '.join(wrong)} "
        f"at {_shown(m, last)}: such a day is refused"
    )
    cure = "correct what writes it and the points on the server, or the type in config.yaml"
    return _by_age(m, last)(name, found, cure)


def _last_written(m: Measurement, field: str, kinds: Iterable[str]) -> datetime:
    """When the field was last written as one of these types."""
    times = [0]
    for kind in kinds:
        query = f"SELECT last({quote_ident(field)}::{kind}) FROM {m.name}"
        times += [row.time for row in m.client.rows(query, Instant)]
    return _instant(max(times))


def _by_age(m: Measurement, last: datetime) -> Callable[[str, str, str], Finding]:
    """A problem, or a warning if no night reads a day of that time any more."""
    is_over = last < m.settings.instant() - timedelta(days=m.settings.lookback_days + 1)
    return warning if is_over else problem


def _check_sources(m: Measurement) -> Iterator[Finding]:
    spans = sorted(_spans(m).items(), key=lambda entry: entry[1][1])
    for source, (first, last) in spans[:SHOWN_SOURCES]:
        yield _delivered(m, source, first, last)
    if len(spans) > SHOWN_SOURCES:
        yield ok(
            f"{m.dataset.name} sources",
            f"{len(spans) - SHOWN_SOURCES} more, with later last points",
        )


def _spans(m: Measurement) -> dict[str, tuple[datetime, datetime]]:
    """First and last point of each source: of each combination of the declared tags."""
    tags = [tag for tag in m.dataset.tags if tag not in m.types or tag in m.tags]
    group = f" GROUP BY {', '.join(map(quote_ident, tags))}" if tags else ""
    times: dict[str, list[int]] = {}
    for field in sorted(m.dataset.fields.keys() & m.types.keys()):
        for end in ("first", "last"):
            query = f"SELECT {end}({quote_ident(field)}::field) FROM {m.name}{group}"
            for values, instant in m.client.tagged_rows(query, Instant):
                source = " ".join(f"{tag}={values.get(tag) or m.dataset.tags[tag]}" for tag in tags)
                times.setdefault(source, []).append(instant.time)
    return {source: (_instant(min(found)), _instant(max(found))) for source, found in times.items()}


def _check_begin(m: Measurement) -> Iterator[Finding]:
    """Whether the server has days that are not archived because they lie before the first one."""
    last_over = yesterday(m.settings.instant(), m.settings.zone)
    first = m.settings.layout.first_day(m.dataset.name)
    found = unarchived_begin(
        m.settings, InfluxReader(m.settings), m.dataset, min(first or last_over, last_over)
    )
    if not found:
        return
    name = f"{m.dataset.name} begin"
    if first is None:
        found = found[0].replace("the archive begins", "the first run begins the archive"), found[1]
    yield warning(name, *found)


def _delivered(m: Measurement, source: str, first: datetime, last: datetime) -> Finding:
    name = f"{m.dataset.name} {source or 'points'}"
    age = m.settings.instant() - last
    found = f"{_shown(m, first)} to {_shown(m, last)}, {length(age)} {'ago' if age >= timedelta(0) else 'from now'}"
    if age < -timedelta(seconds=MAX_SKEW_S):
        return warning(
            name,
            found,
            "set the clock of what writes it; points of the future are archived on the day that they name",
        )
    if age > SILENT:
        return warning(name, found, "see whether the meter and its gateway still deliver")
    return ok(name, found)


def _instant(nanoseconds: int) -> datetime:
    return EPOCH + timedelta(microseconds=nanoseconds // 1000)


def _shown(m: Measurement, instant: datetime) -> str:
    return f"{instant.astimezone(m.settings.zone):%F %T}"
