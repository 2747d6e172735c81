"""The parts of `simulate --mqtt` that need no broker."""

from pathlib import Path

import pytest

from homeiot_batch.commands import simulate_mqtt
from homeiot_batch.commands.simulate import METERS, SimulatedMeter
from homeiot_batch.errors import SettingsError


@pytest.mark.parametrize(
    ("address", "parts"),
    [
        ("localhost", ("localhost", 1883)),
        ("192.168.1.10:1884", ("192.168.1.10", 1884)),
        ("[::1]:1884", ("::1", 1884)),
    ],
)
def test_an_address_is_a_host_and_a_port(address: str, parts: tuple[str, int]) -> None:
    """The port may be left out."""
    assert simulate_mqtt._host_and_port(address) == parts


@pytest.mark.parametrize(
    "address", ["", ":1883", "a:b", "mqtt://a:1", "a:1/x", "me:secret@a:1", "a:99999"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    """With what to do."""
    with pytest.raises(SettingsError) as refused:
        simulate_mqtt._host_and_port(address)
    assert str(refused.value).endswith("is no broker; give HOST:PORT like localhost:1883")


def test_a_later_start_has_higher_counters(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than a meter counts in the time between, so no counter seems to have been swapped."""
    starts = []
    for now in (1_800_000_000.0, 1_800_003_600.0):
        monkeypatch.setattr(simulate_mqtt.time, "time", lambda now=now: now)
        meter = simulate_mqtt._later(SimulatedMeter(METERS[0], 1))
        starts.append((meter.imported_kwh, meter.exported_kwh))
    rises = [later - earlier for earlier, later in zip(*starts, strict=True)]
    assert rises == pytest.approx([5.0, 5.0])


def test_the_login_is_from_the_environment_or_a_file(tmp_path: Path) -> None:
    """The file wins. An editor's end of line is not part of the password."""
    file = tmp_path / "password"
    file.write_text(" p w \r\n")
    login = simulate_mqtt._login
    assert login({}) == ("meters", None)
    assert login({"MQTT_USERNAME": "roof", "MQTT_PASSWORD": "x"}) == ("roof", "x")
    assert login({"MQTT_PASSWORD_FILE": str(file), "MQTT_PASSWORD": "x"}) == ("meters", " p w ")
    with pytest.raises(SettingsError) as refused:
        login({"MQTT_PASSWORD_FILE": str(tmp_path / "gone")})
    assert str(refused.value).startswith(f"MQTT_PASSWORD_FILE='{tmp_path}/gone' cannot be read")
