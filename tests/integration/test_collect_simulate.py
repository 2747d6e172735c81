"""`homeiot simulate --mqtt` with a real broker."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.collectors import QOS, START_S, Broker, client
from tests.integration.servers import free_port


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker that runs."""
    with Broker(tmp_path / "broker") as started:
        started.start()
        yield started


def simulate(port: int, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Publish for two seconds, with a login from the environment."""
    command = [sys.executable, "-m", "homeiot_batch", "simulate", "--mqtt", f"127.0.0.1:{port}"]
    return subprocess.run(
        [*command, "--step", "1", "--seconds", "2"],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_simulated_house_publishes_as_meters_do(broker: Broker, tmp_path: Path) -> None:
    """Two meters, their own time, counters that do not fall. The password is from a file."""
    file = tmp_path / "password"
    file.write_text(broker.password("meters") + "\n")
    got: list[tuple[str, dict[str, float]]] = []
    with client(broker, "gateway") as gateway:
        gateway.on_message = lambda *message: got.append(
            (message[2].topic, json.loads(message[2].payload))
        )
        gateway.subscribe("home/power/+", QOS)
        first = time.time()
        done = simulate(broker.port, MQTT_PASSWORD_FILE=str(file))
        count = int(done.stderr.split()[-3]) if done.returncode == 0 else 0
        limit = time.monotonic() + START_S
        while len(got) < count and time.monotonic() < limit:
            time.sleep(0.05)
    said = f"127.0.0.1:{broker.port}: {count} readings published\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, "", said)
    assert len(got) == count >= 2
    for name, fields in {
        "meter1": {"time", "instant_power_w", "energy_import_kwh", "energy_export_kwh"},
        "heatpump": {"time", "instant_power_w", "energy_import_kwh"},
    }.items():
        readings = [reading for topic, reading in got if topic == f"home/power/{name}"]
        assert len(readings) == count / 2
        times = [reading["time"] for reading in readings]
        assert times == sorted(set(times))
        assert first - 1 <= times[0] <= times[-1] <= time.time()
        for reading in readings:
            assert fields - {"energy_import_kwh"} <= set(reading) <= fields


def test_a_wrong_password_is_one_line(broker: Broker) -> None:
    """With what to do, and without the password."""
    done = simulate(broker.port, MQTT_PASSWORD="wrong-9f1c")
    said = (
        f"error: the broker 127.0.0.1:{broker.port} refused the login (Not authorized); "
        "set MQTT_USERNAME and MQTT_PASSWORD_FILE\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)


def test_a_broker_that_does_not_run_is_one_line() -> None:
    """With what to do."""
    port = free_port()
    done = simulate(port)
    said = (
        f"error: --mqtt='127.0.0.1:{port}' does not answer ([Errno 111] Connection refused); "
        "give the host and the port of a broker that runs\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)
