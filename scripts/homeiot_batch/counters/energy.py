"""The energy of steps by quarter of an hour, and what else is counted there."""

from bisect import bisect_left
from dataclasses import dataclass, field
from operator import sub

from homeiot_batch.counters.limits import QUARTER, SECOND


@dataclass(slots=True)
class Quarter:
    """What is known of a quarter of an hour. `kwh` is None where no step covers it."""

    kwh: float | None = None
    estimated_kwh: float = 0.0
    back_kwh: float | None = 0.0
    readings: int = 0
    accepted: int = 0
    glitches: int = 0
    resets: int = 0
    step_backs: int = 0
    backwards: int = 0
    longest_step_s: float | None = None
    steps: int = 0
    steps_s: float = 0.0
    lowest_kwh: float | None = None
    highest_kwh: float | None = None
    fell_from: int | None = None

    def shows(self, lowest: float, highest: float) -> None:
        """Take in what the counter showed."""
        if self.lowest_kwh is None or lowest < self.lowest_kwh:
            self.lowest_kwh = lowest
        if self.highest_kwh is None or highest > self.highest_kwh:
            self.highest_kwh = highest

    def is_part_of(self, step: int) -> None:
        """Note the length of a step that covers some of it."""
        step_s = step / SECOND
        if self.longest_step_s is None or step_s > self.longest_step_s:
            self.longest_step_s = step_s


@dataclass
class Energy:
    """Quarters of an hour by number (µs since 1970 UTC, divided by their length)."""

    max_gap_s: float
    quarters: dict[int, Quarter] = field(default_factory=dict)

    def quarter(self, number: int) -> Quarter:
        """The quarter of this number."""
        found = self.quarters.get(number)
        if found is None:
            found = self.quarters[number] = Quarter()
        return found

    def add_readings(self, number: int, count: int, value: float) -> None:
        """Count readings without a step of their own."""
        quarter = self.quarter(number)
        quarter.readings += count
        quarter.accepted += count
        quarter.shows(value, value)

    def add_still(self, begin: int, end: int, kwh: float) -> None:
        """Add a step in which a counter that is written on a change stood still: it is no gap."""
        for quarter, share in self._shares(begin, end):
            quarter.is_part_of(0)
            quarter.kwh = (quarter.kwh or 0.0) + kwh * share

    def add_step(self, begin: int, end: int, kwh: float, back_kwh: float = 0.0) -> None:
        """Spread the energy of a step between two readings evenly over its time."""
        is_estimated = end - begin > self.max_gap_s * SECOND
        for quarter, share in self._shares(begin, end):
            quarter.is_part_of(end - begin)
            quarter.kwh = (quarter.kwh or 0.0) + kwh * share
            quarter.back_kwh = (quarter.back_kwh or 0.0) + back_kwh * share
            if is_estimated:
                quarter.estimated_kwh += (kwh + back_kwh) * share

    def add_late(self, begin: int, end: int, kwh: float) -> None:
        """Spread energy that a counter showed late over the time since its value last changed."""
        is_estimated = end - begin > self.max_gap_s * SECOND
        for quarter, share in self._shares(begin, end):
            quarter.kwh = (quarter.kwh or 0.0) + kwh * share
            if is_estimated:
                quarter.estimated_kwh += kwh * share

    def _shares(self, begin: int, end: int) -> list[tuple[Quarter, float]]:
        # a step that ends with a quarter has no part in the next one
        first = begin // QUARTER
        last = max(begin, end - 1) // QUARTER
        if first == last:
            return [(self.quarter(first), 1.0)]
        span = end - begin
        return [
            (
                self.quarter(number),
                (min(end, (number + 1) * QUARTER) - max(begin, number * QUARTER)) / span,
            )
            for number in range(first, last + 1)
        ]

    def add_run(self, times: list[int], values: list[float]) -> None:
        """Add many readings that only rise, with steps of at most the longest allowed gap.

        The first of them is the reading before, which is not counted again. Between two readings
        the counter is taken to rise evenly: a quarter's energy is what it shows at its end less
        what it showed at its begin.
        """
        steps = list(map(sub, times[1:], times))
        number = times[0] // QUARTER
        last = len(times) - 1
        counted = 1
        at = 0
        shown = values[0]
        while at < last:
            end = (number + 1) * QUARTER
            following = bisect_left(times, end, at + 1)
            if following > last:
                following = last
                reached = values[last]
                self._add_part(number, reached - shown, steps[at:last])
                self._count(number, times, values, counted, last + 1)
                return
            before = following - 1
            step = steps[following - 1]
            part = (end - times[before]) / step
            reached = values[before] + part * (values[following] - values[before])
            self._add_part(number, reached - shown, steps[at:following])
            self._count(number, times, values, counted, following)
            at = following if times[following] == end else before
            counted = following
            shown = reached
            number += 1
        self._count(number, times, values, counted, last + 1)

    def _add_part(self, number: int, kwh: float, steps: list[int]) -> None:
        quarter = self.quarter(number)
        quarter.kwh = (quarter.kwh or 0.0) + kwh
        quarter.is_part_of(max(steps))

    def _count(
        self, number: int, times: list[int], values: list[float], first: int, end: int
    ) -> None:
        if first >= end:
            return
        quarter = self.quarter(number)
        quarter.readings += end - first
        quarter.accepted += end - first
        quarter.steps += end - first
        quarter.steps_s += (times[end - 1] - times[first - 1]) / SECOND
        quarter.shows(values[first], values[end - 1])
