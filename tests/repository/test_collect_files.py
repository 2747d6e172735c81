"""The files of collect/, as far as they can be held without a broker and Telegraf."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from homeiot_batch.config import ROOT
from tests.docs.pages import page

COLLECT = ROOT / "collect"
TELEGRAF = COLLECT / "telegraf"
DEVICES = sorted((TELEGRAF / "devices").glob("*.conf"))
UNDELIVERED = 200  # messages that the gateway takes before it has stored them
# what a gateway needs so that it loses nothing, and that Telegraf does not do by default
LOSSLESS = {
    "username": "gateway",
    "password": "@{house:gateway}",
    "qos": 1,
    "persistent_session": True,
    "max_undelivered_messages": UNDELIVERED,
    "max_reconnect_interval": "5s",
    "startup_error_behavior": "retry",
    "topic_tag": "",
}


def configuration(file: Path) -> dict[str, Any]:
    """A file of Telegraf."""
    return tomllib.loads(file.read_text())


def inputs() -> list[dict[str, Any]]:
    """All inputs of all files."""
    files = [TELEGRAF / "telegraf.conf", *DEVICES]
    return [part for file in files for part in configuration(file)["inputs"]["mqtt_consumer"]]


def broker() -> dict[str, str]:
    """The settings of mosquitto."""
    text = (COLLECT / "mosquitto/mosquitto.conf").read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split(" ", 1) for line in lines)


def may_publish(user: str, topic: str) -> bool:
    """Whether the ACL lets a user publish to a topic filter of the gateway."""
    rights = (COLLECT / "mosquitto/acl").read_text().split(f"\nuser {user}\n")[1]
    allowed = re.findall(r"^topic write (\S+)$", rights.split("\nuser ")[0], re.MULTILINE)
    for pattern in allowed:
        form = re.escape(pattern).replace(r"\+", "[^/]+").replace(r"\#", ".+").replace("#", ".+")
        if re.fullmatch(form, topic):
            return True
    return False


def test_each_input_keeps_messages_until_they_are_stored() -> None:
    """Telegraf's defaults would acknowledge or forget what is not stored."""
    assert len(inputs()) == len(DEVICES) + 1
    for found in inputs():
        assert {name: found.get(name) for name in LOSSLESS} == LOSSLESS


def test_each_input_has_a_session_of_its_own() -> None:
    """Two clients of one name would throw each other out of the broker."""
    names = [found["client_id"] for found in inputs()]
    assert len(set(names)) == len(names)


def test_the_broker_keeps_what_waits() -> None:
    """On the disk, and at least as much in flight as a gateway takes at once."""
    found = broker()
    assert found["persistence"] == "true"
    assert int(found["autosave_interval"]) <= 10
    assert int(found["max_inflight_messages"]) >= UNDELIVERED
    assert int(found["max_queued_messages"]) >= 1_000_000
    assert found["allow_anonymous"] == "false"


@pytest.mark.parametrize("topic", [topic for found in inputs() for topic in found["topics"]])
def test_the_meters_may_publish_what_the_gateway_reads(topic: str) -> None:
    """The broker drops other messages and tells nobody."""
    assert may_publish("meters", topic)


def test_only_the_meters_may_publish() -> None:
    """A stolen password of the gateway or of the healthcheck writes no reading."""
    assert not may_publish("gateway", "home/power/main")
    assert not may_publish("health", "home/power/main")
    assert not may_publish("meters", "cmnd/fridge/POWER")


def test_the_page_names_every_file() -> None:
    """Each device with its file, each variable with its default."""
    text = page("how-to/collect.md")
    named = re.findall(r"^\|[^|]+\| `([\w-]+\.conf)` \|", text, re.MULTILINE)
    assert sorted(named) == [file.name for file in DEVICES]
    files = [*TELEGRAF.glob("*.conf"), *DEVICES]
    read = {
        variable
        for file in files
        for variable in re.findall(r"\$\{(\w+):-([^}]+)\}", file.read_text())
    }
    shown = re.findall(r"^\| `([A-Z_]+)` \| (\S+) \|", text, re.MULTILINE)
    assert sorted(shown) == sorted(read)
