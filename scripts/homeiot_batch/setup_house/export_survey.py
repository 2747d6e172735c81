"""What an export holds, in one pass through its lines."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from homeiot_batch.config import Settings
from homeiot_batch.setup_house.survey import (
    DAYS,
    HOUR_NS,
    LABELS,
    Measurement,
    Samples,
    Series,
    Silent,
    Survey,
    in_order,
)
from homeiot_batch.sources.exports.files import UnfinishedLine, export_files, read_lines
from homeiot_batch.sources.exports.line_protocol import (
    LineError,
    Value,
    parse_series,
    parse_time,
    parse_value,
    split_fields,
    split_line,
)
from homeiot_batch.sources.exports.lines import LogicalLines, without_marks
from homeiot_batch.sources.exports.sections import Section
from homeiot_batch.sources.influxdb.schema import Types

KEPT_HOURS = DAYS * 24
SPAN_NS = HOUR_NS // 6
MOST_HOURS = 4 * KEPT_HOURS  # before the oldest are left out
# what stands behind the name of a field, in a line without texts: twice as fast
_NUMBER = re.compile(rb"=[^,]*+")
# and in any line. A name with a backslash may keep its value: then its line is read
_VALUE = re.compile(rb'(?<!\\)=(?:"(?:[^"\\]|\\.)*+"|[^,]*+)', re.DOTALL)


@dataclass
class _Seen:
    """What the lines of a series have told so far."""

    measurement: str
    tags: dict[str, str]
    # of each number the time and the value that is the last one, by hour
    numbers: dict[str, dict[int, tuple[int, float]]] = field(default_factory=dict)
    texts: dict[str, str] = field(default_factory=dict)

    def add_number(self, name: str, time: int, value: float) -> None:
        hours = self.numbers.setdefault(name, {})
        hour = time - time % HOUR_NS
        if hour not in hours or hours[hour][0] <= time:
            hours[hour] = time, value
        if len(hours) > MOST_HOURS:
            for old in sorted(hours)[:-KEPT_HOURS]:
                del hours[old]

    def samples(self, since: int) -> dict[str, Samples]:
        """The numbers of the hours from `since` (ns) on."""
        found = {}
        for name, hours in self.numbers.items():
            values = {hour: hours[hour][1] for hour in sorted(hours) if hour >= since}
            if values:
                found[name] = Samples(values)
        return found


class ExportSurvey:
    """Reads the export that INFLUX_URL names. `hours` are afterwards those with points."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._known: dict[bytes, _Seen | None] = {}
        self._series: dict[str, _Seen] = {}
        self._types: dict[str, Types] = {}
        self._since = 0
        # the last ten minutes of each series and names of the fields of a line
        self._spans: dict[tuple[bytes, bytes], int] = {}
        # numbers of hours since the epoch, by measurement
        self.hours: dict[str, set[int]] = {}

    def survey(self) -> Survey:
        """The measurements of the database that is read. SourceError for damaged files."""
        for file in export_files(self._settings.influx_url):
            self._read(file)
        newest = max((hour for hours in self.hours.values() for hour in hours), default=0)
        self._since = (newest + 1 - KEPT_HOURS) * HOUR_NS
        series: dict[str, list[Series]] = defaultdict(list)
        for seen in self._series.values():
            samples = seen.samples(self._since)
            if samples:
                series[seen.measurement].append(_series(seen, samples))
        found = [
            Measurement(name, types, in_order(series[name]))
            for name, types in sorted(self._types.items())
        ]
        return Survey(self._settings.influx_url, found)

    def silent(self, fields: Mapping[str, Collection[str]]) -> Iterator[Silent]:
        """The series that had none of the fields in the last days. `fields` by measurement."""
        for seen in self._series.values():
            for name in sorted(fields.get(seen.measurement, ())):
                hours = seen.numbers.get(name)
                if hours and max(hours) < self._since:
                    last = max(hours)
                    yield Silent(seen.measurement, seen.tags, name, last, hours[last][1])

    def _read(self, file: Path) -> None:
        section = Section(file, 0)
        self._known.clear()
        try:
            for _, found in LogicalLines(read_lines(file)):
                line = without_marks(found)
                if line.startswith(b"#"):
                    section = section.read_comment(line.decode(errors="replace").strip())
                    self._known.clear()
                elif line.strip():
                    self._take(line, section)
        except UnfinishedLine:
            return  # a run says so, if it may be a reading

    def _take(self, line: bytes, section: Section) -> None:
        """Add what the line holds. One that is no line protocol is passed over."""
        try:
            text, fields, time_text = split_line(line)
            if text not in self._known:
                self._known[text] = self._meet(text, section)
            seen = self._known[text]
            if seen is None:
                return
            time = parse_time(time_text)
            if self._is_seen(text, fields, time):
                return
            for name, value in split_fields(fields):
                self._add(seen, name.decode(), parse_value(value), time)
        except (LineError, UnicodeDecodeError):
            return
        self.hours.setdefault(seen.measurement, set()).add(time // HOUR_NS)

    def _is_seen(self, text: bytes, fields: bytes, time: int) -> bool:
        """Whether the line before it of its series, with these fields, is of the same time.

        To read a line in ten minutes is enough, and takes much less time.
        """
        names, _, rest = fields.partition(b"=")
        if b'"' in fields or b"\\" in fields:
            names = _VALUE.sub(b"", fields)
        elif b"=" in rest:
            names = _NUMBER.sub(b"", fields)
        key = text, names
        span = time // SPAN_NS
        if self._spans.get(key) == span:
            return True
        self._spans[key] = span
        return False

    def _meet(self, text: bytes, section: Section) -> _Seen | None:
        """The series, or None if it is of another database."""
        settings = self._settings
        if section.is_of_another(settings.influx_bucket, settings.influx_retention_policy):
            return None
        found = parse_series(text)
        key = repr((found.measurement, found.tags))
        return self._series.setdefault(key, _Seen(found.measurement, found.tags))

    def _add(self, seen: _Seen, name: str, value: Value, time: int) -> None:
        types = self._types.setdefault(seen.measurement, {})
        types.setdefault(name, set()).add(_kind(value))
        if isinstance(value, str):
            if name in LABELS:
                seen.texts[name] = value
        elif not isinstance(value, bool):
            seen.add_number(name, time, float(value))


def _series(seen: _Seen, samples: Mapping[str, Samples]) -> Series:
    return Series(seen.measurement, seen.tags, samples, seen.texts)


def _kind(value: Value) -> str:
    """The type as InfluxDB names it."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, str):
        return "string"
    if isinstance(value, int):
        return "integer"
    return "float"
