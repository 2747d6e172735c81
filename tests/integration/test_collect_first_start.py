"""collect/first_start.py with a real broker and real servers: secrets and users of a new house."""

import base64
import json
import os
import shutil
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import yaml

from homeiot_batch.config import ROOT
from tests.integration.collectors import Broker, publish
from tests.integration.servers import Influx1, Influx2, Server

BUCKET = "home_energy"
LINE = b"power,source=a instant_power_w=1 1762614000000000000"


def first_start(*arguments: str | Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the script, isolated from what is installed."""
    command = [sys.executable, "-I", str(ROOT / "collect/first_start.py"), *map(str, arguments)]
    mine = {"UID": str(os.getuid()), "GID": str(os.getgid())}
    return subprocess.run(
        command, env=mine | environment, capture_output=True, text=True, check=False
    )


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    """The secrets of a new house."""
    folder = tmp_path / "secrets"
    done = first_start("secrets", folder, tmp_path / "house")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"secrets: {folder}\n", "")
    return folder


def contents(folder: Path) -> dict[str, tuple[str, int, int]]:
    """Each file: its text, permissions and the time of its last change."""
    return {
        str(file.relative_to(folder)): (
            file.read_text(),
            file.stat().st_mode & 0o777,
            file.stat().st_mtime_ns,
        )
        for file in folder.rglob("*")
        if file.is_file()
    }


def test_each_secret_is_random_and_for_its_reader_alone(secrets: Path, tmp_path: Path) -> None:
    """A second start changes nothing. The folder for the devices' files is there."""
    before = contents(secrets)
    again = first_start("secrets", secrets, tmp_path / "house")
    assert again.returncode == 0
    assert contents(secrets) == before
    assert set(before) == {
        "admin",
        "meters",
        "gateway/gateway",
        "broker/mosquitto_sub",
        "broker/passwords",
    }
    assert {mode for _, mode, _ in before.values()} == {0o600}
    assert len({text for text, _, _ in before.values()}) == len(before)
    assert (tmp_path / "house/gateway").is_dir()
    said = "".join(done for done in (again.stdout, again.stderr))
    assert [text for text, _, _ in before.values() if text in said] == []


def test_the_batchs_secret_of_the_first_version_goes_on(secrets: Path, tmp_path: Path) -> None:
    """It was `reader`, which .env may name. A copy is where the batch finds it now."""
    (secrets / "reader").write_text("of the first version")
    (secrets / "gateway/writer").write_text("of the first version too")
    before = contents(secrets)
    done = first_start("secrets", secrets, tmp_path / "house")
    assert (done.returncode, done.stderr) == (0, "")
    after = contents(secrets)
    assert after.pop("batch/reader")[:2] == ("of the first version", 0o600)
    assert after == before


def test_secrets_that_were_moved_away_do_not_come_back(secrets: Path, tmp_path: Path) -> None:
    """For another InfluxDB, in a house of the first version: the reader's old one is left there."""
    (secrets / "reader").write_text("of the first version")
    before = contents(secrets)
    assert first_start("secrets", secrets, tmp_path / "house").returncode == 0
    assert contents(secrets) == before


def test_a_lost_password_is_told(secrets: Path, tmp_path: Path) -> None:
    """A new one would not be the one that the broker has. Nothing changes."""
    (secrets / "meters").unlink()
    before = contents(secrets)
    done = first_start("secrets", secrets, tmp_path / "house")
    said = (
        f"error: {secrets}/meters is missing, but the broker has its password; "
        f"move {secrets}/broker/passwords away, and run again\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)
    assert contents(secrets) == before


def test_the_broker_takes_the_passwords(secrets: Path, tmp_path: Path) -> None:
    """Those of meters, gateway and healthcheck, and no other one. As compose checks its health."""
    with Broker(tmp_path / "broker") as broker:
        shutil.copy(secrets / "broker/passwords", broker.folder / "passwords")
        broker.passwords = {"meters": (secrets / "meters").read_text()}
        broker.start()
        publish(broker, [("home/power/a", "{}")])
        healthy = _healthcheck(broker, secrets / "broker")
        assert (healthy.returncode, healthy.stderr) == (0, "")
        (secrets / "broker/mosquitto_sub").write_text("-u health\n-P wrong\n")
        assert _healthcheck(broker, secrets / "broker").returncode != 0


def _healthcheck(broker: Broker, folder: Path) -> "subprocess.CompletedProcess[str]":
    """The healthcheck of the compose file, with the test's port and folder."""
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    command = compose["services"]["broker"]["healthcheck"]["test"].replace("$$", "$")
    places = {"mosquitto_sub ": f"mosquitto_sub -p {broker.port} ", "/mosquitto/secrets": folder}
    for shipped, own in places.items():
        assert shipped in command
        command = command.replace(shipped, str(own))
    return subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)


class NewInflux1(Influx1):
    """An InfluxDB 1.x that asks for a password, and has no user."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.stop()
        self._auth = True
        self.start()


class NewInflux2(Influx2):
    """An InfluxDB 2.x that is not set up."""

    def __init__(self, folder: Path) -> None:
        Server.__init__(self, folder, "10m")
        self.engine = folder / "engine"
        self.start()


def login_1(user: str, secret: str) -> str:
    """The login of a user of 1.x."""
    return "Basic " + base64.b64encode(f"{user}:{secret}".encode()).decode()


def login_2(_user: str, secret: str) -> str:
    """The token of a user of 2.x."""
    return f"Token {secret}"


def answer_of(url: str, login: str, question: str) -> Any:
    """The answer to a question, as a user with this login has it."""
    query = urlencode({"db": BUCKET, "q": question})
    request = urllib.request.Request(f"{url}/query?{query}", headers={"Authorization": login})
    with urllib.request.urlopen(request, timeout=60) as got:
        return json.load(got)


def answer(server: Server, path: str, login: str, body: bytes | None = None) -> int:
    """The status of an answer. An error that comes with 200 is 404."""
    query = urlencode({"db": BUCKET, "q": "SELECT * FROM power"})
    request = urllib.request.Request(f"{server.url}{path}?{query}", body)
    if login:
        request.add_header("Authorization", login)
    try:
        with urllib.request.urlopen(request, timeout=60) as got:
            return 404 if b'"error"' in got.read() else got.status
    except urllib.error.HTTPError as refused:
        return refused.code


@pytest.mark.parametrize(
    ("version", "start", "login"),
    [("1.8", NewInflux1, login_1), ("2.7", NewInflux2, login_2)],
    ids=["1.6", "2.7"],
)
def test_each_user_of_a_new_server_has_least_rights(
    version: str,
    start: Callable[[Path], Server],
    login: Callable[[str, str], str],
    secrets: Path,
    tmp_path: Path,
) -> None:
    """The writer may write and not read, the reader read and not write, nobody else anything.

    A second start changes no secret. One that the server does not take is told.
    """
    with start(tmp_path / "influxdb") as server:
        settings = {"INFLUX_URL": server.url, "INFLUXDB_VERSION": version}
        done = first_start("users", secrets, **settings)
        assert (done.returncode, done.stdout, done.stderr) == (0, f"users: {server.url}\n", "")
        before = contents(secrets)
        assert {before[name][1] for name in ("batch/reader", "gateway/writer")} == {0o600}
        writer = login("writer", (secrets / "gateway/writer").read_text())
        reader = login("reader", (secrets / "batch/reader").read_text())
        assert answer(server, "/write", writer, LINE) == 204
        assert answer(server, "/query", reader) == 200
        assert answer(server, "/write", reader, LINE) in (401, 403, 404)
        assert answer(server, "/query", writer) in (401, 403, 404)
        assert answer(server, "/query", "") == 401

        assert first_start("users", secrets, **settings).returncode == 0
        assert contents(secrets) == before

        (secrets / "gateway/writer").write_text("another")
        wrong = first_start("users", secrets, **settings)
        (secrets / "gateway/writer").write_text(before["gateway/writer"][0])
        for place in ("reader", "batch/reader"):
            (secrets / place).write_text("of the first version")
        former = first_start("users", secrets, **settings)
    assert wrong.returncode == 1
    assert wrong.stderr.startswith(
        f"error: InfluxDB at {server.url} does not take the secret in {secrets}/gateway/writer (401"
    )
    assert "another" not in wrong.stderr
    assert former.stderr.endswith(
        f"or move {secrets}/batch/reader and {secrets}/reader away, and run again\n"
    )


def test_a_server_that_asks_for_no_password_is_told(secrets: Path, tmp_path: Path) -> None:
    """Its users would have all rights."""
    with Influx1(tmp_path / "influxdb") as server:
        done = first_start("users", secrets, INFLUX_URL=server.url)
    said = (
        f"error: InfluxDB at {server.url} asks for no password; write "
        "INFLUXDB_HTTP_AUTH_ENABLED=true into .env, and run `docker compose up -d` again\n"
    )
    assert (done.returncode, done.stdout, done.stderr) == (1, "", said)
