"""The step from one reading of a counter to the next: what it may be, and its energy."""

from bisect import bisect_left

from homeiot_batch.counters.limits import (
    BACKWARDS,
    FIRST,
    HOUR,
    NOISE,
    RESTART,
    RESTART_PART,
    RISE,
    RISE_SINCE_CHANGE,
    STEP_BACK,
    STEP_BACK_PART,
    SWAP,
    WRAP,
    Limits,
    deliverable_kwh,
)
from homeiot_batch.counters.state import Point, State

TINY_KWH = 1e-9


class Steps:
    """Judges single steps by the limits and by what the counter's last digit resolves."""

    def __init__(self, limits: Limits, unit_kwh: float) -> None:
        self.limits = limits
        self.unit_kwh = unit_kwh

    def noise_kwh(self, value: float) -> float:
        """A fall that is only rounding: a unit of the last digit, or of a float of 32 bits."""
        return max(self.limits.noise_kwh, self.unit_kwh, 1.2e-7 * abs(value)) + TINY_KWH

    def follow(self, base: Point, at: int, value: float) -> Point | None:
        """The step from an accepted reading to what a running counter may show, else None."""
        fall = base.value - value
        if at == base.at:
            return self._at_one_time(base, value)
        if fall <= TINY_KWH:
            return self._rise(base, at, value)
        if fall <= self.noise_kwh(base.value):
            return self._small_fall(base, at, value)
        return self._wrap(base, at, value) or self._back(base, at, value)

    def _at_one_time(self, base: Point, value: float) -> Point | None:
        if abs(base.value - value) > self.noise_kwh(value):
            return None
        kind = RISE if base.value == value else NOISE
        return _still(base, base.at, value, kind)

    def _rise(self, base: Point, at: int, value: float) -> Point | None:
        kwh = value - base.level
        if kwh <= TINY_KWH:
            kind = RISE if base.value == base.level else NOISE
            return _still(base, at, value, kind)
        if kwh <= deliverable_kwh(self.limits.max_power_kw, at - base.at):
            return _moved(base, at, value, RISE, kwh)
        return self._rise_since_change(base, at, value)

    def _rise_since_change(self, base: Point, at: int, value: float) -> Point | None:
        kwh = value - base.level
        longest = at - base.changed
        if base.level == 0:
            # a counter without a reading above zero may not have been connected yet
            longest = min(longest, HOUR)
        flowed_kwh = deliverable_kwh(self.limits.max_power_kw, longest)
        if kwh > flowed_kwh + self._rest_kwh(base):
            return None
        since = at - longest
        kind = RISE if since == base.at else RISE_SINCE_CHANGE
        return _moved(base, at, value, kind, kwh)._replace(since=since)

    def _rest_kwh(self, base: Point) -> float:
        """What may have flowed unseen before the value last changed: less than its last digit."""
        if base.still == base.changed:
            return self.unit_kwh
        power = self.limits.max_power_kw
        return min(self.unit_kwh, deliverable_kwh(power, base.changed - base.still))

    def _small_fall(self, base: Point, at: int, value: float) -> Point:
        below = base.level - value
        if below <= self.noise_kwh(base.value):
            return _still(base, at, value, NOISE)
        return self._backwards(base, at, value)

    def _backwards(self, base: Point, at: int, value: float) -> Point:
        back = base.level - value if self.limits.direction == "both" else 0.0
        return _moved(base, at, value, BACKWARDS, back_kwh=back)

    def _wrap(self, base: Point, at: int, value: float) -> Point | None:
        highest = self.limits.wrap_kwh
        if highest is None or value < 0 or base.value < 0.9 * highest:
            return None
        kwh = value + highest - base.level
        if kwh > deliverable_kwh(self.limits.max_power_kw, at - base.at):
            return None
        return _moved(base, at, value, WRAP, kwh)

    def _back(self, base: Point, at: int, value: float) -> Point | None:
        if self.limits.direction != "both":
            return None
        is_small = 0 <= value <= RESTART_PART * base.value
        back = base.level - value
        if is_small or back > deliverable_kwh(self.limits.max_power_kw, at - base.at):
            return None
        return self._backwards(base, at, value)

    def restarts(self, base: Point, at: int, value: float, state: State) -> bool:
        """Whether the counter may have begun again from zero and delivered the value since."""
        part = 1 - STEP_BACK_PART if state.restarts_often else RESTART_PART
        is_small = 0 <= value <= part * base.value
        return is_small and state.could_deliver(value, at - base.at, self.limits)

    def leap(self, base: Point, at: int, value: float, state: State) -> Point:
        """The step to a value that no running counter can show."""
        kind = SWAP
        kwh = 0.0
        if self.restarts(base, at, value, state):
            kind = RESTART
            kwh = value
        elif 0 < base.value - value <= STEP_BACK_PART * abs(base.value):
            kind = BACKWARDS if base.kind in {STEP_BACK, BACKWARDS} else STEP_BACK
        return _moved(base, at, value, kind, kwh)


def first_point(at: int, value: float) -> Point:
    """The first reading of a counter, which no step ends in."""
    return Point(at, value, FIRST, at, value, at, 0.0, 0.0, value, at, at)


def plain_point(base: Point, times: list[int], values: list[float], index: int) -> Point:
    """The step to one of many readings that only rise. The first of them is `base`."""
    at = times[index]
    value = values[index]
    before = times[index - 1]
    former = values[index - 1]
    reached = bisect_left(values, value)
    changed = base.changed
    still = base.still
    if reached:
        changed = times[reached]
        still = times[reached - 1]
    kwh = value - former
    return Point(at, value, RISE, before, former, before, kwh, 0.0, value, changed, still)


def _still(base: Point, at: int, value: float, kind: str) -> Point:
    step = _moved(base, at, value, kind)
    level = max(base.level, value)
    return step._replace(level=level, changed=base.changed, still=base.still)


def _moved(
    base: Point, at: int, value: float, kind: str, kwh: float = 0.0, back_kwh: float = 0.0
) -> Point:
    return Point(at, value, kind, base.at, base.value, base.at, kwh, back_kwh, value, at, base.at)
