"""The read copy: a DuckDB file for Grafana, notebooks and the command line, which no run ever locks and no reader ever holds up.

Each publication is a generation that never changes: the marts as tables of a new file, and the raw tables as views over hard links to the
archive's files, so that a day that is replaced stays as it was for those who still read the generation. One rename makes it the current one.
Former generations go by name and age: the newest and the young ones stay, whoever reads them.
"""

import contextlib
import errno
import hashlib
import shutil
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import structlog

from homeiot_batch.config import SHIPPED_DATASET, Settings
from homeiot_batch.core import fault_points
from homeiot_batch.core.datasets import Dataset, literal, quoted, wall_columns
from homeiot_batch.core.files import (
    file_stamp,
    is_there,
    lock_holder,
    read_json,
    sync_file,
    sync_folder,
)
from homeiot_batch.core.layout import PART, Layout
from homeiot_batch.errors import DatabaseError
from homeiot_batch.warehouse.database import naive_utc, open_database

NO_HARD_LINKS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV, errno.EMLINK}
STAMP = "%Y%m%dT%H%M%S%fZ"
# of the generations: so many of the newest, and of the others those that are younger, up to so many
KEPT, KEPT_FOR, MOST = 3, timedelta(days=3), 24

log = structlog.get_logger()


def publish(settings: Settings, layout: Layout, wait_s: float) -> dict[str, object]:
    """Make the tables as they are now the current generation; the content of the marker.

    DatabaseError, with the former generation still current, if the database is gone or is not the one that dbt's marker speaks of;
    DatabaseBusy if another process still holds it after `wait_s` seconds.
    """
    place = _Place(settings, layout)
    place.drop_unfinished()
    generation = f"{datetime.now(UTC):{STAMP}}-{uuid.uuid4().hex[:8]}"
    days = {name: [str(day) for day in layout.archived_days(name)] for name in settings.datasets}
    try:
        part = place.begin(generation)
        folder = _link(layout, place.folder(generation), days).relative_to(layout.parquet)
        fault_points.reach("publish.linked")
        tables = _write(part, settings, layout, folder, days, wait_s)
        fault_points.reach("publish.written")
        found = {
            "base": str(layout.parquet.absolute()),
            "folder": str(folder),
            "file": place.make_current(generation, part),
        }
    except Exception:
        place.drop(generation)
        raise
    sync_folder(settings.read_copy.parent)
    fault_points.reach("publish.renamed")
    place.drop_former(generation)
    return {
        "generation": generation,
        **found,
        "storage_version": settings.read_copy_storage_version,
        "tables": tables,
        "published_at": datetime.now(UTC).isoformat(),
    }


def is_published(settings: Settings, layout: Layout, marker: Mapping[str, object] | None) -> bool:
    """Whether readers see what the marker tells of.

    That is the file as it was published, for the DuckDB that the settings name, and the files of
    its views at the place that they name.
    """
    copy, base = settings.read_copy, str(layout.parquet.absolute())
    if marker is None or marker.get("base") != base or not copy.exists() or _log_of(copy).exists():
        return False
    if marker.get("storage_version") != settings.read_copy_storage_version:
        return False
    return (
        marker.get("file") == file_stamp(copy)
        and (layout.parquet / str(marker.get("folder"))).is_dir()
    )


class _Place:
    """Where a database's generations lie: `<generation>.duckdb` beside it, and a folder of hard links in the archive."""

    def __init__(self, settings: Settings, layout: Layout) -> None:
        database = settings.duckdb_path
        self._current, self._files = settings.read_copy, settings.read_generations
        # several databases may share an archive
        self._folders = (
            layout.read_folders
            / f"{database.name}-{hashlib.sha256(bytes(database.resolve())).hexdigest()[:8]}"
        )

    def folder(self, generation: str) -> Path:
        return self._folders / generation

    def file(self, generation: str) -> Path:
        return self._files / f"{generation}.duckdb"

    def part(self, generation: str) -> Path:
        """The folder that the file is written in: as long as it is there, the generation is not finished."""
        return self._files / f"{generation}.part"

    def begin(self, generation: str) -> Path:
        """The file to write."""
        self.part(generation).mkdir(parents=True)
        return self.part(generation) / "part.duckdb"

    def make_current(self, generation: str, part: Path) -> dict[str, int]:
        """Replace the current file by one rename, and keep it under its own name too, to tell later whether it is open; its stamp."""
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
        # last: it tells what is to be dropped
        shutil.rmtree(self.part(generation), ignore_errors=True)

    def drop_unfinished(self) -> None:
        """What publications left that were killed."""
        for part in self._files.glob("*.part"):
            self.drop(part.stem)
        self._new().unlink(missing_ok=True)  # of one that had no part any more

    def drop_former(self, current: str) -> None:
        """All but the current generation, the newest, the young, and those whose file is open.

        A lock alone would not do: it goes when its process closes any handle of the file, and no lock is seen across containers.
        """
        found = {path.name for path in self._folders.glob("*/")} | {
            path.stem for path in self._files.glob("*.duckdb")
        }
        known = sorted(name for name in found if _published_at(name))
        for generation in known[:-KEPT]:
            published_at = _published_at(generation)
            is_young = (
                published_at is not None
                and datetime.now(UTC) - published_at < KEPT_FOR
                and generation in known[-MOST:]
            )
            if (
                generation != current
                and not is_young
                and lock_holder(self.file(generation)) is None
            ):
                self.drop(generation)

    def _new(self) -> Path:
        return self._current.with_name(f".{self._current.name}.new")


def _published_at(generation: str) -> datetime | None:
    """When the generation was begun, by its name; None for a name that is none."""
    with contextlib.suppress(ValueError):
        return datetime.strptime(generation.rpartition("-")[0], STAMP).replace(tzinfo=UTC)
    return None


def _log_of(file: Path) -> Path:
    """DuckDB's log of writes beside the file."""
    return file.with_name(f"{file.name}.wal")


def _link(layout: Layout, folder: Path, days: dict[str, list[str]]) -> Path:
    """Hard links to every archived file; the folder that has them, or the archive itself where the file system knows no hard links."""
    try:
        for name, dts in list(days.items()):
            if name != SHIPPED_DATASET and (
                missing := [dt for dt in dts if not is_there(layout.day(name, dt) / PART)]
            ):
                log.warning(
                    "left out of the read copy: days without their file", dataset=name, days=missing
                )
                del days[name]
                continue
            for dt in dts:
                link = folder / name / f"dt={dt}" / PART
                link.parent.mkdir(parents=True)
                link.hardlink_to(layout.day(name, dt) / PART)
    except OSError as error:
        if error.errno not in NO_HARD_LINKS:
            raise
        shutil.rmtree(folder, ignore_errors=True)
        log.warning(
            "no hard links here: readers of raw tables see a day vanish for a moment while it is read again",
            reason=error.strerror,
        )
        return layout.parquet
    return folder


def _write(
    part: Path,
    settings: Settings,
    layout: Layout,
    folder: Path,
    days: dict[str, list[str]],
    wait_s: float,
) -> dict[str, int]:
    """A new DuckDB file with marts, views on the files in the archive's `folder`, and a word about itself; the marts' rows."""
    if not settings.duckdb_path.exists():  # opening it would make an empty one
        raise DatabaseError(
            f"{settings.duckdb_path} is gone; run again, and it is built from the archive"
        )
    with open_database(settings.duckdb_path, wait_s=wait_s) as connection:
        _refuse_other_build(connection, settings, layout)
        version = settings.read_copy_storage_version
        connection.execute(
            f"ATTACH {literal(str(part))} AS copy (STORAGE_VERSION {literal(version)})"
        )
        marts = connection.execute(
            "SELECT table_name FROM duckdb_tables() WHERE database_name <> 'copy' AND schema_name = 'main' AND table_name SIMILAR TO '(fct|dim)_.*'"
        ).fetchall()
        for (mart,) in marts:
            _copy(connection, mart, version)
        shown = {
            name: dts
            for name, dts in days.items()
            if _show(connection, settings, layout.parquet.absolute(), folder, name, dts)
        }
        _describe(connection, settings.tz, shown)
        rows = {
            mart: connection.execute(f"SELECT count(*) FROM copy.{quoted(mart)}").fetchall()[0][0]
            for (mart,) in marts
        }
        connection.execute("DETACH copy")
    return rows


def _copy(connection: duckdb.DuckDBPyConnection, mart: str, version: str) -> None:
    """Copy the mart; DatabaseError if it has a type of column that the storage version lacks."""
    try:
        connection.execute(f"CREATE TABLE copy.{quoted(mart)} AS FROM {quoted(mart)}")
    except duckdb.InvalidInputException as error:
        reason = " ".join(str(error).split()).removeprefix("Invalid Input Error: ")
        raise DatabaseError(
            f"{mart} cannot be published for DuckDB {version} ({reason}); cast the column to "
            "another type in its model, or set READ_COPY_STORAGE_VERSION to a newer version"
        ) from None


def _refuse_other_build(
    connection: duckdb.DuckDBPyConnection, settings: Settings, layout: Layout
) -> None:
    """DatabaseError if the tables are not those that dbt's marker speaks of: the database was replaced."""
    build = (read_json(layout.models) or {}).get("build_id")
    if build is None or connection.execute("SELECT build_id FROM archive.builds").fetchall() != [
        (build,)
    ]:
        raise DatabaseError(
            f"{settings.duckdb_path} does not record the build that {layout.models} names; run again, and the tables are built anew"
        )


def _show(
    connection: duckdb.DuckDBPyConnection,
    settings: Settings,
    base: Path,
    folder: Path,
    name: str,
    dts: list[str],
) -> bool:
    """Make the raw table's view; whether it could be made. A dataset that the tables are not built from does not hold them up."""
    dataset = settings.datasets[name]
    try:
        query = (
            _raw(connection, dataset, settings.tz, base, folder / name, len(dts))
            if dts
            else _nothing(dataset)
        )
        connection.execute(f"CREATE VIEW copy.{quoted(name)} AS {query}")
    except duckdb.Error as error:
        if name == SHIPPED_DATASET:
            raise
        log.warning(
            "left out of the read copy: a file cannot be read",
            dataset=name,
            reason=" ".join(str(error).split()),
        )
        return False
    return True


def _raw(
    connection: duckdb.DuckDBPyConnection,
    dataset: Dataset,
    zone: str,
    base: Path,
    folder: Path,
    days: int,
) -> str:
    """The raw table as a query on its files, with the local date `dt`, by which DuckDB skips files.

    Where all files have the same columns it opens only those that it reads; else all of them, to find out which have which.
    Who sees `base` at another place says so: SET VARIABLE parquet = '...'.
    """
    files = literal(f"/{folder}/dt=*/{PART}")
    there = connection.execute(
        f"SELECT name, count(*) FROM parquet_schema({literal(str(base))} || {files}) WHERE type IS NOT NULL GROUP BY name, type, logical_type"
    ).fetchall()
    counts, are_equal = dict(there), all(count == days for _, count in there)
    columns = [
        f"{_filled(expression if name in counts else 'NULL', None if counts.get(name) == days else dataset.absent(name), kind)} AS {quoted(name)}"
        for (name, kind), expression in zip(
            dataset.columns().items(), wall_columns(dataset, zone), strict=True
        )
    ]
    options = (
        f"hive_partitioning = true, hive_types = {{'dt': 'DATE'}}, union_by_name = {not are_equal}"
    )
    return f"SELECT {', '.join(columns)}, dt FROM read_parquet(coalesce(getvariable('parquet'), {literal(str(base))}) || {files}, {options})"


def _nothing(dataset: Dataset) -> str:
    nothing = [
        f"CAST(NULL AS {kind}) AS {quoted(name)}" for name, kind in dataset.columns().items()
    ]
    return f"SELECT {', '.join(nothing)}, CAST(NULL AS DATE) AS dt WHERE false"


def _filled(expression: str, absent: str | float | None, kind: str) -> str:
    """A column that was declared later is in newer files only."""
    return (
        f"CAST({expression} AS {kind})"
        if absent is None
        else f"coalesce({expression}, CAST({literal(absent)} AS {kind}))"
    )


def _describe(connection: duckdb.DuckDBPyConnection, zone: str, days: dict[str, list[str]]) -> None:
    columns = "published_at TIMESTAMP, tz VARCHAR, dataset VARCHAR, days BIGINT, first_day DATE, last_day DATE"
    connection.execute(f"CREATE TABLE copy.read_copy ({columns})")
    for name, dts in days.items():
        row = [
            naive_utc(datetime.now(UTC)),
            zone,
            name,
            len(dts),
            min(dts, default=None),
            max(dts, default=None),
        ]
        connection.execute("INSERT INTO copy.read_copy VALUES (?, ?, ?, ?, ?, ?)", row)
