"""Small houses as line protocol: a point of each series every hour, for three days in Japan."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from homeiot_batch.config import Settings
from homeiot_batch.setup_house.choice import Choice, choose
from homeiot_batch.setup_house.export_survey import ExportSurvey
from homeiot_batch.setup_house.proposal import Found, recognised_in
from homeiot_batch.setup_house.survey import Survey
from tests.doctor.findings import given

BEGIN = int(datetime(2026, 11, 20, 15, tzinfo=UTC).timestamp())  # 21 November in Japan
HOURS = 72
HOUR_S = 3600


class One(NamedTuple):
    """A series: what stands before its fields, and a field that rises or swings from `begin`."""

    series: str
    field: str
    begin: float
    step: float = 0.25
    swings: bool = False
    texts: str = ""

    def value(self, hour: int) -> float:
        """The value in the hour."""
        if self.swings:
            return self.begin + self.step * (hour % 5)
        return self.begin + self.step * hour


def counter(series: str, begin: float, field: str = "value", texts: str = "") -> One:
    """A field that rises by a quarter an hour."""
    return One(series, field, begin, texts=texts)


def power(series: str, begin: float, field: str = "value") -> One:
    """A field that goes up and down."""
    return One(series, field, begin, 40, swings=True)


def lines(house: Iterable[One], hours: int = HOURS) -> Iterator[str]:
    """Line protocol in the order of time."""
    series = list(house)
    for hour in range(hours):
        time = (BEGIN + hour * HOUR_S) * 10**9
        for one in series:
            texts = f",{one.texts}" if one.texts else ""
            yield f"{one.series} {one.field}={one.value(hour)}{texts} {time}"


def export_of(folder: Path, house: Iterable[One], hours: int = HOURS) -> Path:
    """The house as an export."""
    file = folder / "house.lp"
    file.write_text("".join(f"{line}\n" for line in lines(house, hours)))
    return file


def surveyed(settings: Settings, folder: Path, house: Iterable[One]) -> Survey:
    """What is seen in an export of the house."""
    changed = given(settings, influx_url=str(export_of(folder, house)))
    return ExportSurvey(changed).survey()


def found_in(settings: Settings, folder: Path, house: Iterable[One]) -> tuple[Found, Choice]:
    """What is recognised in an export of the house, and what is chosen."""
    found = recognised_in(surveyed(settings, folder, house))
    return found, choose(found.candidates)


def shown(choice: Choice) -> dict[str, object]:
    """The meters: kind, and the names of their series by role."""
    meters: dict[str, object] = {}
    for meter in choice.meters:
        series: Mapping[str, list[str]] = {
            role: [one.shown for one in candidates] for role, candidates in meter.series.items()
        }
        meters[meter.name] = (meter.kind, series)
    return meters


def reasons(choice: Choice) -> dict[str, str]:
    """What was left out, and why."""
    return {candidate.shown: reason for candidate, reason in choice.left}


def entity(unit: str, name: str) -> str:
    """The series of an entity of Home Assistant."""
    return f"{unit},domain=sensor,entity_id={name}"


def named(measurement: str, name: str, unit: str, begin: float) -> One:
    """A counter whose unit stands in a text beside it."""
    texts = f'unit_of_measurement_str="{unit}",device_class_str="energy"'
    rising = counter(f"{measurement},domain=sensor,entity_id={name}", begin, texts=texts)
    return rising._replace(step=0.00025 if unit == "MWh" else 0.25)


HOME_ASSISTANT = [
    counter(entity("kWh", "p1_meter_energy_import"), 5000),
    counter(entity("kWh", "p1_meter_energy_import_tariff_1"), 2000),
    counter(entity("kWh", "p1_meter_energy_import_tariff_2"), 3000),
    counter(entity("kWh", "p1_meter_energy_export"), 700),
    counter(entity("kWh", "solar_energy_total"), 9000),
    counter(entity("kWh", "solar_energy_today"), 0),
    counter(entity("kWh", "battery_energy_charged"), 400),
    counter(entity("kWh", "battery_energy_discharged"), 300),
    counter(entity("kWh", "heat_pump_energy"), 1200),
    counter(entity("kWh", "cupboard"), 10),
    power(entity("W", "p1_meter_power"), 300),
    power(entity("W", "heat_pump_power"), 500),
    power(entity("°C", "bedroom"), 19),
]
EVCC = [
    power("gridPower", -100),
    power("pvPower", 800),
    power("pvPower,id=1", 500),
    power("pvPower,id=2", 300),
    power("batteryPower,id=1", -50),
    power("homePower", 400),
    power("chargePower,loadpoint=Garage", 0),
    power("chargePower,loadpoint=Garage,vehicle=blue", 3000),
    counter("gridEnergy", 20),
]
DSMR = [
    counter("electricity_positions", 100, "delivered_1"),
    counter("electricity_positions", 200, "delivered_2"),
    counter("electricity_positions", 10, "returned_1"),
    counter("electricity_positions", 20, "returned_2"),
    One("electricity_phases", "currently_delivered_l1", 0.1, 0.5, swings=True),
    One("electricity_phases", "currently_delivered_l2", 0.2, 0.5, swings=True),
    One("electricity_phases", "currently_delivered_l3", 0.3, 0.5, swings=True),
    counter("modbus,host=pi,name=inverter", 5000, "energy_wh"),
    power("modbus,host=pi,name=inverter", 100, "power_w"),
    counter("modbus,host=pi,name=cellar", 5000, "energy"),
]
TELEGRAF = [
    counter("mqtt_consumer,topic=shellypro3em-34987a/status/emdata:0", 7000, "total_act"),
    counter("mqtt_consumer,topic=shellypro3em-34987a/status/emdata:0", 800, "total_act_ret"),
    power("mqtt_consumer,topic=shellypro3em-34987a/status/em:0", 100, "total_act_power"),
    counter("mqtt_consumer,topic=tele/roof/SENSOR", 60, "ENERGY_Total"),
    power("mqtt_consumer,topic=tele/roof/SENSOR", 60, "ENERGY_Power"),
    counter("mqtt_consumer,topic=zigbee2mqtt/Washing\\ machine", 3, "energy"),
    counter("mqtt_consumer,topic=tele/heatpump/SENSOR", 100, "COUNTER_C1"),
    counter("mqtt_consumer,topic=tele/plant/SENSOR", 1, "ENERGY_Total"),
]
