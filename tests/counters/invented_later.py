"""Ten further devices, invented from public reports of devices before the rules were read."""

import math
from itertools import pairwise
from typing import NamedTuple

from homeiot_batch.counters.limits import Limits
from tests.counters.devices import DAYS, Device, Expected, Setting, counter, span, used
from tests.counters.judging import Value


class Cut(NamedTuple):
    """Time without power, in hours since the first midnight, and how far back the value is then."""

    off: float
    on: float
    back_kwh: float


def _hours(setting: Setting, value: Value) -> float:
    return (value[0] - setting.midnight(0)).total_seconds() / 3600


def _with_cuts(setting: Setting, rows: list[Value], cuts: list[Cut]) -> Expected:
    parts, begin, back_kwh = [], 0.0, 0.0
    for cut in [*cuts, Cut(math.inf, math.inf, 0.0)]:
        part = [row for row in rows if begin <= _hours(setting, row) < cut.off]
        lost = part[0][1] - parts[-1][-1][1] + back_kwh if parts else 0.0
        parts.append([(at, round(value - lost, 3)) for at, value in part])
        begin, back_kwh = cut.on, cut.back_kwh
    values = [row for part in parts for row in part]
    return Expected(values, sum(map(span, parts)), marked_day=2)


def three_power_cuts_in_an_evening(setting: Setting) -> Expected:
    """Without power for ten minutes each time, then back with the value of an hour before."""
    cuts = [Cut(66.7, 66.9, 0.5), Cut(67.8, 68.0, 0.6), Cut(69.9, 70.1, 0.7)]
    return _with_cuts(setting, counter(setting, 120.0), cuts)


def flapping_between_three_values(setting: Setting) -> Expected:
    """A value, 0.002 more and 0.002 less by turns, at a third of a small load."""
    found = []
    for number, (at, value) in enumerate(counter(setting, 0.0)):
        found.append((at, round(8000 + value / 7 + 0.002 * (0, 1, -1)[number % 3], 3)))
    kwh = used(setting, found[-1][0]) / 7
    return Expected(found, kwh - 0.006, kwh + 0.006)


def ferraris_with_a_balcony_panel(setting: Setting) -> Expected:
    """A disc that turns back at 0.3 kW from 11 to 15 o'clock, read to the hundredth."""
    found, forward, backward, kwh = [], 0.0, 0.0, 700.0
    for former, at in pairwise([setting.midnight(0), *setting.times()]):
        hours = (at - former).total_seconds() / 3600
        is_noon = 11 < _hours(setting, (at, 0.0)) % 24 <= 15
        moved = -0.3 * hours if is_noon else 0.5 * hours
        kwh += moved
        forward, backward = forward + max(moved, 0), backward - min(moved, 0)
        found.append((at, round(kwh, 2)))
    limits = Limits(direction="both")
    return Expected(found, forward - 0.03, forward + 0.03, limits=limits, back_kwh=backward)


def wallbox_of_two_charges(setting: Setting) -> Expected:
    """It shows a charge when it is over: 11 kWh, 0.2 kWh in the night, 14.5 kWh."""
    steps = [(31, 11.0), (49, 0.2), (67, 14.5)]
    found = []
    for at in setting.times():
        hour = _hours(setting, (at, 0.0))
        found.append(
            (at, round(1000 + sum((kwh for begin, kwh in steps if hour >= begin), 0.0), 1))
        )
    return Expected(found, 25.7)


def whole_kwh_and_a_frozen_gateway(setting: Setting) -> Expected:
    """Whole kWh at 2 kW. For three hours the gateway repeats the last value."""
    found, frozen = [], 0.0
    for at in setting.times():
        hour = _hours(setting, (at, 0.0))
        value = float(math.floor(300 + 2 * hour))
        frozen = frozen or (value if hour >= 57 else 0.0)
        found.append((at, frozen if 57 <= hour < 60 else value))
    return Expected(found, span(found))


def used_meter_that_shows_more(setting: Setting) -> Expected:
    """A meter of 150 kWh is replaced by one of 12006, within four hours."""
    rows = counter(setting, 90.0)
    before = [row for row in rows if row[0] <= setting.hour(2, 10)]
    after = [row for row in rows if row[0] > setting.hour(2, 14)]
    after = [(at, round(value - after[0][1] + 12006, 3)) for at, value in after]
    return Expected(before + after, span(before) + span(after), marked_day=2)


def counter_of_the_day_with_a_power_cut(setting: Setting) -> Expected:
    """It begins anew at midnight. On the third day it comes back with an older value."""
    cut = Cut(62.0, 63.0, 1.1)
    found, zero, day, lost = [], 0.0, -1, 0.0
    for at in setting.times():
        hour = _hours(setting, (at, 0.0))
        if day + 1 < DAYS and at >= setting.midnight(day + 1):
            day, zero, lost = day + 1, used(setting, setting.midnight(day + 1)), 0.0
        value = used(setting, at) - zero
        if hour >= cut.on and not lost and day == 2:
            lost = value - found[-1][1] + cut.back_kwh
        if not cut.off <= hour < cut.on:
            found.append((at, round(value - lost, 3)))
    return Expected(found, _anew(found), marked_day=2)


def _anew(values: list[Value]) -> float:
    """What a counter shows that begins anew at night, and falls at no other time to below 2."""
    total = 0.0
    for former, later in pairwise(value for _, value in values):
        if later >= former:
            total += later - former
        elif later < 2:
            total += later
    return total


def two_gateways(setting: Setting) -> Expected:
    """Two gateways take turns. One is five minutes behind."""
    found = []
    for number, at in enumerate(setting.times()):
        hours = _hours(setting, (at, 0.0)) - (number % 2) / 12
        found.append((at, round(4000 + 0.9 * hours, 3)))
    kwh = 0.9 * _hours(setting, found[-1])
    return Expected(found, kwh - 0.15, kwh + 0.15)


def standby_in_tenths(setting: Setting) -> Expected:
    """A load of 5 W on a counter of tenths: a change every 20 hours."""
    found = []
    for at in setting.times():
        hours = _hours(setting, (at, 0.0))
        found.append((at, math.floor(1234 + 0.05 * hours + 0.3) / 10))
    return Expected(found, span(found))


def export_of_the_day(setting: Setting) -> Expected:
    """An export counter below zero, from 0.0 down every day. Declared as counting down."""
    found, zero, day = [], 0.0, -1
    for at in setting.times():
        if day + 1 < DAYS and at >= setting.midnight(day + 1):
            day, zero = day + 1, used(setting, setting.midnight(day + 1))
        found.append((at, -round(used(setting, at) - zero, 3)))
    kwh = _anew([(at, -value) for at, value in found])
    return Expected(found, kwh, marked_day=2, limits=Limits(direction="down"))


INVENTED_LATER: dict[str, Device] = {
    "three_power_cuts_in_an_evening": three_power_cuts_in_an_evening,
    "flapping_between_three_values": flapping_between_three_values,
    "ferraris_with_a_balcony_panel": ferraris_with_a_balcony_panel,
    "wallbox_of_two_charges": wallbox_of_two_charges,
    "whole_kwh_and_a_frozen_gateway": whole_kwh_and_a_frozen_gateway,
    "used_meter_that_shows_more": used_meter_that_shows_more,
    "counter_of_the_day_with_a_power_cut": counter_of_the_day_with_a_power_cut,
    "two_gateways": two_gateways,
    "standby_in_tenths": standby_in_tenths,
    "export_of_the_day": export_of_the_day,
}
