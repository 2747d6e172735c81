"""Proves that a day's Parquet file is readable, whole, as written, and of declared columns."""

import contextlib
import functools
import json
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from homeiot_batch.core.datasets import OWN_COLUMNS, Dataset
from homeiot_batch.core.day_record import DayRecord, FileMetadata, Marker
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.duckdb_connections import scratch
from homeiot_batch.core.files import sha256
from homeiot_batch.core.layout import PART
from homeiot_batch.errors import ArchiveDamaged, ArchiveError, SettingsError

METADATA_KEY = b"homeiot"
SNAKEMAKE_TIMESTAMP = ".snakemake_timestamp"


def read_metadata(folder: Path) -> FileMetadata | None:
    """What the day's file says of itself, or None where there is no day.

    ArchiveDamaged, or ArchiveError if it cannot be read now.
    """
    if not folder.is_dir():
        return None
    refuse_foreign_files(folder)
    return file_metadata(folder / PART)


def file_metadata(part: Path) -> FileMetadata:
    """What the file says of itself. ArchiveDamaged, or ArchiveError if it cannot be read now."""
    with translate_read_errors(part):
        content = (pq.read_metadata(part).metadata or {})[METADATA_KEY]
        return FileMetadata.from_json(json.loads(content))


def metadata_of(content: bytes) -> FileMetadata:
    """What a day's file of this content says of itself. Nothing where it cannot be read."""
    try:
        found = pq.read_metadata(pa.BufferReader(content)).metadata or {}
        return FileMetadata.from_json(json.loads(found[METADATA_KEY]))
    except (pa.ArrowException, OSError, KeyError, ValueError, OverflowError, RecursionError):
        return FileMetadata()


@dataclass(frozen=True)
class Proof:
    """Records that a file was read through and proven for a day: see `prove_part`.

    The checksum was taken before the reading. It tells whether a file still is what was proven,
    also after a change that leaves its size and times as they were. A proof is kept in memory
    alone: what a killed run has proven is proven again.
    """

    sha256: str
    day: LocalDay

    def holds_for(self, checksum: str, day: LocalDay) -> bool:
        """Whether the file of this checksum was proven, and all its rows lie in `day`."""
        is_within = day.start <= self.day.start and self.day.end <= day.end
        return is_within and checksum == self.sha256


@dataclass(frozen=True)
class DayFile:
    """The Parquet file of a day, and what it says of itself. `open_day` opens it."""

    part: Path
    metadata: FileMetadata
    record: DayRecord

    def prove(self, day: LocalDay, proof: Proof | None = None) -> None:
        """Read the whole file, unless `proof` holds for it: see `prove_part`."""
        if proof is None or not proof.holds_for(self.sha256, day):
            _read_through(self.part, self.record, day)

    @functools.cached_property
    def sha256(self) -> str:
        """Hex digest of the file, taken once. ArchiveError if it cannot be read now."""
        with translate_read_errors(self.part):
            return sha256(self.part)

    def refuse_changed(self, loaded: Marker | None) -> None:
        """ArchiveDamaged if it has changed since it was `loaded`: see the function."""
        refuse_changed(self.part, self.metadata, self.sha256, loaded)


def open_day(folder: Path) -> DayFile:
    """The day's file. ArchiveError if there is no day, ArchiveDamaged if it says nothing."""
    metadata = read_metadata(folder)
    if metadata is None:
        raise ArchiveError(f"{folder} is not there; run again to have the day read")
    if metadata.record is None:
        raise damage_error(folder / PART, "it says nothing of its content")
    return DayFile(folder / PART, metadata, metadata.record)


def prove_part(part: Path, record: DayRecord, day: LocalDay) -> Proof:
    """Read every page of the file, and give what is proven by that.

    ArchiveDamaged unless all checksums, the columns and the number of rows are those that were
    written.

    ArchiveError if rows lie outside of the day.
    """
    with translate_read_errors(part):
        checksum = sha256(part)
    _read_through(part, record, day)
    return Proof(checksum, day)


def _read_through(part: Path, record: DayRecord, day: LocalDay) -> None:
    rows = 0
    with translate_read_errors(part), pq.ParquetFile(part, page_checksum_verification=True) as file:
        _refuse_other_columns(part, file, record)
        for batch in file.iter_batches():
            rows += len(batch)
            _refuse_rows_of_another_day(part, batch, day)
    _refuse_what_duckdb_reads_otherwise(part)
    if rows != record.rows:
        raise ArchiveDamaged(
            f"{part} holds {rows} rows where {record.rows} were written; check the disk, and "
            "restore the file from a backup"
        )


def prove_day(folder: Path, day: LocalDay, loaded: Marker | None = None) -> DayFile:
    """The day's file, read through.

    ArchiveError if its file is not there, is damaged, says nothing of its content, or has changed
    since it was `loaded`.
    """
    file = open_day(folder)
    file.prove(day)
    file.refuse_changed(loaded)
    return file


def refuse_changed(
    part: Path, metadata: FileMetadata, checksum: str, loaded: Marker | None
) -> None:
    """ArchiveDamaged if the file is the very one of which `loaded` has another checksum."""
    is_same_file = loaded and loaded.write_id and loaded.write_id == metadata.write_id
    if is_same_file and loaded.sha256 != checksum:
        raise damage_error(part, "its checksum is no longer the one that it was loaded with")


def refuse_undeclared(part: Path, dataset: Dataset, zone: str) -> None:
    """SettingsError if the file has a column that is not declared, or declared with another type.

    Its values would be shown nowhere.
    """
    declared = {column.name: str(column.type) for column in dataset.arrow_schema(zone)}
    with translate_read_errors(part):
        found = {
            column.name: str(column.type)
            for column in pq.read_schema(part)
            if column.name not in OWN_COLUMNS
        }
    for name, kind in found.items():
        if declared.get(name) != kind:
            change = (
                f"declares it as {declared[name]}" if name in declared else "does not declare it"
            )
            raise SettingsError(
                f"datasets.{dataset.name}: the archive holds {name!r} ({kind}), as in {part}, but "
                f"config.yaml {change}; declare it as it was (what a "
                "point does not have is filled), or declare a dataset of another name"
            )


def refuse_foreign_files(folder: Path) -> None:
    """ArchiveError if the day's folder holds a Parquet file that is not the workflow's."""
    if others := [name for name in foreign_files(folder) if name.endswith(".parquet")]:
        raise ArchiveError(
            f"{folder} holds {', '.join(others)} beside {PART}; move it away, readers of the "
            "folder count both"
        )


def refuse_to_delete(folder: Path) -> None:
    """ArchiveError if the day's folder holds anything that is not the workflow's.

    Snakemake is about to delete the folder.
    """
    refuse_foreign_files(folder)
    if others := foreign_files(folder):
        raise ArchiveError(
            f"{folder} holds {', '.join(others)} beside {PART}, which would be deleted with the "
            "old day; move it away"
        )


def foreign_files(folder: Path) -> list[str]:
    """Names of what lies in the folder and is not the workflow's."""
    return sorted(
        path.name for path in folder.iterdir() if path.name not in (PART, SNAKEMAKE_TIMESTAMP)
    )


def damage_error(part: Path, reason: object) -> ArchiveDamaged:
    """The file cannot be trusted, for the reason given."""
    return ArchiveDamaged(
        f"{part} is damaged or not of this archive ({' '.join(str(reason).split())[:120]}); "
        "restore it from a backup, or run "
        f"`python -m homeiot_batch.run_archive --date {part.parent.name.removeprefix('dt=')} "
        "--force`, which reads the day again if the source "
        "still holds as much"
    )


@contextlib.contextmanager
def translate_read_errors(part: Path) -> Generator[None]:
    """ArchiveDamaged for a damaged file, ArchiveError for one that cannot be read now.

    Only the first may be replaced.
    """
    try:
        yield
    except FileNotFoundError:
        raise ArchiveError(
            f"{part.parent} holds no {PART}; remove the folder to have the day read again"
        ) from None
    except MemoryError as error:
        raise ArchiveError(
            f"{part} cannot be read ({' '.join(str(error).split())[:120]}); give the run more "
            "memory"
        ) from None
    except OSError as error:
        if error.errno is None:  # Arrow's own, for what it cannot decode
            raise damage_error(part, error) from None
        raise ArchiveError(
            f"{part} cannot be read ({error.strerror}); see to its permissions and the disk, and "
            "run again"
        ) from None
    except (pa.ArrowException, KeyError, ValueError) as error:
        raise damage_error(part, error) from None


def _refuse_other_columns(part: Path, file: pq.ParquetFile, record: DayRecord) -> None:
    """No checksum covers the file's description of its columns.

    It is compared with what was noted when it was written.
    """
    found = {column.name: str(column.type) for column in file.schema_arrow}
    noted = json.loads((file.metadata.metadata or {})[METADATA_KEY]).get("columns")
    if noted not in (None, found) or not {*OWN_COLUMNS, *record.values} <= set(found):
        raise damage_error(
            part, f"its columns are {found}, written were {noted or [*OWN_COLUMNS, *record.values]}"
        )


def _refuse_what_duckdb_reads_otherwise(part: Path) -> None:
    """No checksum covers page headers and the types that DuckDB goes by.

    ArchiveDamaged if it stumbles, or takes a time for another.
    """
    files = "read_parquet(?, hive_partitioning = false)"
    with scratch() as connection:
        try:
            connection.execute(f"SELECT count(COLUMNS(*)) FROM {files}", [str(part)]).fetchall()
            types = dict(
                connection.execute(
                    f"SELECT column_name, column_type FROM (DESCRIBE FROM {files})", [str(part)]
                ).fetchall()
            )
        except duckdb.OutOfMemoryException as error:
            raise ArchiveError(
                f"{part} cannot be read ({' '.join(str(error).split())[:120]}); give the run more "
                "memory"
            ) from None
        except duckdb.Error as error:
            raise damage_error(part, error) from None
    if found := {
        name: types.get(name)
        for name in OWN_COLUMNS
        if types.get(name) != "TIMESTAMP WITH TIME ZONE"
    }:
        raise damage_error(part, f"DuckDB takes its times for {found}")


def _refuse_rows_of_another_day(part: Path, rows: pa.RecordBatch, day: LocalDay) -> None:
    bounds = pc.min_max(rows.column("ts_utc")).as_py()
    if len(rows) and not day.start <= bounds["min"] <= bounds["max"] < day.end:
        raise ArchiveError(
            f"{part} holds rows of another day than {day}; put it back where it belongs, or report "
            "a fault of the program"
        )
