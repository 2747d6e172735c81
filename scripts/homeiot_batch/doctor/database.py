"""Whether the DuckDB file is there, opens, is free for the next load, and holds what is archived."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import duckdb

from homeiot_batch.config import SHIPPED_DATASET, Settings
from homeiot_batch.core.files import lock_holder
from homeiot_batch.core.layout import Layout
from homeiot_batch.doctor.finding import Finding, of_error, ok, problem, warning
from homeiot_batch.doctor.locks import check_locks
from homeiot_batch.errors import DatabaseBusy, DatabaseDamaged, DatabaseError
from homeiot_batch.warehouse.database import open_database, real_file, refuse_lost_link
from homeiot_batch.warehouse.dbt_build import has_unbuildable_name


def check_database(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """The file, who has it open, and the days that are not loaded."""
    path = settings.duckdb_path
    if SHIPPED_DATASET in settings.datasets and has_unbuildable_name(path):
        yield problem(
            "name",
            f"{path.resolve().name!r} holds #, ; or a line break, and dbt cannot open it",
            "rename the file, and set DUCKDB_PATH to its new name",
        )
    try:
        refuse_lost_link(path)
    except DatabaseError as error:
        yield of_error("file", error)
        return
    if not_locked := check_locks(real_file(path).parent, "DUCKDB_PATH"):
        yield not_locked
        return
    if not path.exists():
        archived = any(layout.archived_days(name) for name in settings.datasets)
        yield ok(
            "file",
            f"{path} is not there; the next run builds it{' from the archive' if archived else ''}",
        )
        return
    try:
        yield from _check_file(settings, path)
    # the next run waits for the one, and replaces the other
    except (DatabaseBusy, DatabaseDamaged) as error:
        yield of_error("file", error, "warning")
    except DatabaseError as error:
        yield of_error("file", error)
    yield from (finding for name in settings.datasets if (finding := _check_loads(layout, name)))


def _check_file(settings: Settings, path: Path) -> Iterator[Finding]:
    with open_database(path, read_only=True) as connection:
        zone = _recorded_zone(connection)
    size = f"{path}, {path.stat().st_size / 1e6:.1f} MB, opens"
    if zone not in (None, settings.tz):
        yield problem(
            "file",
            f"{size}; it holds days of {zone}, TZ is {settings.tz}",
            f"set TZ={zone}, or another DUCKDB_PATH",
        )
    elif reader := lock_holder(path):
        yield warning(
            "file",
            f"{size}; process {_named(reader)} reads it, and no load can write until that ends",
            "close it there",
        )
    else:
        yield ok("file", f"{size}, nobody has it open")


def _recorded_zone(connection: duckdb.DuckDBPyConnection) -> str | None:
    has_table = connection.execute(
        "SELECT 1 FROM duckdb_tables() WHERE schema_name = 'archive' AND table_name = 'house'"
    ).fetchone()
    row = connection.execute("SELECT tz FROM archive.house").fetchone() if has_table else None
    return row[0] if row else None


def _named(process: int) -> str:
    with contextlib.suppress(OSError):
        return f"{process} ({Path(f'/proc/{process}/comm').read_text().strip()})"
    return str(process)


def _check_loads(layout: Layout, dataset: str) -> Finding | None:
    waiting = len(layout.unloaded_days(dataset))
    return (
        warning(
            dataset,
            f"{waiting} archived days are not loaded",
            "python -m homeiot_batch.run_archive loads them",
        )
        if waiting
        else None
    )
