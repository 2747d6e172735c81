"""From a source's points to the archived rows."""

from datetime import datetime

import pyarrow as pa
import pyarrow.compute as pc

from homeiot_batch.core.datasets import Dataset


def to_rows(points: pa.RecordBatch, dataset: Dataset, zone: str, ingested_at: datetime) -> pa.Table:
    """Archived rows of the same order.

    Whole microseconds, absent tags and missing fields filled as the dataset says.

    Nanoseconds are floored: rounding would move 23:59:59.9999995 into the next day.
    """
    nanoseconds = points.column("time").cast(pa.timestamp("ns"))
    microseconds = (
        pc.floor_temporal(nanoseconds, unit="microsecond").cast(pa.timestamp("us")).cast(pa.int64())
    )
    schema = dataset.arrow_schema(zone)
    columns = [
        microseconds.cast(schema.field("ts_utc").type),
        microseconds.cast(schema.field("ts_jst").type),
        *(_tag(points.column(name), default) for name, default in dataset.tags.items()),
        *(_field(points.column(name), dataset.missing) for name in dataset.fields),
        pa.repeat(pa.scalar(ingested_at, schema.field("ingested_at").type), len(points)),
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _tag(values: pa.Array, default: str) -> pa.Array:
    absent = pc.fill_null(pc.equal(values, ""), True)
    return pc.if_else(absent, default, values)


def _field(values: pa.Array, missing: float | None) -> pa.Array:
    return values if missing is None else pc.fill_null(values, pa.scalar(missing).cast(values.type))


def count_values(points: pa.RecordBatch, dataset: Dataset) -> dict[str, int]:
    """How many values each field really has, before missing ones are filled."""
    return {name: len(points) - points.column(name).null_count for name in dataset.fields}
