"""The compose file, as far as it can be held without a Docker engine."""

import os
import re
import subprocess
from typing import Any

import pytest
import yaml

from homeiot_batch.config import ROOT, Settings, has_variable
from tests.docs.pages import blocks, page

COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text()
SERVICES: dict[str, Any] = yaml.safe_load(COMPOSE_TEXT)["services"]
COLLECTING = {
    name: part for name, part in SERVICES.items() if "collect" in part.get("profiles", [])
}


def mounts(service: str) -> dict[str, str]:
    """What a service sees of the host, by its place in the container."""
    parts = [mount.split(":") for mount in COLLECTING[service]["volumes"]]
    return {part[1]: part[0] for part in parts}


def test_without_a_profile_only_the_source_and_the_batch_run() -> None:
    """A house that collects elsewhere sees nothing of broker and gateway."""
    usual = [name for name, part in SERVICES.items() if "profiles" not in part]
    assert usual == ["influxdb", "folders", "batch"]
    assert set(COLLECTING) == {"secrets", "users", "broker", "gateway"}


@pytest.mark.parametrize("name", ["broker", "gateway"])
def test_what_collects_comes_back_and_is_watched(name: str) -> None:
    """After a crash and a reboot, with a log that does not fill the disk."""
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"]
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}


@pytest.mark.parametrize("name", ["broker", "gateway"])
def test_each_part_sees_its_own_secrets_alone(name: str) -> None:
    """The folder is mounted read-only, and no secret is in the environment."""
    assert {host for host in mounts(name).values() if "secrets" in host} == {f"./secrets/{name}"}
    assert not [key for key in SERVICES[name].get("environment", {}) if "PASSWORD" in key]
    for mount in SERVICES[name]["volumes"]:
        assert mount.endswith(":ro") or not mount.startswith(".")


@pytest.mark.parametrize("version", ["1.8", "2.7"])
def test_the_gateway_has_an_output_for_each_influxdb(version: str) -> None:
    """The files of its command line are there."""
    command = COLLECTING["gateway"]["command"].replace("${INFLUXDB_VERSION:-1.8}", version)
    files = re.findall(r"--config /collect/(\S+)", command)
    assert files == ["telegraf.conf", f"influxdb-{version}.conf"]
    assert [file for file in files if not (ROOT / "collect/telegraf" / file).is_file()] == []
    assert mounts("gateway")["/collect"] == "./collect/telegraf"


def test_the_gateway_finds_broker_and_server_by_their_names() -> None:
    """The addresses that its files have by default are services of the compose file."""
    files = [*(ROOT / "collect/telegraf").rglob("*.conf")]
    found = {host for file in files for host in re.findall(r":-\w+://([^:]+):", file.read_text())}
    assert found == {"broker", "influxdb"}
    assert found <= set(SERVICES)


def test_the_broker_finds_its_files() -> None:
    """Each path in mosquitto.conf is below a mount."""
    text = (ROOT / "collect/mosquitto/mosquitto.conf").read_text()
    paths = re.findall(r"^\w+ (/mosquitto/\S+)", text, re.MULTILINE)
    assert len(paths) == 3
    for path in paths:
        assert any(path.startswith(place) for place in mounts("broker"))


def test_the_batch_waits_for_its_created_secret_if_its_service_runs() -> None:
    """`docker compose up -d` is the only command, with the profile and without it.

    A folder is mounted, because a file would have to be there before the first start.
    """
    batch = SERVICES["batch"]
    created = {"condition": "service_completed_successfully", "required": False}
    assert batch["depends_on"]["users"] == created
    assert "./secrets/batch:/app/secrets/batch:ro" in batch["volumes"]
    for name in ("INFLUX_PASSWORD", "INFLUX_TOKEN"):
        value = batch["environment"][f"{name}_FILE"]
        assert value.startswith(f"${{{name}_OF:+/app/secrets/batch/${{{name}_OF-}}}}")


def batch_started_with(**environment: str) -> tuple[int, str, str]:
    """What the batch's entrypoint does before its command, here `echo started`.

    `sh` has the same form for what compose fills in.
    """
    *shell, script, name = SERVICES["batch"]["entrypoint"]
    done = subprocess.run(
        [*shell, script.replace("$$", "$"), name, "echo", "started"],
        env={"PATH": os.environ["PATH"]} | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("name", ["INFLUX_PASSWORD", "INFLUX_TOKEN"])
def test_a_secret_in_two_places_is_refused(name: str) -> None:
    """Joined to one path, they would be a file that nobody set."""
    given = {f"{name}_OF": "reader", f"{name}_FILE": "./secrets/reader"}
    said = f"error: {name}_OF and {name}_FILE are both set; remove one of them from .env\n"
    assert batch_started_with(**given) == (1, "", said)
    for one, value in given.items():
        assert batch_started_with(**{one: value}) == (0, "started\n", "")
    empty = {f"{name}_OF": "reader", f"{name}_FILE": ""}
    assert batch_started_with(**empty) == (0, "started\n", "")


def test_the_page_can_do_nothing_but_show_the_report() -> None:
    """It writes nowhere, has no rights, and sees the report alone. It listens to this machine."""
    page_service = SERVICES["page"]
    assert page_service["profiles"] == ["page"]
    assert page_service["read_only"] is True
    assert page_service["cap_drop"] == ["ALL"]
    assert page_service["cap_add"] == ["NET_BIND_SERVICE"]
    assert page_service["security_opt"] == ["no-new-privileges:true"]
    assert page_service["user"] == "${UID:-1000}:${GID:-1000}"
    assert page_service["volumes"] == ["./page:/page:ro", "./data/report:/report:ro"]
    assert page_service["environment"]["PAGE_LISTEN"] == "0.0.0.0"  # in the container
    assert "PAGE_PORT" not in page_service["environment"], "Caddy keeps to 8080 there"
    assert page_service["ports"] == ["${PAGE_BIND:-127.0.0.1}:${PAGE_PORT:-8080}:8080"]
    assert page_service["restart"] == "unless-stopped"
    assert page_service["healthcheck"]["test"]


def test_each_variable_of_the_page_is_one_of_the_compose_file() -> None:
    """The lines for .env, for each InfluxDB, and for the report in a browser."""
    found = blocks(page("how-to/collect.md") + page("how-to/page.md"), "ini")
    assert len(found) == 3
    for block in found:
        names = re.findall(r"^(\w+)=", block, re.MULTILINE)
        assert "COMPOSE_PROFILES" in names
        for name in set(names) - {"COMPOSE_PROFILES"}:
            assert re.search(rf"\${{{name}\b|^ +{name}:", COMPOSE_TEXT, re.MULTILINE)


def test_the_batch_is_given_every_documented_variable_and_no_other() -> None:
    """A variable that the compose file does not pass on could not be set in a container."""
    documented = {
        name.upper() for name, field in Settings.model_fields.items() if has_variable(field)
    }
    assert set(SERVICES["batch"]["environment"]) == documented | {"HOST_PATHS"}
