"""Local days from an export: line protocol as `influx_inspect export` and `influxd inspect export-lp` write it.

An export holds a field a line, in no order of time, so its lines are sorted into a spool on disk, in one pass for all days that are
wanted, and each day is then put together from there.
"""

import atexit
import bisect
import contextlib
import gzip
import os
import re
import shutil
import tempfile
import threading
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import unquote, urlsplit

import duckdb
import pyarrow as pa
import structlog
from line_protocol_parser import LineFormatError, parse_line

from homeiot_batch.config import Settings
from homeiot_batch.datasets import ARROW_TYPES, Dataset, quoted
from homeiot_batch.days import LocalDay
from homeiot_batch.errors import ArchiveError, SourceError

log = structlog.get_logger()

WantedDays = Mapping[str, Sequence[date]]
FLUSH_ROWS = 100_000
BATCH_ROWS = 50_000
# an export whose last reading lies longer before midnight may have been made too early
QUIET_END_NS = 3600 * 10**9
LONGEST_TEXT = 1000  # lines of one quoted string


@dataclass
class _Context:
    """Database and retention policy that the comments of an export put the following lines in."""

    database: str | None = None
    policy: str | None = None
    in_ddl: bool = False
    span: tuple[datetime, datetime] | None = None


@dataclass
class _Wanted:
    """The lines that one pass keeps for one dataset."""

    dataset: Dataset
    starts: list[int]
    ends: list[int]
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    last: int | None = None
    policies: set[str | None] = field(default_factory=set)

    def covers(self, time: int) -> bool:
        """Whether the time lies in a wanted day."""
        index = bisect.bisect_right(self.starts, time) - 1
        return index >= 0 and time < self.ends[index]


class ExportReader:
    """Reads days from a file or a folder of files of line protocol, plain or gzip."""

    def __init__(self, settings: Settings, wanted: WantedDays, staging: Path) -> None:
        self._settings = settings
        self._path = _path(settings.influx_url)
        self._wanted = wanted
        self._spool: duckdb.DuckDBPyConnection | None = None
        self._staging = staging
        self._spooled: set[tuple[str, date]] = set()
        self._damage: SourceError | None = None
        self._unusable: dict[str, str] = {}
        self._last: dict[str, int | None] = {}
        self._headers: list[tuple[datetime, datetime] | None] = []
        self._written_at = datetime.fromtimestamp(0, UTC)
        self._lock = threading.Lock()

    def describe(self, dataset: Dataset) -> dict[str, Any]:
        """Path, database and measurement."""
        return {
            "kind": "export",
            "path": str(self._path),
            "database": self._settings.influx_bucket,
            "retention_policy": self._settings.influx_retention_policy,
            "measurement": dataset.measurement,
        }

    def read(self, dataset: Dataset, day: LocalDay) -> Iterator[pa.RecordBatch]:
        """See `Source.read`. The first call reads the whole export."""
        with self._lock:
            cursor = self._spooled_day(dataset, day).cursor()
        self._refuse_uncovered(dataset, day)
        with cursor:
            found = cursor.sql(_points(dataset), params=[day.start_ns, day.end_ns])
            for batch in found.to_arrow_reader(BATCH_ROWS):
                yield batch.cast(dataset.raw_schema())

    def doubts(self, dataset: Dataset, day: LocalDay) -> list[str]:
        """Whether the export ends early in the day."""
        last = self._last.get(dataset.name)
        if last is None or not day.start_ns <= last < day.end_ns - QUIET_END_NS:
            return []
        cure = (
            f"if it was made before the day was over, run with a later one and --date {day} --force"
        )
        return [f"the export's last reading is at {_shown(last, day)}; {cure}"]

    def _refuse_uncovered(self, dataset: Dataset, day: LocalDay) -> None:
        """SourceError for a day that the export cannot hold whole: it would be archived short, or empty."""
        last = self._last.get(dataset.name)
        if self._written_at < day.end:
            raise SourceError(
                f"{self._path} was written at {self._written_at:%F %T} UTC, before {day} was over; export again, or give an earlier end"
            )
        if self._headers and None not in self._headers:
            spans = [header for header in self._headers if header is not None]
            start, end = min(start for start, _ in spans), max(end for _, end in spans)
            if day.start < start or day.end > end:
                raise SourceError(
                    f"{self._path} is an export of {start:%F %T} to {end:%F %T} UTC, which does not cover {day}; export the whole day"
                )
        if last is not None and last < day.start_ns:
            raise SourceError(
                f"{self._path} has no point of {dataset.measurement!r} after {_shown(last, day)}: {day} is not in it; give an earlier end"
            )

    def _spooled_day(self, dataset: Dataset, day: LocalDay) -> duckdb.DuckDBPyConnection:
        """The spool with the day in it; the same SourceError again for an export that was found damaged."""
        if self._damage is not None:
            raise self._damage
        try:
            if self._spool is None:
                self._spool = _open_spool(self._staging)
                self._pass(self._spool, self._wanted)
            if (dataset.name, day.date) not in self._spooled:
                self._pass(self._spool, {dataset.name: [day.date]})
        except SourceError as error:
            self._damage = error
            raise
        if dataset.name in self._unusable:
            raise SourceError(self._unusable[dataset.name])
        return self._spool

    def _pass(self, spool: duckdb.DuckDBPyConnection, days: WantedDays) -> None:
        wanted: dict[str, list[_Wanted]] = {}
        for name, dates in days.items():
            dataset = self._settings.datasets[name]
            bounds = [LocalDay(day, self._settings.zone) for day in sorted(dates)]
            entry = _Wanted(
                dataset, [day.start_ns for day in bounds], [day.end_ns for day in bounds]
            )
            wanted.setdefault(dataset.measurement, []).append(entry)
            spool.execute(_spool_table(dataset))
        counts = self._sort_lines(spool, wanted)
        for entry in (entry for entries in wanted.values() for entry in entries):
            _flush(spool, entry)
            self._last[entry.dataset.name] = entry.last
            if problem := self._absent_or_ambiguous(entry, counts):
                self._unusable[entry.dataset.name] = problem
        self._spooled |= {(name, day) for name, dates in days.items() for day in dates}

    def _sort_lines(
        self, spool: duckdb.DuckDBPyConnection, wanted: dict[str, list[_Wanted]]
    ) -> Counter[str]:
        """Send every line of the export to the spool or count it as another's; how many lines each measurement has."""
        counts: Counter[str] = Counter()
        files = _files(self._path)
        number, elsewhere = 0, 0
        self._written_at = datetime.fromtimestamp(max(file.stat().st_mtime for file in files), UTC)
        self._headers = []
        for file in files:
            context = _Context()
            for place, point in _parsed(file, context):
                number += 1
                if self._is_elsewhere(context):
                    elsewhere += 1
                    continue
                counts[point["measurement"]] += 1
                for entry in wanted.get(point["measurement"], ()):
                    _keep(entry, point, number, place)
                    entry.policies.add(context.policy)
                    entry.last = max(entry.last or point["time"], point["time"])
                    if len(entry.rows) >= FLUSH_ROWS:
                        _flush(spool, entry)
            self._headers.append(context.span)
        others = sum(counts.values()) - sum(counts[measurement] for measurement in wanted)
        log.info(
            "export read",
            files=len(files),
            lines=number,
            other_measurements=others,
            other_databases=elsewhere,
        )
        return counts

    def _is_elsewhere(self, context: _Context) -> bool:
        policy = self._settings.influx_retention_policy
        return context.database not in (None, self._settings.influx_bucket) or (
            context.policy is not None and policy is not None and context.policy != policy
        )

    def _absent_or_ambiguous(self, entry: _Wanted, counts: Counter[str]) -> str | None:
        """Why the export cannot serve the dataset; None if it can."""
        measurement = entry.dataset.measurement
        if not counts[measurement]:
            seen = ", ".join(sorted(counts)[:20]) or "no measurement"
            return (
                f"{self._path} holds no point of measurement {measurement!r} in database {self._settings.influx_bucket!r} "
                f"(it holds {seen}); check INFLUX_MEASUREMENT, INFLUX_BUCKET and INFLUX_RETENTION_POLICY"
            )
        if len(entry.policies) > 1:
            names = ", ".join(sorted(map(str, entry.policies)))
            return f"{self._path} holds {measurement!r} in several retention policies ({names}); set INFLUX_RETENTION_POLICY to one"
        return None


def _path(url: str) -> Path:
    path = Path(unquote(urlsplit(url).path)) if url.startswith("file://") else Path(url)
    if not path.exists():
        raise SourceError(
            f"INFLUX_URL={url!r}: there is no file or folder {path}; give an existing export, or http://host:port of an InfluxDB"
        )
    return path


def export_files(url: str) -> list[Path]:
    """The files of the export that INFLUX_URL names; SourceError where there is none, or one that cannot be read or is empty."""
    return _files(_path(url))


def _files(path: Path) -> list[Path]:
    files = sorted(_walk(path)) if path.is_dir() else [path]
    if not files:
        raise SourceError(f"the folder {path} holds no file; put the export there")
    for file in files:
        if not file.is_file():
            raise SourceError(f"{file} is no file that can be read; put the export itself there")
        if not file.stat().st_size:
            raise SourceError(f"{file} is empty; copy it again, or take it away")
    return files


def _walk(folder: Path) -> Iterator[Path]:
    """All that lies in the folder, through links too, but for hidden files."""

    def refuse(error: OSError) -> None:
        raise SourceError(
            f"{error.filename} cannot be read ({error.strerror}); check its permissions"
        ) from None

    seen = set()
    for place, folders, names in os.walk(folder, followlinks=True, onerror=refuse):
        folders[:] = [name for name in folders if os.path.realpath(f"{place}/{name}") not in seen]
        seen.add(os.path.realpath(place))
        yield from (Path(place) / name for name in names if not name.startswith("."))


def _shown(time: int, day: LocalDay) -> str:
    return f"{datetime.fromtimestamp(time // 10**9, day.zone):%F %T}"


def _parsed(file: Path, context: _Context) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each point of the file with its place (file and line); `context` is kept up to date with the comments before it."""
    lines = _lines(file)
    for number, line in lines:
        if line.lstrip().startswith("#"):
            _read_comment(line, context)
        elif line and not context.in_ddl:
            place = f"{file} line {number}"
            yield place, _point(line, lines, place)


def _point(line: str, following: Iterator[tuple[int, str]], place: str) -> dict[str, Any]:
    """The point that the line says, with the lines that follow it where a quoted string of it is broken."""
    text, problem = line, ""
    for _ in range(LONGEST_TEXT):
        try:
            point = parse_line(text)
        except LineFormatError as error:
            problem = problem or str(error)
        else:
            if point["time"] is None:
                raise SourceError(
                    f"{place} has no time: {line[:80]!r}; export again, nothing of it is used"
                )
            return point
        _, more = next(following, (0, None)) if '"' in line else (0, None)
        if more is None:
            break
        text += f"\n{more}"
    raise SourceError(
        f"{place} is not line protocol ({problem}): {line[:80]!r}; export again, nothing of it is used"
    )


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """Numbered lines without their end; SourceError if the file is cut short or damaged."""
    number = 0
    try:
        with _opened(file) as stream:
            for number, raw in enumerate(stream, start=1):
                if not raw.endswith(b"\n"):
                    raise SourceError(
                        f"{file} line {number}: the last line is unfinished, the file is cut short; copy it again, nothing of it is used"
                    )
                yield number, raw.rstrip(b"\r\n").decode("utf-8-sig" if number == 1 else "utf-8")
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise SourceError(
            f"{file} line {number + 1}: the gzip is cut short or damaged; copy it again, nothing of it is used"
        ) from None
    except UnicodeDecodeError:
        raise SourceError(
            f"{file} line {number} is not UTF-8; export again, nothing of it is used"
        ) from None
    except OSError as error:
        raise SourceError(
            f"{file} cannot be read ({error.strerror}); check its permissions"
        ) from None


def _opened(file: Path) -> BinaryIO:
    with file.open("rb") as probe:
        is_gzip = probe.read(2) == b"\x1f\x8b"
    return gzip.open(file, "rb") if is_gzip else file.open("rb")  # ty: ignore[invalid-explicit-return]


def _read_comment(line: str, context: _Context) -> None:
    if line.startswith("# DDL"):
        context.in_ddl = True
    elif line.startswith("# DML"):
        context.in_ddl = False
    elif line.startswith("# CONTEXT-DATABASE:"):
        context.database = line.split(":", 1)[1].strip()
    elif line.startswith("# CONTEXT-RETENTION-POLICY:"):
        context.policy = line.split(":", 1)[1].strip()
    elif match := re.fullmatch(r"# INFLUXDB EXPORT: (\S+) - (\S+)", line.rstrip()):
        with contextlib.suppress(ValueError):
            context.span = (datetime.fromisoformat(match[1]), datetime.fromisoformat(match[2]))


def _keep(entry: _Wanted, point: dict[str, Any], number: int, place: str) -> None:
    """Remember the line if it holds a declared field at a wanted time."""
    dataset, fields, tags = entry.dataset, point["fields"], point["tags"]
    if not entry.covers(point["time"]) or not fields.keys() & dataset.fields.keys():
        return
    if wrong_tags := fields.keys() & dataset.tags.keys():
        raise SourceError(
            f"{place}: {', '.join(wrong_tags)} is a field there, not a tag; correct config.yaml"
        )
    values = []
    for name, declared in dataset.fields.items():
        value = fields.get(name)
        if value is not None and not _fits(value, declared):
            raise SourceError(
                f"{place}: field {name} is {value!r}, declared is {declared}; correct the points on the server, or the type in config.yaml"
            )
        values.append(float(value) if declared == "double" and value is not None else value)
    series = repr(sorted(tags.items()))
    entry.rows.append(
        (point["time"], series, number, *(tags.get(tag) for tag in dataset.tags), *values)
    )


def _fits(value: object, declared: str) -> bool:
    if declared == "boolean" or isinstance(value, bool):
        return declared == "boolean" and isinstance(value, bool)
    if declared == "integer":
        return isinstance(value, int) and -(2**63) <= value < 2**63
    return isinstance(value, str if declared == "string" else (float, int))


def _open_spool(staging: Path) -> duckdb.DuckDBPyConnection:
    try:
        staging.mkdir(parents=True, exist_ok=True)
        folder = tempfile.mkdtemp(prefix="tmp-spool-", dir=staging)
    except OSError as error:
        raise ArchiveError(
            f"{staging} cannot be written ({error.strerror}); see to disk space and permissions"
        ) from None
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return duckdb.connect(
        f"{folder}/spool.duckdb",
        config={"memory_limit": "1GB", "temp_directory": f"{folder}/overflow"},
    )


def _spool_table(dataset: Dataset) -> str:
    columns = {
        quoted(name): kind
        for name, kind in dataset.columns().items()
        if name in dataset.tags or name in dataset.fields
    }
    listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
    return f"CREATE TABLE IF NOT EXISTS {quoted(dataset.name)} (time BIGINT, series VARCHAR, number BIGINT, {listed})"


def _flush(spool: duckdb.DuckDBPyConnection, entry: _Wanted) -> None:
    if not entry.rows:
        return
    dataset = entry.dataset
    types = [
        pa.int64(),
        pa.string(),
        pa.int64(),
        *(pa.string() for _ in dataset.tags),
        *(ARROW_TYPES[kind] for kind in dataset.fields.values()),
    ]
    names = ["time", "series", "number", *dataset.tags, *dataset.fields]
    columns = zip(*entry.rows, strict=True)
    arrays = [pa.array(values, kind) for values, kind in zip(columns, types, strict=True)]
    rows = pa.table(arrays, names=names)  # noqa: F841 - DuckDB finds it by its name
    spool.execute(f"INSERT INTO {quoted(dataset.name)} SELECT * FROM rows")
    entry.rows.clear()


def _points(dataset: Dataset) -> str:
    """The points of a time range: what several lines say of one, joined; of repeated values the last line's."""
    tags = [f"any_value({quoted(tag)}) AS {quoted(tag)}" for tag in dataset.tags]
    fields = [f"max_by({quoted(name)}, number) AS {quoted(name)}" for name in dataset.fields]
    order = ", ".join(["time", *(quoted(tag) for tag in dataset.tags), "series"])
    return (
        f"SELECT * EXCLUDE (series) FROM (SELECT time, {', '.join(tags + fields)}, series FROM {quoted(dataset.name)} "
        f"WHERE time >= ? AND time < ? GROUP BY time, series) ORDER BY {order}"
    )
