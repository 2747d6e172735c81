"""Single numbers of an export, spooled as columns."""

from dataclasses import dataclass

import pyarrow as pa

from homeiot_batch.sources.exports.evidence import Meter
from homeiot_batch.sources.exports.plain_values import PlainValues

SCHEMA = pa.schema(
    {
        "time": pa.int64(),
        "series": pa.string(),
        "number": pa.int64(),
        "source": pa.string(),
        "power_w": pa.float64(),
        "state": pa.string(),
        "energy_kwh": pa.float64(),
    }
)


@dataclass(eq=False)
class Series:
    """As a pass through an export has it."""

    series: str
    meter: Meter


def test_each_value_is_a_row_with_one_field() -> None:
    """Series come in any order. Other fields, of whatever type, are NULL."""
    values = PlainValues()
    a, untagged = Series("a", ("a",)), Series("", (None,))
    values.add(a, 0, 10, 1, 1.5)
    values.add(untagged, 2, 10, 2, -0.0)
    values.add(a, 2, 20, 3, 7.0)
    assert len(values) == 3
    assert [tuple(row.values()) for row in values.table(SCHEMA).to_pylist()] == [
        (10, "a", 1, "a", 1.5, None, None),
        (10, "", 2, None, None, None, -0.0),
        (20, "a", 3, "a", None, None, 7.0),
    ]
    values.clear()
    assert len(values) == 0
