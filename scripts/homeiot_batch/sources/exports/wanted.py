"""What one pass through an export is to keep of one dataset, and what it has found of it."""

import bisect
from collections.abc import Iterable
from typing import Any

from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.sources.exports.evidence import Evidence
from homeiot_batch.sources.exports.plain_values import PlainValues
from homeiot_batch.sources.exports.units import OtherUnits


class Wanted:
    """The points that one pass keeps for one dataset, and what they prove."""

    def __init__(self, dataset: Dataset, days: Iterable[LocalDay]) -> None:
        self.dataset = dataset
        self.days = sorted(days, key=lambda day: day.date)
        self._starts = [day.start_ns for day in self.days]
        self._ends = [day.end_ns for day in self.days]
        # ns: most lines lie outside of these
        self.first = min(self._starts, default=0)
        self.end = max(self._ends, default=0)
        names = [name.encode() for name in dataset.fields]
        self.columns = {name: place for place, name in enumerate(names)}
        self.kinds = list(dataset.fields.values())
        self.tags = {name.encode() for name in dataset.tags}
        self.doubles = {
            name: place for name, place in self.columns.items() if self.kinds[place] == "double"
        }
        # what waits to be spooled
        self.rows: list[tuple[Any, ...]] = []
        self.plain = PlainValues()
        self.policies: set[str] = set()
        self.evidence = Evidence()
        self.units = OtherUnits(self.day_at)

    def day_at(self, time: int) -> int:
        """The number of the wanted day that the time lies in, or -1 if it is in none."""
        place = bisect.bisect_right(self._starts, time) - 1
        if place < 0 or time >= self._ends[place]:
            return -1
        return place
