"""What is kept of a counter from one day to the next, so that nothing is judged otherwise."""

import json
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Self

from homeiot_batch.counters.habits import DAYS, Habit, habit_of_day
from homeiot_batch.counters.limits import (
    LEAST_LEARNED_KW,
    RESTART,
    RISE,
    Limits,
    deliverable_kwh,
    rate_kw,
)


class Point(NamedTuple):
    """A reading that was accepted, with the step that ends in it.

    `before` and `former` are the time and value of the accepted reading before, `since` is when
    the step's energy begins, `kwh` and `back_kwh` are the energy in the counter's direction and
    against it. `level` is what the next rise counts from, `changed` when it was first shown,
    `still` the earliest time at which it may have been reached.
    """

    at: int
    value: float
    kind: str
    before: int
    former: float
    since: int
    kwh: float
    back_kwh: float
    level: float
    changed: int
    still: int


class Item(NamedTuple):
    """A reading, or zeros from `at` to `until` that may be holes, as (quarter, count)."""

    at: int
    value: float
    until: int = 0
    zeros: tuple[tuple[int, int], ...] = ()

    @property
    def is_run(self) -> bool:
        """Whether it stands for zeros."""
        return bool(self.zeros)


class DayPeak(NamedTuple):
    """The highest power of a day with energy in kW, and how often the counter began again."""

    kw: float
    restarts: int


@dataclass
class State:
    """A counter between two days.

    `tail` holds the newest accepted readings, which later ones may show to be wrong. `waiting`
    are readings that cannot be judged before later ones come. `begun` says whether anything but
    0.0 was ever accepted, `spoke` that before this values were left out because they contradict
    each other, `skips_zeros` that the zeros before the first accepted value are holes. Of a counter
    that is written on a change, `stood` is the longest time that it stood still (µs), `digit` the
    unit of the finest digit that it showed, `habits` what was usual on each of the last 28 days
    with rises.
    """

    tail: list[Point] = field(default_factory=list)
    waiting: list[Item] = field(default_factory=list)
    peaks: list[DayPeak] = field(default_factory=list)
    begun: bool = False
    spoke: bool = False
    skips_zeros: bool = False
    today: DayPeak = field(default_factory=lambda: DayPeak(0.0, 0))
    stood: int = 0
    digit: float | None = None
    habits: list[Habit] = field(default_factory=list)

    def to_json(self) -> str:
        """As text. Equal states are equal texts."""
        parts: dict[str, Any] = {name: getattr(self, name) for name in self.__dataclass_fields__}
        if self.digit is None:  # it is not written on a change
            del parts["stood"], parts["digit"], parts["habits"]
        return json.dumps(parts, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """From the text of to_json."""
        parts = json.loads(text)
        parts["tail"] = [Point(*point) for point in parts["tail"]]
        parts["waiting"] = [_item(*item) for item in parts["waiting"]]
        parts["peaks"] = [DayPeak(*peak) for peak in parts["peaks"]]
        parts["today"] = DayPeak(*parts["today"])
        parts["habits"] = [Habit(*habit) for habit in parts.get("habits", ())]
        return cls(**parts)

    def learn(self, times: list[int], values: list[float], limits: Limits) -> None:
        """Remember the finest digit and the habit of a counter that is written on a change."""
        unit = limits.last_digit(values)
        self.digit = unit if self.digit is None else min(unit, self.digit)
        if habit := habit_of_day(times, values, limits):
            self.habits = [*self.habits, habit][-DAYS:]

    def note(self, kw: float, restarts: int = 0) -> None:
        """Remember the power of a rise, or a restart."""
        if kw > self.today.kw or restarts:
            self.today = DayPeak(max(kw, self.today.kw), self.today.restarts + restarts)

    def end_day(self, days: int = 28) -> None:
        """Put the day's peak with those of the days before it."""
        if self.today != (0.0, 0):
            peak = DayPeak(float(f"{self.today.kw:.4g}"), self.today.restarts)
            self.peaks = [*self.peaks, peak][-days:]
            self.today = DayPeak(0.0, 0)

    def learned_kw(self, limits: Limits) -> float:
        """What the counter may deliver: twice what it did in four weeks, or else the setting."""
        rises = [
            rate_kw(point.kwh, point.at - point.before) for point in self.tail if point.kind == RISE
        ]
        highest = max([self.today.kw, *[peak.kw for peak in self.peaks], *rises])
        if highest == 0:
            return limits.max_power_kw
        return min(limits.max_power_kw, max(LEAST_LEARNED_KW, 2 * highest))

    def could_deliver(self, kwh: float, span: int, limits: Limits) -> bool:
        """Whether this counter, by its own history, delivers so much in a span."""
        return kwh <= deliverable_kwh(self.learned_kw(limits), span)

    @property
    def restarts_often(self) -> bool:
        """Whether the counter began again on two of the last seven days with energy."""
        recent = [*self.peaks[-7:], self.today]
        newest = [point.kind for point in self.tail].count(RESTART)
        return sum(peak.restarts > 0 for peak in recent) + (newest > 0) >= 2


def _item(at: int, value: float, until: int, zeros: list[list[int]]) -> Item:
    return Item(at, value, until, tuple((number, count) for number, count in zeros))
