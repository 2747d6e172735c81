"""The shipped dataset, a day of it, and settings whose places lie in a temporary folder."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from homeiot_batch.config import Settings, load_settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.sources.export_reader import ExportReader
from tests.unit.exports import START, Read, Row

Points = list[tuple[int, str | None, float | None, float | None, float | None]]


@pytest.fixture
def settings(tmp_path: Path, clean_environment: None) -> Settings:
    """Settings of a house in Japan, whatever the machine's environment says."""
    return load_settings(
        {
            "parquet_base_dir": str(tmp_path / "parquet"),
            "marker_dir": str(tmp_path / "markers"),
            "report_dir": str(tmp_path / "report"),
            "duckdb_path": str(tmp_path / "duckdb/home.duckdb"),
            "tz": "Asia/Tokyo",
            "now": "2026-11-24T00:10:00+09:00",
        }
    )


@pytest.fixture
def dataset(settings: Settings) -> Dataset:
    """The shipped dataset."""
    return settings.datasets["raw_meter_readings"]


@pytest.fixture
def day(settings: Settings) -> LocalDay:
    """9 November 2026 in Japan: 1794150000 to 1794236400 s."""
    return LocalDay(date(2026, 11, 9), settings.zone)


@pytest.fixture
def batches(dataset: Dataset) -> Callable[..., list[pa.RecordBatch]]:
    """Batches of points, each point as (time ns, source, W, import, export)."""

    def make(*groups: Points) -> list[pa.RecordBatch]:
        names: list[Any] = dataset.raw_schema().names
        rows = [[dict(zip(names, point, strict=True)) for point in group] for group in groups]
        return [pa.RecordBatch.from_pylist(group, schema=dataset.raw_schema()) for group in rows]

    return make


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the export lies."""
    path = tmp_path / "export"
    path.mkdir()
    return path


@pytest.fixture
def export(
    settings: Settings, dataset: Dataset, day: LocalDay, folder: Path, tmp_path: Path
) -> Callable[..., ExportReader]:
    """A reader of the export folder, for the day or for `days`."""

    def opened(days: list[date] | None = None, **changes: Any) -> ExportReader:
        changed = settings.model_copy(update={"influx_url": str(folder), **changes})
        return ExportReader(changed, {dataset.name: days or [day.date]}, tmp_path / "staging")

    return opened


@pytest.fixture
def read(export: Callable[..., ExportReader], dataset: Dataset, day: LocalDay) -> Read:
    """Reads the day from the export folder: rows of ns since its start, source and fields."""

    def rows(**changes: Any) -> list[Row]:
        batches = export(**changes).read(dataset, day)
        found = [tuple(row.values()) for batch in batches for row in batch.to_pylist()]
        return [(time - START, *rest) for time, *rest in found]

    return rows
