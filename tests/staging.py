"""Days of points that a test gives, staged by the code that stages those of a source."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from homeiot_batch.archive.shrink_guard import ShrinkGuard
from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.workflow.fetch import FetchedDay, fetch_day


class GivenPoints:
    """A source of these points alone, whatever the day."""

    def __init__(self, points: Iterable[pa.RecordBatch]) -> None:
        self._points = points

    def read(self, dataset: Dataset, day: LocalDay) -> Iterator[pa.RecordBatch]:
        """The points."""
        yield from self._points

    def warnings(self, dataset: Dataset, day: LocalDay) -> list[str]:
        """None."""
        return []

    def first_reading(self, dataset: Dataset, since: datetime) -> datetime | None:
        """None."""
        return None

    def notices(self) -> list[str]:
        """None."""
        return []

    def describe(self, dataset: Dataset) -> dict[str, Any]:
        """A test."""
        return {"kind": "test"}


def stage_day(
    points: Iterable[pa.RecordBatch],
    dataset: Dataset,
    day: LocalDay,
    settings: Settings,
    parquet: Path,
) -> FetchedDay:
    """The day, staged in an archive whose folder is `parquet`, and of which nothing is known."""
    guard = ShrinkGuard(f"{dataset.name} {day}", [], allow_shrink=False)
    archive = settings.model_copy(update={"parquet_base_dir": parquet})
    return fetch_day(GivenPoints(points), dataset, day, guard, archive)
