"""Real InfluxDB servers on free loopback ports, their data in a folder of the test."""

import base64
import contextlib
import http.client
import json
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlencode

from tests.integration.points import Point

BUILT = "HOMEIOT_SERVERS"
START_S = 60
PORTS = range(20_000, 32_000)
BATCH = 5_000
ORG, ADMIN, PASSWORD, TOKEN = (
    "house",
    "keeper",
    "p@ss:w/örd 居間 9f1c77e4",
    "tok-5be2d0a4c1f94e6d8b7a",
)


def built_server(name: str) -> str:
    """A server that `make servers` builds. AssertionError where it is missing."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    path = Path(os.environ.get(BUILT) or Path(cache) / "homeiot-servers") / name
    assert os.access(path, os.X_OK), (
        f"{path} is missing; run `make servers`, or name the folder that has it in {BUILT}"
    )
    return str(path)


def influxd_1() -> str:
    """The InfluxDB 1.x of the distribution. AssertionError where it is missing."""
    path = shutil.which("influxd")
    assert path, "influxd is missing; install Debian's influxdb"
    version = subprocess.run([path, "version"], capture_output=True, text=True, check=True).stdout
    assert version.startswith("InfluxDB v1."), f"{path} is {version!r}, wanted is a 1.x"
    return path


def free_port() -> int:
    """A loopback port where nothing listens just now.

    It is none that the kernel gives to connections, which may take it before the server does.
    """
    while True:
        port = PORTS.start + secrets.randbelow(len(PORTS))
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Server:
    """A server process that a test started. `with` stops it."""

    headers: dict[str, str] = {}
    major: str

    def __init__(self, folder: Path, flush: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        # time without writes after which points leave the log of writes for a file
        self.flush = flush
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    def files(self) -> int:
        """How many files the points lie in, beside the log of the last writes."""
        return len(list(self.folder.rglob("*.tsm")))

    def wait_for_files(self, count: int) -> None:
        """Wait until the points lie in at least so many files."""
        limit = time.monotonic() + START_S
        while self.files() < count:
            assert time.monotonic() < limit, f"the server has not written {count} files"
            time.sleep(0.1)

    def write_no_more_files(self) -> None:
        """From now on only the log holds what is written."""
        self.stop()
        self.flush = "10m"
        self.start()

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command(), stdout=log, stderr=subprocess.STDOUT, cwd=self.folder
            )
        limit = time.monotonic() + START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > limit:
                self.stop()
                raise AssertionError(
                    f"{self.command()[0]} does not "
                    f"start:\n{(self.folder / 'log').read_text()[-2000:]}"
                )
            time.sleep(0.05)

    def stop(self) -> None:
        """Stop it as an administrator would."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def kill(self) -> None:
        """Stop it as a power cut does: kill -9."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def request(self, method: str, path: str, body: bytes | None = None, **parameters: str) -> Any:
        """The decoded JSON answer (None if it is empty). AssertionError for any refusal."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, f"{path}?{urlencode(parameters)}", body, self.headers)
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        assert response.status < 300, f"{method} {path}: {response.status} {answer[:500]!r}"
        return json.loads(answer) if answer.strip() else None

    def version(self) -> str:
        """What the server says that it is."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", "/ping")
            return str(connection.getresponse().headers["X-Influxdb-Version"])
        finally:
            connection.close()

    def shown_version(self) -> str:
        """The same as the doctor shows it. A build of one's own has no number."""
        version = self.version()
        return version if version[:1].isdigit() else f"{self.major}.x ({version})"

    def _answers(self) -> bool:
        try:
            self.request("GET", "/ping")
        except OSError:
            return False
        return True


class Influx1(Server):
    """InfluxDB 1.x."""

    major = "1"

    def __init__(
        self, folder: Path, *, auth: bool = False, query_timeout: str = "0s", flush: str = "10m"
    ) -> None:
        super().__init__(folder, flush)
        self.data, self.wal = folder / "data", folder / "wal"
        self._auth, self._query_timeout = auth, query_timeout
        self.start()
        if auth:
            self.query(f"CREATE USER {ADMIN} WITH PASSWORD '{PASSWORD}' WITH ALL PRIVILEGES")
            self.headers = {"Authorization": _basic(ADMIN, PASSWORD)}

    def command(self) -> Sequence[str]:
        configuration = self.folder / "influxdb.conf"
        configuration.write_text(
            "reporting-disabled = true\n"
            f'bind-address = "127.0.0.1:{free_port()}"\n'
            f'[meta]\ndir = "{self.folder / "meta"}"\n'
            f'[data]\ndir = "{self.data}"\nwal-dir = '
            f'"{self.wal}"\ncache-snapshot-write-cold-duration = "{self.flush}"\n'
            f'[coordinator]\nquery-timeout = "{self._query_timeout}"\n'
            "[monitor]\nstore-enabled = false\n"
            f'[http]\nbind-address = "127.0.0.1:{self.port}"\nauth-enabled = '
            f"{str(self._auth).lower()}\nlog-enabled = false\n"
        )
        return [influxd_1(), "-config", str(configuration)]

    def query(self, *statements: str) -> None:
        """Run InfluxQL that changes something."""
        for statement in statements:
            answer = self.request("POST", "/query", q=statement)
            assert "error" not in str(answer), answer

    def create(self, bucket: str, kept_hours: int = 0) -> None:
        """Make a database, whose points are kept for ever or for some hours."""
        self.query(
            f'CREATE DATABASE "{bucket}"{f" WITH DURATION {kept_hours}h" if kept_hours else ""}'
        )

    def write(self, bucket: str, points: Iterable[Point], policy: str | None = None) -> None:
        """Write points, in their order."""
        for lines in _batches(points):
            self.write_lines(bucket, lines, policy)

    def write_lines(self, bucket: str, lines: bytes, policy: str | None = None) -> None:
        """Write line protocol as it is."""
        self.request("POST", "/write", lines, db=bucket, **({"rp": policy} if policy else {}))

    def environment(self, bucket: str) -> dict[str, str]:
        """The settings with which a house reads `bucket`."""
        login = {"INFLUX_USERNAME": ADMIN, "INFLUX_PASSWORD": PASSWORD} if self._auth else {}
        return {"INFLUX_URL": self.url, "INFLUX_BUCKET": bucket, "INFLUX_RETRIES": "1", **login}

    def export(self, target: Path, *options: str) -> None:
        """Export all databases, gzipped, as `influx_inspect` does, or what its options say."""
        folders = ["-datadir", str(self.data), "-waldir", str(self.wal)]
        _quietly(
            [
                built_server("influx_inspect"),
                *("export", *folders, "-out", str(target), "-compress", *options),
            ]
        )


class Influx113(Influx1):
    """InfluxDB 1.13, the last of 1.x."""

    def command(self) -> Sequence[str]:
        return [built_server("influxd113"), *super().command()[1:]]


class Influx2(Server):
    """InfluxDB 2.x."""

    major = "2"

    def __init__(self, folder: Path, *, flush: str = "10m") -> None:
        super().__init__(folder, flush)
        self.engine = folder / "engine"
        self.start()
        setup = {
            "username": ADMIN,
            "password": PASSWORD,
            "org": ORG,
            "bucket": "first",
            "token": TOKEN,
        }
        self._organization = self.request("POST", "/api/v2/setup", json.dumps(setup).encode())[
            "org"
        ]["id"]
        self.headers = {"Authorization": f"Token {TOKEN}"}
        self._buckets: dict[str, str] = {}

    def command(self) -> Sequence[str]:
        paths = [
            "--bolt-path",
            str(self.folder / "bolt"),
            "--engine-path",
            str(self.engine),
            "--sqlite-path",
            str(self.folder / "sqlite"),
        ]
        flush = ["--storage-cache-snapshot-write-cold-duration", self.flush]
        return [
            built_server("influxd2"),
            *paths,
            *flush,
            "--http-bind-address",
            f"127.0.0.1:{self.port}",
            "--reporting-disabled",
        ]

    def create(self, bucket: str, kept_hours: int = 0) -> None:
        """Make a bucket, whose points are kept for ever or for some hours, if it is not there."""
        if bucket in self._buckets:
            return
        rules = [{"type": "expire", "everySeconds": kept_hours * 3600}] if kept_hours else []
        wanted = {"orgID": self._organization, "name": bucket, "retentionRules": rules}
        self._buckets[bucket] = self.request(
            "POST", "/api/v2/buckets", json.dumps(wanted).encode()
        )["id"]

    def map(self, database: str, policy: str, bucket: str, *, is_default: bool = True) -> None:
        """Let queries find the bucket under the names of a database and a retention policy."""
        wanted = {
            "orgID": self._organization,
            "bucketID": self._buckets[bucket],
            "database": database,
            "retention_policy": policy,
            "default": is_default,
        }
        self.request("POST", "/api/v2/dbrps", json.dumps(wanted).encode())

    def id_of(self, bucket: str) -> str:
        """The id of a bucket, by which 2.x sorts them."""
        return self._buckets[bucket]

    def token(self, bucket: str, action: str) -> str:
        """A token that may only `read` or `write` the bucket."""
        resource = {"type": "buckets", "id": self._buckets[bucket], "orgID": self._organization}
        wanted = {
            "orgID": self._organization,
            "permissions": [{"action": action, "resource": resource}],
        }
        return str(
            self.request("POST", "/api/v2/authorizations", json.dumps(wanted).encode())["token"]
        )

    def write(self, bucket: str, points: Iterable[Point]) -> None:
        """Write points, in their order."""
        for lines in _batches(points):
            self.write_lines(bucket, lines)

    def write_lines(self, bucket: str, lines: bytes) -> None:
        """Write line protocol as it is."""
        self.request("POST", "/api/v2/write", lines, org=ORG, bucket=bucket)

    def environment(self, bucket: str) -> dict[str, str]:
        """The settings with which a house reads `bucket`."""
        return {
            "INFLUX_URL": self.url,
            "INFLUX_BUCKET": bucket,
            "INFLUX_RETRIES": "1",
            "INFLUX_TOKEN": TOKEN,
        }

    def export(self, bucket: str, target: Path) -> None:
        """Export a bucket as `influxd inspect export-lp` does. The server must be stopped."""
        wanted = [
            "--bucket-id",
            self._buckets[bucket],
            "--engine-path",
            str(self.engine),
            "--output-path",
            str(target),
        ]
        _quietly([built_server("influxd2"), "inspect", "export-lp", *wanted])


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def _batches(points: Iterable[Point]) -> Iterable[bytes]:
    lines = [point.line() for point in points]
    for start in range(0, len(lines), BATCH):
        yield "\n".join(lines[start : start + BATCH]).encode()


def _quietly(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
