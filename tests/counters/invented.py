"""Ten more devices, invented from what public reports say of devices."""

import math
from itertools import pairwise

from homeiot_batch.counters.limits import Limits
from tests.counters.devices import DAYS, Device, Expected, Setting, counter, rises, span, used
from tests.counters.judging import Value


def _hours(setting: Setting, value: Value) -> float:
    return (value[0] - setting.midnight(0)).total_seconds() / 3600


def two_power_cuts(setting: Setting) -> Expected:
    """Twice in a day without power for an hour, each time back with the value of 1.4 kWh before."""
    rows, parts, lost = counter(setting, 300.0), [], 0.0
    edges = [0, 50, 51.01, 60, 61.01, 24 * DAYS + 2]
    for begin, end in zip(edges[::2], edges[1::2], strict=True):
        part = [row for row in rows if begin <= _hours(setting, row) < end]
        if parts:
            lost += part[0][1] - lost - parts[-1][-1][1] + 1.4
        parts.append([(at, round(value - lost, 3)) for at, value in part])
    return Expected([row for part in parts for row in part], sum(map(span, parts)), marked_day=2)


def restored_at_midnight(setting: Setting) -> Expected:
    """Back with an older value just after the third midnight."""
    rows = counter(setting, 80.0)
    before = [row for row in rows if row[0] < setting.hour(1, 23)]
    after = [(at, round(value - 3, 3)) for at, value in rows if at > setting.midnight(2)]
    return Expected(before + after, span(before) + span(after), marked_day=2)


def flapping_while_it_rises(setting: Setting) -> Expected:
    """The last digit flaps by 0.003 while 0.3 to 1.1 kW flow."""
    rows = counter(setting, 5000.0)
    found = [(at, round(value - 0.003 * (n % 2), 3)) for n, (at, value) in enumerate(rows)]
    return Expected(found, span(rows) - 0.004, span(rows) + 0.004)


def falling_and_reset(setting: Setting) -> Expected:
    """An export counter below zero that begins again at zero. Declared as counting down."""
    rows = counter(setting, 700.0)
    first = next(n for n, (at, _) in enumerate(rows) if at >= setting.hour(2, 11))
    zero = rows[first - 1][1]
    found = [(at, -value) for at, value in rows[:first]]
    found += [(at, -round(value - zero, 3)) for at, value in rows[first:]]
    return Expected(found, span(rows), marked_day=2, limits=Limits(direction="down"))


def heat_pump_in_whole_kwh(setting: Setting) -> Expected:
    """Whole kWh, off for a day, then 5 kW."""
    found = []
    for at in setting.times():
        hours = _hours(setting, (at, 0.0))
        kwh = min(hours, 20) * 2 + max(0, hours - 50) * 5
        found.append((at, float(math.floor(2000 + kwh))))
    return Expected(found, span(found))


def wallbox_in_tenths(setting: Setting) -> Expected:
    """Says a tenth an hour while it waits, and 11.3 kWh at the end of the charge."""
    charged = setting.hour(2, 20)
    found = []
    for at in setting.times():
        idle = math.floor(_hours(setting, (at, 0.0))) / 10
        found.append((at, round(600 + idle + 11.3 * (at >= charged), 1)))
    return Expected(found, span(found))


def used_meter_of_nearly_the_same(setting: Setting) -> Expected:
    """A meter of 10000 kWh is replaced by one of 9800."""
    rows = counter(setting, 10_000.0)
    before = [row for row in rows if row[0] < setting.hour(2, 10)]
    after = [(at, round(value - 200, 3)) for at, value in rows if at > setting.hour(2, 12)]
    return Expected(before + after, span(before) + span(after), marked_day=2)


def anew_every_day_ten_minutes_late(setting: Setting) -> Expected:
    """The counter of a day, which begins again ten minutes after midnight."""
    found, zero, day = [], 0.0, 0
    for at in setting.times():
        while day < DAYS and at >= setting.hour(day, 1 / 6):
            zero, day = used(setting, setting.hour(day, 1 / 6)), day + 1
        found.append((at, round(used(setting, at) - zero, 2)))
    return Expected(found, _anew(found), marked_day=2)


def anew_every_day_without_mornings(setting: Setting) -> Expected:
    """The counter of a day. Nothing is read from midnight to nine.

    What it shows at nine may be too much of the former value for a restart. It is not counted
    then, and the day is marked.
    """
    found = []
    for at in setting.times():
        day = next(n for n in range(DAYS) if at < setting.midnight(n + 1))
        begin = setting.midnight(day)
        if at > setting.hour(day, 9):
            found.append((at, round(used(setting, at) - used(setting, begin), 3)))
    return Expected(found, rises(found), _anew(found), marked_day=2)


def frozen_over_midnight(setting: Setting) -> Expected:
    """The gateway repeats a value from 22:00 to 04:00."""
    begin, end = setting.hour(1, 22), setting.hour(2, 4)
    rows = counter(setting)
    frozen = next(value for at, value in rows if at >= begin)
    found = [(at, frozen if begin <= at < end else value) for at, value in rows]
    return Expected(found, rises(found))


def _anew(values: list[Value]) -> float:
    total = 0.0
    for former, later in pairwise(values):
        total += later[1] - former[1] if later[1] >= former[1] else later[1]
    return total


INVENTED: dict[str, Device] = {
    "two_power_cuts": two_power_cuts,
    "restored_at_midnight": restored_at_midnight,
    "flapping_while_it_rises": flapping_while_it_rises,
    "falling_and_reset": falling_and_reset,
    "heat_pump_in_whole_kwh": heat_pump_in_whole_kwh,
    "wallbox_in_tenths": wallbox_in_tenths,
    "used_meter_of_nearly_the_same": used_meter_of_nearly_the_same,
    "anew_every_day_ten_minutes_late": anew_every_day_ten_minutes_late,
    "anew_every_day_without_mornings": anew_every_day_without_mornings,
    "frozen_over_midnight": frozen_over_midnight,
}
