"""One local day from InfluxDB's /query, whole or refused.

The server is asked separately how many values each field has in the day, so that an answer that
merely looks complete is found out. It counts while it sends the rows.
"""

import contextlib
import functools
import itertools
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from datetime import datetime, timedelta
from types import NoneType
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import ARROW_TYPES, Dataset, how_to_declare
from homeiot_batch.core.day_record import listed_counts
from homeiot_batch.core.days import LocalDay, LocalDays, instant_of, nanoseconds
from homeiot_batch.errors import SourceError, SourceLimit, SourceUnavailable
from homeiot_batch.sources.influxdb.answers import Instant, Retention, RetentionPolicy, Series
from homeiot_batch.sources.influxdb.client import InfluxClient, quote_ident
from homeiot_batch.sources.influxdb.pieces import Bounds, Span, in_pieces
from homeiot_batch.sources.influxdb.schema import (
    Types,
    deletion,
    field_types,
    measurements,
    tag_keys,
)
from homeiot_batch.sources.influxdb.supported_servers import is_3, is_like_1, refuse_unsupported

# the types on the server that may stand in a column of the declared type;
# count(f::float) counts integers too, so it cannot tell them apart
COMPATIBLE = {
    "double": {"float", "integer", "unsigned"},
    "integer": {"integer", "float"},
    "boolean": {"boolean"},
    "string": {"string"},
}
# what their values are in the answer: a float without fraction is an integer in JSON, a float in
# msgpack
ANSWERED_TYPES: dict[str, set[type]] = {
    "double": {float, int, NoneType},
    "integer": {int, float, NoneType},
    "boolean": {bool, NoneType},
    "string": {str, NoneType},
}
# what FROM takes for the only policy of InfluxDB 3
AUTOGEN = "autogen"
# the largest float of which each whole number below is a float too
LARGEST_EXACT = 2**53
# the types of the other columns
TIME_TYPES: set[type] = {int}
TAG_TYPES: set[type] = {str, NoneType}


class InfluxReader:
    """Reads days from one InfluxDB server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.client = InfluxClient(settings)

    def notices(self) -> list[str]:
        """Nothing: what a server is asked for is answered by day."""
        return []

    def describe(self, dataset: Dataset) -> dict[str, object]:
        """Server, database, retention policy and measurement."""
        return {
            "kind": "influxdb",
            "url": self._settings.influx_url,
            "database": self._settings.influx_bucket,
            "retention_policy": self._settings.influx_retention_policy,
            "measurement": dataset.measurement,
        }

    def warnings(self, dataset: Dataset, day: LocalDay) -> list[str]:  # noqa: ARG002
        """Whether retention may have taken the beginning of the day.

        All else is proven by `read`, or refused.
        """
        try:
            policy, kept = self.retention
        except SourceError as error:  # the day was read: it is not given up for a warning
            return [f"whether retention has taken some of it could not be asked: {error}"]
        edge = self._settings.instant() - kept
        if not kept or edge <= day.start:
            return []
        hours = kept // timedelta(hours=1)
        since = edge.astimezone(day.zone)
        warning = (
            f"retention policy {policy!r} keeps {hours} hours, since {since:%F %T}: "
            "the day's first readings, or all, may have been gone when it was read; "
            f"with an export or a backup of the server, run again with --date {day} --force"
        )
        return [warning]

    def read(self, dataset: Dataset, day: LocalDay) -> Iterator[pa.RecordBatch]:
        """See `Source.read`."""
        refuse_unsupported(self.client.version, self._settings)
        others = self._other_policies()
        self._refuse_other_declaration(dataset, day)
        self._refuse_other_policies(dataset, day, others)
        # in drills `now` gives the time
        if self.client.clocks is not None and self._settings.now is None:
            self.client.clocks.refuse_unfinished(day)
        found = dict.fromkeys(dataset.fields, 0)
        with ThreadPoolExecutor(max_workers=1) as beside:
            # in the job's context, so that its log lines have the job's names
            context = copy_context()
            counting = beside.submit(lambda: context.run(self.counts, dataset, day))
            for batch in self._batches(dataset, day):
                for field in dataset.fields:
                    nulls = batch.column(field).null_count
                    found[field] += len(batch) - nulls
                yield batch
            expected = counting.result()
        if found != expected:
            answered = listed_counts(found)
            counted = listed_counts(expected)
            raise SourceUnavailable(
                f"{self._where(dataset)}: the answer for {day} holds {answered} values, the server "
                f"counts {counted}; it was cut short, or points are still arriving: run again"
            )

    def _other_policies(self) -> list[str]:
        """The policies beside the default one, where none is set. SourceError without a default."""
        if self._settings.influx_retention_policy:
            return []
        policies = self.policies(self._settings.influx_bucket)
        others = [policy.name for policy in policies if not policy.is_default]
        if others and len(others) == len(policies):
            raise self._no_default_policy(others)
        return others

    def _no_default_policy(self, policies: Sequence[str]) -> SourceError:
        database = self._settings.influx_bucket
        url = self._settings.influx_url
        named = ", ".join(map(repr, policies))
        return SourceError(
            f"database {database!r} at {url} has no default retention policy; "
            f"set INFLUX_RETENTION_POLICY to the one that has the readings: {named}"
        )

    def _refuse_other_declaration(self, dataset: Dataset, day: LocalDay) -> None:
        types = field_types(self.client, quote_ident(dataset.measurement))
        if not types:
            raise SourceError(self._no_measurement(dataset))
        if not types.keys() & dataset.fields.keys():
            declared = ", ".join(dataset.fields)
            found = ", ".join(sorted(types))
            raise SourceError(
                f"{self._where(dataset)} has none of the fields {declared} but {found}; "
                "correct the dataset's fields in config.yaml"
            )
        for tag in dataset.tags:
            for kind in sorted(types.get(tag, ())):
                self._refuse_field_named_like_a_tag(dataset, day, tag, kind, types)
        for field, declared in dataset.fields.items():
            others = types.get(field, set()) - COMPATIBLE[declared]
            for other in sorted(others):
                self._refuse_other_type(dataset, day, field, other)

    def _refuse_other_type(self, dataset: Dataset, day: LocalDay, field: str, other: str) -> None:
        count = self._counted_one(f"{quote_ident(field)}::{other}", dataset, day)
        if count:
            declared = dataset.fields[field]
            raise SourceError(
                f"{self._where(dataset)}: on {day} field {field} holds {count} values of type "
                f"{other}, declared is {declared}, and InfluxDB would leave out one or the other; "
                "correct the points on the server, or the type in config.yaml"
            )

    def _refuse_field_named_like_a_tag(
        self, dataset: Dataset, day: LocalDay, tag: str, kind: str, types: Types
    ) -> None:
        """Refuse a day that has points with a field where a tag is declared: they have no such tag.

        Points of other days do no harm, because a day is asked for tags as tags.
        """
        column = f"{quote_ident(tag)}::{kind}"
        count = self._counted_one(column, dataset, day)
        if not count:
            return

        def ask(span: Span) -> list[tuple[dict[str, str], Instant]]:
            query = f"{_select(column, dataset, span)} GROUP BY * LIMIT 1"
            return self.client.tagged_rows(query, Instant)

        points = next(filter(None, in_pieces(day, ask)), [])
        if not points:
            return
        measurement = quote_ident(dataset.measurement)
        if tag not in tag_keys(self.client, measurement, types):
            raise SourceError(
                f"{self._where(dataset)}: {tag} is a field there, not a tag; correct config.yaml"
            )
        tags, first = points[0]
        how_to_delete = self._deletion(dataset, {tag: ""} | tags, first.time)
        raise SourceError(
            f"{self._where(dataset)}: on {day} {count} points have a field {tag}, which is "
            f"declared as a tag, so that it is not clear which {tag} they are of; correct what "
            "writes them, write them again with the tag if they are wanted, and delete the old "
            f"ones. {how_to_delete}"
        )

    def _deletion(self, dataset: Dataset, tags: dict[str, str], time: int) -> str:
        """How a point is deleted with all its fields, and no other."""
        if self.client.major == "2" and not self._reads_default_policy():
            return (
                "InfluxDB 2.x deletes by InfluxQL in the default retention policy only. How to "
                "delete in another is in docs/how-to/influxdb.md"
            )
        return f"The first is deleted by {deletion(dataset.measurement, tags, time)}"

    def _reads_default_policy(self) -> bool:
        wanted = self._settings.influx_retention_policy
        policies = self.policies(self._settings.influx_bucket)
        defaults = [policy.name for policy in policies if policy.is_default]
        if wanted:
            return wanted in defaults
        return bool(defaults)

    def _refuse_other_policies(
        self, dataset: Dataset, day: LocalDay, others: Sequence[str]
    ) -> None:
        """The default policy may hold only a part of the day, or none, as after a change of it."""
        for policy in others:
            counts = self.counts(dataset, day, policy)
            if any(counts.values()):
                raise SourceError(
                    f"{self._where(dataset)}: on {day} retention policy {policy!r} "
                    "holds points of it too; "
                    "set INFLUX_RETENTION_POLICY to the one that has the readings"
                )

    def _no_measurement(self, dataset: Dataset) -> str:
        found = self._found_instead(dataset)
        return (
            f"{self._where(dataset)} does not exist ({found}); check INFLUX_MEASUREMENT, "
            "INFLUX_RETENTION_POLICY, INFLUX_BUCKET, and that the credentials may read, not only "
            f"write{how_to_declare(dataset)}"
        )

    def _found_instead(self, dataset: Dataset) -> str:
        """The last retention policy with the measurement, or the measurements that there are."""
        for policy in reversed(self.policies(self._settings.influx_bucket)):
            source = _source(dataset, policy.name)
            if field_types(self.client, source):
                return f"it is in retention policy {policy.name!r}"
        there = measurements(self.client, self._settings.influx_retention_policy)
        if not there:
            return "nothing can be seen there"
        return f"there are {', '.join(there[:20])}"

    def counts(
        self, dataset: Dataset, day: LocalDay | LocalDays, policy: str | None = None
    ) -> dict[str, int]:
        """Values of each field that the server has in the day, or in all of the days.

        They are counted in the retention policy `policy`, or in the one that is set.
        """
        refuse_unsupported(self.client.version, self._settings)
        columns = [_as_field(field) for field in dataset.fields]
        counts = self._counted(columns, dataset, day, policy)
        return dict(zip(dataset.fields, counts, strict=True))

    def first_reading(self, dataset: Dataset, since: datetime) -> datetime | None:
        """See `Source.first_reading`.

        Each field is one question, which the server answers from an index.
        """
        found: list[Instant] = []
        earliest = nanoseconds(self._settings.instant())
        for field in dataset.fields:
            found += self._first(dataset, field, Span(nanoseconds(since), earliest))
            earliest = min([earliest, *(instant.time for instant in found)])
        if not found:
            return None
        return instant_of(min(instant.time for instant in found))

    def _first(self, dataset: Dataset, field: str, time: Span) -> list[Instant]:
        """The first point with the field, if there is one.

        It may be after the time, where the server answers about all that follows at once.
        """
        first = f"SELECT first({_as_field(field)}) FROM {_source(dataset)} WHERE time >= "
        with contextlib.suppress(SourceLimit):
            return self.client.rows(f"{first}{time.start_ns}", Instant)

        def ask(span: Span) -> list[Instant]:
            query = f"{first}{span.start_ns} AND time < {span.end_ns}"
            return self.client.rows(query, Instant)

        return next(filter(None, in_pieces(time, ask)), [])

    def policies(self, database: str) -> list[RetentionPolicy]:
        """The retention policies of a database."""
        if not is_like_1(self.client.version):
            return [RetentionPolicy(name=AUTOGEN, default=True)]
        return self._policies(database, RetentionPolicy)

    def _policies[Policy: RetentionPolicy](self, database: str, kind: type[Policy]) -> list[Policy]:
        query = f"SHOW RETENTION POLICIES ON {quote_ident(database)}"
        policies = self.client.rows(query, kind)
        if not is_3(self.client.version):
            return policies
        # it names its only one like the database, but FROM takes only the name autogen
        autogen = {"name": AUTOGEN}
        return [policy.model_copy(update=autogen) for policy in policies]

    @functools.cached_property
    def retention(self) -> tuple[str, timedelta]:
        """The retention policy that is read, and how long it keeps points (0: for ever).

        SourceError if the server does not tell.
        """
        version = self.client.version
        if not is_like_1(version):
            raise SourceError(
                f"InfluxDB {version} does not tell by /query how long it keeps readings; "
                "update it to 3.7 or later"
            )
        wanted = self._settings.influx_retention_policy
        for policy in self._policies(self._settings.influx_bucket, Retention):
            is_read_unnamed = policy.is_default and not wanted
            if policy.name == wanted or is_read_unnamed:
                kept = policy.kept or self._bucket_retention(policy.name)
                return policy.name, kept
        return wanted or "", timedelta()

    def _bucket_retention(self, policy: str) -> timedelta:
        """How long 2.x keeps points: SHOW RETENTION POLICIES has "for ever" for all."""
        database = self._settings.influx_bucket
        buckets = self.client.buckets()
        # with a token for one bucket the server may list none: it filters after cutting the page
        for name in (database, f"{database}/{policy}"):
            buckets += self.client.buckets(name=name)
        mapped = set()
        for mapping in self.client.mappings(buckets):
            if (mapping.database, mapping.policy) == (database, policy):
                mapped.add(mapping.bucket)
        kept_s = []
        for bucket in buckets:
            if bucket.id in mapped:
                kept_s += [rule.seconds for rule in bucket.rules]
        return timedelta(seconds=min(kept_s, default=0))

    def _counted(
        self,
        columns: Sequence[str],
        dataset: Dataset,
        day: LocalDay | LocalDays,
        policy: str | None = None,
    ) -> list[int]:
        """The values in the day of each of the columns, which are InfluxQL."""
        selection = ", ".join(f"count({column})" for column in columns)

        def ask(span: Span) -> list[int]:
            query = _select(selection, dataset, span, policy)
            return self.client.counts(query, len(columns))

        return [sum(counts) for counts in zip(*in_pieces(day, ask), strict=True)]

    def _counted_one(self, column: str, dataset: Dataset, day: LocalDay) -> int:
        [count] = self._counted([column], dataset, day)
        return count

    def _batches(self, dataset: Dataset, day: LocalDay) -> Iterator[pa.RecordBatch]:
        columns = [*dataset.fields, *dataset.tags]
        fields = map(_as_field, dataset.fields)
        tags = map(_as_tag, dataset.tags)
        selection = ", ".join([*fields, *tags])

        def ask(span: Span) -> Iterator[Series]:
            answer = self.client.rows_of_day(_select(selection, dataset, span))
            # a server refuses the question in place of the first rows
            first = list(itertools.islice(answer, 1))
            return itertools.chain(first, answer)

        last = day.start_ns
        for series in itertools.chain.from_iterable(in_pieces(day, ask)):
            if series.columns != ["time", *columns]:
                what = f"asked for {columns}, the server answered {series.columns[1:]}"
                raise self._spoiled(dataset, what)
            batch = self._batch(dataset, series)
            times = batch.column("time")
            if not _continues(times, last, day):
                what = f"the answer for {day} holds points out of order or of another day"
                raise self._spoiled(dataset, what)
            last = times[-1].as_py()
            yield batch

    def _batch(self, dataset: Dataset, series: Series) -> pa.RecordBatch:
        values = dict(zip(series.columns, series.by_column(), strict=True))
        schema = dataset.raw_schema()
        arrays = [self._array(dataset, column, values[column.name]) for column in schema]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _array(
        self, dataset: Dataset, column: pa.Field, values: Sequence[Any] | pa.Array
    ) -> pa.Array:
        """The values in the column's type; a SourceError if one does not fit it.

        An Arrow array has one type for all its values. Where that is another type than the
        column's, they are looked at one by one.
        """
        if isinstance(values, pa.Array):
            array = _as_it_is(values, column)
            if array is not None:
                return array
            values = values.to_pylist()
        if column.name in dataset.fields:
            return _field(dataset, column.name, values)
        return self._plain(dataset, column, values)

    def _plain(self, dataset: Dataset, column: pa.Field, values: Sequence[Any]) -> pa.Array:
        """The times, or the values of a tag: the server keeps them as whole numbers and text."""
        wanted = TAG_TYPES
        kind = "text"
        if column.name == "time":
            wanted = TIME_TYPES
            kind = "times"
        if set(map(type, values)) <= wanted:
            found = "a value that cannot be stored"
            with contextlib.suppress(pa.ArrowException, OverflowError):
                return pa.array(values, column.type)
        else:
            other = next(value for value in values if type(value) not in wanted)
            found = f"{other!r:.60}"
        what = f"column {column.name} of the answer should hold {kind}, but holds {found}"
        raise self._spoiled(dataset, what)

    def _spoiled(self, dataset: Dataset, what: str) -> SourceError:
        return SourceError(
            f"{self._where(dataset)}: {what}; check INFLUX_URL, and what stands between here and "
            "the server"
        )

    def _where(self, dataset: Dataset) -> str:
        settings = self._settings
        policy = settings.influx_retention_policy or "the default retention policy"
        place = f"{settings.influx_bucket!r} ({policy}) at {settings.influx_url}"
        return f"measurement {dataset.measurement!r} in {place}"


def _as_field(name: str) -> str:
    """A field in SELECT. Without its kind a tag of that name would answer where no field has it."""
    return f"{quote_ident(name)}::field"


def _as_tag(name: str) -> str:
    """A tag in SELECT. Without its kind it is NULL in each shard where a field has the name."""
    return f"{quote_ident(name)}::tag"


def _select(selection: str, dataset: Dataset, time: Bounds, policy: str | None = None) -> str:
    condition = f"time >= {time.start_ns} AND time < {time.end_ns}"
    return f"SELECT {selection} FROM {_source(dataset, policy)} WHERE {condition}"


def _source(dataset: Dataset, policy: str | None = None) -> str:
    """The measurement after FROM: in a retention policy, or in the one of the question."""
    measurement = quote_ident(dataset.measurement)
    if policy is None:
        return measurement
    return f"{quote_ident(policy)}.{measurement}"


def _continues(times: pa.Array, last: int, day: LocalDay) -> bool:
    """Whether the times (ns) ascend, begin at `last` or later, and end before the day does."""
    steps_up = pc.less_equal(times[:-1], times[1:])
    if not _all(steps_up):
        return False
    return times[0].as_py() >= last and times[-1].as_py() < day.end_ns


def _all(booleans: pa.Array) -> bool:
    """Whether all are true, also if there are none."""
    return pc.all(booleans, min_count=0).as_py()


def _field(dataset: Dataset, field: str, values: Sequence[Any]) -> pa.Array:
    """The field's values, all of types that its declared type takes: none is cut or rounded."""
    declared = dataset.fields[field]
    types = set(map(type, values))
    if types <= ANSWERED_TYPES[declared]:
        with contextlib.suppress(ValueError, OverflowError):
            if declared == "double":
                return _doubles(values, types)
            if declared == "integer" and float in types:
                values = list(map(_as_integer, values))
            return pa.array(values, ARROW_TYPES[declared])
    raise SourceError(
        f"measurement {dataset.measurement!r}: field {field} holds a value that does not fit "
        f"{declared}, its declared type; correct the type in config.yaml, or the points on the "
        "server"
    )


def _doubles(values: Sequence[Any], types: set[type]) -> pa.Array:
    """Numbers as doubles. ValueError for one that is not finite, OverflowError if it is too large.

    Minus zero becomes zero, as it is in JSON.
    """
    if int in types:  # Arrow would refuse 1e17
        values = list(map(_as_double, values))
    array = pc.add(pa.array(values, pa.float64()), 0.0)
    if not _all(pc.is_finite(array)):
        raise ValueError("not finite")
    return array


def _as_it_is(values: pa.Array, column: pa.Field) -> pa.Array | None:
    """The array if it is of the column's type, has no NULL where none may be, and is finite."""
    lacks_values = values.null_count > 0 and not column.nullable
    if values.type != column.type or lacks_values:
        return None
    if column.type != pa.float64():
        return values
    array = pc.add(values, 0.0)
    if _all(pc.is_finite(array)):
        return array
    return None


def _as_double(number: float | None) -> float | None:
    if number is None:
        return None
    return float(number)


def _as_integer(number: float | None) -> int | None:
    """The float as a whole number. ValueError if it has a fraction, or is too large to be exact.

    Where a field is a float in one shard, InfluxDB makes floats of the integers of another.
    """
    if number is None or isinstance(number, int):
        return number
    if not number.is_integer() or abs(number) > LARGEST_EXACT:
        raise ValueError(f"{number} is no whole number, or not for certain")
    return int(number)
