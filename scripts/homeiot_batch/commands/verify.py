"""Proves the archive: files against checksums, DuckDB against files, the server against both.

python -m homeiot_batch verify [--from A --to B] [--json]
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date
from pathlib import Path

import duckdb
import typer

from homeiot_batch.archive.day_bounds import FILL_HOLE, USE_TABLES, DayBounds
from homeiot_batch.archive.day_file import open_day, refuse_undeclared
from homeiot_batch.archive.early_reads import EarlyRead, early_reads
from homeiot_batch.archive.zone_record import require_zone
from homeiot_batch.config import ROOT, Settings, given_settings, load_settings
from homeiot_batch.core.count_change import CountChange
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.day_record import Marker, read_marker
from homeiot_batch.core.days import LocalDay, each_day, parse_day, yesterday
from homeiot_batch.core.exit_codes import DONE, FAILED
from homeiot_batch.core.host_paths import explained
from homeiot_batch.core.inventory import first_day, undeclared_days
from homeiot_batch.core.layout import PART, Layout
from homeiot_batch.core.marker_cache import MarkerCache
from homeiot_batch.core.sql_text import quoted
from homeiot_batch.errors import ArchiveError, HomeIotError, SettingsError, SourceError
from homeiot_batch.sources.exports.files import export_files
from homeiot_batch.sources.influx_reader import InfluxReader
from homeiot_batch.warehouse.comparison import differences, file_digest, table_day
from homeiot_batch.warehouse.database import columns_of, open_database

NUMBERS = {"double", "integer"}
SHOWN_REASON = 150
FIRST_LOADED_DAY = "SELECT min(dt) FROM archive.loads WHERE dataset = ? AND rows > 0"
ROWS_OF_FILE = "SELECT count(*) FROM read_parquet(?, hive_partitioning = false)"


@dataclass(frozen=True)
class FileContent:
    """What a day's file says that it holds, and its checksum."""

    rows: int
    values: dict[str, int]
    sha256: str


@dataclass
class Verdict:
    """One day: what each place holds, and what is wrong. `server` is None if it was not asked."""

    dataset: str
    dt: date
    server: dict[str, int] | None = None
    parquet: FileContent | None = None
    duckdb: dict[str, object] | None = None
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Places:
    """Where the days are looked up. `server` is None for an export."""

    layout: Layout
    database: duckdb.DuckDBPyConnection
    server: InfluxReader | None


def judge_days(
    settings: Settings, layout: Layout, first: date | None, last: date | None
) -> Iterator[Verdict]:
    """A verdict on every day from `first` to `last`. Nothing is changed anywhere.

    Without them from each dataset's first day to yesterday, and on archived days that are not
    over yet.
    """
    require_zone(layout, settings.tz)
    server = None
    if settings.is_server:
        server = InfluxReader(settings)
    database = settings.duckdb_path
    if not database.exists():
        fix = "run the batch once, it is built again from the archive"
        raise SettingsError(f"there is no database {database}; {fix}")
    with open_database(database, read_only=True) as connection:
        places = Places(layout, connection, server)
        for dataset in settings.datasets.values():
            yield from _judge_dataset(settings, places, dataset, first, last)


def _judge_dataset(
    settings: Settings, places: Places, dataset: Dataset, first: date | None, last: date | None
) -> Iterator[Verdict]:
    end = last or yesterday(settings.instant(), settings.zone)
    start = first or settings.archive_start or _first_day(places, dataset) or end
    reads = early_reads(MarkerCache(places.layout), settings, dataset.name)
    early = {read.day.date: read for read in reads}
    days = list(each_day(start, end))
    if last is None:
        days += [dt for dt in early if dt > end]
    bounds = DayBounds(places.layout, dataset.name, settings.zone)
    for dt in days:
        verdict = _verdict(places, dataset, bounds, dt)
        _judge_seam(verdict, bounds)
        if dt in early:
            _judge_early_read(verdict, early[dt])
        yield verdict


def _judge_seam(verdict: Verdict, bounds: DayBounds) -> None:
    """Say where the day and the archived one before it, cut by other zone rules, do not touch."""
    if hole := bounds.hole_before(verdict.dt):
        verdict.problems.append(f"{hole}; {FILL_HOLE.format(dt=verdict.dt)}")
    if overlap := bounds.overlap_before(verdict.dt):
        verdict.notes.append(f"{overlap}; {USE_TABLES}")


def _judge_early_read(verdict: Verdict, read: EarlyRead) -> None:
    if read.is_over:
        verdict.problems.append(f"{read}; the nightly run reads it again")
    else:
        verdict.notes.append(f"the day is not over yet: {read}")


def _first_day(places: Places, dataset: Dataset) -> date | None:
    """The first day that files, markers or, with readings, the database name.

    So a day that is in place no more is missed too.
    """
    in_files = first_day(places.layout, dataset.name)
    loads = places.database.execute(FIRST_LOADED_DAY, [dataset.name])
    (in_database,) = loads.fetchall()[0]
    known = [day for day in (in_files, in_database) if day is not None]
    return min(known, default=None)


def _verdict(places: Places, dataset: Dataset, bounds: DayBounds, dt: date) -> Verdict:
    verdict = Verdict(dataset.name, dt)
    day = bounds.day(dt)
    part = places.layout.day(dataset.name, day) / PART
    try:
        if not part.parent.is_dir():
            verdict.problems.append("the day is not archived")
            return verdict
        file = open_day(part.parent)
        verdict.parquet = FileContent(file.record.rows, file.record.values, file.sha256)
        refuse_undeclared(part, dataset, day.zone.key)
        marker = read_marker(places.layout.marker(dataset.name, day))
        _check_marker(verdict, verdict.parquet, marker)
        share = day.within(day.start, bounds.end_of_share(day))
        _check_rows(verdict, verdict.parquet, places.database, dataset, share, part)
    except (ArchiveError, SettingsError) as error:
        verdict.problems.append(str(error))
    except duckdb.Error as error:
        reason = " ".join(str(error).split())[:SHOWN_REASON]
        verdict.problems.append(f"the file cannot be read through ({reason})")
    if places.server is not None and verdict.parquet is not None:
        _check_server(verdict, verdict.parquet, places.server, dataset, day)
    return verdict


def _check_marker(verdict: Verdict, file: FileContent, marker: Marker | None) -> None:
    if marker is None:
        verdict.problems.append("there is no marker: the day is not loaded")
    elif marker.sha256 != file.sha256:
        verdict.problems.append(
            "the file is not the one that was loaded: its checksum differs from the marker's"
        )


def _check_rows(
    verdict: Verdict,
    file: FileContent,
    database: duckdb.DuckDBPyConnection,
    dataset: Dataset,
    day: LocalDay,
    part: Path,
) -> None:
    rows = file.rows
    if not columns_of(database, quoted(dataset.name)):
        lack = f"it has no table {dataset.name} yet"
        verdict.problems.append(f"none of the file's {rows} rows is in DuckDB: {lack}")
        return
    verdict.duckdb = _summary(database, dataset, day)
    (in_file,) = database.execute(ROWS_OF_FILE, [str(part)]).fetchall()[0]
    if in_file != rows:
        verdict.problems.append(f"the file holds {in_file} rows, its metadata says {rows}")
    table = table_day(database, dataset, day)
    if table.digest != file_digest(database, part, dataset, day):
        missing, foreign = differences(database, part, dataset, day)
        verdict.problems.append(
            f"{missing} of the file's rows are not in DuckDB, "
            f"{foreign} of DuckDB's are not in the file"
        )


def _summary(
    database: duckdb.DuckDBPyConnection, dataset: Dataset, day: LocalDay
) -> dict[str, object]:
    """What DuckDB holds of the day: rows, first and last time (UTC), the sum of each field."""
    names = ["rows", "first_utc", "last_utc"]
    columns = ["count(*)", "min(ts_utc)::VARCHAR", "max(ts_utc)::VARCHAR"]
    for field_name, kind in dataset.fields.items():
        if kind in NUMBERS:
            names.append(f"sum_{field_name}")
            columns.append(f"sum({quoted(field_name)})")
    table = quoted(dataset.name)
    query = f"SELECT {', '.join(columns)} FROM {table} WHERE ts_utc >= ? AND ts_utc < ?"
    start = day.start.replace(tzinfo=None)
    end = day.end.replace(tzinfo=None)
    row = database.execute(query, [start, end]).fetchall()[0]
    return dict(zip(names, row, strict=True))


def _check_server(
    verdict: Verdict, file: FileContent, server: InfluxReader, dataset: Dataset, day: LocalDay
) -> None:
    try:
        verdict.server = server.counts(dataset, day)
    except SourceError as error:
        verdict.notes.append(f"the server could not be asked: {error}")
        return
    change = CountChange(verdict.server, file.values)
    if change.has_more:
        verdict.problems.append(f"the server has values that are not archived: {change.listed()}")
    elif change.has_fewer:
        verdict.notes.append(f"the server no longer has all values: {change.listed()}")


def show_verdicts(
    first: str | None, last: str | None, *, as_json: bool, config: Sequence[str]
) -> None:
    """Print a verdict on every day, and exit with 1 if one has problems."""
    os.chdir(ROOT)
    try:
        settings = load_settings(given_settings(config))
        start = _day(first, "--from")
        end = _day(last, "--to")
        layout = settings.layout
        verdicts = list(judge_days(settings, layout, start, end))
    except (HomeIotError, OSError) as error:
        raise SystemExit(explained(f"error: {error}")) from None
    undeclared = undeclared_days(layout, settings.datasets)
    for name, days in undeclared.items():
        note = f"note: {name} is not declared in config.yaml"
        typer.echo(f"{note}: its {days} archived days are not verified", err=True)
    if not (as_json or settings.is_server):
        reason = _why_not(settings.influx_url)
        typer.echo(f"note: no day was compared with the source: {reason}", err=True)
    if as_json:
        objects = [asdict(verdict) for verdict in verdicts]
        text = json.dumps(objects, default=str, indent=1)
    else:
        text = "\n".join(_lines(verdicts))
    typer.echo(text)
    if any(verdict.problems for verdict in verdicts):
        raise SystemExit(FAILED)
    raise SystemExit(DONE)


def _day(text: str | None, option: str) -> date | None:
    if not text:
        return None
    return parse_day(text, option)


def _why_not(url: str) -> str:
    try:
        export_files(url)
    except SourceError as error:
        return str(error)
    return f"INFLUX_URL={url!r} is an export"


def _lines(verdicts: list[Verdict]) -> Iterator[str]:
    """All notes, all problems, and how many days have some."""
    for verdict in verdicts:
        for note in verdict.notes:
            yield f"note: {verdict.dataset} {verdict.dt}: {note}"
    for verdict in verdicts:
        for problem in verdict.problems:
            yield f"{verdict.dataset} {verdict.dt}: {problem}"
    rows = sum(verdict.parquet.rows for verdict in verdicts if verdict.parquet)
    wrong = sum(bool(verdict.problems) for verdict in verdicts)
    yield f"{len(verdicts)} days verified, {rows} rows, {wrong} with problems"
