"""Counters judged without a database: energy by local day and kinds of steps."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from homeiot_batch.counters.judge import Event, Judged, ZerosWereHoles, judge_day, judge_end
from homeiot_batch.counters.limits import DAY, QUARTER, SECOND, Limits
from homeiot_batch.counters.state import State

EPOCH = datetime(1970, 1, 1)
TOKYO = ZoneInfo("Asia/Tokyo")
# time UTC without zone, value
Value = tuple[datetime, float]


def micros(at: datetime) -> int:
    """µs since 1970 of a time in UTC without zone."""
    return (at - EPOCH) // timedelta(microseconds=1)


@dataclass
class Day:
    """What a local day of a counter has."""

    kwh: float = 0.0
    back_kwh: float = 0.0
    estimated_kwh: float = 0.0
    readings: int = 0
    accepted: int = 0
    glitches: int = 0
    resets: int = 0
    step_backs: int = 0
    backwards: int = 0
    longest_step_s: float = 0.0

    @property
    def is_marked(self) -> bool:
        """Whether a reader is told not to take the number bare."""
        odd = self.glitches + self.resets + self.step_backs + self.backwards
        return odd > 0 or self.estimated_kwh > 0


@dataclass
class Counted:
    """A counter as judged."""

    days: dict[date, Day] = field(default_factory=lambda: defaultdict(Day))
    events: list[Event] = field(default_factory=list)
    states: dict[int, str] = field(default_factory=dict)
    # the local days whose energy is known, 0 kWh too
    measured: set[date] = field(default_factory=set)

    @property
    def kwh(self) -> float:
        """All of its energy."""
        return sum(day.kwh for day in self.days.values())

    @property
    def back_kwh(self) -> float:
        """All of its energy in the other direction."""
        return sum(day.back_kwh for day in self.days.values())

    @property
    def kinds(self) -> list[str]:
        """The kinds of its steps but plain rises and rises of zero."""
        return [event.kind for event in sorted(self.events) if event.kind != "rise"]

    def add(self, judged: Judged, zone: ZoneInfo) -> None:
        """Put in what a day became."""
        self.events += judged.events
        for number, quarter in judged.energy.quarters.items():
            at = EPOCH + timedelta(seconds=number * QUARTER / SECOND)
            local_day = at.replace(tzinfo=UTC).astimezone(zone).date()
            day = self.days[local_day]
            if quarter.kwh is not None:
                self.measured.add(local_day)
            day.kwh += quarter.kwh or 0
            day.longest_step_s = max(day.longest_step_s, quarter.longest_step_s or 0)
            for name in Day.__dataclass_fields__:
                if name not in {"kwh", "longest_step_s"}:
                    setattr(day, name, getattr(day, name) + getattr(quarter, name))


def judge(values: Iterable[Value], limits: Limits | None = None, zone: ZoneInfo = TOKYO) -> Counted:
    """Judge a counter's readings from the first to the last, UTC day by UTC day."""
    limits = limits or Limits()
    rows = sorted((micros(at), value) for at, value in values)
    try:
        return _judge(rows, limits, zone, skips_zeros=False)
    except ZerosWereHoles:
        return _judge(rows, limits, zone, skips_zeros=True)


def _judge(
    rows: list[tuple[int, float]], limits: Limits, zone: ZoneInfo, skips_zeros: bool
) -> Counted:
    found, state = Counted(), State(skips_zeros=skips_zeros)
    for day, group in groupby(rows, key=lambda row: row[0] // DAY):
        pairs = list(group)
        times, shown = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
        found.add(judge_day(state, times, shown, limits), zone)
        found.states[day] = state.to_json()
        assert State.from_json(found.states[day]) == state
    found.add(judge_end(state, limits), zone)
    return found
