"""Staging a day as Parquet."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from homeiot_batch.archive.day_file import read_metadata
from homeiot_batch.archive.parquet_writer import rename_durably
from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.day_record import DayRecord, FileMetadata
from homeiot_batch.core.days import LocalDay
from homeiot_batch.errors import ArchiveError, SourceError
from tests.staging import stage_day

START = 1794150000 * 10**9
Batches = Callable[..., list[pa.RecordBatch]]


def test_a_day_is_written_in_order_with_its_metadata(
    tmp_path: Path, settings: Settings, dataset: Dataset, day: LocalDay, batches: Batches
) -> None:
    """Rows by time, then source, also across batches.

    The metadata counts real values, not the fills.
    """
    points = batches(
        [
            (START, "b", 1.0, None, None),
            (START, "a", 2.0, 5.0, None),
            (START + 7000, "z", 3.0, None, None),
        ],
        [(START + 7000, "c", 4.0, None, None), (START + 7999, None, None, None, 6.0)],
    )
    staged = stage_day(points, dataset, day, settings, tmp_path)
    table = pq.ParquetFile(staged.folder / "part-0.parquet").read()
    found = [tuple(row.values())[2:6] for row in table.to_pylist()]
    assert found == [
        ("a", 2.0, 5.0, 0.0),
        ("b", 1.0, 0.0, 0.0),
        ("c", 4.0, 0.0, 0.0),
        ("z", 3.0, 0.0, 0.0),
        ("meter1", 0.0, 0.0, 6.0),
    ]
    assert table.schema.field("ts_jst").type == pa.timestamp("us", tz="Asia/Tokyo")
    content = pq.read_metadata(staged.folder / "part-0.parquet").metadata[b"homeiot"]
    metadata = json.loads(content)
    assert read_metadata(staged.folder) == FileMetadata.from_json(metadata)
    assert {key: metadata[key] for key in metadata if key not in ("version", "write_id")} == {
        "dt": "2026-11-09",
        "tz": "Asia/Tokyo",
        "start_utc": "2026-11-08T15:00:00+00:00",
        "end_utc": "2026-11-09T15:00:00+00:00",
        "columns": {
            "ts_utc": "timestamp[us, tz=UTC]",
            "ts_jst": "timestamp[us, tz=Asia/Tokyo]",
            "source": "string",
            "instant_power_w": "double",
            "energy_import_kwh": "double",
            "energy_export_kwh": "double",
            "ingested_at": "timestamp[us, tz=UTC]",
        },
        "rows": 5,
        "values": {"instant_power_w": 4, "energy_import_kwh": 1, "energy_export_kwh": 1},
        "first_utc": "2026-11-08T15:00:00+00:00",
        "last_utc": "2026-11-08T15:00:00.000007+00:00",
        "read_at": "2026-11-23T15:10:00+00:00",
        "dataset": "raw_meter_readings",
        "source": {"kind": "test"},
    }


def test_a_file_has_the_exact_time(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    settings: Settings,
    dataset: Dataset,
    day: LocalDay,
) -> None:
    """By it a marker tells files apart. The system's own clock ticks too seldom for that."""
    now = 1_794_193_200_123_456_789
    monkeypatch.setattr(time, "time_ns", lambda: now)
    staged = stage_day([], dataset, day, settings, tmp_path)
    assert (staged.folder / "part-0.parquet").stat().st_mtime_ns == now


def test_row_groups_and_compression_are_as_set(
    tmp_path: Path, settings: Settings, dataset: Dataset, day: LocalDay, batches: Batches
) -> None:
    """Small batches are joined to row groups of the size that is set. Zstd by default."""
    points = batches(*[[(START + n * 10**9, "a", float(n), None, None)] for n in range(25)])
    small = settings.model_copy(update={"parquet_row_group_size": 10})
    staged = stage_day(points, dataset, day, small, tmp_path)
    metadata = pq.read_metadata(staged.folder / "part-0.parquet")
    assert [metadata.row_group(n).num_rows for n in range(metadata.num_row_groups)] == [10, 10, 5]
    assert metadata.row_group(0).column(0).compression == "ZSTD"


def test_a_day_without_points_is_a_file_without_rows(
    tmp_path: Path, settings: Settings, dataset: Dataset, day: LocalDay
) -> None:
    """An empty day is archived as such, with the columns of any other."""
    staged = stage_day([], dataset, day, settings, tmp_path)
    table = pq.ParquetFile(staged.folder / "part-0.parquet").read()
    assert (len(table), table.schema.names) == (0, dataset.arrow_schema("Asia/Tokyo").names)
    assert staged.record == DayRecord(0, dict.fromkeys(dataset.fields, 0))


def test_nothing_is_left_of_a_read_that_fails(
    tmp_path: Path, settings: Settings, dataset: Dataset, day: LocalDay, batches: Batches
) -> None:
    """A source that raises after some batches leaves no file behind."""

    def broken() -> Iterator[pa.RecordBatch]:
        yield from batches([(START, "a", 1.0, None, None)])
        raise SourceError("cut")

    with pytest.raises(SourceError, match="cut"):
        stage_day(broken(), dataset, day, settings, tmp_path)
    assert list((tmp_path / ".staging").iterdir()) == []


def test_rows_of_another_day_are_refused(
    tmp_path: Path, settings: Settings, dataset: Dataset, day: LocalDay, batches: Batches
) -> None:
    """What is read back from disk must lie in the day, to the microsecond."""
    for at in (START - 1, day.end_ns):
        with pytest.raises(ArchiveError, match="holds rows of another day than 2026-11-09"):
            stage_day(
                batches([(at, "a", 1.0, None, None)]),
                dataset,
                day,
                settings,
                tmp_path,
            )
    assert list((tmp_path / ".staging").iterdir()) == []


def test_a_day_in_place_is_never_overwritten_by_a_rename(tmp_path: Path) -> None:
    """The rename refuses a folder that stands there with a file in it."""
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "part-0.parquet").write_text(name)
    with pytest.raises(ArchiveError, match="cannot be renamed"):
        rename_durably(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old/part-0.parquet").read_text() == "old"


@pytest.mark.parametrize("damage", ["empty", "cut", "foreign", "second file"])
def test_a_damaged_day_is_named(
    tmp_path: Path,
    settings: Settings,
    dataset: Dataset,
    day: LocalDay,
    batches: Batches,
    damage: str,
) -> None:
    """A file that is cut short, foreign, or not alone is refused with its path and the fix."""
    folder = stage_day(
        batches([(START, "a", 1.0, None, None)]), dataset, day, settings, tmp_path
    ).folder
    part = folder / "part-0.parquet"
    content = part.read_bytes()
    if damage == "empty":
        part.write_bytes(b"")
    elif damage == "cut":
        part.write_bytes(content[:-9])
    elif damage == "foreign":
        pq.write_table(pa.table({"x": [1]}), part)
    else:
        (folder / "part-1.parquet").write_bytes(content)
    with pytest.raises(ArchiveError, match=str(folder)):
        read_metadata(folder)


def test_the_metadata_is_json_that_others_can_read(
    tmp_path: Path, settings: Settings, dataset: Dataset, day: LocalDay
) -> None:
    """The key is `homeiot`, beside Arrow's own."""
    folder = stage_day([], dataset, day, settings, tmp_path).folder
    assert (
        json.loads(pq.read_metadata(folder / "part-0.parquet").metadata[b"homeiot"])["dt"]
        == "2026-11-09"
    )


def test_times_are_kept_as_differences_and_doubles_as_they_are(
    tmp_path: Path, settings: Settings, dataset: Dataset, day: LocalDay, batches: Batches
) -> None:
    """The times of a reading a second take hardly a byte. All is read as it was written."""
    rows = [(START + n * 10**9, "a", 1.5, 2.0 + n / 1000, None) for n in range(20_000)]
    part = stage_day(batches(rows), dataset, day, settings, tmp_path).folder / "part-0.parquet"
    columns = [pq.read_metadata(part).row_group(0).column(index) for index in range(7)]
    encodings = {column.path_in_schema: set(column.encodings) for column in columns}
    dictionary = {"PLAIN", "RLE", "RLE_DICTIONARY"}
    plain = {"PLAIN", "RLE"}
    assert encodings == {
        "ts_utc": {"RLE", "DELTA_BINARY_PACKED"},
        "ts_jst": {"RLE", "DELTA_BINARY_PACKED"},
        "source": dictionary,
        "instant_power_w": plain,
        "energy_import_kwh": plain,
        "energy_export_kwh": plain,
        "ingested_at": dictionary,
    }
    assert part.stat().st_size < 3 * len(rows)
    with duckdb.connect() as connection:
        query = f"""
            SELECT epoch_ns(ts_utc), epoch_ns(ts_jst), source, instant_power_w, energy_import_kwh
            FROM '{part}'
        """
        found = connection.execute(query).fetchall()
    assert found == [(row[0], *row[:4]) for row in rows]
