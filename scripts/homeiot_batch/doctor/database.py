"""Whether the DuckDB file is there, opens, is free, and holds what is archived."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import duckdb

from homeiot_batch.config import Settings
from homeiot_batch.core.files import lock_holder
from homeiot_batch.core.inventory import archived_days, unloaded_days
from homeiot_batch.core.layout import Layout
from homeiot_batch.doctor.finding import Finding, of_error, ok, problem, warning
from homeiot_batch.doctor.locks import check_locks
from homeiot_batch.errors import DatabaseBusy, DatabaseDamaged, DatabaseError
from homeiot_batch.warehouse.database import open_database, real_file, refuse_lost_link
from homeiot_batch.warehouse.dbt_build import has_unbuildable_name
from homeiot_batch.warehouse.table_vars import table_datasets

HAS_HOUSE = """
SELECT 1 FROM duckdb_tables() WHERE schema_name = 'archive' AND table_name = 'house'
"""


def check_database(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """The file, who has it open, and the days that are not loaded."""
    path = settings.duckdb_path
    if table_datasets(settings) and has_unbuildable_name(path):
        yield _unbuildable(path)
    try:
        refuse_lost_link(path)
    except DatabaseError as error:
        yield of_error("file", error)
        return
    if not_locked := check_locks(real_file(path).parent, "DUCKDB_PATH"):
        yield not_locked
    elif not path.exists():
        yield _no_file(settings, layout)
    else:
        yield _check_file(settings, path)
        yield from _check_loads(settings, layout)


def _unbuildable(path: Path) -> Finding:
    return problem(
        "name",
        f"{path.resolve().name!r} holds #, ; or a line break, and dbt cannot open it",
        "rename the file, and set DUCKDB_PATH to its new name",
    )


def _no_file(settings: Settings, layout: Layout) -> Finding:
    found = f"{settings.duckdb_path} is not there, and the next run builds it"
    if any(archived_days(layout, dataset) for dataset in settings.datasets):
        found += " from the archive"
    return ok("file", found)


def _check_file(settings: Settings, path: Path) -> Finding:
    try:
        return _opened(settings, path)
    # the next run waits for the one, and replaces the other
    except (DatabaseBusy, DatabaseDamaged) as error:
        return of_error("file", error, "warning")
    except DatabaseError as error:
        return of_error("file", error)


def _opened(settings: Settings, path: Path) -> Finding:
    with open_database(path, read_only=True) as connection:
        zone = _recorded_zone(connection)
    megabytes = path.stat().st_size / 1e6
    opens = f"{path}, {megabytes:.1f} MB, opens"
    if zone not in (None, settings.tz):
        found = f"{opens}, and holds days of {zone}, TZ is {settings.tz}"
        return problem("file", found, f"set TZ={zone}, or another DUCKDB_PATH")
    reader = lock_holder(path)
    if reader:
        found = f"process {_named(reader)} reads it, and no load can write until that ends"
        return warning("file", f"{opens}; {found}", "close it there")
    return ok("file", f"{opens}, nobody has it open")


def _recorded_zone(connection: duckdb.DuckDBPyConnection) -> str | None:
    if not connection.execute(HAS_HOUSE).fetchone():
        return None
    row = connection.execute("SELECT tz FROM archive.house").fetchone()
    if not row:
        return None
    return row[0]


def _named(process: int) -> str:
    """The process's number, and its name where that can be read."""
    command = Path(f"/proc/{process}/comm")
    with contextlib.suppress(OSError):
        return f"{process} ({command.read_text().strip()})"
    return str(process)


def _check_loads(settings: Settings, layout: Layout) -> Iterator[Finding]:
    for dataset in settings.datasets:
        waiting = len(unloaded_days(layout, dataset))
        if waiting:
            found = f"{waiting} archived days are not loaded"
            yield warning(dataset, found, "python -m homeiot_batch.run_archive loads them")
