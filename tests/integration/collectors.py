"""Real brokers and gateways with the files of collect/, on free loopback ports."""

import getpass
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import paho.mqtt.client as mqtt

from homeiot_batch.config import ROOT
from tests.integration.servers import built_server, free_port

COLLECT = ROOT / "collect"
USERS = ("gateway", "meters", "health")
START_S = 20
QOS = 1


class Program:
    """A process that a test starts, kills and starts again. `with` kills it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.environment: dict[str, str] = {}
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def start(self) -> None:
        """Start it, and do not wait."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdout=log,
                stderr=subprocess.STDOUT,
                env={**os.environ, **self.environment},
            )

    def kill(self) -> None:
        """As a power cut does: kill -9."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As an administrator does: it may finish its work."""
        self._end(signal.SIGTERM)

    def _end(self, by: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(by)
            self._process.wait(30)
            self._process = None

    def log(self) -> str:
        """What it has said."""
        return (self.folder / "log").read_text()


class Broker(Program):
    """mosquitto with the configuration of collect/, but for ports and folders."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.port = free_port()
        self.passwords = {user: f"secret-of-{user}" for user in USERS}
        self._write_configuration()
        self._write_passwords()

    def command(self) -> Sequence[str]:
        path = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
        assert path, "mosquitto is missing; install Debian's mosquitto"
        return [path, "-c", str(self.folder / "mosquitto.conf")]

    def start(self) -> None:
        """Start it and wait until it listens."""
        super().start()
        limit = time.monotonic() + START_S
        while not self._listens():
            assert time.monotonic() < limit, self.log()
            time.sleep(0.02)

    def wait_for_subscriptions(self, topics: int) -> None:
        """Wait until the gateway has subscribed to so many topics since the broker exists."""
        limit = time.monotonic() + START_S
        while self.log().count(": homeiot-") < topics:
            assert time.monotonic() < limit, self.log()
            time.sleep(0.02)

    def save(self) -> None:
        """Let it write its sessions to the disk, which it else does every ten seconds."""
        file = self.folder / "data/mosquitto.db"
        assert self._process is not None
        self._process.send_signal(signal.SIGUSR1)
        limit = time.monotonic() + START_S
        while not file.exists():
            assert time.monotonic() < limit, self.log()
            time.sleep(0.02)

    def password(self, user: str) -> str:
        """The password of a user, as the test has set it."""
        return self.passwords[user]

    def _listens(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        except OSError:
            return False
        return True

    def _write_configuration(self) -> None:
        text = (COLLECT / "mosquitto/mosquitto.conf").read_text()
        shutil.copy(COLLECT / "mosquitto/acl", self.folder / "acl")
        (self.folder / "acl").chmod(0o600)
        (self.folder / "data").mkdir(exist_ok=True)
        places = {
            "listener 1883": f"listener {self.port} 127.0.0.1",
            "/mosquitto/secrets/": f"{self.folder}/",
            "/mosquitto/config/": f"{self.folder}/",
            "/mosquitto/data/": f"{self.folder}/data/",
        }
        for shipped, own in places.items():
            assert shipped in text
            text = text.replace(shipped, own)
        own = f"user {getpass.getuser()}\nlog_type subscribe\n"
        (self.folder / "mosquitto.conf").write_text(own + text)

    def _write_passwords(self) -> None:
        file = self.folder / "passwords"
        file.touch(mode=0o600)
        for user in USERS:
            command = ["mosquitto_passwd", "-b", str(file), user, self.password(user)]
            subprocess.run(command, check=True, capture_output=True)


class Gateway(Program):
    """Telegraf with the configuration of collect/, its output and the devices' files."""

    def __init__(
        self,
        folder: Path,
        broker: Broker,
        output: Path,
        devices: Sequence[Path] = (),
        environment: Mapping[str, str] | None = None,
        writer: str = "",
    ) -> None:
        super().__init__(folder)
        self._files = [COLLECT / "telegraf/telegraf.conf", output, *devices]
        secrets = folder / "secrets"
        secrets.mkdir()
        (secrets / "gateway").write_text(broker.password("gateway"))
        (secrets / "writer").write_text(writer)
        self.health = f"http://127.0.0.1:{free_port()}"
        self.environment = {
            "MQTT_URL": f"tcp://127.0.0.1:{broker.port}",
            "COLLECT_SECRETS": str(secrets),
            "COLLECT_HEALTH": self.health,
            **(environment or {}),
        }

    def command(self) -> Sequence[str]:
        files = [part for file in self._files for part in ("--config", str(file))]
        return [built_server("telegraf"), "--unprotected", *files]


@contextmanager
def client(broker: Broker, user: str, name: str = "test") -> Generator[mqtt.Client]:
    """A connected client of the broker that does not lose what it publishes.

    It keeps messages while the broker is away, and sends them again.
    """
    connected = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=name, clean_session=False)
    connected.username_pw_set(user, broker.password(user))
    connected.reconnect_delay_set(1, 1)
    connected.connect("127.0.0.1", broker.port)
    connected.loop_start()
    try:
        yield connected
    finally:
        connected.disconnect()
        connected.loop_stop()


def publish(broker: Broker, messages: Sequence[tuple[str, str]], user: str = "meters") -> None:
    """Publish payloads to topics, and wait until the broker has them."""
    with client(broker, user) as connected:
        sent = [connected.publish(topic, payload, QOS) for topic, payload in messages]
        for message in sent:
            message.wait_for_publish(START_S)
            assert message.is_published()
