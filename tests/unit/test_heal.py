"""What a killed run left behind, and markers that are not to be believed."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from homeiot_batch.config import Settings
from homeiot_batch.database import record_build
from homeiot_batch.datasets import Dataset
from homeiot_batch.days import LocalDay
from homeiot_batch.duckdb_writer import load_day
from homeiot_batch.files import write_json
from homeiot_batch.heal import forget_unbelieved_markers, settle_staging
from homeiot_batch.layout import Layout
from homeiot_batch.parquet_writer import put_in_place, stage_day

START = 1794150000 * 10**9
NAME = "raw_meter_readings"


@pytest.fixture
def layout(settings: Settings) -> Layout:
    """The places of the settings."""
    return Layout.of(settings)


def folder_with(path: Path, text: str) -> Path:
    """A folder with one file."""
    path.mkdir(parents=True)
    (path / "part-0.parquet").write_text(text)
    return path


def test_a_staged_day_goes_in_place_only_where_none_stands(layout: Layout) -> None:
    """Whole and missing: put in place. Beside a day in place: an older read, dropped. Half written: dropped."""
    folder_with(layout.staged(NAME, "2026-11-09"), "new 9")
    folder_with(layout.staged(NAME, "2026-11-10"), "old read")
    folder_with(layout.day(NAME, "2026-11-10"), "in place")
    folder_with(layout.staging / "tmp-1", "half")
    settle_staging(layout)
    assert (layout.day(NAME, "2026-11-09") / "part-0.parquet").read_text() == "new 9"
    assert (layout.day(NAME, "2026-11-10") / "part-0.parquet").read_text() == "in place"
    assert [path for path in layout.staging.rglob("*") if path.is_file()] == []


def test_a_marker_is_believed_only_with_its_own_load_in_the_database(
    layout: Layout, settings: Settings, dataset: Dataset, day: LocalDay, batches: Callable[..., list[pa.RecordBatch]], tmp_path: Path
) -> None:
    """Another load id, no such day, or no database: set aside, but kept as a witness of how much the day held."""
    folder = layout.day(NAME, "2026-11-09")
    put_in_place(stage_day(batches([(START, "a", 1.0, None, None)]), dataset, day, settings, tmp_path, lambda _: {}).folder, folder)
    load = load_day(settings.duckdb_path, folder, dataset, day, allow_shrink=False)
    write_json(layout.marker(NAME, "2026-11-09"), load.marker)
    write_json(layout.marker(NAME, "2026-11-10"), load.marker)
    write_json(layout.models, record_build(settings.duckdb_path))
    loads = forget_unbelieved_markers(layout, settings)
    assert loads == {(NAME, "2026-11-09"): (load.load_id, load.record)}
    assert (layout.marker(NAME, "2026-11-09").exists(), layout.marker(NAME, "2026-11-10").exists(), layout.models.exists()) == (True, False, True)
    settings.duckdb_path.unlink()
    assert forget_unbelieved_markers(layout, settings) == {}
    assert (layout.marker(NAME, "2026-11-09").exists(), layout.models.exists()) == (False, False)
    assert [json.loads(layout.former_marker(NAME, f"2026-11-{n}").read_text())["rows"] for n in ("09", "10")] == [1, 1]


def test_a_broken_marker_is_not_believed(layout: Layout, settings: Settings) -> None:
    """A marker that is no JSON, as a full disk may leave it, has the day loaded again."""
    layout.marker(NAME, "2026-11-09").parent.mkdir(parents=True)
    layout.marker(NAME, "2026-11-09").write_text("")
    forget_unbelieved_markers(layout, settings)
    assert not layout.marker(NAME, "2026-11-09").exists()


def test_a_marker_of_another_file_is_not_believed(
    layout: Layout, settings: Settings, dataset: Dataset, day: LocalDay, batches: Callable[..., list[pa.RecordBatch]], tmp_path: Path
) -> None:
    """A day that was replaced behind the workflow's back, or while the clock stood wrong, is loaded again whatever its file times."""
    folder = layout.day(NAME, "2026-11-09")
    put_in_place(stage_day(batches([(START, "a", 1.0, None, None)]), dataset, day, settings, tmp_path, lambda _: {}).folder, folder)
    write_json(layout.marker(NAME, "2026-11-09"), load_day(settings.duckdb_path, folder, dataset, day, allow_shrink=False).marker)
    forget_unbelieved_markers(layout, settings)
    assert layout.marker(NAME, "2026-11-09").exists()
    os.utime(folder / "part-0.parquet", (1, 1))
    forget_unbelieved_markers(layout, settings)
    assert not layout.marker(NAME, "2026-11-09").exists()
