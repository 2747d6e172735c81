"""The judge of a counter: which of its readings it really showed, and what flowed between them.

A day's readings are judged at a time. The newest accepted readings stay in the state, because
later ones may show that they were wrong. A day on which the counter only rises needs no closer
look.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import groupby
from operator import sub, truediv
from typing import NamedTuple

from homeiot_batch.counters.energy import Energy, Quarter
from homeiot_batch.counters.glitches import wrong_before, wrong_from
from homeiot_batch.counters.habits import MARGIN, MOST_OF_A_STEP_KWH, usual_of
from homeiot_batch.counters.limits import (
    BACKWARDS,
    BREAKS,
    DAY,
    FIRST,
    GLITCH,
    HOUR,
    MINUTE,
    NOISE,
    QUARTER,
    RESTART,
    RISE,
    SECOND,
    STEP_BACK,
    SWAP,
    Limits,
    deliverable_kwh,
    rate_kw,
)
from homeiot_batch.counters.state import Item, Point, State
from homeiot_batch.counters.steps import TINY_KWH, Steps, first_point, plain_point

# after a longer silence than a day and a night, a counter is not taken to stand still
LONGEST_SILENCE = 36 * HOUR


class ZerosWereHoles(Exception):
    """The zeros before the first other value are no readings: judge all again without them."""


class Event(NamedTuple):
    """A reading that is no plain rise, or (`until`) a run of zeros that are readings."""

    at: int
    kind: str
    reading_kwh: float
    since: int | None
    step_kwh: float | None
    back_kwh: float | None
    until: int | None = None


@dataclass
class Judged:
    """What a day became: energy by quarter of an hour, and the steps that are no plain rises."""

    energy: Energy
    events: list[Event] = field(default_factory=list)


def judge_day(state: State, times: list[int], values: list[float], limits: Limits) -> Judged:
    """Judge a day's readings, in order and without missing values, and take `state` to its end.

    ZerosWereHoles if readings of 0.0 that were taken as such were none.
    """
    day = _Day(state, limits)
    if limits.factor != 1:
        values = [value * limits.factor for value in values]
    if limits.on_change:
        state.learn(times, values, limits)
    if not day.judge_plain(times, values):
        day.judge_closely(times, values, is_last=False)
    state.end_day()
    return day.judged


def judge_end(state: State, limits: Limits) -> Judged:
    """Judge what waits for later readings by what there is. `state` stays as it is.

    ZerosWereHoles if readings of 0.0 that were taken as such were none.
    """
    state = deepcopy(state)
    day = _Day(state, limits)
    day.judge_closely([], [], is_last=True)
    if state.spoke and not state.begun and not state.skips_zeros:
        raise ZerosWereHoles
    newest = state.tail[-1:]
    day.emit(len(state.tail))
    for point in newest:
        day.go_on(point)
    return day.judged


class _Day:
    def __init__(self, state: State, limits: Limits) -> None:
        self.state = state
        self.limits = limits
        self.judged = Judged(Energy(limits.max_gap_s))
        self.keep = limits.glitch_readings + 2
        self.queue: list[Item] = []
        self.at = 0

    # a day that only rises

    def judge_plain(self, times: list[int], values: list[float]) -> bool:
        """Take the day in if the counter only rises, and holes of 0.0 are all that is odd."""
        state = self.state
        last_zeros = []
        if state.begun and 0.0 in values:
            pairs = [pair for pair in zip(times, values, strict=True) if pair[1]]
            last = pairs[-1][0] if pairs else 0
            last_zeros = [Item(at, 0.0) for at in times[bisect_right(times, last) :]]
            times = [pair[0] for pair in pairs]
            values = [pair[1] for pair in pairs]
        elif not state.begun and any(values):
            return False
        if len(times) < 2 * self.keep or not state.tail or self._is_doubtful(times, values):
            return False
        self._take_run(times, values)
        state.waiting = with_runs(last_zeros)
        return True

    def _is_doubtful(self, times: list[int], values: list[float]) -> bool:
        state = self.state
        base = state.tail[-1]
        if any(not item.is_run for item in state.waiting) or base.level != base.value:
            return True
        if self.limits.direction == "both":
            return True
        rises = list(map(sub, values, [base.value, *values]))
        spans = list(map(sub, times, [base.at, *times]))
        if min(rises) < 0 or min(spans) <= 0 or max(spans) > self.limits.max_gap_s * SECOND:
            return True
        power = self.limits.max_power_kw
        if max(rises) > deliverable_kwh(power, MINUTE):
            allowed = (deliverable_kwh(power, span) for span in spans)
            if not all(map(float.__le__, rises, allowed)):
                return True
        if max(spans) <= MINUTE:
            state.note(rate_kw(max(rises), MINUTE))
        else:
            if min(spans) < MINUTE:
                spans = [max(span, MINUTE) for span in spans]
            state.note(max(map(truediv, rises, spans)) * HOUR)
        return False

    def _take_run(self, times: list[int], values: list[float]) -> None:
        state = self.state
        self.emit(len(state.tail) - 1)
        base = state.tail[-1]
        self._emit(base)
        all_times = [base.at, *times]
        all_values = [base.value, *values]
        end = len(all_times) - self.keep
        self.judged.energy.add_run(all_times[:end], all_values[:end])
        state.tail = [
            plain_point(base, all_times, all_values, index) for index in range(end, len(all_times))
        ]

    # a day that needs a closer look

    def judge_closely(self, times: list[int], values: list[float], is_last: bool) -> None:
        """Judge reading by reading, as far as later readings are not needed."""
        state = self.state
        shown = {*values, *(item.value for item in [*state.tail, *state.waiting])}
        self.steps = Steps(self.limits, self.limits.last_digit(shown))
        items = [Item(at, value) for at, value in zip(times, values, strict=True)]
        self.queue = self._as_runs([*state.waiting, *self._without_contradictions(items)])
        self.at = 0
        state.waiting = []
        while self.at < len(self.queue):
            if not self._judge_next(is_last):
                state.waiting = self.queue[self.at :]
                return

    def _as_runs(self, items: list[Item]) -> list[Item]:
        """The same with zeros put together, but for those that a counter begins with."""
        if self.state.begun or self.state.skips_zeros:
            return with_runs(items)
        begin = next((n for n, item in enumerate(items) if item.value), len(items))
        return items[:begin] + with_runs(items[begin:])

    def _without_contradictions(self, queue: list[Item]) -> list[Item]:
        """Values of one time that differ by more than noise are all wrong.

        Zeros beside another value of their time are holes.
        """
        if len({item.at for item in queue}) == len(queue):
            return queue
        kept = []
        for _, group in groupby(queue, key=lambda item: item.at):
            items = list(group)
            shown = [item for item in items if item.value]
            if self._contradict([item.value for item in shown]):
                self._leave_out(shown)
                self.state.spoke = self.state.spoke or not self.state.begun
            else:
                kept += shown or items
        return kept

    def _contradict(self, values: list[float]) -> bool:
        return bool(values) and max(values) - min(values) > self.steps.noise_kwh(values[0])

    def _judge_next(self, is_last: bool) -> bool:
        """Judge the next reading, or False if later readings must come first."""
        run = self.queue[self.at] if self.queue[self.at].is_run else None
        place = self.at + (run is not None)
        if place == len(self.queue):
            return False
        step = self._follow(self.queue[place])
        if step:
            self._accept(step)
            self.at = place + 1
            return True
        if not is_last and not is_followed(self.queue, place, self.limits.glitch_readings + 1):
            return False
        if self.state.tail:
            self._judge_leap(run, place)
        else:
            self._accept(first_point(self.queue[place].at, self.queue[place].value))
            self.at = place + 1
        return True

    def _follow(self, item: Item) -> Point | None:
        """The step to the reading, if no later ones are needed to judge it."""
        if self.state.tail:
            return self.steps.follow(self.state.tail[-1], item.at, item.value)
        # where zeros were found to be holes, it was the readings after the first that showed it
        return None if self.state.skips_zeros else first_point(item.at, item.value)

    def _judge_leap(self, run: Item | None, place: int) -> None:
        """A value that no running counter shows: wrong ones there or before, or another begin."""
        state = self.state
        item = self.queue[place]
        base = state.tail[-1]
        items = [other for other in self.queue[place:] if not other.is_run]
        items = items[: self.limits.glitch_readings + 2]
        stands = run is not None and self._stands_at_zero(base, run, item)
        zeros = sum(count for _, count in run.zeros) if run and stands else 0
        after = wrong_from(self.steps, base, state, items, zeros)
        before = wrong_before(self.steps, state.tail, item, items[1:])
        if before and not 0 < after <= before:
            self._leave_out([Item(point.at, point.value) for point in state.tail[-before:]])
            del state.tail[-before:]
        elif after:
            self._leave_out(items[:after])
            self.at = self.queue.index(items[after], place)
        elif not state.begun:
            raise ZerosWereHoles
        elif run is not None and stands:
            self._stand_at_zero(base, run)
            self.at = place
        else:
            self._accept(self.steps.leap(base, item.at, item.value, state))
            self.at = place + 1

    def _stands_at_zero(self, base: Point, run: Item, item: Item) -> bool:
        reach = deliverable_kwh(self.limits.max_power_kw, item.at - run.until)
        return 0 <= item.value < base.value and item.value <= reach

    def _stand_at_zero(self, base: Point, run: Item) -> None:
        """The counter began again and stood at zero: a run of zeros are readings."""
        restart = self.steps.leap(base, run.at, 0.0, self.state)._replace(kind=RESTART, kwh=0.0)
        self._accept(restart)
        self.emit(len(self.state.tail))
        energy = self.judged.energy
        for number, count in run.zeros:
            energy.add_readings(number, count, 0.0)
        # the first of them was counted with the restart
        first = energy.quarter(run.at // QUARTER)
        first.readings -= 1
        first.accepted -= 1
        if run.until > run.at:
            energy.add_step(run.at, run.until, 0.0)
            event = Event(run.at, RISE, 0.0, run.at, 0.0, None, run.until)
            self.judged.events.append(event)
        still = first_point(run.until, 0.0)._replace(kind=RESTART)
        self.state.tail = [still]

    # what was decided

    def _leave_out(self, items: Sequence[Item]) -> None:
        for item in items:
            quarter = self.judged.energy.quarter(item.at // QUARTER)
            quarter.glitches += 1
            self.judged.events.append(Event(item.at, GLITCH, item.value, None, None, None))

    def _accept(self, point: Point) -> None:
        self.state.begun = self.state.begun or point.value != 0
        self.state.tail.append(point)
        if len(self.state.tail) > self.keep:
            self.emit(1)

    def emit(self, count: int) -> None:
        """Give out the oldest accepted readings."""
        for point in self.state.tail[:count]:
            self._emit(point)
        del self.state.tail[:count]

    def _emit(self, point: Point) -> None:
        if point.before == point.at and point.kind == RESTART:
            return  # the end of a run of zeros, which was given out with it
        energy = self.judged.energy
        quarter = energy.quarter(point.at // QUARTER)
        quarter.readings += 1
        quarter.shows(point.value, point.value)
        self._mark(quarter, point)
        if point.at > point.before:
            quarter.steps += 1
            quarter.steps_s += (point.at - point.before) / SECOND
            self._add_step(point)
        if point.kind == RISE and point.kwh > 0:
            self.state.note(rate_kw(point.kwh, point.at - point.before))
        if point.kind != RISE or point.kwh != point.value - point.former:
            self.judged.events.append(_event(point))

    def _add_step(self, point: Point) -> None:
        energy = self.judged.energy
        if self._stood_still(point):
            self._stand_still(point)
            return
        is_late = point.since < point.before
        energy.add_step(point.before, point.at, 0 if is_late else point.kwh, point.back_kwh)
        if is_late:
            energy.add_late(point.since, point.at, point.kwh)

    def _stood_still(self, point: Point) -> bool:
        """Whether silence before the reading was no gap: the value is written when it changes."""
        limits = self.limits
        if not limits.on_change or point.at - point.before <= limits.max_gap_s * SECOND:
            return False
        is_plain = point.kind in {RISE, NOISE} and not point.back_kwh
        digit = self.state.digit or 0.0
        most = max(limits.noise_kwh, digit)
        if usual := usual_of(self.state.habits, limits):
            margin = MARGIN if point.at - point.before <= LONGEST_SILENCE else 1.0
            most = max(most, min(margin * usual.rise + digit, MOST_OF_A_STEP_KWH))
        return is_plain and point.kwh <= most + TINY_KWH

    def _stand_still(self, point: Point) -> None:
        """Add a step that ends a time in which the counter stood still.

        A rise by more than the last digit counts in the usual time before the reading: an earlier
        rise would have been written earlier. A smaller one is spread over the whole silence.
        """
        self.state.stood = max(self.state.stood, point.at - point.before)
        begin = point.before
        usual = usual_of(self.state.habits, self.limits)
        if usual and point.kwh > (self.state.digit or 0.0) + TINY_KWH:
            begin = point.at - usual.span
            self.judged.energy.add_still(point.before, begin, 0.0)
        self.judged.energy.add_still(begin, point.at, point.kwh)

    def go_on(self, newest: Point) -> None:
        """After the last reading the counter stands still, if its writer goes on.

        That holds for as long as the longest gap, or twice as long as it has ever stood still, but
        not for longer than LONGEST_SILENCE.
        """
        limits = self.limits
        if not limits.on_change or limits.writer_at is None:
            return
        usual = min(2 * self.state.stood, LONGEST_SILENCE)
        longest = max(limits.max_gap_s * SECOND, usual)
        if 0 < limits.writer_at - newest.at <= longest:
            self.judged.energy.add_still(newest.at, limits.writer_at, 0.0)

    def _mark(self, quarter: Quarter, point: Point) -> None:
        is_back = point.kind == BACKWARDS and self.limits.direction != "both"
        quarter.accepted += not is_back and point.kind != SWAP
        quarter.resets += point.kind in {RESTART, SWAP}
        quarter.step_backs += point.kind == STEP_BACK
        quarter.backwards += is_back
        if is_back or point.kind in BREAKS:
            quarter.fell_from = point.before
        if point.kind == RESTART:
            self.state.note(0.0, restarts=1)


def _event(point: Point) -> Event:
    if point.kind == FIRST:
        return Event(point.at, FIRST, point.value, None, None, None)
    return Event(point.at, point.kind, point.value, point.since, point.kwh, point.back_kwh or None)


def with_runs(items: Sequence[Item]) -> list[Item]:
    """The same with its zeros put together as runs, of each at most the last day."""
    found: list[Item] = []
    for is_zero, group in groupby(items, key=lambda item: item.value == 0):
        if is_zero:
            found.append(_run(list(group)))
        else:
            found += group
    return found


def _run(zeros: list[Item]) -> Item:
    last = zeros[-1].until or zeros[-1].at
    counts: Counter[int] = Counter()
    for item in zeros:
        for number, count in item.zeros or ((item.at // QUARTER, 1),):
            counts[number] += count
    first = zeros[0].at
    if last - first > DAY:
        counts = Counter(
            {number: n for number, n in counts.items() if number * QUARTER > last - DAY}
        )
        first = min(counts) * QUARTER
    return Item(first, 0.0, last, tuple(sorted(counts.items())))


def is_followed(queue: Sequence[Item], place: int, count: int) -> bool:
    """Whether so many readings come after the one at this place, or zeros for a day."""
    readings = sum(not item.is_run for item in queue[place + 1 :])
    last = queue[-1]
    return readings >= count or (last.is_run and last.until - queue[place].at > DAY)
