"""Devices as public reports describe them: what each archives, and what really flowed.

Times are UTC without zone, energy kWh.
"""

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from homeiot_batch.counters.limits import Limits
from tests.counters.judging import Value

CADENCES = [10, 60, 900, 3600]
BERLIN = ZoneInfo("Europe/Berlin")
DAYS = 4


class Setting(NamedTuple):
    """When and how often a device is read, and on which night nothing is (22:30 to 01:30)."""

    first_day: date
    cadence_s: int
    has_gap: bool = False

    def times(self) -> Iterator[datetime]:
        """All times of readings, of four local days."""
        at, end = self.midnight(0), self.midnight(DAYS)
        while at < end:
            if not self.is_quiet(at):
                yield at
            at += timedelta(seconds=self.cadence_s)

    def midnight(self, day: int) -> datetime:
        """Begin of the day of this number."""
        return _midnight(self.first_day + timedelta(days=day))

    def hour(self, day: int, hour: float) -> datetime:
        """So many hours after the begin of a day."""
        return self.midnight(day) + timedelta(hours=hour)

    def is_quiet(self, at: datetime) -> bool:
        """Whether nothing is read then."""
        return self.has_gap and self.hour(0, 22.5) < at < self.hour(1, 1.5)


@functools.cache  # it is asked for with each reading
def _midnight(day: date) -> datetime:
    local = datetime.combine(day, time(), BERLIN)
    return local.astimezone(UTC).replace(tzinfo=None)


@dataclass
class Expected:
    """What a counter must become: total energy from `least` to `most`, marks on days, limits."""

    values: list[Value]
    least: float
    most: float | None = None
    marked_day: int | None = None
    limits: Limits = field(default_factory=Limits)
    back_kwh: float = 0.0
    is_unmarked: bool = False


Device = Callable[[Setting], Expected]


def used(setting: Setting, at: datetime) -> float:
    """What a house has used since the first midnight: 0.3 to 1.1 kW, less at night."""
    hours = (at - setting.midnight(0)).total_seconds() / 3600
    return 0.7 * hours + 0.4 * 24 / math.tau * (1 - math.cos(math.tau * hours / 24))


def counter(setting: Setting, begin: float = 40.0, digits: int = 3) -> list[Value]:
    """A counter that is read well."""
    return [(at, round(begin + used(setting, at), digits)) for at in setting.times()]


def rises(values: list[Value]) -> float:
    """The sum of all rises."""
    return sum(max(0, later[1] - former[1]) for former, later in pairwise(values))


def span(values: list[Value]) -> float:
    """The last value less the first."""
    return values[-1][1] - values[0][1]


# what went wrong before


def restored_older_value(setting: Setting) -> Expected:
    """An hour without power. Then the value of 2.1 kWh before."""
    off, on = setting.hour(2, 14), setting.hour(2, 15)
    rows = counter(setting)
    before = [row for row in rows if row[0] <= off]
    lost = rows[len(before)][1] - before[-1][1] if len(before) < len(rows) else 0
    after = [(at, round(value - 2.1 - lost, 3)) for at, value in rows if at > on]
    return Expected(before + after, span(before) + span(after), marked_day=2)


def restored_much_older_value(setting: Setting) -> Expected:
    """The same of a young counter, which falls by half."""
    off, on = setting.hour(2, 14), setting.hour(2, 15)
    rows = counter(setting, 0.5)
    before = [row for row in rows if row[0] <= off]
    half = round(before[-1][1] / 2, 3)
    after = [(at, round(value - half, 3)) for at, value in rows if at > on]
    return Expected(before + after, span(before) + span(after), marked_day=2)


def corrected_at_sunset(setting: Setting) -> Expected:
    """A counter of the day: 3.00 in the evening, 2.96 from sunset on, 0.00 from midnight on."""
    found = []
    for at in setting.times():
        day = next(n for n in range(DAYS) if at < setting.midnight(n + 1))
        hour = (at - setting.midnight(day)).total_seconds() / 3600
        made = round(3 * min(max(hour - 7, 0), 10) / 10, 2)
        found.append((at, made if hour < 18 else 2.96))
    return Expected(found, DAYS * 2.96, DAYS * 3.00, marked_day=2)


def flapping(setting: Setting) -> Expected:
    """An idle counter, 5000.000 and 5000.004 by turns."""
    found = [(at, 5000.0 + 0.004 * (n % 2)) for n, at in enumerate(setting.times())]
    return Expected(found, 0.004, is_unmarked=not setting.has_gap)


def flapping_by_hundredths(setting: Setting) -> Expected:
    """The same with a counter of two digits."""
    found = [(at, 5000.0 + 0.01 * (n % 2)) for n, at in enumerate(setting.times())]
    return Expected(found, 0.01, is_unmarked=not setting.has_gap)


def _falling(setting: Setting, limits: Limits) -> Expected:
    found = [(at, round(-467.114 - 0.43 * used(setting, at), 3)) for at in setting.times()]
    kwh = -span(found)
    least = kwh if limits.direction == "down" else 0.0
    back = kwh if limits.direction == "both" else 0.0
    marked = 2 if limits.direction == "up" else None
    return Expected(found, least, limits=limits, back_kwh=back, marked_day=marked)


def falling(setting: Setting) -> Expected:
    """It counts down below zero, and nobody said so."""
    return _falling(setting, Limits())


def falling_as_declared(setting: Setting) -> Expected:
    """The same with `direction: down`."""
    return _falling(setting, Limits(direction="down"))


def falling_both_ways(setting: Setting) -> Expected:
    """The same with `direction: both`: all of it is energy of the other direction."""
    return _falling(setting, Limits(direction="both"))


def ferraris_in_the_sun(setting: Setting) -> Expected:
    """A meter with a disc: forward at night, backwards by day."""
    found, forward, backward = [], 0.0, 0.0
    kwh = 5000.0
    for former, at in pairwise([setting.midnight(0), *setting.times()]):
        hours = (at - former).total_seconds() / 3600
        is_day = 8 <= (at - setting.midnight(0)).total_seconds() / 3600 % 24 < 18
        moved = round(-1.6 * hours if is_day else 0.9 * hours, 6)
        kwh += moved
        forward, backward = forward + max(moved, 0), backward - min(moved, 0)
        found.append((at, round(kwh, 6)))
    return Expected(found, forward, limits=Limits(direction="both"), back_kwh=backward)


def wallbox_at_the_end_of_a_charge(setting: Setting) -> Expected:
    """Readings go on, the value moves once, by 32.5 kWh."""
    charged = setting.hour(2, 13)
    found = [(at, 1000.0 if at < charged else 1032.5) for at in setting.times()]
    return Expected(found, 32.5)


def frozen_gateway(setting: Setting) -> Expected:
    """The gateway repeats a value for five hours, then tells the true one."""
    begin, end = setting.hour(2, 9), setting.hour(2, 14)
    rows = counter(setting)
    frozen = next(value for at, value in rows if at >= begin)
    found = [(at, frozen if begin <= at < end else value) for at, value in rows]
    return Expected(found, span(rows))


def whole_kwh(setting: Setting) -> Expected:
    """A counter of whole kWh at 2 kW."""
    found = [(at, float(math.floor(1000 + 3 * used(setting, at)))) for at in setting.times()]
    return Expected(found, span(found))


def used_meter(setting: Setting) -> Expected:
    """A meter of 12006 kWh is replaced by one of 150, within four hours."""
    out, back = setting.hour(2, 10), setting.hour(2, 14)
    rows = counter(setting, 11960.0)
    before = [row for row in rows if row[0] <= out]
    after = [row for row in rows if row[0] > back]
    after = [(at, round(value - after[0][1] + 150, 3)) for at, value in after]
    return Expected(before + after, span(before) + span(after), marked_day=2)


def begins_anew_every_day(setting: Setting) -> Expected:
    """A counter of the day, from 0.0 or a little more."""
    found, first = [], 0.0
    day = -1
    for at in setting.times():
        if day + 1 < DAYS and at >= setting.midnight(day + 1):
            day, first = day + 1, used(setting, setting.midnight(day + 1))
        found.append((at, round(used(setting, at) - first, 3)))
    return Expected(found, _anew(found), marked_day=2)


def begins_anew_at_sunrise(setting: Setting) -> Expected:
    """An inverter: it shows yesterday's yield until sunrise."""
    yields, found = [4.0, 1.5, 6.0, 2.5], []
    for at in setting.times():
        day = next(n for n in range(DAYS) if at < setting.midnight(n + 1))
        hour = (at - setting.midnight(day)).total_seconds() / 3600
        part = (1 - math.cos(math.pi * min(max(hour - 6, 0), 12) / 12)) / 2
        value = yields[day] * part if hour > 6.4 else (yields[day - 1] if day else 5.0)
        found.append((at, round(value, 3)))
    return Expected(found, sum(yields), marked_day=2)


def _anew(values: list[Value]) -> float:
    """All that a counter shows that begins again with each fall."""
    total = 0.0
    for former, later in pairwise(value for _, value in values):
        total += later - former if later >= former else later
    return total


# what was right before


def plain(setting: Setting) -> Expected:
    """Nothing odd."""
    return Expected(rows := counter(setting), span(rows), is_unmarked=not setting.has_gap)


def one_wrong_zero(setting: Setting) -> Expected:
    """A single 0.0."""
    return _wrong(setting, {0: 0.0})


def zero_after_a_reboot(setting: Setting) -> Expected:
    """Three readings of 0.0."""
    return _wrong(setting, {0: 0.0, 1: 0.0, 2: 0.0})


def spike_up(setting: Setting) -> Expected:
    """One value ten times as high."""
    return _wrong(setting, {0: 499.2})


def spike_within_reach(setting: Setting) -> Expected:
    """One value that is 0.5 kWh too high, which could have flowed."""
    rows = counter(setting, 60.0)
    place = next(n for n, (at, _) in enumerate(rows) if at >= setting.hour(2, 11))
    at, value = rows[place]
    found = [*rows[:place], (at, round(value + 0.5, 3)), *rows[place + 1 :]]
    return Expected(found, span(rows))


def spike_down(setting: Setting) -> Expected:
    """One value a third as high."""
    return _wrong(setting, {0: 24.1})


def spikes_of_three(setting: Setting) -> Expected:
    """Three wrong values in a row."""
    return _wrong(setting, {0: 9e5, 1: 3.5, 2: 8e6})


def stale_value(setting: Setting) -> Expected:
    """One value of hours ago."""
    return _wrong(setting, {0: 66.5})


def _wrong(setting: Setting, wrong: dict[int, float]) -> Expected:
    rows = counter(setting, 60.0)
    place = next(n for n, (at, _) in enumerate(rows) if at >= setting.hour(2, 11))
    found = [(at, wrong.get(n - place, value)) for n, (at, value) in enumerate(rows)]
    return Expected(found, span(rows))


def restart(setting: Setting) -> Expected:
    """It begins again from zero."""
    rows = counter(setting, 500.0)
    first = next(n for n, (at, _) in enumerate(rows) if at >= setting.hour(2, 11))
    zero = rows[first - 1][1] + 0.0
    found = rows[:first] + [(at, round(value - zero, 3)) for at, value in rows[first:]]
    return Expected(found, span(rows), marked_day=2)


def restart_that_stands_at_zero(setting: Setting) -> Expected:
    """It begins again from zero, and nothing flows for eight hours."""
    rows = counter(setting, 500.0)
    begin, end = setting.hour(2, 11), setting.hour(2, 19)
    before = [row for row in rows if row[0] < begin]
    zeros = [(at, 0.0) for at, _ in rows if begin <= at < end]
    after = [(at, value) for at, value in rows if at >= end]
    after = [(at, round(value - after[0][1], 3)) for at, value in after]
    return Expected(before + zeros + after, span(before) + after[-1][1], marked_day=2)


def wrap_of_a_small_counter(setting: Setting) -> Expected:
    """Through 838.8607 to zero."""
    return _wrap(setting, 838.8608, 4)


def wrap_of_a_large_counter(setting: Setting) -> Expected:
    """Through 99999.9 to zero."""
    return _wrap(setting, 100000.0, 1)


def _wrap(setting: Setting, highest: float, digits: int) -> Expected:
    rows = counter(setting, highest - 30, digits)
    found = [(at, round(value % highest, digits)) for at, value in rows]
    return Expected(found, span(rows), limits=Limits(wrap_kwh=highest))


def swap_to_lower_noticed_a_day_later(setting: Setting) -> Expected:
    """Nothing for a day, then a meter of 137 kWh."""
    return _swap(setting, 137.0)


def swap_to_higher_noticed_a_day_later(setting: Setting) -> Expected:
    """Nothing for a day, then a meter of 20000 kWh."""
    return _swap(setting, 20000.0)


def _swap(setting: Setting, begin: float) -> Expected:
    rows = counter(setting, 5000.0)
    before = [row for row in rows if row[0] < setting.hour(1, 12)]
    after = [row for row in rows if row[0] > setting.hour(2, 12)]
    after = [(at, round(value - after[0][1] + begin, 3)) for at, value in after]
    return Expected(before + after, span(before) + span(after), marked_day=2)


def outage_of_a_day(setting: Setting) -> Expected:
    """Nothing for more than a day. The meter counted on."""
    rows = counter(setting)
    found = [row for row in rows if not setting.hour(1, 6) < row[0] < setting.hour(2, 15)]
    return Expected(found, span(rows), marked_day=2)


def duplicates(setting: Setting) -> Expected:
    """Every fifth reading comes twice."""
    rows = counter(setting)
    found = [row for n, row in enumerate(rows) for _ in range(1 + (n % 5 == 0))]
    return Expected(found, span(rows))


def filled_holes(setting: Setting) -> Expected:
    """A missing value now and then, filled with 0.0."""
    rows = counter(setting)
    found = [(at, 0.0 if n % 7 == 3 else value) for n, (at, value) in enumerate(rows)]
    return Expected(found, span([row for row in found if row[1]]))


def new_meter(setting: Setting) -> Expected:
    """It begins at zero, on the second day."""
    rows = counter(setting)
    begin = next(value for at, value in rows if at >= setting.hour(1, 9))
    found = [(at, max(0.0, round(value - begin, 3))) for at, value in rows]
    return Expected(found, found[-1][1])


def always_zero(setting: Setting) -> Expected:
    """A counter that nothing is connected to."""
    return Expected([(at, 0.0) for at in setting.times()], 0.0)


DEVICES: dict[str, Device] = {
    getattr(device, "__name__", ""): device
    for device in (
        restored_older_value,
        restored_much_older_value,
        corrected_at_sunset,
        flapping,
        flapping_by_hundredths,
        falling,
        falling_as_declared,
        falling_both_ways,
        ferraris_in_the_sun,
        wallbox_at_the_end_of_a_charge,
        frozen_gateway,
        whole_kwh,
        used_meter,
        begins_anew_every_day,
        begins_anew_at_sunrise,
        plain,
        one_wrong_zero,
        zero_after_a_reboot,
        spike_up,
        spike_within_reach,
        spike_down,
        spikes_of_three,
        stale_value,
        restart,
        restart_that_stands_at_zero,
        wrap_of_a_small_counter,
        wrap_of_a_large_counter,
        swap_to_lower_noticed_a_day_later,
        swap_to_higher_noticed_a_day_later,
        outage_of_a_day,
        duplicates,
        filled_holes,
        new_meter,
        always_zero,
    )
}
