"""The whole house on a real Docker engine: meters, broker, gateway, InfluxDB, nights, page.

As the pages say it: lines in .env, and `docker compose up -d`. Images that others publish may be
stand-ins with the same programs.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import yaml

from homeiot_batch.commands.simulate_mqtt import Broker
from homeiot_batch.config import ROOT
from homeiot_batch.report.words import Words
from tests.integration.servers import free_port
from tests.integration.test_collect_compose import page_settings, stored
from tests.integration.test_compose import (
    RUN,
    ComposeHouse,
    engine_answers,
    wait_for,
)

VERSION = "1.8"
ZONE = ZoneInfo("Asia/Tokyo")
PASSWORD = "a password for the page"
CONTAINERS = ("broker", "gateway", "influxdb", "batch", "page")
ORDERS = (CONTAINERS, CONTAINERS[::-1], ("influxdb", "batch", "broker", "page", "gateway"))
STEP_S = 300
PATIENCE_S = 300

pytestmark = pytest.mark.skipif(
    os.environ.get("INTEGRATION_TESTS") != "1" or not engine_answers(),
    reason="needs a Docker engine with compose; set INTEGRATION_TESTS=1",
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ComposeHouse]:
    """A house that is not started. Afterwards nothing of it is left in the engine."""
    settings = page_settings(VERSION) | {
        "COMPOSE_PROFILES": "collect,page",
        "MQTT_BIND": "127.0.0.1",
        "MQTT_PORT": str(free_port()),
        "PAGE_PASSWORD": PASSWORD,
        "PAGE_PORT": str(free_port()),
    }
    made = ComposeHouse(tmp_path, settings)
    for folder in ("collect", "page"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    ask_often(tmp_path / "docker-compose.override.yml")
    try:
        yield made
    finally:
        made.compose("--profile", "*", "down", "--volumes", "--rmi", "local", "--timeout", "5")


def ask_often(override: Path) -> None:
    """Let Docker ask for the health more often than every minute, for a shorter test."""
    own = yaml.safe_load(override.read_text()) if override.exists() else {}
    batch = own.setdefault("services", {}).setdefault("batch", {})
    batch["healthcheck"] = {"interval": "5s"}
    override.write_text(yaml.safe_dump(own))


def yesterday() -> datetime:
    """The begin of the day that a night archives."""
    now = datetime.now(ZONE)
    return now.replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=1)


def until(is_so: Callable[[], bool], house: ComposeHouse) -> None:
    """Wait for it."""
    deadline = time.monotonic() + PATIENCE_S
    while not is_so():
        assert time.monotonic() < deadline, house.done("logs", "--tail", "200")
        time.sleep(1)


class Meter(threading.Thread):
    """A meter that was silent yesterday, and publishes its readings of that day now."""

    def __init__(self, house: ComposeHouse, name: str) -> None:
        super().__init__(daemon=True)
        self.name = name
        login = {"MQTT_PASSWORD_FILE": str(house.folder / "secrets/meters")}
        self._broker = Broker(house.done("port", "broker", "1883").strip(), name, login)
        self._is_over = threading.Event()
        self.published: list[int] = []

    def publish(self, second: int) -> None:
        """The reading of a second of yesterday."""
        at = int(yesterday().timestamp()) + second
        reading = {"time": at, "instant_power_w": 60, "energy_import_kwh": 100 + second / 60_000}
        self._broker.publish(f"home/power/{self.name}", json.dumps(reading))
        self.published.append(at)

    def run(self) -> None:
        """A reading twice a second, until it is stopped."""
        second = 0
        while not self._is_over.wait(0.5):
            second += 1
            self.publish(second)

    def stop(self) -> None:
        """Wait until the broker has all."""
        if self.is_alive():
            self._is_over.set()
            self.join()
        self._broker.close()


def status(house: ComposeHouse, path: str, password: str = "") -> tuple[int, str]:
    """What the page's server answers on this machine."""
    address = house.done("port", "page", "8080").strip()
    request = urllib.request.Request(f"http://{address}{path}")
    if password:
        login = b64encode(f"house:{password}".encode()).decode()
        request.add_header("Authorization", f"Basic {login}")
    try:
        with urllib.request.urlopen(request, timeout=60) as got:
            return got.status, got.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def archived(house: ComposeHouse, name: str) -> list[int]:
    """The times of the readings of a meter in the archive of yesterday, in seconds since 1970."""
    table = pq.read_table(house.day(f"{yesterday():%Y-%m-%d}") / "part-0.parquet")
    rows = table.filter(pc.equal(table["source"], name))
    times = rows["ts_utc"].cast("timestamp[s]").cast("int64")
    return sorted(times.to_pylist())


def nights(house: ComposeHouse) -> Path:
    """The note of the nights."""
    return house.folder / "data/markers/nights.json"


def start(house: ComposeHouse) -> None:
    """By one command, with a night some minutes later."""
    house.done("build", "batch")
    soon = datetime.now(ZONE) + timedelta(minutes=2)
    with (house.folder / ".env").open("a") as env:
        env.write(f"SCHEDULE={soon:%H:%M}\n")
    house.done("up", "--detach")


def a_night_that_was_missed(house: ComposeHouse) -> None:
    """Let the last good night be older than 36 hours."""
    old = datetime.now(ZONE) - timedelta(hours=37)
    times = dict.fromkeys(("since", "last_started", "last_good"), str(old))
    nights(house).write_text(json.dumps(times))


def test_a_house_runs_from_meter_to_page(house: ComposeHouse) -> None:
    """One command starts it. A night at the set time archives what the meters published.

    The page asks for its password. The health is good, then bad while InfluxDB is away and no night
    was good, then good again. Then each container is restarted in several orders, while meters
    publish: each reading is in InfluxDB and in the archive, once.
    """
    start(house)
    first = Meter(house, "kitchen")
    for second in range(0, 24 * 3600, STEP_S):
        first.publish(second)
    first.stop()
    assert status(house, "/")[0] == 401
    assert status(house, "/", PASSWORD)[0] == 503

    until(lambda: nights(house).exists() and "last_good" in nights(house).read_text(), house)

    assert archived(house, "kitchen") == sorted(first.published)
    assert "summary: 1 days read" in house.done("logs", "batch")
    shown, text = status(house, "/", PASSWORD)
    assert shown == 200
    assert f" · {Words('ja').day(yesterday().date())}</title>" in text
    month = f"/months/{yesterday():%Y-%m}.html"
    assert [status(house, month)[0], status(house, month, PASSWORD)[0]] == [401, 200]
    assert status(house, "/", "another password")[0] == 401
    wait_for(house, "healthy")

    live = simulation(house)
    late = Meter(house, "garage")
    late.start()
    house.done("stop", "influxdb")
    a_night_that_was_missed(house)
    wait_for(house, "unhealthy")
    house.done("start", "influxdb")
    house.done("restart", "--no-deps", "batch")
    wait_for(house, "healthy")

    for order in ORDERS:
        for name in order:
            house.done("restart", "--no-deps", "--timeout", "5", name)
    house.done("restart", "--timeout", "5")
    time.sleep(5)
    late.stop()
    published = sent_by(live)

    wanted = {
        "kitchen": len(first.published),
        "garage": len(late.published),
        "meter1": published,
        "heatpump": published,
    }
    until(lambda: stored(house, VERSION) == wanted, house)
    night = house.compose(*RUN)
    assert night.returncode == 0, night.stderr
    assert archived(house, "garage") == sorted(late.published)
    assert archived(house, "kitchen") == sorted(first.published)
    running = set(house.done("ps", "--services", "--status", "running").split())
    assert running == set(CONTAINERS)


def simulation(house: ComposeHouse) -> "subprocess.Popen[str]":
    """Meters of a simulated house that publish as time passes."""
    address = house.done("port", "broker", "1883").strip()
    command = [sys.executable, "-m", "homeiot_batch", "simulate", "--mqtt", address, "--step", "1"]
    return subprocess.Popen(
        command,
        env=os.environ | {"MQTT_PASSWORD_FILE": str(house.folder / "secrets/meters")},
        stderr=subprocess.PIPE,
        text=True,
    )


def sent_by(live: "subprocess.Popen[str]") -> int:
    """End it by Ctrl-C. How many readings each of the two meters published."""
    live.send_signal(signal.SIGINT)
    _, said = live.communicate(timeout=60)
    return int(said.split()[-3]) // 2
