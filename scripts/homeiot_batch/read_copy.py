"""The read copy: a DuckDB file for Grafana, notebooks and the command line, which no run ever locks and no reader ever holds up.

Each publication is a generation that never changes: the marts as tables of a new file, and the raw tables as views over hard links to the
archive's files, so that a day that is replaced stays as it was for those who still read the generation. One rename makes it the current one.
A generation is removed when it is neither the current nor the one before and nobody has its file open.
"""

import errno
import shutil
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import structlog

from homeiot_batch import fault_points
from homeiot_batch.config import Settings
from homeiot_batch.database import naive_utc, open_database
from homeiot_batch.datasets import Dataset, literal, quoted, wall_columns
from homeiot_batch.files import lock_holder, read_json, sync_file, sync_folder
from homeiot_batch.layout import PART, Layout

NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, errno.EMLINK}

log = structlog.get_logger()


def publish(settings: Settings, layout: Layout, wait_s: float) -> dict[str, Any]:
    """Make the tables as they are now the current generation; the content of the marker.

    DatabaseBusy if another process still holds the database after `wait_s` seconds.
    """
    generation = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{uuid.uuid4().hex[:8]}"
    former = (read_json(layout.read_marker) or {}).get("generation")
    days = {name: [str(day) for day in layout.archived_days(name)] for name in settings.datasets}
    folder = _link(layout, generation, days)
    fault_points.reach("publish.linked")
    part = settings.read_generations / f"{generation}.duckdb"
    part.parent.mkdir(exist_ok=True)
    tables = _write(part, settings, layout.parquet.absolute(), folder.relative_to(layout.parquet), days, wait_s)
    fault_points.reach("publish.written")
    _put_in_place(part, settings.read_copy)
    fault_points.reach("publish.renamed")
    _drop_former(settings, layout, kept={generation, former})
    return {"generation": generation, "folder": str(folder), "tables": tables, "published_at": datetime.now(UTC).isoformat()}


def is_published(settings: Settings, marker: dict[str, Any] | None) -> bool:
    """Whether the generation that the marker names is there."""
    return marker is not None and settings.read_copy.exists() and Path(str(marker.get("folder"))).is_dir()


def _link(layout: Layout, generation: str, days: dict[str, list[str]]) -> Path:
    """Hard links to every archived file; the folder that has them, or the archive itself where the file system knows no hard links."""
    folder = layout.read_folders / generation
    try:
        for name, dts in days.items():
            for dt in dts:
                link = folder / name / f"dt={dt}" / PART
                link.parent.mkdir(parents=True)
                link.hardlink_to(layout.day(name, dt) / PART)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        if error.errno not in NO_HARD_LINKS:
            raise
        log.warning("no hard links here: readers of raw tables see a day vanish for a moment while it is read again", reason=error.strerror)
        return layout.parquet
    return folder


def _write(part: Path, settings: Settings, base: Path, generation: Path, days: dict[str, list[str]], wait_s: float) -> dict[str, int]:
    """A new DuckDB file with marts, views on the files in `base`/`generation`, and a word about itself; the marts' rows."""
    with open_database(settings.duckdb_path, wait_s=wait_s) as connection:
        connection.execute(f"ATTACH {literal(str(part))} AS copy")
        marts = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name <> 'copy' AND schema_name = 'main' AND table_name SIMILAR TO '(fct|dim)_.*'"
        ).fetchall()
        for (mart,) in marts:
            connection.execute(f"CREATE TABLE copy.{quoted(mart)} AS FROM {quoted(mart)}")
        for name, dts in days.items():
            files = _files(base, generation / name) if dts else ""
            connection.execute(f"CREATE VIEW copy.{quoted(name)} AS {_raw(connection, settings.datasets[name], settings.tz, files)}")
        _describe(connection, settings.tz, days)
        rows = {mart: connection.execute(f"SELECT count(*) FROM copy.{quoted(mart)}").fetchall()[0][0] for (mart,) in marts}
        connection.execute("DETACH copy")
    return rows


def _files(base: Path, folder: Path) -> str:
    """SQL that reads the days in the folder; who sees `base` at another place says so: SET VARIABLE parquet = '...'."""
    pattern = f"coalesce(getvariable('parquet'), {literal(str(base))}) || {literal(f'/{folder}/dt=*/{PART}')}"
    return f"read_parquet({pattern}, hive_partitioning = true, hive_types = {{'dt': 'DATE'}}, union_by_name = true)"


def _raw(connection: duckdb.DuckDBPyConnection, dataset: Dataset, zone: str, files: str) -> str:
    """The raw table as a query on its files, with the local date `dt`, by which DuckDB skips files."""
    if not files:
        nothing = [f"CAST(NULL AS {kind}) AS {quoted(name)}" for name, kind in dataset.columns().items()]
        return f"SELECT {', '.join(nothing)}, CAST(NULL AS DATE) AS dt WHERE false"
    there = {name for name, *_ in connection.execute(f"DESCRIBE SELECT * FROM {files}").fetchall()}
    columns = [
        f"{_filled(expression if name in there else 'NULL', dataset.absent(name), kind)} AS {quoted(name)}"
        for (name, kind), expression in zip(dataset.columns().items(), wall_columns(dataset, zone), strict=True)
    ]
    return f"SELECT {', '.join(columns)}, dt FROM {files}"


def _filled(expression: str, absent: str | float | None, kind: str) -> str:
    """A column that was declared later is in newer files only."""
    return f"CAST({expression} AS {kind})" if absent is None else f"coalesce({expression}, CAST({literal(absent)} AS {kind}))"


def _describe(connection: duckdb.DuckDBPyConnection, zone: str, days: dict[str, list[str]]) -> None:
    columns = "published_at TIMESTAMP, tz VARCHAR, dataset VARCHAR, days BIGINT, first_day DATE, last_day DATE"
    connection.execute(f"CREATE TABLE copy.read_copy ({columns})")
    for name, dts in days.items():
        row = [naive_utc(datetime.now(UTC)), zone, name, len(dts), min(dts, default=None), max(dts, default=None)]
        connection.execute("INSERT INTO copy.read_copy VALUES (?, ?, ?, ?, ?, ?)", row)


def _put_in_place(part: Path, target: Path) -> None:
    """Make `part` the current file by one rename, and keep it under its own name too, to tell later whether it is still open."""
    sync_file(part)
    part.chmod(0o444)  # opened for writing it would lock out other readers, and leave a log of writes beside the next generation
    new = target.with_name(f".{target.name}.new")
    new.unlink(missing_ok=True)
    try:
        new.hardlink_to(part)
    except OSError:
        part.rename(new)
    new.replace(target)
    sync_folder(target.parent)


def _drop_former(settings: Settings, layout: Layout, kept: set[str | None]) -> None:
    folders = [path for path in layout.read_folders.glob("*/") if path.name not in kept]
    files = {path.stem: path for path in settings.read_generations.glob("*.duckdb") if path.stem not in kept}
    held = {generation for generation, path in files.items() if lock_holder(path) is not None}
    for generation, path in files.items():
        if generation not in held:
            path.unlink()
    for folder in folders:
        if folder.name not in held:
            shutil.rmtree(folder, ignore_errors=True)
