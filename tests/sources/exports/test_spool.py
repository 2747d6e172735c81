"""An export's points are put together day by day, in memory that does not grow with the day."""

import random
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from homeiot_batch.core import stretches
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.sources.exports.spool import Spool

MINUTE = 60 * 10**9
Line = tuple[Any, ...]


def lines(day: LocalDay, count: int) -> list[Line]:
    """A field a line, in no order, of two meters; each third value is given twice."""
    chance = random.Random(14)
    found: list[Line] = []
    for number in range(count):
        time = day.start_ns + chance.randrange(1440) * MINUTE
        source = chance.choice("ab")
        values: list[float | None] = [None, None, None]
        values[number % 3] = float(number)
        found.append((time, f"power,source={source}", number, source, *values))
    return found


def expected(given: list[Line]) -> list[dict[str, Any]]:
    """The points by time and meter: of a value the last line counts."""
    names = ["instant_power_w", "energy_import_kwh", "energy_export_kwh"]
    points: dict[tuple[int, str], dict[str, Any]] = {}
    for time, _, _, source, *values in given:
        empty = {"time": time, "source": source, **dict.fromkeys(names)}
        point = points.setdefault((time, source), empty)
        point.update(
            {name: value for name, value in zip(names, values, strict=True) if value is not None}
        )
    return [points[key] for key in sorted(points)]


@pytest.mark.parametrize("at_once", [1, 100, 500_000])
@pytest.mark.parametrize("count", [0, 1, 3000])
def test_points_are_put_together_in_the_order_of_time(
    dataset: Dataset,
    day: LocalDay,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    at_once: int,
    count: int,
) -> None:
    """However many lines are put together at a time; those of other days are not among them."""
    monkeypatch.setattr(stretches, "ROWS_OF_A_STRETCH", at_once)
    given = lines(day, count)
    others = [(day.start_ns - 1, "s", -1, "a", 1.0, 1.0, 1.0), (day.end_ns, "s", -2, "a", 1, 1, 1)]
    place = Spool(tmp_path)
    place.prepare(dataset)
    place.add(dataset, [*given, *others])
    batches = list(place.read(dataset, day))
    schema = dataset.raw_schema()
    assert pa.Table.from_batches(batches, schema).to_pylist() == expected(given)
