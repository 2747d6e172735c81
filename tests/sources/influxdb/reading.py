"""What a run reads from a server."""

from typing import Any

import pyarrow as pa

from homeiot_batch.config import load_settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.sources.influx_reader import InfluxReader


def reader(url: str, **given: str) -> InfluxReader:
    """A reader of a server that asks once, for chunks of 300 rows."""
    values = {"influx_url": url, "influx_retries": "1", "influx_chunk_rows": "300", **given}
    return InfluxReader(load_settings(values))


def rows(url: str, dataset: Dataset, day: LocalDay, **given: str) -> list[dict[str, Any]]:
    """The rows that a run reads."""
    batches = list(reader(url, **given).read(dataset, day))
    return pa.Table.from_batches(batches, dataset.raw_schema()).to_pylist()
