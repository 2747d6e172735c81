"""What an InfluxDB server holds, in a bounded number of questions."""

import contextlib
import itertools
import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import batched

from homeiot_batch.config import Settings
from homeiot_batch.core.days import nanoseconds
from homeiot_batch.errors import SourceError, SourceLimit
from homeiot_batch.setup_house.survey import (
    DAYS,
    HOUR_NS,
    Measurement,
    Samples,
    Series,
    Silent,
    Survey,
    in_order,
    label_fields,
    sampled_fields,
)
from homeiot_batch.sources.influxdb.answers import FieldKey, Instant, ShapeError, parsed
from homeiot_batch.sources.influxdb.answers import Series as Rows
from homeiot_batch.sources.influxdb.client import InfluxClient, quote_ident
from homeiot_batch.sources.influxdb.pieces import Span, in_pieces
from homeiot_batch.sources.influxdb.schema import Types

MOST_MEASUREMENTS = 5_000
AT_ONCE = 200  # measurements that one question names
MOST_FIELDS = 40  # of one measurement
WINDOW_NS = DAYS * 24 * HOUR_NS
# measurements whose names hold this are looked at first
ENERGY_NAMES = r"^[kM]?Wh?$|energy|power|electric|meter|mqtt|modbus|dsmr|p1|grid|solar|pv|wh$"
# what is said in place of the series that have been silent for long
UNTOLD = (
    f"series that have been silent for more than {DAYS} days are not listed: the server's "
    "--query-file-limit allows no question about all time"
)

Fields = tuple[str, ...]
Tags = tuple[tuple[str, str], ...]


@dataclass
class _Seen:
    """What the answers told of a series, before it is whole."""

    numbers: dict[str, dict[int, float]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)


class ServerSurvey:
    """Asks a server which measurements it has, and what their last days are like."""

    def __init__(self, settings: Settings, client: InfluxClient, *, look_at_all: bool) -> None:
        self._settings = settings
        self._client = client
        self._most = None if look_at_all else MOST_MEASUREMENTS
        self._seen: dict[tuple[str, Tags], _Seen] = {}
        self._types: dict[str, Types] = {}

    def survey(self) -> Survey:
        """The measurements of the retention policy that is read."""
        types = self._types = self._asked_types()
        names = sorted(types, key=_interest)[: self._most]
        batches = list(_batches({name: types[name] for name in names}))
        now = nanoseconds(self._settings.instant())
        self._look(batches, Span(now - WINDOW_NS, now))
        if not self._seen:
            newest = self._newest(batches)
            self._look(batches, Span(newest + 1 - WINDOW_NS, newest + 1))
        self._read_labels(types, names)
        series = self._series()
        found = [Measurement(name, types[name], in_order(series[name])) for name in sorted(names)]
        place = f"{self._settings.influx_bucket!r} at {self._settings.influx_url}"
        return Survey(place, found, len(types) - len(names))

    def silent(self, fields: Mapping[str, Collection[str]]) -> Iterator[Silent | str]:
        """The series that had none of the fields in the last days, or why that cannot be told.

        `fields` by measurement.
        """
        try:
            yield from self._asked_silent(fields)
        except SourceLimit:
            yield UNTOLD

    def _asked_silent(self, fields: Mapping[str, Collection[str]]) -> Iterator[Silent]:
        alike: dict[tuple[str, str], list[str]] = defaultdict(list)
        for measurement, names in fields.items():
            for name in names:
                # one question is asked of fields of one type
                alike[name, min(self._types[measurement][name])].append(measurement)
        for (name, _), measurements in alike.items():
            for batch in batched(measurements, AT_ONCE):
                query = f"SELECT last({_field(name)}) FROM {_sources(batch)} GROUP BY *"
                for rows in self._client.series(query):
                    yield from self._silent(rows, name)

    def _silent(self, rows: Rows, name: str) -> Iterator[Silent]:
        """The series of the answer, if the last days had no value of the field."""
        if name in self._of(rows).numbers:
            return
        for time, value in _numbers(rows):
            yield Silent(rows.name, rows.tags, name, time - time % HOUR_NS, value)

    def _asked_types(self) -> dict[str, Types]:
        """The types of the fields of each measurement.

        With FROM a server takes a minute for thousands of measurements.
        """
        types: dict[str, Types] = {}
        for series in self._client.series("SHOW FIELD KEYS"):
            fields = types.setdefault(series.name, {})
            for row in series.rows():
                key = self._field_key(row)
                fields.setdefault(key.name, set()).add(key.kind)
        return types

    def _field_key(self, row: object) -> FieldKey:
        try:
            return parsed(FieldKey, row)
        except ShapeError as error:
            raise SourceError(
                f"{self._settings.influx_url} answered SHOW FIELD KEYS in another way than "
                f"InfluxDB: {error}; check INFLUX_URL, and what stands between here and the server"
            ) from None

    def _look(self, batches: Sequence[tuple[Fields, Sequence[str]]], window: Span) -> None:
        """Take the last value of each hour."""
        for fields, names in batches:
            for rows in self._last(fields, names, window, "GROUP BY *, time(1h) fill(none)"):
                self._take_numbers(rows, fields)

    def _last(
        self, fields: Sequence[str], names: Sequence[str], window: Span, grouped: str
    ) -> Iterator[Rows]:
        """The last values of the fields, of a later piece of the window after an earlier one's."""
        columns = [f"last({_field(name)}) AS {quote_ident(name)}" for name in fields]
        query = f"SELECT {', '.join(columns)} FROM {_sources(names)} WHERE "

        def ask(span: Span) -> list[Rows]:
            condition = f"time >= {span.start_ns} AND time < {span.end_ns}"
            return list(self._client.series(f"{query}{condition} {grouped}"))

        return itertools.chain.from_iterable(in_pieces(window, ask))

    def _take_numbers(self, rows: Rows, fields: Fields) -> None:
        seen = self._of(rows)
        for hour, *values in rows.values:
            for name, value in zip(fields, values, strict=False):
                if isinstance(hour, int) and isinstance(value, int | float):
                    seen.numbers.setdefault(name, {})[hour] = float(value)

    def _of(self, rows: Rows) -> _Seen:
        tags = tuple((tag, value) for tag, value in sorted(rows.tags.items()) if value)
        return self._seen.setdefault((rows.name, tags), _Seen())

    def _newest(self, batches: Sequence[tuple[Fields, Sequence[str]]]) -> int:
        """The time of the newest number, ns, of a server that has got none for days."""
        newest = 0
        for fields, names in batches:
            for name in fields:
                newest = max([newest, *self._last_times(name, names)])
        return newest

    def _last_times(self, name: str, names: Sequence[str]) -> list[int]:
        """The times of the last points with the field in the measurements, ns."""
        query = f"SELECT last({_field(name)}) FROM {_sources(names)}"
        with contextlib.suppress(SourceLimit):
            return [row.time for row in self._client.rows(query, Instant)]

        def ask(span: Span) -> list[int]:
            condition = f"WHERE time >= {span.start_ns} AND time < {span.end_ns}"
            return [row.time for row in self._client.rows(f"{query} {condition}", Instant)]

        until = Span(0, nanoseconds(self._settings.instant()))
        return next(filter(None, in_pieces(until, ask, newest_first=True)), [])

    def _read_labels(self, types: dict[str, Types], names: Sequence[str]) -> None:
        """Take the texts beside the numbers."""
        hours = [
            hour for seen in self._seen.values() for at in seen.numbers.values() for hour in at
        ]
        if not hours:
            return
        end = max(hours) + HOUR_NS
        window = Span(end - WINDOW_NS, end)
        by_labels: dict[Fields, list[str]] = {}
        for name in names:
            labels = tuple(label_fields(types[name]))
            by_labels.setdefault(labels, []).append(name)
        for labels, alike in by_labels.items():
            for batch in batched(alike, AT_ONCE):
                if labels:
                    self._take_texts(labels, batch, window)

    def _take_texts(self, labels: Fields, names: Sequence[str], window: Span) -> None:
        for rows in self._last(labels, names, window, "GROUP BY *"):
            texts = self._of(rows).texts
            for _, *values in rows.values:
                for label, value in zip(labels, values, strict=False):
                    if isinstance(value, str):
                        texts[label] = value

    def _series(self) -> dict[str, list[Series]]:
        """What was seen, by measurement."""
        found: dict[str, list[Series]] = defaultdict(list)
        for (name, tags), seen in self._seen.items():
            numbers = {}
            for key, hours in seen.numbers.items():
                numbers[key] = Samples(dict(sorted(hours.items())))
            found[name].append(Series(name, dict(tags), numbers, seen.texts))
        return found


def _interest(name: str) -> tuple[bool, str]:
    """An order in which names that say energy or power come first."""
    is_energy = re.search(ENERGY_NAMES, name, re.IGNORECASE)
    return is_energy is None, name


def _numbers(rows: Rows) -> Iterator[tuple[int, float]]:
    """Time (ns) and value of rows of one number."""
    for time, value in rows.values:
        if isinstance(time, int) and isinstance(value, int | float):
            yield time, float(value)


def _batches(types: dict[str, Types]) -> Iterator[tuple[Fields, Sequence[str]]]:
    """Measurements that one question can be asked of: they have the same numbers, of one type."""
    alike: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for name, fields in types.items():
        wanted = sampled_fields(fields, MOST_FIELDS)
        key = tuple((field_name, min(fields[field_name])) for field_name in wanted)
        if key:
            alike.setdefault(key, []).append(name)
    for key, names in alike.items():
        fields = tuple(field_name for field_name, _ in key)
        for batch in batched(names, AT_ONCE):
            yield fields, batch


def _field(name: str) -> str:
    return f"{quote_ident(name)}::field"


def _sources(names: Sequence[str]) -> str:
    return ", ".join(map(quote_ident, names))
