"""One pass through an export: the wanted points go to the spool, all others are counted."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path

import structlog

from homeiot_batch.config import Settings
from homeiot_batch.errors import SourceError
from homeiot_batch.sources.exports.evidence import Days, Meter
from homeiot_batch.sources.exports.files import UnfinishedLine, read_lines
from homeiot_batch.sources.exports.line_protocol import (
    LineError,
    Value,
    measurement_bytes,
    parse_series,
    parse_time,
    parse_value,
    split_fields,
    split_line,
)
from homeiot_batch.sources.exports.lines import (
    Line,
    LogicalLines,
    is_statement,
    may_hold,
    skipped_files,
    without_marks,
)
from homeiot_batch.sources.exports.notices import FileNotices, shown
from homeiot_batch.sources.exports.sections import Section
from homeiot_batch.sources.exports.spool import Spool
from homeiot_batch.sources.exports.units import HIGHEST
from homeiot_batch.sources.exports.wanted import Wanted

FLUSH_ROWS = 100_000
MOST_SERIES = 100_000  # held at a time
UNUSUAL = frozenset([b"", b"#", b" ", b"\t", b"\0", b"\r", b"\xef"])  # how a line may begin

log = structlog.get_logger()


class _Target:
    """A series of a wanted measurement, for one dataset."""

    def __init__(self, wanted: Wanted, tags: dict[str, str]) -> None:
        self.wanted = wanted
        self.series = repr(list(tags.items()))
        self.meter: Meter = tuple(tags.get(tag) for tag in wanted.dataset.tags)
        self.days: Days = wanted.evidence.of(self.meter)


class _Met:
    """A series of the present section: how many lines, and for which datasets."""

    __slots__ = ("count", "measurement", "targets")

    def __init__(self, measurement: str, targets: list[_Target]) -> None:
        self.measurement = measurement
        self.targets = targets
        self.count = 0


class ExportPass:
    """Reads all files once. What it found is in `wanted`, `files` and the counters afterwards."""

    def __init__(self, settings: Settings, wanted: Sequence[Wanted], spool: Spool) -> None:
        self._settings = settings
        self._spool = spool
        self._wanted = wanted
        self._by_measurement: dict[str, list[Wanted]] = defaultdict(list)
        for entry in wanted:
            self._by_measurement[entry.dataset.measurement].append(entry)
        self._names = [measurement_bytes(name) for name in self._by_measurement]
        self._fields = {name for entry in wanted for name in entry.columns}
        self._known: dict[bytes, _Met] = {}
        self._section = Section(Path(), 0)
        self._line = 0  # in the file
        self._number = 0  # in all files
        self.files: list[FileNotices] = []
        self.measurements: Counter[str] = Counter()
        self.elsewhere: dict[str, Counter[str]] = defaultdict(Counter)

    def run(self, files: Sequence[Path]) -> None:
        """Read the files; SourceError where a wanted point may be damaged."""
        for file in files:
            self.files.append(FileNotices(file))
            self._enter(Section(file, file.stat().st_mtime_ns))
            try:
                self._sort(LogicalLines(read_lines(file)))
            except UnfinishedLine as cut:
                self._judge_end(cut)
            self._retire()
        for entry in self._wanted:
            self._flush(entry)
            entry.evidence.close()
        self._log()

    # lines

    def _sort(self, lines: Iterable[Line]) -> None:
        """Send every line to the spool, or count it as another's."""
        known = self._known
        for self._line, found in lines:
            line = found
            if found[:1] in UNUSUAL:
                line = without_marks(found)
                self._refuse_destroyed(found, line)
                if line.startswith(b"#"):
                    self._read_comment(line)
                    continue
                if not line.strip():
                    continue
            try:
                series, fields, time = split_line(line)
                met = known.get(series) or self._meet(series)
                met.count += 1
                if met.targets:
                    self._take(met, fields, time)
            except LineError as error:
                self._judge(line, error)

    def _take(self, met: _Met, fields: bytes, time: bytes) -> None:
        """Count a line of a wanted measurement as proof, and spool what it holds of wanted days."""
        self._number += 1
        # int alone takes more than digits, and 20 digits are too many
        instant = int(time) if time.isdigit() and len(time) < 20 else parse_time(time)
        for target in met.targets:
            target.days.add(instant)
            if target.wanted.first <= instant < target.wanted.end:
                if target.wanted.day_at(instant) >= 0:
                    self._keep(target, split_fields(fields), instant)
            elif 0 <= instant < HIGHEST:
                self._suspect(target, split_fields(fields), instant)

    def _suspect(self, target: _Target, fields: list[tuple[bytes, bytes]], time: int) -> None:
        """Note a line of 1970: its time may be in another unit, or be cut short like its value."""
        declared = [text for name, text in fields if name in target.wanted.columns]
        for text in declared:
            parse_value(text)
        if declared:
            target.wanted.units.see(time, target.meter, self._place)

    def _keep(self, target: _Target, fields: list[tuple[bytes, bytes]], time: int) -> None:
        """Spool the point if it holds a declared field."""
        wanted = target.wanted
        values: list[Value | None] = [None] * len(wanted.kinds)
        declared = False
        for name, text in fields:
            place = wanted.columns.get(name)
            if place is not None:
                declared = True
                values[place] = self._fitting(parse_value(text), name, wanted.kinds[place])
            elif not text.startswith(b'"'):
                parse_value(text)  # a line that InfluxDB would refuse holds no readings
        if not declared:
            return
        if wrong := [name.decode() for name, _ in fields if name in wanted.tags]:
            raise SourceError(
                f"{self._place()}: {', '.join(wrong)} is a field there, not a tag; "
                "correct config.yaml"
            )
        wanted.rows.append((time, target.series, self._number, *target.meter, *values))
        if len(wanted.rows) >= FLUSH_ROWS:
            self._flush(wanted)

    def _fitting(self, value: Value, name: bytes, declared: str) -> Value:
        if not _fits(value, declared):
            raise SourceError(
                f"{self._place()}: field {name.decode()} is {value!r}, declared is {declared}; "
                "correct the points on the server, or the type in config.yaml"
            )
        return float(value) if declared == "double" else value

    def _flush(self, wanted: Wanted) -> None:
        self._spool.add(wanted.dataset, wanted.rows)
        wanted.rows.clear()

    # series and sections

    def _meet(self, text: bytes) -> _Met:
        """The series of this text in the present section, seen for the first time."""
        found = parse_series(without_marks(text))
        targets = []
        if not self._is_elsewhere():
            entries = self._by_measurement.get(found.measurement, ())
            targets = [_Target(entry, found.tags) for entry in entries]
        if len(self._known) >= MOST_SERIES:
            self._retire()
        met = self._known[text] = _Met(found.measurement, targets)
        return met

    def _retire(self) -> None:
        """Add up the lines of the series that are known, and begin anew."""
        if not self._known:
            return
        is_elsewhere = self._is_elsewhere()
        counts = self.elsewhere[self._section.name()] if is_elsewhere else self.measurements
        for met in self._known.values():
            counts[met.measurement] += met.count
            self.files[-1].points += met.count
            self._section.points += 0 if is_elsewhere else met.count
            if self._section.policy is not None:
                for target in met.targets:
                    target.wanted.policies.add(self._section.policy)
        self._known.clear()

    def _enter(self, section: Section) -> None:
        self._section = section
        for entry in self._wanted:
            entry.evidence.begin(section)

    def _read_comment(self, line: bytes) -> None:
        text = line.decode(errors="replace").strip()
        if not text.startswith(("# INFLUXDB EXPORT:", "# CONTEXT-")):
            return
        self._retire()
        section = self._section.read_comment(text)
        if section is not self._section:
            self._enter(section)

    def _is_elsewhere(self) -> bool:
        settings = self._settings
        return self._section.is_of_another(settings.influx_bucket, settings.influx_retention_policy)

    # what cannot be read

    def _judge(self, line: bytes, error: LineError) -> None:
        """Leave out a line that cannot be a wanted point; SourceError for one that may be."""
        if skipped := skipped_files(line):
            self.files[-1].skipped.add(self._line, skipped)
            if rest := line[len(skipped) :].strip():
                self._sort([(self._line, rest)])
            return
        if is_statement(line):
            return
        if not self._is_elsewhere() and may_hold(line, self._names, self._fields):
            raise SourceError(
                f"{self._place()} {error.problem} ({error}): {shown(line)}; correct or delete "
                "the line in a copy of the file and use that: another export would have it too"
            )
        self.files[-1].unreadable.add(self._line, line)

    def _refuse_destroyed(self, line: bytes, rest: bytes) -> None:
        """SourceError for the rest of a reading after NULs, as a damaged disk leaves it."""
        if not line.startswith(b"\0") or rest.startswith(tuple(self._names)):
            return
        if any(name + b"=" in rest for name in self._fields):
            self._judge(line, LineError("its beginning is lost"))

    def _judge_end(self, cut: UnfinishedLine) -> None:
        """Accept the end of a file that is no export, or whose last words are influx_inspect's."""
        self._line = cut.number
        line = without_marks(cut.line)
        if skipped_files(line) == line:
            self.files[-1].skipped.add(cut.number, line)
            return
        points = self.files[-1].points + sum(met.count for met in self._known.values())
        if points or line.startswith(b"#") or may_hold(line, self._names, self._fields):
            raise SourceError(
                f"{self._place()}: the last line is unfinished, the file is cut short; "
                "copy it again, nothing of it is used"
            )
        self.files[-1].unreadable.add(cut.number, line)

    def _place(self) -> str:
        return f"{self._section.file} line {self._line}"

    def _log(self) -> None:
        wanted = {entry.dataset.measurement for entry in self._wanted}
        log.info(
            "export read",
            files=len(self.files),
            lines=self.measurements.total() + sum(c.total() for c in self.elsewhere.values()),
            other_measurements=sum(
                n for name, n in self.measurements.items() if name not in wanted
            ),
            other_databases=sum(counts.total() for counts in self.elsewhere.values()),
            unreadable=sum(file.unreadable.count for file in self.files),
        )


def _fits(value: Value, declared: str) -> bool:
    if declared == "boolean" or isinstance(value, bool):
        return declared == "boolean" and isinstance(value, bool)
    if declared == "integer":
        return isinstance(value, int) and -(2**63) <= value < 2**63
    return isinstance(value, str if declared == "string" else (float, int))
