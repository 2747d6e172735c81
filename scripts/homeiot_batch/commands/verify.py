"""Proves the archive: each day's file against its checksum, DuckDB's rows against the file, the server's counts against what was read.

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

from homeiot_batch.archive.day_file import open_day, refuse_undeclared
from homeiot_batch.archive.early_reads import EarlyRead, early_reads
from homeiot_batch.archive.zone_record import check_zone
from homeiot_batch.config import ROOT, Settings, given_settings, load_settings
from homeiot_batch.core.datasets import Dataset, quoted
from homeiot_batch.core.day_record import Marker, read_marker
from homeiot_batch.core.days import LocalDay, each_day, parse_day, yesterday
from homeiot_batch.core.exit_codes import DONE, FAILED
from homeiot_batch.core.host_paths import explained
from homeiot_batch.core.layout import PART, Layout
from homeiot_batch.errors import ArchiveError, HomeIotError, SettingsError, SourceError
from homeiot_batch.sources.exports.files import export_files
from homeiot_batch.sources.influx_reader import InfluxReader
from homeiot_batch.warehouse.database import columns_of, open_database
from homeiot_batch.warehouse.duckdb_writer import differences


@dataclass(frozen=True)
class FileContent:
    """What a day's file says that it holds, and its checksum."""

    rows: int
    values: dict[str, int]
    sha256: str


@dataclass
class Verdict:
    """One day: what each place holds, and what speaks against it. `server` is None where it was not asked."""

    dataset: str
    dt: date
    server: dict[str, int] | None = None
    parquet: FileContent | None = None
    duckdb: dict[str, object] | None = None
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def judge_days(
    settings: Settings, layout: Layout, first: date | None, last: date | None
) -> Iterator[Verdict]:
    """A verdict on every day from `first` (the dataset's first one) to `last` (yesterday); nothing is changed anywhere."""
    check_zone(layout, settings.tz)
    end = last or yesterday(settings.instant(), settings.zone)
    reader = InfluxReader(settings) if settings.is_server else None
    if not settings.duckdb_path.exists():
        raise SettingsError(
            f"there is no database {settings.duckdb_path}; run the batch once, it is built again from the archive"
        )
    with open_database(settings.duckdb_path, read_only=True) as connection:
        for dataset in settings.datasets.values():
            start = (
                first or settings.archive_start or _first_day(layout, connection, dataset) or end
            )
            early = {read.day.date: read for read in early_reads(layout, settings, dataset.name)}
            # without a last day also those that are not over yet
            ahead = [dt for dt in early if dt > end and last is None]
            for dt in [*each_day(start, end), *ahead]:
                day = LocalDay(dt, settings.zone)
                verdict = _verdict(layout, connection, reader, dataset, day)
                _judge_early_read(verdict, early.get(dt))
                yield verdict


def _judge_early_read(verdict: Verdict, read: EarlyRead | None) -> None:
    if read is None:
        return
    if read.is_over:
        verdict.problems.append(f"{read}; the nightly run reads it again")
    else:
        verdict.notes.append(f"the day is not over yet: {read}")


def _first_day(
    layout: Layout, connection: duckdb.DuckDBPyConnection, dataset: Dataset
) -> date | None:
    """The first day that files, markers or, with readings, the database know of: one that is in place no more is missed too."""
    loads = "SELECT min(dt) FROM archive.loads WHERE dataset = ? AND rows > 0"
    known = [
        layout.first_day(dataset.name),
        *connection.execute(loads, [dataset.name]).fetchall()[0],
    ]
    return min((day for day in known if day is not None), default=None)


def _verdict(
    layout: Layout,
    connection: duckdb.DuckDBPyConnection,
    reader: InfluxReader | None,
    dataset: Dataset,
    day: LocalDay,
) -> Verdict:
    verdict = Verdict(dataset.name, day.date)
    part = layout.day(dataset.name, day) / PART
    try:
        if not part.parent.is_dir():
            verdict.problems.append("the day is not archived")
            return verdict
        file = open_day(part.parent)
        verdict.parquet = FileContent(file.record.rows, file.record.values, file.sha256)
        refuse_undeclared(part, dataset, day.zone.key)
        _check_marker(verdict, read_marker(layout.marker(dataset.name, day)))
        _check_rows(verdict, connection, dataset, day, part)
    except (ArchiveError, SettingsError) as error:
        verdict.problems.append(str(error))
    except duckdb.Error as error:
        verdict.problems.append(
            f"the file cannot be read through ({' '.join(str(error).split())[:150]})"
        )
    if reader is not None and verdict.parquet is not None:
        _check_server(verdict, reader, dataset, day)
    return verdict


def _check_marker(verdict: Verdict, marker: Marker | None) -> None:
    assert verdict.parquet is not None
    if marker is None:
        verdict.problems.append("there is no marker: the day is not loaded")
    elif marker.sha256 != verdict.parquet.sha256:
        verdict.problems.append(
            "the file is not the one that was loaded: its checksum differs from the marker's"
        )


def _check_rows(
    verdict: Verdict,
    connection: duckdb.DuckDBPyConnection,
    dataset: Dataset,
    day: LocalDay,
    part: Path,
) -> None:
    assert verdict.parquet is not None
    if not columns_of(connection, quoted(dataset.name)):
        verdict.problems.append(
            f"none of the file's {verdict.parquet.rows} rows is in DuckDB: "
            f"it has no table {dataset.name} yet"
        )
        return
    numbers = [name for name, kind in dataset.fields.items() if kind in {"double", "integer"}]
    sums = "".join(f", sum({quoted(name)})" for name in numbers)
    names = ["rows", "first_utc", "last_utc", *(f"sum_{name}" for name in numbers)]
    summary = f"SELECT count(*), min(ts_utc)::VARCHAR, max(ts_utc)::VARCHAR{sums} FROM"
    bounds = [day.start.replace(tzinfo=None), day.end.replace(tzinfo=None)]
    table = f"(SELECT * FROM {quoted(dataset.name)} WHERE ts_utc >= ? AND ts_utc < ?)"
    verdict.duckdb = dict(
        zip(names, connection.execute(f"{summary} {table}", bounds).fetchall()[0], strict=True)
    )
    in_file = connection.execute(
        "SELECT count(*) FROM read_parquet(?, hive_partitioning = false)", [str(part)]
    ).fetchall()[0][0]
    if in_file != verdict.parquet.rows:
        verdict.problems.append(
            f"the file holds {in_file} rows, its metadata says {verdict.parquet.rows}"
        )
    missing, foreign = differences(connection, part, dataset, day)
    if missing or foreign:
        verdict.problems.append(
            f"{missing} of the file's rows are not in DuckDB, {foreign} of DuckDB's are not in the file"
        )


def _check_server(verdict: Verdict, reader: InfluxReader, dataset: Dataset, day: LocalDay) -> None:
    assert verdict.parquet is not None
    try:
        verdict.server = reader.counts(dataset, day)
    except SourceError as error:
        verdict.notes.append(f"the server could not be asked: {error}")
        return
    change = {
        name: count - verdict.parquet.values.get(name, 0) for name, count in verdict.server.items()
    }
    if any(difference > 0 for difference in change.values()):
        verdict.problems.append(
            f"the server has values that are not archived: {', '.join(f'{n} {c:+d}' for n, c in change.items() if c)}"
        )
    elif any(change.values()):
        verdict.notes.append(
            f"the server no longer has all values: {', '.join(f'{n} {c:+d}' for n, c in change.items() if c)}"
        )


def show_verdicts(
    first: str | None, last: str | None, *, as_json: bool, config: Sequence[str]
) -> None:
    """Print a verdict on every day, and exit with 1 if one has problems."""
    os.chdir(ROOT)
    try:
        settings = load_settings(given_settings(config))
        start, end = (
            parse_day(text, option) if text else None
            for text, option in ((first, "--from"), (last, "--to"))
        )
        layout = settings.layout
        verdicts = list(judge_days(settings, layout, start, end))
    except (HomeIotError, OSError) as error:
        raise SystemExit(explained(f"error: {error}")) from None
    for name, days in layout.undeclared(settings.datasets).items():
        typer.echo(
            f"note: {name} is not declared in config.yaml: its {days} archived days are not verified",
            err=True,
        )
    if not (as_json or settings.is_server):
        typer.echo(
            f"note: no day was compared with the source: {_why_not(settings.influx_url)}", err=True
        )
    typer.echo(
        json.dumps([asdict(v) for v in verdicts], default=str, indent=1)
        if as_json
        else _text(verdicts)
    )
    raise SystemExit(FAILED if any(v.problems for v in verdicts) else DONE)


def _why_not(url: str) -> str:
    try:
        export_files(url)
    except SourceError as error:
        return str(error)
    return f"INFLUX_URL={url!r} is an export"


def _text(verdicts: list[Verdict]) -> str:
    lines = [f"{v.dataset} {v.dt}: {problem}" for v in verdicts for problem in v.problems]
    notes = [f"note: {v.dataset} {v.dt}: {note}" for v in verdicts for note in v.notes]
    wrong = sum(bool(v.problems) for v in verdicts)
    rows = sum(v.parquet.rows for v in verdicts if v.parquet)
    return "\n".join(
        [*notes, *lines, f"{len(verdicts)} days verified, {rows} rows, {wrong} with problems"]
    )
