"""Whether readings that leave the counter's path were wrong: a glitch leaps away and leaps back."""

from collections.abc import Sequence
from itertools import pairwise

from homeiot_batch.counters.limits import BREAKS, RISE, rate_kw
from homeiot_batch.counters.state import Item, Point, State
from homeiot_batch.counters.steps import Steps

# a step is a leap if its power is more than so many times that of the steps around it
LEAP = 3.0


def wrong_before(steps: Steps, tail: Sequence[Point], item: Item, ahead: Sequence[Item]) -> int:
    """How many of the newest accepted readings were wrong: `item` goes on from the one before."""
    for count in range(1, min(steps.limits.glitch_readings, len(tail) - 1) + 1):
        base = tail[-1 - count]
        dropped = tail[-count:]
        if steps.follow(base, item.at, item.value) and _leaps_in(base, dropped, item, ahead):
            return count
    return 0


def _leaps_in(base: Point, dropped: Sequence[Point], item: Item, ahead: Sequence[Item]) -> bool:
    if dropped[0].kind in BREAKS:
        return True
    around = [_rate(point) for point in [base, *dropped[1:]] if point.kind == RISE]
    if ahead and ahead[0].value >= item.value:
        around.append(rate_kw(ahead[0].value - item.value, ahead[0].at - item.at))
    return _rate(dropped[0]) > LEAP * max(around, default=0.0)


def wrong_from(steps: Steps, base: Point, state: State, items: Sequence[Item], zeros: int) -> int:
    """How many of `items` from the first on are wrong: the one after them goes on from `base`.

    `zeros` of 0.0 stand before the first item. They count as wrong readings if it is a fall that
    could be a new begin.
    """
    falls = items[0].value < base.value
    if falls and _is_new_begin(steps, base, state, items):
        return 0
    for count in range(1, min(steps.limits.glitch_readings, len(items) - 1) + 1):
        target = items[count]
        wrong = [other.value for other in items[:count]]
        comes_back = target.value > min(wrong) if falls else target.value < max(wrong)
        if not comes_back or not steps.follow(base, target.at, target.value):
            continue
        if falls and _goes_on(items[: count + 1]):
            return 0
        return 0 if falls and zeros + count > steps.limits.glitch_readings else count
    return 0


def _goes_on(items: Sequence[Item]) -> bool:
    """Whether the readings rise evenly to the last one, which so goes on from them."""
    rates = [
        rate_kw(later.value - former.value, later.at - former.at)
        for former, later in pairwise(items)
    ]
    return len(rates) > 1 and min(rates) >= 0 and rates[-1] <= LEAP * max(rates[:-1])


def _is_new_begin(steps: Steps, base: Point, state: State, items: Sequence[Item]) -> bool:
    """Whether a counter that often begins again does so here, and counts on as it can."""
    item = items[0]
    if not state.restarts_often or not steps.restarts(base, item.at, item.value, state):
        return False
    following = items[1] if len(items) > 1 else item
    rise = following.value - item.value
    span = following.at - item.at
    return rise >= 0 and state.could_deliver(rise, span, steps.limits)


def _rate(point: Point) -> float:
    return rate_kw(point.kwh, point.at - point.before)
