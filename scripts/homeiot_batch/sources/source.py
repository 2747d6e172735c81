"""What a source of readings is, whatever stands behind it."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.sources.export_reader import ExportReader, WantedDays
from homeiot_batch.sources.influx_reader import InfluxReader


class Source(Protocol):
    """Gives the points of a local day, whole or not at all."""

    def read(self, dataset: Dataset, day: LocalDay) -> Iterator[pa.RecordBatch]:
        """The day's points as batches of `dataset.raw_schema()`, in the order of time.

        The day is whole only when the iterator has ended. Until then it may raise SourceError, or
        SourceUnavailable where asking again may help.
        """
        ...

    def warnings(self, dataset: Dataset, day: LocalDay) -> list[str]:
        """Why the day may not be whole although it was read, for the run's warnings."""
        ...

    def first_reading(self, dataset: Dataset, since: datetime) -> datetime | None:
        """The time of the first reading at `since` or later, both UTC, or None if there is none."""
        ...

    def notices(self) -> list[str]:
        """What the user should know of the source as a whole after days were read from it."""
        ...

    def describe(self, dataset: Dataset) -> dict[str, object]:
        """Where the points come from, for the archive's metadata: no secrets."""
        ...


def open_source(settings: Settings, wanted: WantedDays, staging: Path) -> Source:
    """The source that INFLUX_URL names.

    `wanted` are the days, by dataset, that it will be asked for. In `staging` it may spool.
    """
    if settings.is_server:
        return InfluxReader(settings)
    return ExportReader(settings, wanted, staging)
