"""A Japanese house: its devices publish to MQTT, and Telegraf writes their JSON as it comes.

With Telegraf's defaults the measurement is `mqtt_consumer`, the tag `topic` tells the devices
apart, the names of nested keys are joined by `_`, texts are left out, and the time is that of the
arrival. A Shelly Pro 3EM counts what is bought and sold in Wh, a Tasmota plug what the roof
produces in kWh, and a Tasmota counter the pulses of the heat pump's meter: 800 are a kWh.
"""

import random
from collections.abc import Iterator

from tests.examples.points import Point, decimal
from tests.examples.simulated import WS_PER_KWH, Plan, Truth, simulated

NAME = "telegraf"
PLAN = Plan("Asia/Tokyo", seed=5, solar_w=5200, noon_utc=2.4, daylight_h=10.9, heat_pump_w=1250)
SHELLY = "shellypro3em-34987a45ed7c"
SHELLY_EVERY_S = 60
TASMOTA_EVERY_S = 300
PULSES_PER_KWH = 800
BEGIN_WH = {"bought": 2_310_045, "sold": 1_877_310}
ROOF_BEGIN_WH = 5_210_377
BEGIN_PULSES = 120_344


def truth() -> Truth:
    """What flows in the house."""
    return simulated(PLAN)


def points() -> Iterator[Point]:
    """All points, by time."""
    house = truth()
    chance = random.Random(NAME)
    for at_s in range(house.begin_s, house.end_s, SHELLY_EVERY_S):
        messages = list(_shelly(house, at_s))
        if at_s % TASMOTA_EVERY_S == 0:
            messages += _tasmota(house, at_s)
        at_ns = at_s * 10**9
        for topic, fields in messages:
            yield Point(at_ns, f"mqtt_consumer,topic={topic} {fields}")
            at_ns += chance.randrange(1, 90) * 1000


def _shelly(house: Truth, at_s: int) -> Iterator[tuple[str, str]]:
    totals = {}
    for flow, begin in BEGIN_WH.items():
        hundredths = 100 * begin + int(house.ws(flow, at_s)) // 36
        totals[flow] = decimal(hundredths, 2)
    yield (
        f"{SHELLY}/status/emdata:0",
        f"id=0,total_act={totals['bought']},total_act_ret={totals['sold']}",
    )
    watts = house.power("bought", at_s) - house.power("sold", at_s)
    shares = (watts // 2, watts // 3, watts - watts // 2 - watts // 3)
    phases = ",".join(
        f"{phase}_act_power={share},{phase}_voltage={101.2 + number / 10:.1f}"
        for number, (phase, share) in enumerate(zip("abc", shares, strict=True))
    )
    yield f"{SHELLY}/status/em:0", f"{phases},id=0,total_act_power={watts}"


def _tasmota(house: Truth, at_s: int) -> Iterator[tuple[str, str]]:
    sun = house.power("sun", at_s)
    produced = decimal(ROOF_BEGIN_WH + int(house.ws("sun", at_s)) // 3600, 3)
    yield "tele/roof/SENSOR", f"ENERGY_Power={sun},ENERGY_Total={produced},ENERGY_Voltage=202"
    pulses = int(house.ws("heat_pump", at_s)) * PULSES_PER_KWH // WS_PER_KWH
    yield "tele/heatpump/SENSOR", f"COUNTER_C1={BEGIN_PULSES + pulses}"
