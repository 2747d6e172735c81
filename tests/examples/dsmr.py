"""A Dutch house as DSMR-reader writes its smart meter, and Telegraf (Modbus) its inverter.

The registers are in kWh by tariff: 1 is the low one (23:00 to 7:00, and weekends), 2 the normal
one. Power is in kW, in total and by phase. The inverter counts in Wh.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

from tests.examples.points import Point, decimal
from tests.examples.simulated import STEP_S, WS_PER_KWH, Plan, Truth, simulated

NAME = "dsmr"
PLAN = Plan("Europe/Amsterdam", seed=3, solar_w=4100, noon_utc=11.7, heat_pump_w=1100)
DIGITS = 3
EVERY_S = 60
INVERTER_EVERY_S = 300
BEGIN_KWH = {
    ("bought", 1): 4033,
    ("bought", 2): 3120,
    ("sold", 1): 511,
    ("sold", 2): 2210,
}
INVERTER_BEGIN_WH = 9_120_450
GAS_BEGIN = 2_914_000  # dm3


def truth() -> Truth:
    """What flows in the house."""
    return simulated(PLAN)


def tariff(at_s: float, house: Truth) -> int:
    """The tariff of a time."""
    wall = datetime.fromtimestamp(at_s, UTC).astimezone(house.zone)
    is_night = wall.hour >= 23 or wall.hour < 7
    return 1 if is_night or wall.isoweekday() > 5 else 2


def points() -> Iterator[Point]:
    """All points, by time."""
    house = truth()
    counted = dict.fromkeys(BEGIN_KWH, 0)
    for at_s in range(house.begin_s, house.end_s, STEP_S):
        if at_s % EVERY_S == 0:
            for text in [*_telegram(house, at_s, counted), *_others(house, at_s)]:
                yield Point(at_s * 10**9, text)
        for flow in ("bought", "sold"):
            counted[flow, tariff(at_s, house)] += STEP_S * house.power(flow, at_s)


def _telegram(house: Truth, at_s: int, counted: dict[tuple[str, int], int]) -> Iterator[str]:
    names = {"bought": "delivered", "sold": "returned"}
    positions, live, phases = [], [], []
    for flow, name in names.items():
        for number in (1, 2):
            wh = 1000 * BEGIN_KWH[flow, number] + counted[flow, number] * 1000 // WS_PER_KWH
            positions.append(f"{name}_{number}={decimal(wh, DIGITS)}")
        watts = house.power(flow, at_s)
        live.append(f"currently_{name}={decimal(watts, DIGITS)}")
        shares = (watts // 2, watts // 3, watts - watts // 2 - watts // 3)
        for number, share in enumerate(shares, start=1):
            phases.append(f"currently_{name}_l{number}={decimal(share, DIGITS)}")
    yield f"electricity_positions {','.join(positions)}"
    yield f"electricity_live {','.join(live)}"
    yield f"electricity_phases {','.join(phases)}"


def _others(house: Truth, at_s: int) -> Iterator[str]:
    """The inverter, and the gas meter every hour."""
    if at_s % INVERTER_EVERY_S == 0:
        wh = INVERTER_BEGIN_WH + int(house.ws("sun", at_s)) // 3600
        tags = "modbus,name=inverter,slave_id=1,type=holding_register"
        yield f"{tags} energy_wh={wh},power_w={house.power('sun', at_s)}"
    if at_s % 3600 == 0:
        burnt = GAS_BEGIN + (at_s - house.begin_s) // 3600 * 70
        yield f"gas_positions delivered={decimal(burnt, 3)}"
