"""What is usual for a register that is written on a change: how often, and by how much it rises.

After a silence, the first reading shows the first step of a new rise. A rise of one usual step is
no gap. A larger one is.
"""

from collections.abc import Sequence
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from homeiot_batch.counters.limits import SECOND, Limits, deliverable_kwh

LEAST_STEPS = 4  # of a day, so that anything is usual
DAYS = 28
# the first step of a rise may be so many times the usual one
MARGIN = 1.5
# but not more than this, as it may also be what a device used while it was not heard: ten minutes
# of a car at 11 kW, and less than two units of a counter of whole kWh
MOST_OF_A_STEP_KWH = 1.9
# a step is as long as usual up to so many times the usual time
LATE = 1.5


class Habit(NamedTuple):
    """The usual time between two readings in µs, and the usual rise in that time in kWh."""

    span: int
    rise: float


def habit_of_day(times: Sequence[int], values: Sequence[float], limits: Limits) -> Habit | None:
    """What is usual in a day's readings, in order. None where there are too few rises.

    Holes of 0.0 and rises that cannot be do not count.
    """
    shown = [(at, value) for at, value in zip(times, values, strict=True) if value]
    steps = [Habit(later - at, higher - value) for (at, value), (later, higher) in pairwise(shown)]
    usual = [step for step in steps if _is_plain(step, limits)]
    if len(usual) < LEAST_STEPS:
        return None
    span = int(median(step.span for step in usual))
    rise = median(step.rise for step in usual if step.span <= LATE * span)
    return Habit(span, float(f"{rise:.6g}"))


def _is_plain(step: Habit, limits: Limits) -> bool:
    if not 0 < step.span <= limits.max_gap_s * SECOND:
        return False
    return 0 < step.rise <= deliverable_kwh(limits.max_power_kw, step.span)


def usual_of(habits: Sequence[Habit], limits: Limits) -> Habit | None:
    """What is usual in these days. None where it is not much shorter than a gap."""
    if not habits:
        return None
    span = int(median(habit.span for habit in habits))
    if 2 * span > limits.max_gap_s * SECOND:
        return None
    return Habit(span, median(habit.rise for habit in habits))
