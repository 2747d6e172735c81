"""The read copy: a DuckDB file for Grafana, notebooks and the command line.

No run ever locks it, and no reader ever holds up a run. Each publication is a generation that never
changes: the marts as tables of a new file, and the raw tables as views over hard links to the
archive's files. So a day that is replaced stays as it was for those who still read the generation.
One rename makes it the current one. Old generations are deleted. The
newest and the young ones stay, whether or not somebody reads them.
"""

import contextlib
import errno
import hashlib
import os
import shutil
import uuid
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import structlog

from homeiot_batch.config import Settings
from homeiot_batch.core import fault_points
from homeiot_batch.core.datasets import Dataset, wall_columns
from homeiot_batch.core.files import (
    file_stamp,
    is_there,
    lock_holder,
    read_json,
    sync_file,
    sync_folder,
)
from homeiot_batch.core.inventory import archived_days
from homeiot_batch.core.layout import PART, Layout
from homeiot_batch.core.sql_text import literal, quoted
from homeiot_batch.errors import ArchiveError, DatabaseError
from homeiot_batch.warehouse.database import naive_utc, open_database
from homeiot_batch.warehouse.file_columns import FileColumns
from homeiot_batch.warehouse.table_vars import table_datasets

NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, errno.EMLINK}
STAMP = "%Y%m%dT%H%M%S%fZ"
# of the generations: so many of the newest, and of the others those that are younger, up to so many
KEPT = 3
KEPT_FOR = timedelta(days=3)
MOST = 24

# the local days of each dataset, as YYYY-MM-DD, ascending
Days = Mapping[str, Sequence[str]]

log = structlog.get_logger()


def publish(settings: Settings, layout: Layout, wait_s: float) -> dict[str, object]:
    """Make the tables as they are now the current generation. The content of the marker.

    DatabaseError, with the former generation still current, if the database is gone or is not the
    one that dbt's marker names. DatabaseBusy if another process still holds it after `wait_s`
    seconds.
    """
    place = _Place(layout)
    place.drop_unfinished()
    generation = _new_generation()
    days = {name: _archived_days(layout, name) for name in settings.datasets}
    try:
        part = place.begin(generation)
        whole = _whole_datasets(settings, layout, days)
        linked = _link(layout, place.folder(generation), whole)
        folder = linked.relative_to(layout.parquet)
        fault_points.reach("publish.linked")
        columns = FileColumns.noted(layout.file_columns)
        tables = _write(part, settings, layout, folder, whole, columns, wait_s)
        fault_points.reach("publish.written")
        stamp = place.make_current(generation, part)
    except Exception:
        place.drop(generation)
        raise
    sync_folder(layout.read_copy.parent)
    fault_points.reach("publish.renamed")
    place.drop_former(generation)
    _note(columns)
    return {
        "generation": generation,
        "base": str(layout.parquet.absolute()),
        "folder": str(folder),
        "file": stamp,
        "storage_version": settings.read_copy_storage_version,
        "tables": tables,
        "published_at": datetime.now(UTC).isoformat(),
    }


def is_published(settings: Settings, layout: Layout, marker: Mapping[str, object] | None) -> bool:
    """Whether readers see what the marker describes.

    That is the file as it was published, for the DuckDB that the settings name, and the files of
    its views at the place that they name.
    """
    copy = layout.read_copy
    if marker is None or not copy.exists() or _log_of(copy).exists():
        return False
    base = str(layout.parquet.absolute())
    if marker.get("base") != base:
        return False
    if marker.get("storage_version") != settings.read_copy_storage_version:
        return False
    folder = layout.parquet / str(marker.get("folder"))
    return marker.get("file") == file_stamp(copy) and folder.is_dir()


def _new_generation() -> str:
    """A name with the time when it was begun, and that no other process gives."""
    suffix = uuid.uuid4().hex[:8]
    return f"{datetime.now(UTC):{STAMP}}-{suffix}"


def _archived_days(layout: Layout, dataset: str) -> list[str]:
    return [str(day) for day in archived_days(layout, dataset)]


class _Place:
    """Where a database's generations lie.

    Each is `<generation>.duckdb` beside the database, and a folder of hard links in the archive.
    """

    def __init__(self, layout: Layout) -> None:
        database = layout.database
        self._current = layout.read_copy
        self._files = layout.read_generations
        # several databases may share an archive
        digest = hashlib.sha256(bytes(database.resolve())).hexdigest()
        self._folders = layout.read_folders / f"{database.name}-{digest[:8]}"

    def folder(self, generation: str) -> Path:
        return self._folders / generation

    def file(self, generation: str) -> Path:
        return self._files / f"{generation}.duckdb"

    def part(self, generation: str) -> Path:
        """The folder that the file is written in.

        As long as it is there, the generation is not finished.
        """
        return self._files / f"{generation}.part"

    def begin(self, generation: str) -> Path:
        """The file to write."""
        self.part(generation).mkdir(parents=True)
        return self.part(generation) / "part.duckdb"

    def make_current(self, generation: str, part: Path) -> dict[str, int]:
        """Replace the current file by one rename, and return its stamp.

        It keeps its own name too, by which a later publication finds out whether it is open.
        """
        sync_file(part)
        part.chmod(0o444)  # opened for writing it would lock out other readers
        stamp = file_stamp(part)
        new = self._new()
        try:
            new.hardlink_to(part)
            part.rename(self.file(generation))
        except OSError:
            part.rename(new)
        self.part(generation).rmdir()
        # of a reader that wrote nevertheless: it must not meet the new file
        _log_of(self._current).unlink(missing_ok=True)
        new.replace(self._current)
        return stamp

    def drop(self, generation: str) -> None:
        shutil.rmtree(self.folder(generation), ignore_errors=True)
        for file in (self.file(generation), self._new()):
            with contextlib.suppress(OSError):
                file.unlink(missing_ok=True)
        # last: by it a later publication finds what is to be dropped
        shutil.rmtree(self.part(generation), ignore_errors=True)

    def drop_unfinished(self) -> None:
        """What publications left that were killed."""
        for part in self._files.glob("*.part"):
            self.drop(part.stem)
        self._new().unlink(missing_ok=True)  # of one that had no part any more

    def drop_former(self, current: str) -> None:
        """All but the current generation, the newest, the young, and those whose file is open.

        A lock alone would not do: it goes when its process closes any handle of the file, and no
        lock is seen across containers.
        """
        known = self._known()
        for generation in known[:-KEPT]:
            is_kept = generation in known[-MOST:] and _is_young(generation)
            if is_kept or generation == current:
                continue
            if lock_holder(self.file(generation)) is None:
                self.drop(generation)

    def _known(self) -> list[str]:
        """The generations that have a file or a folder, the oldest first."""
        found = {path.name for path in self._folders.glob("*/")}
        found.update(path.stem for path in self._files.glob("*.duckdb"))
        return sorted(name for name in found if _published_at(name))

    def _new(self) -> Path:
        return self._current.with_name(f".{self._current.name}.new")


def _published_at(generation: str) -> datetime | None:
    """When the generation was begun, by its name, or None for a name that is none."""
    time, _, _ = generation.rpartition("-")
    with contextlib.suppress(ValueError):
        return datetime.strptime(time, STAMP).replace(tzinfo=UTC)
    return None


def _is_young(generation: str) -> bool:
    published_at = _published_at(generation)
    return published_at is not None and datetime.now(UTC) - published_at < KEPT_FOR


def _log_of(file: Path) -> Path:
    """DuckDB's log of writes beside the file."""
    return file.with_name(f"{file.name}.wal")


def _whole_datasets(settings: Settings, layout: Layout, days: Days) -> Days:
    """Without the datasets that lack a file, but for those that the tables are built from."""
    needed = table_datasets(settings)
    found = {}
    for name, dts in days.items():
        missing = []
        if name not in needed:
            missing = [dt for dt in dts if not is_there(layout.part_text(name, dt))]
        if missing:
            log.warning(
                "left out of the read copy: days without their file", dataset=name, days=missing
            )
        else:
            found[name] = dts
    return found


def _link(layout: Layout, folder: Path, days: Days) -> Path:
    """Hard links to every archived file, in the folder that is returned.

    Where the file system has no hard links, it is the archive itself.
    """
    try:
        for name, dts in days.items():
            place = folder / name
            place.mkdir(parents=True)
            for dt in dts:
                os.mkdir(f"{place}/dt={dt}")  # noqa: PTH102 - a path takes twice as long
                os.link(layout.part_text(name, dt), f"{place}/dt={dt}/{PART}")
    except OSError as error:
        if error.errno not in NO_HARD_LINKS:
            raise
        shutil.rmtree(folder, ignore_errors=True)
        log.warning(
            "no hard links here: readers of raw tables see a day vanish for a moment while it is "
            "read again",
            reason=error.strerror,
        )
        return layout.parquet
    return folder


def _note(columns: FileColumns) -> None:
    """Note the columns. The note only saves time: without it the publication is whole too."""
    try:
        columns.write()
    except ArchiveError as error:
        log.warning("the next publication opens every file again", reason=str(error))


def _write(
    part: Path,
    settings: Settings,
    layout: Layout,
    folder: Path,
    days: Days,
    columns: FileColumns,
    wait_s: float,
) -> dict[str, int]:
    """A new DuckDB file with marts, views and a table about itself. The rows of each mart.

    The views are on the files in the archive's `folder`.
    """
    if not settings.duckdb_path.exists():  # opening it would make an empty one
        raise DatabaseError(
            f"{settings.duckdb_path} is gone; run again, and it is built from the archive"
        )
    with open_database(settings.duckdb_path, wait_s=wait_s) as connection:
        _refuse_other_build(connection, settings, layout)
        version = settings.read_copy_storage_version
        options = f"STORAGE_VERSION {literal(version)}"
        connection.execute(f"ATTACH {literal(str(part))} AS copy ({options})")
        marts = _marts(connection)
        for mart in marts:
            _copy(connection, mart, version)
        base = layout.parquet.absolute()
        shown = dict(days)
        for name, dts in days.items():
            if not _show(connection, settings, base, folder, name, dts, columns):
                del shown[name]
        _describe(connection, settings.tz, shown)
        rows = {mart: _count(connection, mart) for mart in marts}
        connection.execute("DETACH copy")
    return rows


def _marts(connection: duckdb.DuckDBPyConnection) -> list[str]:
    """The tables that readers get, in the database that is being published."""
    found = connection.execute(
        "SELECT table_name FROM duckdb_tables() WHERE database_name <> 'copy' "
        "AND schema_name = 'main' AND table_name SIMILAR TO '(fct|dim)_.*'"
    )
    return [mart for (mart,) in found.fetchall()]


def _count(connection: duckdb.DuckDBPyConnection, mart: str) -> int:
    """The rows of the mart in the copy."""
    found = connection.execute(f"SELECT count(*) FROM copy.{quoted(mart)}")
    [(rows,)] = found.fetchall()
    return rows


def _copy(connection: duckdb.DuckDBPyConnection, mart: str, version: str) -> None:
    """Copy the mart. DatabaseError if it has a type of column that the storage version lacks."""
    try:
        connection.execute(f"CREATE TABLE copy.{quoted(mart)} AS FROM {quoted(mart)}")
    except duckdb.InvalidInputException as error:
        reason = _one_line(error).removeprefix("Invalid Input Error: ")
        raise DatabaseError(
            f"{mart} cannot be published for DuckDB {version} ({reason}); cast the column to "
            "another type in its model, or set READ_COPY_STORAGE_VERSION to a newer version"
        ) from None


def _refuse_other_build(
    connection: duckdb.DuckDBPyConnection, settings: Settings, layout: Layout
) -> None:
    """DatabaseError if the tables are not those that dbt's marker names.

    The database was replaced then.
    """
    marker = read_json(layout.models) or {}
    build = marker.get("build_id")
    if build is None or _builds(connection) != [build]:
        raise DatabaseError(
            f"{settings.duckdb_path} does not record the build that {layout.models} names; "
            "run again, and the tables are built anew"
        )


def _builds(connection: duckdb.DuckDBPyConnection) -> list[str]:
    found = connection.execute("SELECT build_id FROM archive.builds")
    return [build for (build,) in found.fetchall()]


def _show(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    base: Path,
    folder: Path,
    name: str,
    dts: Sequence[str],
    columns: FileColumns,
) -> bool:
    """Make the raw table's view. Whether it could be made.

    A dataset that the tables are not built from does not hold them up.
    """
    dataset = settings.datasets[name]
    try:
        query = _nothing(dataset)
        if dts:
            found = columns.counted(connection, base / folder / name, name, dts)
            query = _raw(dataset, settings.tz, base, folder / name, found, len(dts))
        connection.execute(f"CREATE VIEW copy.{quoted(name)} AS {query}")
    except (duckdb.Error, OSError) as error:
        if name in table_datasets(settings):
            raise
        log.warning(
            "left out of the read copy: a file cannot be read",
            dataset=name,
            reason=_one_line(error),
        )
        return False
    return True


def _raw(
    dataset: Dataset,
    zone: str,
    base: Path,
    folder: Path,
    found: Sequence[tuple[str, int]],
    days: int,
) -> str:
    """The raw table as a query on its files, with the local date `dt`, by which DuckDB skips files.

    `found` is each column with the number of the `days` files that have it. Where all files have
    the same columns, DuckDB opens only those that it reads. Else it opens all of them, to find out
    which have which. A reader for whom `base` lies at another place gives that one: SET VARIABLE
    parquet = '...'.
    """
    files = literal(f"/{folder}/dt=*/{PART}")
    place = literal(str(base))
    holders: Counter[str] = Counter()
    for name, count in found:
        holders[name] += count  # one name may have several types
    are_equal = all(count == days for _, count in found)
    selected = []
    columns = dataset.columns().items()
    for (name, kind), wall in zip(columns, wall_columns(dataset, zone), strict=True):
        expression = "NULL"
        if name in holders:
            expression = wall
        absent = None
        if holders[name] != days:
            absent = dataset.absent(name)
        selected.append(f"{_filled(expression, absent, kind)} AS {quoted(name)}")
    read = f"read_parquet(coalesce(getvariable('parquet'), {place}) || {files}"
    partitions = "hive_partitioning = true, hive_types = {'dt': 'DATE'}"
    options = f"{partitions}, union_by_name = {not are_equal}"
    return f"SELECT {', '.join(selected)}, dt FROM {read}, {options})"


def _nothing(dataset: Dataset) -> str:
    columns = []
    for name, kind in dataset.columns().items():
        columns.append(f"CAST(NULL AS {kind}) AS {quoted(name)}")
    return f"SELECT {', '.join(columns)}, CAST(NULL AS DATE) AS dt WHERE false"


def _filled(expression: str, absent: str | float | None, kind: str) -> str:
    """A column that was declared later is in newer files only."""
    if absent is None:
        return f"CAST({expression} AS {kind})"
    return f"coalesce({expression}, CAST({literal(absent)} AS {kind}))"


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


def _describe(connection: duckdb.DuckDBPyConnection, zone: str, days: Days) -> None:
    connection.execute(
        "CREATE TABLE copy.read_copy (published_at TIMESTAMP, tz VARCHAR, dataset VARCHAR, "
        "days BIGINT, first_day DATE, last_day DATE)"
    )
    for name, dts in days.items():
        now = naive_utc(datetime.now(UTC))
        first = min(dts, default=None)
        last = max(dts, default=None)
        row = [now, zone, name, len(dts), first, last]
        connection.execute("INSERT INTO copy.read_copy VALUES (?, ?, ?, ?, ?, ?)", row)
