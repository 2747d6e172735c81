"""Readers of an export in a folder of the test."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.sources.export_reader import ExportReader
from tests.sources.meter_export import START, Read, Row


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
        wanted = [LocalDay(dt, settings.zone) for dt in days or [day.date]]
        return ExportReader(changed, {dataset.name: wanted}, tmp_path / "staging")

    return opened


@pytest.fixture
def read(export: Callable[..., ExportReader], dataset: Dataset, day: LocalDay) -> Read:
    """Reads the day from the export folder: rows of ns since its start, source and fields."""

    def rows(**changes: Any) -> list[Row]:
        batches = export(**changes).read(dataset, day)
        found = [tuple(row.values()) for batch in batches for row in batch.to_pylist()]
        return [(time - START, *rest) for time, *rest in found]

    return rows
