"""A house as evcc writes it: power only, a measurement for each value, times in whole seconds.

Positive is what is bought, produced or discharged. `homePower` is without the car. pvPower has the
tag `id` for each inverter, and none for their sum. For three hours evcc did not run.
"""

from collections.abc import Iterator
from datetime import datetime

from tests.examples.points import Point
from tests.examples.simulated import Plan, Truth, simulated

NAME = "evcc"
PLAN = Plan(
    "Europe/Berlin",
    seed=11,
    solar_w=8400,
    battery_kwh=7,
    battery_w=2500,
    heat_pump_w=1500,
    car_w=3680,
)
EVERY_S = 60
DOWN = (datetime(2026, 10, 23, 9, 20), datetime(2026, 10, 23, 12, 20))  # wall time


def truth() -> Truth:
    """What flows in the house."""
    return simulated(PLAN)


def points() -> Iterator[Point]:
    """All points, by time."""
    house = truth()
    down_from, down_to = (at.replace(tzinfo=house.zone).timestamp() for at in DOWN)
    for at_s in range(house.begin_s, house.end_s, EVERY_S):
        if down_from <= at_s < down_to:
            continue
        for text in _values(house, at_s):
            yield Point(at_s * 10**9, text)


def _values(house: Truth, at_s: int) -> Iterator[str]:
    watts = {name: house.power(name, at_s) for name in house.watts}
    sun = watts["sun"]
    vehicle = ",vehicle=blue\\ e-Golf" if watts["car"] else ""
    yield f"gridPower value={watts['bought'] - watts['sold']}"
    yield f"pvPower value={sun}"
    yield f"pvPower,id=1 value={2 * sun // 3}"
    yield f"pvPower,id=2 value={sun - 2 * sun // 3}"
    yield f"batteryPower value={watts['discharged'] - watts['charged']}"
    yield f"homePower value={watts['used'] - watts['car']}"
    yield f"chargePower,loadpoint=Garage{vehicle} value={watts['car']}"
    if at_s % 900 == 0:
        yield "tariffGrid value=0.312"
        yield "batterySoc value=" + str(at_s // 900 % 80 + 20)
