"""One local day from InfluxDB's /query (1.x and 2.x), whole or refused.

The server is asked separately how many values each field has in the day, so that an answer that
merely looks complete is found out.
"""

import functools
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from homeiot_batch.config import Settings
from homeiot_batch.datasets import ARROW_TYPES, Dataset
from homeiot_batch.days import LocalDay
from homeiot_batch.errors import SourceError, SourceUnavailable
from homeiot_batch.influx_client import InfluxClient, quote_ident

# the types on the server that may stand in a column of the declared type; count(f::float) counts integers too, so it cannot tell them apart
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
UNITS = {"h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}


class InfluxReader:
    """Reads days from one InfluxDB server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.client = InfluxClient(settings)

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
        kept_since = f"{kept // UNITS['h']} hours, since {edge.astimezone(day.zone):%F %T}"
        gone = "the day's first readings, or all, may have been gone when it was read"
        cure = f"with an export or a backup of the server, run again with --date {day} --force"
        return [f"retention policy {policy!r} keeps {kept_since}: {gone}; {cure}"]

    def read(self, dataset: Dataset, day: LocalDay) -> Iterator[pa.RecordBatch]:
        """See `Source.read`."""
        self._refuse_other_types(dataset, day)
        self._refuse_other_policies(dataset, day)
        expected = self.counts(dataset, day)
        found = dict.fromkeys(dataset.fields, 0)
        for batch in self._batches(dataset, day):
            for field in dataset.fields:
                found[field] += len(batch) - batch.column(field).null_count
            yield batch
        if found != expected:
            raise SourceUnavailable(
                f"{self._where(dataset)}: the answer for {day} holds {_listed(found)} values, the server counts {_listed(expected)}; "
                "it was cut short, or points are still arriving: run again"
            )

    def _refuse_other_types(self, dataset: Dataset, day: LocalDay) -> None:
        keys = self._field_types(dataset)
        if not keys:
            raise SourceError(self._no_measurement(dataset))
        if not keys.keys() & dataset.fields.keys():
            raise SourceError(
                f"{self._where(dataset)} has none of the fields {', '.join(dataset.fields)} but {', '.join(sorted(keys))}; "
                "correct the dataset's fields in config.yaml"
            )
        if wrong_tags := keys.keys() & dataset.tags.keys():
            raise SourceError(
                f"{self._where(dataset)}: {', '.join(wrong_tags)} is a field there, not a tag; correct config.yaml"
            )
        for field, declared in dataset.fields.items():
            for other in sorted(keys.get(field, set()) - COMPATIBLE[declared]):
                selection = f"count({quote_ident(field)}::{other})"
                if count := self._single_row(dataset, day, selection)[1]:
                    raise SourceError(
                        f"{self._where(dataset)}: on {day} field {field} holds {count} values of type {other}, declared is {declared}; "
                        "InfluxDB would leave out one or the other. Correct the points on the server, or the type in config.yaml"
                    )

    def _refuse_other_policies(self, dataset: Dataset, day: LocalDay) -> None:
        """Where no policy is named, the default one may hold only a part of the day, or none: since it was changed, say."""
        if self._settings.influx_retention_policy:
            return
        for policy, _, is_default in self.policies(self._settings.influx_bucket):
            if not is_default and any(self.counts(dataset, day, policy).values()):
                raise SourceError(
                    f"{self._where(dataset)}: on {day} retention policy {policy!r} holds points of it too; "
                    "set INFLUX_RETENTION_POLICY to the one that has the readings"
                )

    def _field_types(self, dataset: Dataset) -> dict[str, set[str]]:
        types: dict[str, set[str]] = {}
        for field, kind in self.client.rows(
            f"SHOW FIELD KEYS FROM {quote_ident(dataset.measurement)}"
        ):
            types.setdefault(field, set()).add(kind)
        return types

    def _no_measurement(self, dataset: Dataset) -> str:
        others = [row[0] for row in self.client.rows("SHOW MEASUREMENTS LIMIT 20")]
        there = f"there are {', '.join(others)}" if others else "nothing can be seen there"
        if dataset.measurement in others:
            there = "it is there in another retention policy"
        return (
            f"{self._where(dataset)} does not exist ({there}); check INFLUX_MEASUREMENT, INFLUX_RETENTION_POLICY, INFLUX_BUCKET, and "
            "that the credentials may read, not only write"
        )

    def counts(self, dataset: Dataset, day: LocalDay, policy: str | None = None) -> dict[str, int]:
        """Values of each field that the server has in the day, in `policy` or the one that is set."""
        row = self._single_row(
            dataset,
            day,
            ", ".join(f"count({quote_ident(field)})" for field in dataset.fields),
            policy,
        )
        return {field: count or 0 for field, count in zip(dataset.fields, row[1:], strict=True)}

    def policies(self, database: str) -> Iterator[tuple[str, timedelta, bool]]:
        """Name of each retention policy, how long it keeps points (0: for ever; in 2.x always 0), and whether it is the default one."""
        for policy, kept, *_, is_default in self.client.rows(
            f"SHOW RETENTION POLICIES ON {quote_ident(database)}"
        ):
            yield policy, _duration(kept), is_default

    @functools.cached_property
    def retention(self) -> tuple[str, timedelta]:
        """The retention policy that is read, and how long it keeps points (0: for ever)."""
        wanted = self._settings.influx_retention_policy
        policies = (
            policy[:2]
            for policy in self.policies(self._settings.influx_bucket)
            if (policy[0] == wanted if wanted else policy[2])
        )
        policy, kept = next(policies, (wanted or "", timedelta()))
        return policy, kept or self._bucket_retention(policy)

    def _bucket_retention(self, policy: str) -> timedelta:
        """How long the bucket of 2.x keeps points: SHOW RETENTION POLICIES says for ever, whatever it is."""
        buckets = [
            mapping["bucketID"]
            for mapping in self.client.mappings(self.client.buckets())
            if mapping["retention_policy"] == policy
        ]
        rules = [
            rule["everySeconds"]
            for bucket in buckets
            for rule in self.client.listed(f"buckets/{bucket}", "retentionRules")
        ]
        return timedelta(seconds=min(rules, default=0))

    def _single_row(
        self, dataset: Dataset, day: LocalDay, selection: str, policy: str | None = None
    ) -> list[Any]:
        rows = self.client.rows(_select(selection, dataset, day, policy))
        return rows[0] if rows else [0] + [0] * (selection.count("count("))

    def _batches(self, dataset: Dataset, day: LocalDay) -> Iterator[pa.RecordBatch]:
        columns = [*dataset.fields, *dataset.tags]
        query = _select(", ".join(quote_ident(column) for column in columns), dataset, day)
        last = day.start_ns
        for series in self.client.series(query):
            if series["columns"] != ["time", *columns]:
                raise SourceError(
                    f"{self._where(dataset)}: asked for {columns}, the server answered {series['columns'][1:]}; check INFLUX_URL, and what "
                    "stands between here and the server"
                )
            batch = _batch(dataset, series["columns"], series["values"])
            times = batch.column("time")
            ascending = pc.all(pc.less_equal(times[:-1], times[1:]), min_count=0).as_py()
            if not ascending or times[0].as_py() < last or times[-1].as_py() >= day.end_ns:
                raise SourceError(
                    f"{self._where(dataset)}: the answer for {day} holds points out of order or of another day; check INFLUX_URL, and what "
                    "stands between here and the server"
                )
            last = times[-1].as_py()
            yield batch

    def _where(self, dataset: Dataset) -> str:
        policy = self._settings.influx_retention_policy or "the default retention policy"
        return f"measurement {dataset.measurement!r} in {self._settings.influx_bucket!r} ({policy}) at {self._settings.influx_url}"


def _select(selection: str, dataset: Dataset, day: LocalDay, policy: str | None = None) -> str:
    source = (
        quote_ident(dataset.measurement)
        if policy is None
        else f"{quote_ident(policy)}.{quote_ident(dataset.measurement)}"
    )
    return f"SELECT {selection} FROM {source} WHERE time >= {day.start_ns} AND time < {day.end_ns}"


def _batch(dataset: Dataset, columns: list[str], rows: list[list[Any]]) -> pa.RecordBatch:
    values = dict(zip(columns, zip(*rows, strict=True), strict=True))
    schema = dataset.raw_schema()
    arrays = [
        _column(dataset, name, values[name])
        if name in dataset.fields
        else pa.array(values[name], schema.field(name).type)
        for name in schema.names
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _column(dataset: Dataset, field: str, values: tuple[Any, ...]) -> pa.Array:
    """The field's values, none of them bent to its type; Arrow alone would cut off fractions and refuse 1e17."""
    declared = dataset.fields[field]
    if {type(value) for value in values} <= {type(None), *JSON_TYPES[declared]}:
        fitting = (
            [None if value is None else float(value) for value in values]
            if declared == "double"
            else values
        )
        try:
            return pa.array(fitting, ARROW_TYPES[declared])
        except (pa.ArrowInvalid, OverflowError):
            pass
    raise SourceError(
        f"measurement {dataset.measurement!r}: field {field} holds a value that does not fit {declared}, its declared type; "
        "correct the type in config.yaml, or the points on the server"
    )


def _duration(text: str) -> timedelta:
    """What Go writes as 168h0m0s."""
    return sum(
        (int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)([hms])", text)),
        timedelta(),
    )


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{field} {count}" for field, count in counts.items())
