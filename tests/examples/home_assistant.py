"""A house as Home Assistant's InfluxDB integration writes it.

The measurement is the unit, the entity is in the tags. A point is written when a state changes, and
all of them after a start of Home Assistant, here at the first midnight. Registers are read every
minute, power every five.
"""

import random
from collections.abc import Iterator
from typing import NamedTuple

from tests.examples.points import Point, decimal, plain
from tests.examples.simulated import WS_PER_KWH, Plan, Truth, simulated

NAME = "home_assistant"
PLAN = Plan(
    "Europe/Berlin",
    seed=7,
    solar_w=7200,
    battery_kwh=7.5,
    battery_w=3000,
    heat_pump_w=1350,
    car_w=3680,
)
DIGITS = 2  # of a register, in kWh
EVERY_S = 60
POWER_EVERY_S = 300


class Sensor(NamedTuple):
    """An entity: what it shows, and what its register counted at the first midnight (kWh)."""

    entity: str
    name: str
    flow: str
    begins: int = 0


REGISTERS = [
    Sensor("p1_meter_energy_import", "P1 meter energy import", "bought", 8214),
    Sensor("p1_meter_energy_export", "P1 meter energy export", "sold", 5120),
    Sensor("solar_energy_total", "Solar energy total", "sun", 15377),
    Sensor("battery_energy_charged", "Battery energy charged", "charged", 3041),
    Sensor("battery_energy_discharged", "Battery energy discharged", "discharged", 2877),
    Sensor("heat_pump_energy", "Heat pump energy", "heat_pump", 4821),
    Sensor("wallbox_energy", "Wallbox energy", "car", 1960),
]
POWERS = [
    Sensor("p1_meter_power", "P1 meter power", "bought"),
    Sensor("solar_power", "Solar power", "sun"),
    Sensor("heat_pump_power", "Heat pump power", "heat_pump"),
    Sensor("wallbox_power", "Wallbox power", "car"),
]


def truth() -> Truth:
    """What flows in the house."""
    return simulated(PLAN)


def points() -> Iterator[Point]:
    """All points, by time."""
    house = truth()
    chance = random.Random(NAME)
    shown: dict[str, str] = {}
    for at_s in range(house.begin_s, house.end_s, EVERY_S):
        at_ns = at_s * 10**9
        states = list(_registers(house, at_s))
        if at_s % POWER_EVERY_S == 0:
            states += [*_powers(house, at_s), *_others(at_s)]
        for entity, text in states:
            if shown.get(entity) != text:
                shown[entity] = text
                yield Point(at_ns, text)
            # the states of a poll follow each other within milliseconds
            at_ns += chance.randrange(1, 40) * 1000


def _registers(house: Truth, at_s: int) -> Iterator[tuple[str, str]]:
    for sensor in REGISTERS:
        counted = int(house.ws(sensor.flow, at_s) * 10**DIGITS // WS_PER_KWH)
        value = plain(decimal(sensor.begins * 10**DIGITS + counted, DIGITS))
        yield sensor.entity, _point("kWh", sensor, "energy", "total_increasing", value)


def _powers(house: Truth, at_s: int) -> Iterator[tuple[str, str]]:
    for sensor in POWERS:
        watts = house.power(sensor.flow, at_s)
        if sensor.flow == "bought":
            watts -= house.power("sold", at_s)
        yield sensor.entity, _point("W", sensor, "power", "measurement", f"{watts}.0")


def _others(at_s: int) -> Iterator[tuple[str, str]]:
    """What else the integration writes, for example: a temperature and a switch."""
    degrees = 8 + at_s // 3600 % 12
    outdoor = Sensor("outdoor_temperature", "Outdoor temperature", "")
    yield outdoor.entity, _point("°C", outdoor, "temperature", "measurement", f"{degrees}.0")
    state = "on" if at_s // 3600 % 24 in (18, 19) else "off"
    name = "light.kitchen"
    yield name, f'{name},domain=light,entity_id=kitchen friendly_name_str="Kitchen",state="{state}"'


def _point(unit: str, sensor: Sensor, device: str, state: str, value: str) -> str:
    return (
        f"{unit},domain=sensor,entity_id={sensor.entity} "
        f'device_class_str="{device}",friendly_name_str="{sensor.name}",'
        f'state_class_str="{state}",value={value}'
    )
