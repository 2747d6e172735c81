"""One local day from InfluxDB's /query (1.x and 2.x), whole or refused.

The server is asked separately how many values each field has in the day, so that an answer that
merely looks complete is found out.
"""

import contextlib
import functools
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import ARROW_TYPES, Dataset
from homeiot_batch.core.day_record import listed_counts
from homeiot_batch.core.days import LocalDay, LocalDays, instant_of, nanoseconds
from homeiot_batch.errors import SourceError, SourceUnavailable
from homeiot_batch.sources.influxdb.answers import Instant, Retention, RetentionPolicy, Series
from homeiot_batch.sources.influxdb.client import InfluxClient, quote_ident
from homeiot_batch.sources.influxdb.schema import (
    Types,
    deletion,
    field_types,
    measurements,
    tag_keys,
)
from homeiot_batch.sources.influxdb.supported_servers import is_3, refuse_unsupported

# the types on the server that may stand in a column of the declared type;
# count(f::float) counts integers too, so it cannot tell them apart
COMPATIBLE = {
    "double": {"float", "integer", "unsigned"},
    "integer": {"integer", "float"},
    "boolean": {"boolean"},
    "string": {"string"},
}
# what their values are in the answer: a float without fraction looks like an integer
JSON_TYPES: dict[str, set[type]] = {
    "double": {float, int},
    "integer": {int},
    "boolean": {bool},
    "string": {str},
}


class InfluxReader:
    """Reads days from one InfluxDB server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.client = InfluxClient(settings)

    def notices(self) -> list[str]:
        """Nothing: what a server is asked for is answered by day."""
        return []

    def describe(self, dataset: Dataset) -> dict[str, Any]:
        """Server, database, retention policy and measurement."""
        return {
            "kind": "influxdb",
            "url": self._settings.influx_url,
            "database": self._settings.influx_bucket,
            "retention_policy": self._settings.influx_retention_policy,
            "measurement": dataset.measurement,
        }

    def doubts(self, dataset: Dataset, day: LocalDay) -> list[str]:  # noqa: ARG002
        """Whether retention may have taken the beginning of the day; all else is proven by `read`, or refused."""
        try:
            policy, kept = self.retention
        except SourceError as error:  # the day was read: it is not given up for a warning
            return [f"whether retention has taken some of it could not be asked: {error}"]
        edge = self._settings.instant() - kept
        if not kept or edge <= day.start:
            return []
        kept_since = f"{kept // timedelta(hours=1)} hours, since {edge.astimezone(day.zone):%F %T}"
        gone = "the day's first readings, or all, may have been gone when it was read"
        cure = f"with an export or a backup of the server, run again with --date {day} --force"
        return [f"retention policy {policy!r} keeps {kept_since}: {gone}; {cure}"]

    def read(self, dataset: Dataset, day: LocalDay) -> Iterator[pa.RecordBatch]:
        """See `Source.read`."""
        refuse_unsupported(self.client.version, self._settings)
        others = self._other_policies()
        self._refuse_other_declaration(dataset, day)
        self._refuse_other_policies(dataset, day, others)
        expected = self.counts(dataset, day)
        # `now` is for drills, which say themselves what the time is
        if self.client.clocks is not None and self._settings.now is None:
            self.client.clocks.refuse_unfinished(day)
        found = dict.fromkeys(dataset.fields, 0)
        for batch in self._batches(dataset, day):
            for field in dataset.fields:
                found[field] += len(batch) - batch.column(field).null_count
            yield batch
        if found != expected:
            raise SourceUnavailable(
                f"{self._where(dataset)}: the answer for {day} holds {listed_counts(found)} "
                f"values, the server counts {listed_counts(expected)}; it was cut short, or "
                "points are still arriving: run again"
            )

    def _other_policies(self) -> list[str]:
        """The policies beside the default one, where none is set; SourceError without a default."""
        if self._settings.influx_retention_policy:
            return []
        policies = self.policies(self._settings.influx_bucket)
        others = [policy.name for policy in policies if not policy.is_default]
        if others and len(others) == len(policies):
            raise SourceError(
                f"database {self._settings.influx_bucket!r} at {self._settings.influx_url} has no "
                "default retention policy; set INFLUX_RETENTION_POLICY to the one that has the "
                f"readings: {', '.join(map(repr, others))}"
            )
        return others

    def _refuse_other_declaration(self, dataset: Dataset, day: LocalDay) -> None:
        types = field_types(self.client, quote_ident(dataset.measurement))
        if not types:
            raise SourceError(self._no_measurement(dataset))
        if not types.keys() & dataset.fields.keys():
            raise SourceError(
                f"{self._where(dataset)} has none of the fields {', '.join(dataset.fields)} but "
                f"{', '.join(sorted(types))}; correct the dataset's fields in config.yaml"
            )
        for tag in dataset.tags:
            for kind in sorted(types.get(tag, ())):
                self._refuse_field_named_like_a_tag(dataset, day, tag, kind, types)
        for field, declared in dataset.fields.items():
            for other in sorted(types.get(field, set()) - COMPATIBLE[declared]):
                self._refuse_other_type(dataset, day, field, other)

    def _refuse_other_type(self, dataset: Dataset, day: LocalDay, field: str, other: str) -> None:
        if count := self._counted([f"{quote_ident(field)}::{other}"], dataset, day)[0]:
            raise SourceError(
                f"{self._where(dataset)}: on {day} field {field} holds {count} values of type "
                f"{other}, declared is {dataset.fields[field]}; InfluxDB would leave out one or "
                "the other. Correct the points on the server, or the type in config.yaml"
            )

    def _refuse_field_named_like_a_tag(
        self, dataset: Dataset, day: LocalDay, tag: str, kind: str, types: Types
    ) -> None:
        """Refuse a day that has points with a field where a tag is declared: they have no such tag.

        Points of other days do no harm, because a day is asked for tags as tags.
        """
        column = f"{quote_ident(tag)}::{kind}"
        query = _select(column, dataset, day) + " GROUP BY * LIMIT 1"
        count = self._counted([column], dataset, day)[0]
        points = self.client.tagged_rows(query, Instant) if count else []
        if not points:
            return
        measurement = quote_ident(dataset.measurement)
        if tag not in tag_keys(self.client, measurement, types):
            raise SourceError(
                f"{self._where(dataset)}: {tag} is a field there, not a tag; correct config.yaml"
            )
        tags, first = points[0]
        raise SourceError(
            f"{self._where(dataset)}: on {day} {count} points have a field {tag}, which is "
            f"declared as a tag, so that it is not clear which {tag} they are of; correct what "
            "writes them, write them again with the tag if they are wanted, and delete the old "
            f"ones. {self._deletion(dataset, {tag: ''} | tags, first.time)}"
        )

    def _deletion(self, dataset: Dataset, tags: dict[str, str], time: int) -> str:
        """How a point is deleted with all its fields, and no other."""
        wanted = self._settings.influx_retention_policy
        policies = self.policies(self._settings.influx_bucket)
        is_default = any(p.is_default and p.name == (wanted or p.name) for p in policies)
        if self.client.major == "2" and not is_default:
            return (
                "InfluxDB 2.x deletes by InfluxQL in the default retention policy only; how to "
                "delete in another is in docs/how-to/influxdb.md"
            )
        return f"The first is deleted by {deletion(dataset.measurement, tags, time)}"

    def _refuse_other_policies(
        self, dataset: Dataset, day: LocalDay, others: Sequence[str]
    ) -> None:
        """The default policy may hold only a part of the day, or none: if it was changed, say."""
        for policy in others:
            if any(self.counts(dataset, day, policy).values()):
                raise SourceError(
                    f"{self._where(dataset)}: on {day} retention policy {policy!r} "
                    "holds points of it too; "
                    "set INFLUX_RETENTION_POLICY to the one that has the readings"
                )

    def _no_measurement(self, dataset: Dataset) -> str:
        known = measurements(self.client, self._settings.influx_retention_policy)
        there = f"there are {', '.join(known[:20])}" if known else "nothing can be seen there"
        measurement = quote_ident(dataset.measurement)
        for policy in self.policies(self._settings.influx_bucket):
            if field_types(self.client, f"{quote_ident(policy.name)}.{measurement}"):
                there = f"it is in retention policy {policy.name!r}"
        return (
            f"{self._where(dataset)} does not exist ({there}); check INFLUX_MEASUREMENT, "
            "INFLUX_RETENTION_POLICY, INFLUX_BUCKET, and that the credentials may read, not only "
            "write"
        )

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
        """See `Source.first_reading`. One question a field, which the server answers from an index."""
        where = f"WHERE time >= {nanoseconds(since)}"
        measurement = quote_ident(dataset.measurement)
        queries = [
            f"SELECT first({_as_field(field)}) FROM {measurement} {where}"
            for field in dataset.fields
        ]
        times = [row.time for query in queries for row in self.client.rows(query, Instant)]
        return instant_of(min(times)) if times else None

    def policies(self, database: str) -> list[RetentionPolicy]:
        """The retention policies of a database."""
        return self._policies(database, RetentionPolicy)

    def _policies[Policy: RetentionPolicy](self, database: str, kind: type[Policy]) -> list[Policy]:
        policies = self.client.rows(f"SHOW RETENTION POLICIES ON {quote_ident(database)}", kind)
        if is_3(self.client.version):  # it names its only one like the database; FROM knows autogen
            return [policy.model_copy(update={"name": "autogen"}) for policy in policies]
        return policies

    @functools.cached_property
    def retention(self) -> tuple[str, timedelta]:
        """The retention policy that is read, and how long it keeps points (0: for ever)."""
        wanted = self._settings.influx_retention_policy
        for policy in self._policies(self._settings.influx_bucket, Retention):
            if policy.name == wanted or (policy.is_default and not wanted):
                return policy.name, policy.kept or self._bucket_retention(policy.name)
        return wanted or "", timedelta()

    def _bucket_retention(self, policy: str) -> timedelta:
        """How long 2.x keeps points: SHOW RETENTION POLICIES says for ever, whatever it is."""
        database, buckets = self._settings.influx_bucket, self.client.buckets()
        read = {
            mapping.bucket
            for mapping in self.client.mappings(buckets)
            if (mapping.database, mapping.policy) == (database, policy)
        }
        rules = [rule for bucket in buckets if bucket.id in read for rule in bucket.rules]
        return timedelta(seconds=min((rule.seconds for rule in rules), default=0))

    def _counted(
        self,
        columns: Sequence[str],
        dataset: Dataset,
        day: LocalDay | LocalDays,
        policy: str | None = None,
    ) -> list[int]:
        """The values in the day of each of the columns, which are InfluxQL."""
        selection = ", ".join(f"count({column})" for column in columns)
        return self.client.counts(_select(selection, dataset, day, policy), len(columns))

    def _batches(self, dataset: Dataset, day: LocalDay) -> Iterator[pa.RecordBatch]:
        columns = [*dataset.fields, *dataset.tags]
        selected = [*map(_as_field, dataset.fields), *map(_as_tag, dataset.tags)]
        query = _select(", ".join(selected), dataset, day)
        last = day.start_ns
        for series in self.client.series(query):
            if series.columns != ["time", *columns]:
                raise self._spoiled(
                    dataset, f"asked for {columns}, the server answered {series.columns[1:]}"
                )
            batch = self._batch(dataset, series)
            times = batch.column("time")
            ascending = pc.all(pc.less_equal(times[:-1], times[1:]), min_count=0).as_py()
            if not ascending or times[0].as_py() < last or times[-1].as_py() >= day.end_ns:
                raise self._spoiled(
                    dataset, f"the answer for {day} holds points out of order or of another day"
                )
            last = times[-1].as_py()
            yield batch

    def _batch(self, dataset: Dataset, series: Series) -> pa.RecordBatch:
        values = dict(zip(series.columns, zip(*series.values, strict=True), strict=True))
        schema = dataset.raw_schema()
        arrays = [
            _field(dataset, column.name, values[column.name])
            if column.name in dataset.fields
            else self._plain(dataset, column, values[column.name])
            for column in schema
        ]
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _plain(self, dataset: Dataset, column: pa.Field, values: Sequence[Any]) -> pa.Array:
        """The times, or the values of a tag: the server keeps them as whole numbers and text."""
        wanted = {int} if column.name == "time" else {str, type(None)}
        others = [value for value in values if type(value) not in wanted]
        if not others:
            with contextlib.suppress(pa.ArrowException, OverflowError):
                return pa.array(values, column.type)
        what = f"{others[0]!r:.60}" if others else "a value that cannot be stored"
        kind = "times" if column.name == "time" else "text"
        raise self._spoiled(
            dataset, f"column {column.name} of the answer should hold {kind}, but holds {what}"
        )

    def _spoiled(self, dataset: Dataset, what: str) -> SourceError:
        return SourceError(
            f"{self._where(dataset)}: {what}; check INFLUX_URL, and what stands between here and "
            "the server"
        )

    def _where(self, dataset: Dataset) -> str:
        policy = self._settings.influx_retention_policy or "the default retention policy"
        return (
            f"measurement {dataset.measurement!r} in {self._settings.influx_bucket!r} ({policy}) "
            f"at {self._settings.influx_url}"
        )


def _as_field(name: str) -> str:
    """A field in SELECT. Without its kind a tag of that name would answer where no field has it."""
    return f"{quote_ident(name)}::field"


def _as_tag(name: str) -> str:
    """A tag in SELECT. Without its kind it is NULL in each shard where a field has the name."""
    return f"{quote_ident(name)}::tag"


def _select(
    selection: str, dataset: Dataset, day: LocalDay | LocalDays, policy: str | None = None
) -> str:
    source = (
        quote_ident(dataset.measurement)
        if policy is None
        else f"{quote_ident(policy)}.{quote_ident(dataset.measurement)}"
    )
    return f"SELECT {selection} FROM {source} WHERE time >= {day.start_ns} AND time < {day.end_ns}"


def _field(dataset: Dataset, field: str, values: Sequence[Any]) -> pa.Array:
    """The field's values as they are: Arrow would cut off fractions, and refuse 1e17."""
    declared = dataset.fields[field]
    if {type(value) for value in values} <= {type(None), *JSON_TYPES[declared]}:
        with contextlib.suppress(pa.ArrowInvalid, OverflowError):
            if declared != "double":
                return pa.array(values, ARROW_TYPES[declared])
            numbers = [None if value is None else float(value) for value in values]
            array = pa.array(numbers, pa.float64())
            if pc.all(pc.is_finite(array), min_count=0).as_py():
                return array
    raise SourceError(
        f"measurement {dataset.measurement!r}: field {field} holds a value that does not fit "
        f"{declared}, its declared type; correct the type in config.yaml, or the points on the "
        "server"
    )
