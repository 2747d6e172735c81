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
    parse_float,
    parse_series,
    parse_time,
    parse_value,
    split_fields,
    split_line,
)
from homeiot_batch.sources.exports.lines import (
    DESTROYED,
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
# of a column of integers
LOWEST_INTEGER = -(2**63)
HIGHEST_INTEGER = 2**63 - 1
UNUSUAL = frozenset([b"", b"#", b" ", b"\t", b"\0", b"\r", b"\xef"])  # how a line may begin

log = structlog.get_logger()


class _Target:
    """A series of a wanted measurement, for one dataset."""

    def __init__(self, wanted: Wanted, tags: dict[str, str]) -> None:
        self.wanted = wanted
        self.series = repr(list(tags.items()))
        self.meter: Meter = tuple(map(tags.get, wanted.dataset.tags))
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
        """Read the files. SourceError where a wanted point may be damaged."""
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
            if DESTROYED in found:
                raise self._destroyed()
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
        if time.isdigit() and len(time) < 20:
            instant = int(time)
        else:
            instant = parse_time(time)
        for target in met.targets:
            target.days.add(instant)
            if target.wanted.first <= instant < target.wanted.end:
                if target.wanted.day_at(instant) < 0:
                    continue
                if not self._keep_plain(target, fields, instant):
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

    def _keep_plain(self, target: _Target, fields: bytes, time: int) -> bool:
        """Spool the fields, if they are a single number of a declared `double` field."""
        wanted = target.wanted
        name, _, text = fields.partition(b"=")
        column = wanted.doubles.get(name)
        if column is None:
            return False
        value = parse_float(text)
        if value is None:
            return False
        wanted.plain.add(target, column, time, self._number, value)
        if len(wanted.plain) >= FLUSH_ROWS:
            self._flush(wanted)
        return True

    def _keep(self, target: _Target, fields: list[tuple[bytes, bytes]], time: int) -> None:
        """Spool the point if it holds a declared field."""
        wanted = target.wanted
        values: list[Value | None] = [None] * len(wanted.kinds)
        declared = False
        for name, text in fields:
            place = wanted.columns.get(name)
            if place is not None:
                declared = True
                value = parse_value(text)
                values[place] = self._fitting(value, name, wanted.kinds[place])
            elif not text.startswith(b'"'):
                parse_value(text)  # a line that InfluxDB would refuse holds no readings
        if not declared:
            return
        self._refuse_fields_named_like_tags(fields, wanted)
        point = time, target.series, self._number
        wanted.rows.append((*point, *target.meter, *values))
        if len(wanted.rows) >= FLUSH_ROWS:
            self._flush(wanted)

    def _refuse_fields_named_like_tags(
        self, fields: list[tuple[bytes, bytes]], wanted: Wanted
    ) -> None:
        wrong = [name.decode() for name, _ in fields if name in wanted.tags]
        if wrong:
            raise SourceError(
                f"{self._place()}: {', '.join(wrong)} is a field there, not a tag; "
                "correct config.yaml"
            )

    def _fitting(self, value: Value, name: bytes, declared: str) -> Value:
        if not _fits(value, declared):
            field = name.decode()
            raise SourceError(
                f"{self._place()}: field {field} is {value!r}, declared is {declared}; "
                "correct the points on the server, or the type in config.yaml"
            )
        if declared == "double":
            return float(value)
        return value

    def _flush(self, wanted: Wanted) -> None:
        self._spool.add(wanted.dataset, wanted.rows)
        wanted.rows.clear()
        self._spool.add_values(wanted.dataset, wanted.plain)

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
        self._count_lines()
        if self._section.policy is not None:
            self._note_policy(self._section.policy)
        self._known.clear()

    def _count_lines(self) -> None:
        """Add the lines of the known series to those of their measurement, and of the file."""
        lines: Counter[str] = Counter()
        for met in self._known.values():
            lines[met.measurement] += met.count
        self.files[-1].points += lines.total()
        if self._is_elsewhere():
            self.elsewhere[self._section.name()] += lines
        else:
            self.measurements += lines
            self._section.points += lines.total()

    def _note_policy(self, policy: str) -> None:
        """The targets of the known series have points in this retention policy."""
        for met in self._known.values():
            for target in met.targets:
                target.wanted.policies.add(policy)

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
        """Leave out a line that cannot be a wanted point. SourceError for one that may be."""
        if skipped := skipped_files(line):
            self.files[-1].skipped.add(self._line, skipped)
            if rest := line[len(skipped) :].strip():
                self._sort([(self._line, rest)])
            return
        if is_statement(line):
            return
        if not self._is_elsewhere() and may_hold(line, self._names, self._fields):
            what = f"{error.problem} ({error}): {shown(line)}"
            raise SourceError(
                f"{self._place()} {what}; correct or delete the line in a copy of the file and "
                "use that: another export would have it too"
            )
        self.files[-1].unreadable.add(self._line, line)

    def _refuse_destroyed(self, line: bytes, rest: bytes) -> None:
        """SourceError for the rest of a reading after NULs, as a damaged disk leaves it."""
        if not line.startswith(b"\0") or rest.startswith(tuple(self._names)):
            return
        if any(name + b"=" in rest for name in self._fields):
            self._judge(line, LineError("its beginning is lost"))

    def _destroyed(self) -> SourceError:
        return SourceError(
            f"{self._place()} holds a long stretch of zero bytes, in the place of what a power cut "
            "or a bad disk has destroyed; copy it or export it again, nothing of it is used"
        )

    def _judge_end(self, cut: UnfinishedLine) -> None:
        """Accept the end of a file that is no export, or whose last words are influx_inspect's."""
        self._line = cut.number
        line = without_marks(cut.line)
        if not cut.line.strip():
            return
        if line and skipped_files(line) == line:
            self.files[-1].skipped.add(cut.number, line)
            return
        counted_now = sum(met.count for met in self._known.values())
        points = self.files[-1].points + counted_now
        if points or line.startswith(b"#") or may_hold(line, self._names, self._fields):
            raise SourceError(
                f"{self._place()}: the last line is unfinished, the file is cut short; "
                "copy it again, nothing of it is used"
            )
        self.files[-1].unreadable.add(cut.number, line)

    def _place(self) -> str:
        return f"{self._section.file} line {self._line}"

    def _log(self) -> None:
        of_other_databases = sum(counts.total() for counts in self.elsewhere.values())
        wanted = {entry.dataset.measurement for entry in self._wanted}
        others = [lines for name, lines in self.measurements.items() if name not in wanted]
        log.info(
            "export read",
            files=len(self.files),
            lines=self.measurements.total() + of_other_databases,
            other_measurements=sum(others),
            other_databases=of_other_databases,
            unreadable=sum(file.unreadable.count for file in self.files),
        )


def _fits(value: Value, declared: str) -> bool:
    # True is an int in Python
    if declared == "boolean" or isinstance(value, bool):
        return declared == "boolean" and isinstance(value, bool)
    if declared == "integer":
        return isinstance(value, int) and LOWEST_INTEGER <= value <= HIGHEST_INTEGER
    if declared == "string":
        return isinstance(value, str)
    return isinstance(value, float | int)
