"""What a killed run left behind, and markers that are not to be believed."""

import json
import os
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from homeiot_batch.archive.parquet_writer import rename_durably
from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.files import write_json
from homeiot_batch.core.inventory import archived_days
from homeiot_batch.core.layout import Layout
from homeiot_batch.core.marker_cache import MarkerCache
from homeiot_batch.warehouse.build_inputs import fingerprints
from homeiot_batch.warehouse.database import record_build
from homeiot_batch.warehouse.duckdb_writer import load_day
from homeiot_batch.workflow.recovery import (
    invalidate_stale_markers,
    recover_staged_days,
    remove_empty_day_folders,
    replace_unusable_database,
)
from tests.staging import stage_day

START = 1794150000 * 10**9
NAME = "raw_meter_readings"
DT = "2026-11-09"


def points(*watts: float, more: int = 0) -> list[tuple]:
    """A reading a second from midnight on, the first `more` seconds later."""
    return [(START + (more + k) * 10**9, "a", watt, None, None) for k, watt in enumerate(watts)]


@pytest.fixture
def stage(
    layout: Layout,
    dataset: Dataset,
    settings: Settings,
    batches: Callable[..., list[pa.RecordBatch]],
) -> Callable[..., Path]:
    """Writes a day of these points, as a read would, and puts it in the place given."""

    def make(place: Path, readings: list[tuple]) -> Path:
        day = LocalDay(date.fromisoformat(place.name[3:]), settings.zone)
        rename_durably(
            stage_day(
                batches(readings),
                dataset,
                day,
                settings,
                layout.staging / "tmp-test",
            ).folder,
            place,
        )
        return place / "part-0.parquet"

    return make


def watts(layout: Layout, dt: str = DT) -> list[float]:
    """What the archived day holds."""
    return (
        pq.ParquetFile(layout.day(NAME, dt) / "part-0.parquet")
        .read()["instant_power_w"]
        .to_pylist()
    )


def staged_files(layout: Layout) -> list[str]:
    """Every file in staging."""
    return sorted(path.name for path in layout.staging.rglob("*") if path.is_file())


def test_a_staged_day_goes_in_place_where_none_stands(
    layout: Layout, settings: Settings, stage: Callable[..., Path]
) -> None:
    """Read whole by a run that was killed: put in place. Half written: dropped."""
    stage(layout.staged(NAME, DT), points(1.0, 2.0))
    (layout.staging / "tmp-1").mkdir()
    (layout.staging / "tmp-1/part-0.parquet").write_text("half")
    recover_staged_days(layout, settings)
    assert (watts(layout), staged_files(layout)) == ([1.0, 2.0], [])


@pytest.mark.parametrize(
    ("staged", "expected"),
    [
        (points(3.0, 4.0, 5.0), [3.0, 4.0, 5.0]),
        (points(3.0, 4.0), [3.0, 4.0]),
        (points(3.0), [1.0, 2.0]),
        (points(3.0, 4.0, 5.0, more=1), [1.0, 2.0]),
    ],
    ids=["more", "as much", "less", "more, but others"],
)
def test_a_staged_day_replaces_one_that_it_holds_all_of(
    layout: Layout,
    settings: Settings,
    stage: Callable[..., Path],
    staged: list[tuple],
    expected: list[float],
) -> None:
    """It is the later read, and the source may have forgotten it since.

    One that lacks a reading of the day in place is dropped.
    """
    stage(layout.day(NAME, DT), points(1.0, 2.0))
    stage(layout.staged(NAME, DT), staged)
    recover_staged_days(layout, settings)
    assert (watts(layout), staged_files(layout)) == (expected, [])


def end_of_first_column(content: bytes) -> int:
    """Where the last byte of the first column's data lies in a Parquet file."""
    column = pq.ParquetFile(pa.BufferReader(content)).metadata.row_group(0).column(0)
    offsets = (column.dictionary_page_offset, column.data_page_offset)
    return min(offset for offset in offsets if offset) + column.total_compressed_size - 1


def flipped(content: bytes, place: int) -> bytes:
    """The content with other bits in one byte."""
    return content[:place] + bytes([content[place] ^ 255]) + content[place + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-20],
        lambda content: flipped(content, end_of_first_column(content)),
    ],
)
def test_of_a_staged_day_and_one_in_place_the_whole_one_stays(
    layout: Layout, settings: Settings, stage: Callable[..., Path], damage: Callable[[bytes], bytes]
) -> None:
    """A staged day takes the place of a damaged one.

    A staged day that is damaged itself takes nobody's.
    """
    for number, spoilt in ((8, layout.day), (10, layout.staged)):
        for place, readings in ((layout.day, points(1.0)), (layout.staged, points(3.0))):
            dt = f"2026-11-{number:02}"
            moved = [(time + (number - 9) * 86400 * 10**9, *rest) for time, *rest in readings]
            part = stage(place(NAME, dt), moved)
            if place == spoilt:
                part.write_bytes(damage(part.read_bytes()))
    recover_staged_days(layout, settings)
    assert (watts(layout, "2026-11-08"), watts(layout, "2026-11-10"), staged_files(layout)) == (
        [3.0],
        [1.0],
        [],
    )


def test_files_beside_a_day_are_kept(
    layout: Layout, settings: Settings, stage: Callable[..., Path]
) -> None:
    """A day folder without its file is moved away to be read again.

    What somebody else has put there is kept, and not with the archive's days.
    """
    stage(layout.day(NAME, DT), points(1.0)).rename(
        layout.day(NAME, DT) / "part-0.parquet.looked-at"
    )
    layout.day(NAME, "2026-11-10").mkdir()
    (layout.day(NAME, "2026-11-10") / ".snakemake_timestamp").touch()
    remove_empty_day_folders(layout, settings.datasets)
    assert archived_days(layout, NAME) == []
    assert [path.name for path in layout.parquet.glob(".kept/*/*/*")] == [
        "part-0.parquet.looked-at"
    ]
    recover_staged_days(layout, settings)
    assert staged_files(layout) == []


def test_a_marker_is_believed_only_with_its_own_load_in_the_database(
    layout: Layout,
    settings: Settings,
    dataset: Dataset,
    day: LocalDay,
    stage: Callable[..., Path],
) -> None:
    """Another load id, no such day, or no database.

    Set aside, but kept as a witness of how much the day held.
    """
    folder = layout.day(NAME, DT)
    stage(folder, points(1.0))
    load = load_day(settings.duckdb_path, folder, dataset, day, allow_shrink=False)
    write_json(layout.marker(NAME, "2026-11-09"), load.marker.to_json())
    write_json(layout.marker(NAME, "2026-11-10"), load.marker.to_json())
    inputs = {"inputs": fingerprints(settings)}
    write_json(layout.models, record_build(settings.duckdb_path) | inputs)
    loads = invalidate_stale_markers(MarkerCache(layout), settings)
    assert loads == {(NAME, "2026-11-09"): (load.load_id, load.record)}
    assert (
        layout.marker(NAME, "2026-11-09").exists(),
        layout.marker(NAME, "2026-11-10").exists(),
        layout.models.exists(),
    ) == (True, False, True)
    settings.duckdb_path.unlink()
    assert invalidate_stale_markers(MarkerCache(layout), settings) == {}
    assert (layout.marker(NAME, "2026-11-09").exists(), layout.models.exists()) == (False, False)
    assert [
        json.loads(layout.former_marker(NAME, f"2026-11-{n}").read_text())["rows"]
        for n in ("09", "10")
    ] == [1, 1]


def test_a_report_that_cannot_be_there_ends_no_run(layout: Layout, settings: Settings) -> None:
    """The marker of a page that is gone, or that lies where nothing can lie, is dropped.

    One whose page is there stays.
    """
    elsewhere = settings.model_copy(update={"report_dir": settings.report_dir / ("x" * 300)})
    for chosen in (settings, elsewhere):
        write_json(layout.report_marker, {})
        invalidate_stale_markers(MarkerCache(layout), chosen)
        assert not layout.report_marker.exists()
    settings.report_dir.mkdir()
    settings.layout.report.write_text("page")
    write_json(layout.report_marker, {})
    invalidate_stale_markers(MarkerCache(layout), settings)
    assert layout.report_marker.exists()


@pytest.mark.parametrize("content", [b"", bytes(700), b'{\n  "dataset": "raw_me', b"\xff\x00{}"])
def test_a_broken_marker_is_not_believed(
    layout: Layout, settings: Settings, content: bytes
) -> None:
    """A marker that is no JSON, as a full disk or a power cut may leave it: the day is loaded."""
    layout.marker(NAME, "2026-11-09").parent.mkdir(parents=True)
    layout.marker(NAME, "2026-11-09").write_bytes(content)
    invalidate_stale_markers(MarkerCache(layout), settings)
    assert not layout.marker(NAME, "2026-11-09").exists()


def test_a_marker_of_another_file_is_not_believed(
    layout: Layout,
    settings: Settings,
    dataset: Dataset,
    day: LocalDay,
    stage: Callable[..., Path],
) -> None:
    """A day that was replaced by hand, or under a wrong clock, is loaded again.

    File times do not matter.
    """
    folder = layout.day(NAME, DT)
    stage(folder, points(1.0))
    write_json(
        layout.marker(NAME, "2026-11-09"),
        load_day(settings.duckdb_path, folder, dataset, day, allow_shrink=False).marker.to_json(),
    )
    invalidate_stale_markers(MarkerCache(layout), settings)
    assert layout.marker(NAME, "2026-11-09").exists()
    os.utime(folder / "part-0.parquet", (1, 1))
    invalidate_stale_markers(MarkerCache(layout), settings)
    assert not layout.marker(NAME, "2026-11-09").exists()


def test_what_a_killed_run_could_not_hold_in_memory_is_removed(
    layout: Layout, settings: Settings
) -> None:
    """DuckDB's folder beside the database stays after a kill; the database stays as it is."""
    record_build(settings.duckdb_path)
    content = settings.duckdb_path.read_bytes()
    spill = settings.duckdb_path.with_name("home.duckdb.tmp")
    spill.mkdir()
    (spill / "duckdb_temp_storage_DEFAULT-0.tmp").write_bytes(b"rows")
    assert replace_unusable_database(layout, settings) is None
    assert not spill.exists()
    assert settings.duckdb_path.read_bytes() == content
