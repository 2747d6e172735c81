"""Eight more devices, invented from public reports before the rules were read."""

import math

from homeiot_batch.counters.limits import Limits
from tests.counters.devices import Device, Expected, Setting, counter, rises, span
from tests.counters.judging import Value


def _hours(setting: Setting, value: Value) -> float:
    return (value[0] - setting.midnight(0)).total_seconds() / 3600


def _solar(setting: Setting, begin: float) -> list[Value]:
    """A total that grows by 5 kWh a day, between the hours 7 and 17."""
    found = []
    for at in setting.times():
        day, hour = divmod(_hours(setting, (at, 0.0)), 24)
        angle = math.pi * min(max(hour - 7, 0), 10) / 10
        found.append((at, round(begin + 5 * day + 2.5 * (1 - math.cos(angle)), 3)))
    return found


def asleep_at_night(setting: Setting) -> Expected:
    """An inverter's total reads 0.0 from the evening to the morning."""
    found = []
    for row in _solar(setting, 8000.0):
        is_awake = 6.5 <= _hours(setting, row) % 24 < 18
        found.append((row[0], row[1] if is_awake else 0.0))
    return Expected(found, span([row for row in found if row[1]]))


def total_corrected_at_midnight(setting: Setting) -> Expected:
    """A total falls by 0.6 kWh each midnight, and goes on from there."""
    rows = _solar(setting, 6400.0)
    found = [(at, round(kwh - 0.6 * (_hours(setting, (at, kwh)) // 24), 3)) for at, kwh in rows]
    return Expected(found, span(found), rises(found), marked_day=2)


def retained_message(setting: Setting) -> Expected:
    """A broker sends the value of an hour ago after each of three reconnects."""
    rows = counter(setting, 300.0)
    found = list(rows)
    for share in (0.3, 0.55, 0.8):
        place = int(len(rows) * share)
        latest = _hours(setting, rows[place]) - 1
        [*_, old] = [kwh for at, kwh in rows if _hours(setting, (at, kwh)) <= latest]
        found[place] = (rows[place][0], old)
    return Expected(found, span(rows))


def idle_in_single_precision(setting: Setting) -> Expected:
    """A 32 bit float at 200000 kWh flaps by its last bit, which is 1/64 kWh."""
    found = [(at, 200_000 + (n % 2) / 64) for n, at in enumerate(setting.times())]
    return Expected(found, 0.0, 1 / 64)


def sixteen_bits_of_wh(setting: Setting) -> Expected:
    """A register of 16 bits begins again after 65.535 kWh, as declared."""
    rows = counter(setting, 30.0)
    found = [(at, round(kwh % 65.536, 3)) for at, kwh in rows]
    return Expected(found, span(rows), limits=Limits(wrap_kwh=65.536))


def sixteen_bits_undeclared(setting: Setting) -> Expected:
    """The same at 5 kW, and nobody declared it. What it shows after zero is counted."""
    rows = [(at, 30 + 5 * _hours(setting, (at, 0.0))) for at in setting.times()]
    found = [(at, round(kwh % 65.536, 3)) for at, kwh in rows]
    return Expected(found, rises(found), span(rows), marked_day=2)


def drifting_down(setting: Setting) -> Expected:
    """An idle clamp loses a thousandth of a kWh each hour."""
    rows = [(at, float(math.floor(_hours(setting, (at, 0.0))))) for at in setting.times()]
    found = [(at, round(700 - hours / 1000, 3)) for at, hours in rows]
    return Expected(found, 0.0, marked_day=2)


def drifting_down_at_night(setting: Setting) -> Expected:
    """The same, with 1 kW from the hour 8 to 18 of each day."""
    found = []
    for at in setting.times():
        day, hour = divmod(_hours(setting, (at, 0.0)), 24)
        lost = 14 * day + math.floor(min(hour, 8)) + math.floor(max(hour - 18, 0))
        found.append((at, round(700 + 10 * day + min(max(hour - 8, 0), 10) - lost / 1000, 3)))
    return Expected(found, 39.9, 40.1)


INVENTED_FROM_REPORTS: dict[str, Device] = {
    "asleep_at_night": asleep_at_night,
    "total_corrected_at_midnight": total_corrected_at_midnight,
    "retained_message": retained_message,
    "idle_in_single_precision": idle_in_single_precision,
    "sixteen_bits_of_wh": sixteen_bits_of_wh,
    "sixteen_bits_undeclared": sixteen_bits_undeclared,
    "drifting_down": drifting_down,
    "drifting_down_at_night": drifting_down_at_night,
}
