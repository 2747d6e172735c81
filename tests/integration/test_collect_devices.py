"""What devices publish becomes whole rows of `power`, by the files in collect/telegraf/devices.

The broker and Telegraf are real. The payloads have the form that the devices send.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from homeiot_batch.sources.exports.line_protocol import (
    parse_series,
    parse_value,
    split_fields,
    split_line,
)
from tests.integration.collectors import COLLECT, Broker, Gateway, publish
from tests.repository.test_collect_files import inputs

SECOND = 10**9
NOW = int(time.time()) - 3600
JAPAN = timezone(timedelta(hours=9))
ARRIVAL = None
WAIT_S = 25
POWER, IMPORT, EXPORT = "instant_power_w", "energy_import_kwh", "energy_export_kwh"
Value = float | str
Row = tuple[str, tuple[tuple[str, Value], ...], int | None]


@dataclass(frozen=True)
class Recording:
    """Messages of a device, as topics with payloads, and the rows that they become."""

    messages: list[tuple[str, Any]]
    rows: list[Row]


def row(source: str, time_ns: int | None, **fields: Value) -> Row:
    """A row of `power`. A time of None is that of the arrival."""
    return source, tuple(sorted(fields.items())), time_ns


def at(second: int, form: str, zone: timezone = UTC) -> str:
    """A wall time so many seconds after the first one."""
    return datetime.fromtimestamp(NOW + second, zone).strftime(form)


def ns(second: int) -> int:
    """The same in nanoseconds since 1970."""
    return (NOW + second) * SECOND


OWN = Recording(
    messages=[
        ("home/power/garage", {"time": NOW, POWER: 412, IMPORT: 4821.25, EXPORT: 12.5}),
        ("home/power/garage", {"time": NOW + 1, POWER: -0.5}),
        ("home/power/garage", {"time": NOW + 1, POWER: -0.5}),  # sent again
        ("home/power/garage", {"time": NOW + 2, POWER: "unavailable", IMPORT: 4821.5}),
        ("home/power/garage", {"time": NOW + 3, POWER: True}),
        ("home/power/garage", {"time": NOW + 4, POWER: None}),
        ("home/power/garage", {POWER: 99}),  # no time
        ("home/power/garage", {"time": NOW - 31 * 86400, POWER: 98}),
        ("home/power/garage", {"time": NOW + 3 * 3600, POWER: 97}),
        ("home/power/garage", "{broken"),
        ("home/power/garage", ""),
    ],
    rows=[
        row("garage", ns(0), **{POWER: 412, IMPORT: 4821.25, EXPORT: 12.5}),
        row("garage", ns(1), **{POWER: -0.5}),
        row("garage", ns(1), **{POWER: -0.5}),
        row("garage", ns(2), **{IMPORT: 4821.5}),
    ],
)


def _tasmota(second: int, **energy: Any) -> dict[str, Any]:
    return {
        "Time": at(second, "%Y-%m-%dT%H:%M:%S", JAPAN),
        "ENERGY": {
            "TotalStartTime": "2025-01-03T10:11:12",
            "Yesterday": 1.2,
            "Today": 0.4,
            "Period": 3,
            "ApparentPower": 50,
            "Factor": 0.8,
            "Voltage": 101,
            "Current": 0.5,
            **energy,
        },
    }


TASMOTA = Recording(
    messages=[
        ("tele/fridge/SENSOR", _tasmota(0, Total=45.678, Power=41)),
        ("tele/roof/SENSOR", _tasmota(0, Total=3.5, ExportActive=812.25, Power=-1200)),
        ("tele/double/SENSOR", _tasmota(0, Total=9.5, Power=[10, 20])),
        ("tele/climate/SENSOR", {"Time": "2026-11-20T10:00:00", "AM2301": {"Temperature": 20.1}}),
    ],
    rows=[
        row("fridge", ns(0), **{POWER: 41, IMPORT: 45.678}),
        row("roof", ns(0), **{POWER: -1200, IMPORT: 3.5, EXPORT: 812.25}),
        row("double", ns(0), **{IMPORT: 9.5}),
    ],
)

SHELLY_GEN1 = Recording(
    messages=[
        ("shellies/shellyem-B9F6C4/emeter/0/power", "-233.45"),
        ("shellies/shellyem-B9F6C4/emeter/0/reactive_power", "11.00"),
        ("shellies/shellyem-B9F6C4/emeter/0/total", "1234567.8"),
        ("shellies/shellyem-B9F6C4/emeter/0/total_returned", "89.5"),
        ("shellies/shellyem-B9F6C4/emeter/1/power", "0.00"),
        ("shellies/shellyem-B9F6C4/emeter/1/power", "nan"),
        ("shellies/shellyem-B9F6C4/emeter/1/power", ""),
    ],
    rows=[
        row("shellyem-B9F6C4_0", ARRIVAL, **{POWER: -233.45}),
        row("shellyem-B9F6C4_0", ARRIVAL, **{IMPORT: 1234.5678}),
        row("shellyem-B9F6C4_0", ARRIVAL, **{EXPORT: 0.0895}),
        row("shellyem-B9F6C4_1", ARRIVAL, **{POWER: 0}),
    ],
)


def _notified(device: str, second: int, **parts: Any) -> tuple[str, dict[str, Any]]:
    params = {"ts": NOW + second + 0.25, **parts}
    message = {"src": device, "dst": f"{device}/events", "method": "NotifyStatus"}
    return f"{device}/events/rpc", {**message, "params": params}


PRO3EM, PROEM, PLUG = "shellypro3em-34987a45ed7c", "shellyproem50-08f9e0e5d1a8", "shellyplug-a1b2c3"
EM = {"id": 0, "a_current": 1.1, "a_act_power": 210.5, "total_act_power": -512.75}
SHELLY_GEN2 = Recording(
    messages=[
        _notified(PRO3EM, 0, **{"em:0": EM}),
        _notified(
            PRO3EM, 60, **{"emdata:0": {"id": 0, "total_act": 2345678.9, "total_act_ret": 4.5}}
        ),
        _notified(PROEM, 0, **{"em1:1": {"id": 1, "act_power": 99.5, "voltage": 101.2}}),
        _notified(
            PROEM,
            60,
            **{
                "em1data:0": {"id": 0, "total_act_energy": 1500.5, "total_act_ret_energy": 0.0},
                "em1data:1": {"id": 1, "total_act_energy": 250.0, "total_act_ret_energy": 750.0},
            },
        ),
        _notified(PLUG, 0, **{"switch:0": {"id": 0, "apower": 33.1}}),
        _notified(PLUG, 60, **{"switch:0": {"id": 0, "aenergy": {"total": 12.5, "minute_ts": 1}}}),
        _notified(PLUG, 70, **{"switch:0": {"id": 0, "output": False, "source": "UI"}}),
        _notified(PLUG, 80, wifi={"rssi": -60}),
        (f"{PRO3EM}/events/rpc", {"src": PRO3EM, "method": "NotifyEvent", "params": {"ts": NOW}}),
    ],
    rows=[
        row(f"{PRO3EM}_0", ns(0) + SECOND // 4, **{POWER: -512.75}),
        row(f"{PRO3EM}_0", ns(60) + SECOND // 4, **{IMPORT: 2345.6789, EXPORT: 0.0045}),
        row(f"{PROEM}_1", ns(0) + SECOND // 4, **{POWER: 99.5}),
        row(f"{PROEM}_0", ns(60) + SECOND // 4, **{IMPORT: 1.5005, EXPORT: 0}),
        row(f"{PROEM}_1", ns(60) + SECOND // 4, **{IMPORT: 0.25, EXPORT: 0.75}),
        row(f"{PLUG}_0", ns(0) + SECOND // 4, **{POWER: 33.1}),
        row(f"{PLUG}_0", ns(60) + SECOND // 4, **{IMPORT: 0.0125}),
    ],
)

ZIGBEE = {"state": "ON", "linkquality": 120, "voltage": 101}
ZIGBEE2MQTT = Recording(
    messages=[
        (
            "zigbee2mqtt/washer",
            {**ZIGBEE, "power": 512, "energy": 88.25, "last_seen": at(0, "%Y-%m-%dT%H:%M:%S.000Z")},
        ),
        ("zigbee2mqtt/kettle", {**ZIGBEE, "power": 0, "energy": 7.5}),
        ("zigbee2mqtt/lamp", {"state": "OFF", "brightness": 12}),
        ("zigbee2mqtt/new", {**ZIGBEE, "power": None, "energy": None}),
        ("zigbee2mqtt/bridge/state", {"state": "online"}),
    ],
    rows=[
        row("washer", ns(0), **{POWER: 512, IMPORT: 88.25}),
        row("kettle", ARRIVAL, **{POWER: 0, IMPORT: 7.5}),
    ],
)


def _telegram(second: int, **values: str | None) -> dict[str, Any]:
    return {
        "id": 5123,
        "timestamp": at(second, "%Y-%m-%dT%H:%M:%SZ"),
        "electricity_delivered_1": "1234.567",
        "electricity_delivered_2": "2345.678",
        "electricity_returned_1": "0.100",
        "electricity_returned_2": "0.200",
        "electricity_currently_delivered": "0.321",
        "electricity_currently_returned": "0.000",
        "phase_voltage_l1": 230,
        "extra_device_timestamp": None,
        **values,
    }


SOLD = {"electricity_currently_delivered": "0.000", "electricity_currently_returned": "1.001"}
DSMR = Recording(
    messages=[
        ("dsmr/json", _telegram(0)),
        ("dsmr/json", _telegram(10, **SOLD)),
        ("dsmr/json", _telegram(20, electricity_delivered_2=None)),
    ],
    rows=[
        row("dsmr", ns(0), **{POWER: 321, IMPORT: 3580.245, EXPORT: 0.3}),
        row("dsmr", ns(10), **{POWER: -1001, IMPORT: 3580.245, EXPORT: 0.3}),
        row("dsmr", ns(20), **{POWER: 321, EXPORT: 0.3}),
    ],
)

ESPHOME = Recording(
    messages=[
        ("esphome/meter/sensor/house_power/state", "345.6"),
        ("esphome/meter/sensor/house_import/state", "123456"),
        ("esphome/meter/sensor/house_export/state", "nan"),
        ("esphome/meter/sensor/wifi_signal/state", "-61"),
    ],
    rows=[
        row("house", ARRIVAL, **{POWER: 345.6}),
        row("house", ARRIVAL, **{IMPORT: 123.456}),
    ],
)

HOME_ASSISTANT = Recording(
    messages=[
        ("homeassistant/sensor/house_power/state", "-17.5"),
        ("homeassistant/sensor/house_power/state", "unavailable"),
        ("homeassistant/sensor/house_import/state", "5021.75"),
        ("homeassistant/sensor/house_export/state", "unknown"),
        ("homeassistant/sensor/house_export/unit_of_measurement", '"kWh"'),
        ("homeassistant/sensor/outdoor/state", "3.5"),
    ],
    rows=[
        row("house", ARRIVAL, **{POWER: -17.5}),
        row("house", ARRIVAL, **{IMPORT: 5021.75}),
    ],
)

BOUGHT, GIVEN = (f"{way}DirectionCumulativeElectricEnergy" for way in ("normal", "reverse"))
WISUN2MQTT = Recording(
    messages=[
        ("wisun2mqtt/b1/instantaneousElectricPower/state", "504"),
        ("wisun2mqtt/b1/instantaneousElectricPower/state", "-500"),
        ("wisun2mqtt/b1/instantaneousElectricPower/state", "4294966796"),  # -500 without its sign
        ("wisun2mqtt/b1/instantaneousElectricPower/state", "2147483646"),  # no data
        (f"wisun2mqtt/b1/{BOUGHT}/state", "12345.6"),
        (f"wisun2mqtt/b1/{BOUGHT}/state", "429496729.4"),  # no data, with a unit of 0.1 kWh
        (f"wisun2mqtt/b1/{BOUGHT}/state", "42949672.94"),  # the same with 0.01 kWh
        (f"wisun2mqtt/b1/{GIVEN}/state", "7.8"),
        (f"wisun2mqtt/b1/{GIVEN}/state", "4294967294"),
        ("wisun2mqtt/b1/faultStatus/state", "OFF"),
    ],
    rows=[
        row("b1", ARRIVAL, **{POWER: 504}),
        row("b1", ARRIVAL, **{POWER: -500}),
        row("b1", ARRIVAL, **{POWER: -500}),
        row("b1", ARRIVAL, **{IMPORT: 12345.6}),
        row("b1", ARRIVAL, **{EXPORT: 7.8}),
    ],
)


def _raw(second: int, **properties: Any) -> tuple[str, dict[str, Any]]:
    return "broute/main", {"time": NOW + second, **properties}


UNIT = {"E1": "02", "D3": "00000001"}
BROUTE = Recording(
    messages=[
        _raw(0, E7="000001F8", E0="0000C8A5", E3="00000064", **UNIT),
        _raw(1, E7="FFFFFE0C"),
        _raw(2, E7="fffffe0c", E0="0000C8A5", E1="01", D3="0000000A"),
        _raw(3, E7="7FFFFFFE", E0="FFFFFFFE", E3="00000000", **UNIT),
        _raw(4, E7="7FFFFFFF", E0="05F5E0FF", E1="00", D3="00000001"),  # the highest count
        _raw(5, E7="80000000", E0="05F5E100", **UNIT),  # one more than the highest
        _raw(6, E0="0000C8A5", E1="0D", D3="00000002"),
        _raw(7, E7="00000001", E0="0000C8A5", D3="00000001"),  # no unit
        _raw(8, E7="00000002", E0="0000C8A5", E1="02"),  # no coefficient
        _raw(9, E7="00000003", E0="0000C8A5", E1="05", D3="00000001"),  # an unknown unit
        _raw(10, E7="1F8", E0="xyzw1234", **UNIT),
        _raw(11, E7=504, E0=None, **UNIT),
        _raw(12, E7="00000004", E0="0000C8A5", E1="02", D3="FFFFFFFE"),
        ("broute/roof", {"E7": "FFFFFFFF"}),
    ],
    rows=[
        row("main", ns(0), **{POWER: 504, IMPORT: 513.65, EXPORT: 1}),
        row("main", ns(1), **{POWER: -500}),
        row("main", ns(2), **{POWER: -500, IMPORT: 51365.0}),
        row("main", ns(3), **{EXPORT: 0}),
        row("main", ns(4), **{IMPORT: 99999999}),
        row("main", ns(6), **{IMPORT: 1027300000}),
        row("main", ns(7), **{POWER: 1}),
        row("main", ns(8), **{POWER: 2}),
        row("main", ns(9), **{POWER: 3}),
        row("main", ns(12), **{POWER: 4}),
        row("roof", ARRIVAL, **{POWER: -1}),
    ],
)

# a file that a user has written, with fields of any type
USERS_FILE = """
[[inputs.mqtt_consumer]]
  servers = ["${MQTT_URL}"]
  username = "gateway"
  password = "@{house:gateway}"
  client_id = "homeiot-users"
  topics = ["esphome/own/+"]
  qos = 1
  persistent_session = true
  topic_tag = ""
  data_format = "value"
  data_type = "auto_float"
  value_field_name = "instant_power_w"
  name_override = "power"
  [[inputs.mqtt_consumer.topic_parsing]]
    topic = "esphome/own/+"
    tags = "_/_/source"
"""
USERS = Recording(
    messages=[("esphome/own/attic", "12.5"), ("esphome/own/attic", "off")],
    rows=[row("attic", ARRIVAL, **{POWER: 12.5})],
)

RECORDINGS = {
    "own": OWN,
    "users": USERS,
    "tasmota": TASMOTA,
    "shelly-gen1": SHELLY_GEN1,
    "shelly-gen2": SHELLY_GEN2,
    "zigbee2mqtt": ZIGBEE2MQTT,
    "dsmr-reader": DSMR,
    "esphome": ESPHOME,
    "home-assistant": HOME_ASSISTANT,
    "wisun2mqtt": WISUN2MQTT,
    "broute": BROUTE,
}


@dataclass(frozen=True)
class Collected:
    """What the gateway wrote: (measurement, tags, fields, nanoseconds) by line, and when."""

    lines: list[tuple[str, dict[str, str], dict[str, Value], int]]
    first_ns: int
    last_ns: int

    def rows(self) -> list[Row]:
        """The lines as rows. A time while the test ran is the time of the arrival."""
        rows = []
        for measurement, tags, fields, time_ns in self.lines:
            assert (measurement, set(tags)) == ("power", {"source"})
            shown = None if self.first_ns <= time_ns <= self.last_ns else time_ns
            rows.append(row(tags["source"], shown, **fields))
        return sorted(rows, key=repr)


def _lines(file: Path) -> Iterator[tuple[str, dict[str, str], dict[str, Value], int]]:
    for line in file.read_bytes().splitlines() if file.exists() else []:
        series, fields, time_ns = split_line(line)
        parsed = parse_series(series)
        values = {name.decode(): parse_value(value) for name, value in split_fields(fields)}
        yield parsed.measurement, dict(parsed.tags), values, int(time_ns)


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Collected:
    """All recordings through one broker and one Telegraf with all files of devices/."""
    folder = tmp_path_factory.mktemp("devices")
    written, output = folder / "lines", folder / "output.conf"
    output.write_text(f'[[outputs.file]]\nfiles = ["{written}"]\ndata_format = "influx"\n')
    users = folder / "users.conf"
    users.write_text(USERS_FILE)
    devices = [users, *sorted((COLLECT / "telegraf/devices").glob("*.conf"))]
    messages = [
        (topic, payload if isinstance(payload, str) else json.dumps(payload))
        for recording in RECORDINGS.values()
        for topic, payload in recording.messages
    ]
    topics = sum(len(found["topics"]) for found in inputs()) + 1
    expected = sum(len(recording.rows) for recording in RECORDINGS.values())
    first_ns = time.time_ns()
    with (
        Broker(folder / "broker") as broker,
        Gateway(folder / "gateway", broker, output, devices) as gateway,
    ):
        broker.start()
        gateway.start()
        broker.wait_for_subscriptions(topics)
        publish(broker, messages)
        _wait_for_lines(written, expected)
        gateway.stop()  # it writes what it has
    return Collected(list(_lines(written)), first_ns, time.time_ns())


def _wait_for_lines(file: Path, count: int) -> None:
    limit = time.monotonic() + WAIT_S
    while not file.exists() or file.read_text().count("power,") < count:
        if time.monotonic() > limit:
            return  # the comparison of the rows says what is missing
        time.sleep(0.05)


def test_every_message_is_the_row_that_it_should_be(collected: Collected) -> None:
    """Whole rows of all devices, with the device's own time where it sends one.

    What is no reading is no row: texts, true, no data, old and future times, broken JSON.
    """
    expected = [row for recording in RECORDINGS.values() for row in recording.rows]
    found = collected.rows()
    assert found == sorted(expected, key=repr)


def test_each_shipped_device_has_a_recording() -> None:
    """A file of devices/ without recorded payloads is not tested."""
    files = {file.stem for file in (COLLECT / "telegraf/devices").glob("*.conf")}
    assert files == set(RECORDINGS) - {"own", "users"}
