"""The compose profile `collect` on a real Docker engine, by the page's lines for .env."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from homeiot_batch.config import ROOT
from tests.docs.pages import blocks, page
from tests.integration.servers import free_port
from tests.integration.test_collect_first_start import answer_of, contents, login_1, login_2
from tests.integration.test_compose import GID, UID, ComposeHouse, engine_answers

# the batch's own image takes minutes to build, and is tested in test_compose.py
BATCH = """services:
  batch: {build: !reset null, image: "python:3.12-slim", command: sleep infinity}
"""
START = 1  # of the page's commands: those that start the house
SECONDS = 12
PATIENCE_S = 120
COUNT = "SELECT count(instant_power_w) FROM power GROUP BY source"

pytestmark = pytest.mark.skipif(
    os.environ.get("INTEGRATION_TESTS") != "1" or not engine_answers(),
    reason="needs a Docker engine with compose; set INTEGRATION_TESTS=1",
)
LOGINS: dict[str, Callable[[str, str], str]] = {"1.8": login_1, "2.7": login_2}


def page_settings(version: str) -> dict[str, str]:
    """The lines for .env of the page."""
    block = blocks(page("how-to/collect.md"), "ini")[list(LOGINS).index(version)]
    return dict(re.findall(r"^(\w+)=(.*)$", block, re.MULTILINE))


@pytest.fixture(params=list(LOGINS))
def version(request: pytest.FixtureRequest) -> str:
    """Each InfluxDB of the page."""
    return request.param


@pytest.fixture
def collecting(tmp_path: Path, version: str) -> Iterator[ComposeHouse]:
    """A house that one command has just started. Afterwards nothing of it is left in the engine."""
    settings = page_settings(version) | {"MQTT_PORT": str(free_port()), "MQTT_BIND": "127.0.0.1"}
    house = ComposeHouse(tmp_path, settings)
    shutil.copytree(ROOT / "collect", tmp_path / "collect")
    (tmp_path / "docker-compose.override.yml").write_text(BATCH)
    try:
        [command] = blocks(page("how-to/collect.md"), "text")[START].splitlines()
        assert command == "docker compose up -d"
        house.done(*command.split()[2:])
        yield house
    finally:
        house.compose("--profile", "*", "down", "--volumes", "--timeout", "2")
    assert house.done("--profile", "*", "ps", "--all", "--quiet") == ""


def simulation(house: ComposeHouse) -> "subprocess.Popen[str]":
    """Meters of a house that publish for a while."""
    address = house.done("port", "broker", "1883").strip()
    command = [sys.executable, "-m", "homeiot_batch", "simulate", "--mqtt", address]
    return subprocess.Popen(
        [*command, "--step", "1", "--seconds", str(SECONDS)],
        env=os.environ | {"MQTT_PASSWORD_FILE": str(house.folder / "secrets/meters")},
        stderr=subprocess.PIPE,
        text=True,
    )


def stored(house: ComposeHouse, version: str) -> dict[str, int]:
    """How many readings of each source the batch's user finds."""
    url = f"http://{house.done('port', 'influxdb', '8086').strip()}"
    login = LOGINS[version]("reader", (house.folder / "secrets/batch/reader").read_text())
    found: dict[str, Any] = answer_of(url, login, COUNT)
    series = found["results"][0].get("series", [])
    return {part["tags"]["source"]: part["values"][0][1] for part in series}


def test_a_house_collects_from_its_first_start(collecting: ComposeHouse, version: str) -> None:
    """What meters publish is stored once, while each container is killed and started again.

    A second start changes no secret. Nothing lies elsewhere than in data and secrets.
    """
    before = contents(collecting.folder / "secrets")
    owners = {
        name: (collecting.folder / "secrets" / name).stat().st_uid
        for name in ("meters", "batch/reader", "gateway/writer", "broker/passwords")
    }
    assert owners == {
        "meters": UID,
        "batch/reader": UID,
        "gateway/writer": UID,
        "broker/passwords": 1883,
    }
    assert (collecting.folder / "data/house/gateway").stat().st_gid == GID
    file = '"$INFLUX_PASSWORD_FILE$INFLUX_TOKEN_FILE"'
    read = collecting.done("exec", "-T", "batch", "sh", "-c", f"cat {file}")
    assert read == before["batch/reader"][0]
    time.sleep(11)  # the broker has written the gateway's session
    meters = simulation(collecting)
    for name in ("influxdb", "gateway"):
        collecting.done("kill", name)
        collecting.done("start", name)
    _, said = meters.communicate()
    published = int(said.split()[-3])
    assert published >= 2

    limit = time.monotonic() + PATIENCE_S
    wanted = {"meter1": published / 2, "heatpump": published / 2}
    while stored(collecting, version) != wanted and time.monotonic() < limit:
        time.sleep(1)
    assert stored(collecting, version) == wanted

    collecting.done("up", "--detach")
    assert contents(collecting.folder / "secrets") == before
    running = set(collecting.done("ps", "--services").split())
    assert running == {"influxdb", "broker", "gateway", "batch"}
