"""The compose file as a house uses it: on a real Docker engine, as a user who is not root.

It runs in a copy of the checkout.

COMPOSE_BUILD_NETWORK=host lets the build reach package registries where a container's own network
cannot.
"""

import io
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import tarfile
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest

from homeiot_batch.config import ROOT
from homeiot_batch.warehouse.tariff_file import HEADER
from tests.docs.pages import between, blocks, page
from tests.house import House
from tests.integration.points import Point, at, energies, every, in_order, rows

RUN = ("run", "--rm", "batch", "python", "-m", "homeiot_batch.run_archive")
PARTS = (
    *(
        "Dockerfile",
        ".dockerignore",
        "docker-compose.yml",
        "requirements.lock",
        "pyproject.toml",
        "README.md",
        "LICENSE",
    ),
    *("Snakefile", "config.yaml", "profiles", "workflow", "scripts", "dbt"),
)
# root may not be the batch's user; files of another user could not be cleaned up by anyone but root
UID, GID = (os.getuid(), os.getgid()) if os.getuid() else (1234, 1235)
PASSWORD = "p@ss w$rd #9f1c"


def engine_answers() -> bool:
    """Whether there is a Docker engine with the compose plugin."""
    if shutil.which("docker") is None:
        return False
    questions = (["docker", "info"], ["docker", "compose", "version"])
    return all(
        subprocess.run(question, capture_output=True, check=False).returncode == 0
        for question in questions
    )


pytestmark = pytest.mark.skipif(
    os.environ.get("INTEGRATION_TESTS") != "1" or not engine_answers(),
    reason="needs a Docker engine with compose; set INTEGRATION_TESTS=1",
)


class ComposeHouse(House):
    """A copy of the checkout with an empty `data`, and a compose project of its own."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        super().__init__(folder)
        for part in PARTS:
            copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy2
            copy(ROOT / part, folder / part)
        (folder / "data").mkdir()
        (folder / "secrets/batch").mkdir(parents=True, exist_ok=True)  # as git makes it
        network = os.environ.get("COMPOSE_BUILD_NETWORK")
        if network:
            (folder / "docker-compose.override.yml").write_text(
                f"services: {{batch: {{build: {{network: {network}}}}}}}\n"
            )
        project = {
            "COMPOSE_PROJECT_NAME": f"homeiot-test-{uuid4().hex[:8]}",
            "UID": str(UID),
            "GID": str(GID),
            "INFLUXDB_PORT": "0",
        }
        (folder / ".env").write_text(
            "".join(f"{name}='{value}'\n" for name, value in {**project, **settings}.items())
        )

    def command(self, *command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command in the copy, with the next to empty environment that cron gives."""
        env = {
            name: value
            for name, value in os.environ.items()
            if name in ("HOME", "PATH") or name.startswith("DOCKER_")
        }
        return subprocess.run(
            command,
            cwd=self.folder,
            env=env,
            capture_output=True,
            text=True,
            timeout=1800,
            check=False,
        )

    def compose(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """`docker compose ARGUMENTS`."""
        return self.command("docker", "compose", *arguments)

    def done(self, *arguments: str) -> str:
        """The output of a `docker compose ARGUMENTS` that must succeed."""
        process = self.compose(*arguments)
        assert process.returncode == 0, process.stderr[-5000:]
        return process.stdout

    def write(self, points: list[Point], user: str = "", password: str = "") -> None:
        """Write points into the service `influxdb`, as a gateway on this machine does."""
        address = self.done("port", "influxdb", "8086").strip()
        authorization = (
            {"Authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}
            if user
            else {}
        )
        body = "\n".join(point.line() for point in points).encode()
        request = urllib.request.Request(
            f"http://{address}/write?db=home_energy", body, authorization
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            assert answer.status == 204

    def kept(self) -> dict[str, tuple[int, int]]:
        """Every file below `data` but for the lock: its size and the instant of its last change."""
        files = [
            path
            for path in (self.folder / "data").rglob("*")
            if path.is_file() and path.name != ".lock"
        ]
        return {str(path): (path.stat().st_size, path.stat().st_mtime_ns) for path in files}


def started(folder: Path, **settings: str) -> Iterator[ComposeHouse]:
    """A house whose source runs, the batch's image not built yet.

    Afterwards nothing of it is left in the engine.
    """
    house = ComposeHouse(folder, settings)
    try:
        house.done("up", "--detach", "--wait", "influxdb")
        yield house
    finally:
        house.compose("down", "--volumes", "--rmi", "local", "--timeout", "5")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeHouse]:
    """A house with the compose file's own settings."""
    yield from started(tmp_path_factory.mktemp("compose"))


@pytest.fixture
def guarded_house(tmp_path: Path) -> Iterator[ComposeHouse]:
    """A house whose InfluxDB asks for a password.

    The batch has it from a file that only its user may read.
    """
    secret = tmp_path / "secrets" / "password"
    secret.parent.mkdir()
    secret.write_text(f"{PASSWORD}\n")
    secret.chmod(0o400)
    os.chown(secret, UID, GID)
    server = {
        "INFLUXDB_HTTP_AUTH_ENABLED": "true",
        "INFLUXDB_ADMIN_USER": "keeper",
        "INFLUXDB_ADMIN_PASSWORD": PASSWORD,
    }
    yield from started(
        tmp_path, INFLUX_USERNAME="keeper", INFLUX_PASSWORD_FILE="secrets/password", **server
    )


@pytest.fixture(scope="module")
def yesterday() -> str:
    """The day that a run archives."""
    return str(datetime.now(ZoneInfo("Asia/Tokyo")).date() - timedelta(days=1))


@pytest.fixture(scope="module")
def readings(yesterday: str) -> list[Point]:
    """Readings of three days, yesterday in their middle.

    One without a tag is in its last microsecond.
    """
    midnight = at(f"{yesterday}T00:00")
    return [
        *every(5, yesterday, yesterday, "Asia/Tokyo"),
        Point(midnight + 86_400 * 10**9 - 1, {"instant_power_w": 7.5}),
    ]


def assert_archived(house: ComposeHouse, readings: list[Point], day: str) -> None:
    """Parquet, raw table and daily table hold what the readings say, and nothing but yesterday."""
    expected = rows(readings, day, day)
    assert [path.name for path in (house.parquet / "raw_meter_readings").iterdir()] == [f"dt={day}"]
    assert (
        pq.ParquetFile(house.day(day) / "part-0.parquet").metadata.num_rows == len(expected) == 289
    )
    assert in_order(house.rows()) == in_order(expected)
    assert in_order(house.energy()) == in_order(energies(readings, day, day))


def test_a_first_run_archives_yesterday_and_a_second_one_has_nothing_to_do(
    house: ComposeHouse, readings: list[Point], yesterday: str
) -> None:
    """Into mounts that Docker itself has to make, as a user who is not root.

    Nothing lies elsewhere.
    """
    house.write(readings)
    assert list((house.folder / "data").iterdir()) == []

    first = house.compose(*RUN)

    assert first.returncode == 0, first.stderr
    assert_archived(house, readings, yesterday)
    assert {path.name for path in (house.folder / "data").iterdir()} == {
        "duckdb",
        "parquet",
        "markers",
        "report",
        "house",
    }
    owners = {
        (path.stat().st_uid, path.stat().st_gid) for path in (house.folder / "data").rglob("*")
    }
    assert owners == {(UID, GID)}

    before = house.kept()
    second = house.compose(*RUN)

    assert second.returncode == 0, second.stderr
    assert "Nothing to be done" in second.stderr
    assert house.kept() == before
    assert_archived(house, readings, yesterday)


def test_a_run_by_hand_leaves_no_container(house: ComposeHouse) -> None:
    """Where only the source was started, only the source runs."""
    assert house.done("ps", "--services").split() == ["influxdb"]
    assert house.done("ps", "--all", "--quiet", "batch") == ""


def health(house: ComposeHouse) -> str:
    """What Docker says of the batch's health: starting, healthy or unhealthy."""
    container = house.done("ps", "--quiet", "batch").strip()
    status = ("docker", "inspect", "--format", "{{.State.Health.Status}}", container)
    return house.command(*status).stdout.strip()


def wait_for(house: ComposeHouse, wanted: str) -> None:
    """Wait until Docker says so. It asks every minute."""
    deadline = time.monotonic() + 300
    while health(house) != wanted:
        assert time.monotonic() < deadline, house.done("logs", "batch")
        time.sleep(2)


def test_the_nights_run_by_themselves(
    tmp_path: Path, readings: list[Point], yesterday: str
) -> None:
    """`docker compose up -d` and the set time are all: a day is archived, and the health is good.

    It is bad when the last good night is too old. A container that is started again then runs a
    night at once. If the day is missing and InfluxDB is down, that night fails. The health stays
    bad until InfluxDB is up and the next night is good.
    """
    for house in started(tmp_path):
        house.write(readings)
        house.done("build", "batch")
        soon = datetime.now(ZoneInfo("Asia/Tokyo")) + timedelta(minutes=2)
        with (house.folder / ".env").open("a") as env:
            env.write(f"SCHEDULE={soon:%H:%M}\n")
        house.done("up", "--detach")
        note = house.folder / "data/markers/nights.json"
        deadline = time.monotonic() + 300
        while not note.exists() or "last_good" not in note.read_text():
            assert time.monotonic() < deadline, house.done("logs", "batch")
            time.sleep(1)
        assert_archived(house, readings, yesterday)
        assert "summary: 1 days read" in house.done("logs", "batch")
        wait_for(house, "healthy")

        house.done("stop", "influxdb")
        old = datetime.now(ZoneInfo("Asia/Tokyo")) - timedelta(hours=37)
        times = dict.fromkeys(("since", "last_started", "last_good"), str(old))
        note.write_text(json.dumps(times))
        shutil.rmtree(house.day(yesterday))
        wait_for(house, "unhealthy")
        house.done("restart", "--no-deps", "batch")
        wait_for(house, "unhealthy")
        house.done("start", "influxdb")
        house.done("restart", "--no-deps", "batch")
        wait_for(house, "healthy")
        assert_archived(house, readings, yesterday)


def test_the_image_holds_compiled_code_and_nothing_of_the_house(house: ComposeHouse) -> None:
    """Any user can run it, and no module has to be compiled again.

    Neither data nor secrets nor tests are in it.
    """
    house.done("build", "batch")
    modules = "import dbt.adapters.duckdb, dbt.cli.main, homeiot_batch.workflow.run, snakemake.cli"
    listed = house.done(
        "run", "--rm", "--no-deps", "--user", "4321:4321", "batch", "sh", "-c", "id -u && ls -A"
    ).split()
    imports = house.compose(
        "run", "--rm", "--no-deps", "--user", "4321:4321", "batch", "python", "-v", "-c", modules
    )

    assert listed[0] == "4321"
    assert {".env", ".dockerignore", "data", "tests", "docker-compose.override.yml"}.isdisjoint(
        listed
    )
    assert imports.returncode == 0
    assert "# code object from '/app/scripts/homeiot_batch/__pycache__/" in imports.stderr
    assert re.findall(r"# code object from '(.*\.py)'", imports.stderr) == []


def test_cron_needs_no_environment_and_hears_of_failures_only(
    house: ComposeHouse, readings: list[Point], yesterday: str
) -> None:
    """Everything is in the log. What is printed, and so mailed, is the end of a run that failed."""
    nightly, log = str(house.folder / "workflow/cron/nightly.sh"), house.folder / "data/cron.log"
    cron = ("env", "PATH=/usr/bin:/bin", "sh", "-c", 'cd / && exec "$@"', "sh", nightly)
    house.write(readings)

    good = house.command(*cron, "compose")
    said = log.read_text()
    bad = house.command(
        *cron, "compose", "python", "-m", "homeiot_batch.run_archive", "--date", "2026-13-01"
    )

    assert (good.returncode, good.stdout, good.stderr) == (0, "", ""), said
    assert_archived(house, readings, yesterday)
    assert bad.returncode == 1
    assert bad.stderr.startswith("exit code 1; the end of ")
    assert "\nerror: --date='2026-13-01'" in bad.stderr
    assert log.read_text().startswith(said)


def address_of_this_machine() -> str:
    """The address by which others on the network reach it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # nothing is sent
        return probe.getsockname()[0]


def test_influxdb_listens_to_this_machine_alone_unless_told_otherwise(house: ComposeHouse) -> None:
    """Another machine of the house gets no connection, as nobody is asked for a password."""
    host, _, port = house.done("port", "influxdb", "8086").strip().rpartition(":")
    assert host == "127.0.0.1"
    with pytest.raises(urllib.error.URLError):
        urllib.request.urlopen(f"http://{address_of_this_machine()}:{port}/ping", timeout=5)


@pytest.fixture
def opened_house(tmp_path: Path) -> Iterator[ComposeHouse]:
    """A house whose InfluxDB was local at first, then opened as the page says."""
    for opened in started(tmp_path):
        opened.done("up", "--detach", "--wait", "influxdb")
        [settings] = blocks(between(page("how-to/docker.md"), "open"), "text")
        with (opened.folder / ".env").open("a") as env:
            env.write(settings)
        yield opened


def test_a_gateway_writes_from_elsewhere_with_its_password(
    opened_house: ComposeHouse, readings: list[Point], yesterday: str
) -> None:
    """By the page's commands, on a server that has run before: its readings stay.

    The gateway may write and not read, the batch read and not write, and nobody else may do
    anything.
    """
    opened_house.write(readings[:1])
    [commands] = blocks(between(page("how-to/docker.md"), "users"), "sh")
    for command in commands.splitlines():
        done = opened_house.command(*shlex.split(command))
        assert done.returncode == 0, done.stderr
    opened_house.done("up", "--detach", "--wait", "influxdb")
    port = opened_house.done("port", "influxdb", "8086").strip().rpartition(":")[2]
    base = f"http://{address_of_this_machine()}:{port}"

    def answer(path: str, user: str, password: str, body: bytes | None = None) -> int:
        credentials = b64encode(f"{user}:{password}".encode()).decode()
        request = urllib.request.Request(
            f"{base}{path}", body, {"Authorization": f"Basic {credentials}"} if user else {}
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as got:
                return got.status
        except urllib.error.HTTPError as refused:
            return refused.code

    write, read = "/write?db=home_energy", "/query?db=home_energy&q=SELECT+*+FROM+power"
    body = "\n".join(point.line() for point in readings[1:]).encode()
    assert answer(write, "", "", body) == 401
    assert answer(write, "batch", "long-and-secret-3", body) == 403
    assert answer(write, "gateway", "wrong", body) == 401
    assert answer(write, "gateway", "long-and-secret-2", body) == 204
    assert answer(read, "gateway", "long-and-secret-2") == 403
    assert answer(read, "batch", "long-and-secret-3") == 200

    run = opened_house.compose(*RUN)

    assert run.returncode == 0, run.stderr
    assert_archived(opened_house, readings, yesterday)


def test_what_the_user_sets_needs_no_new_image(
    house: ComposeHouse, readings: list[Point], yesterday: str
) -> None:
    """Tariffs, vars and settings of `data/house`. A mistake is named with its place on the host."""
    house.write(readings)
    first = house.compose(*RUN)
    assert first.returncode == 0, first.stderr
    image = sorted(house.done("images", "--quiet").split())
    own = house.folder / "data/house"
    [source] = [source for (source,) in house.query("SELECT source FROM dim_source LIMIT 1")]
    line = f"{source},2020-01-01,,1234567,00:00,24:00,{{}},,JPY\n"
    (own / "tariffs.csv").write_text(HEADER + "\n" + line.format("30"))
    (own / "config.yaml").write_text("influx_bucket: other\n")

    priced = house.compose(*RUN)

    assert priced.returncode == 0, priced.stderr
    [(cost, energy)] = house.query(
        "SELECT c.import_cost, e.import_kwh FROM fct_daily_cost AS c"
        f" INNER JOIN fct_daily_energy AS e USING (source, date_jst) WHERE source = '{source}'"
    )
    assert cost == pytest.approx(30 * energy)
    assert (
        "warning: influx_bucket in /data/house/config.yaml has no effect: the variable "
        "INFLUX_BUCKET is set to another value and goes before it; remove one of both\n"
    ) in priced.stderr

    (own / "tariffs.csv").write_text(HEADER + "\n" + line.format("30 yen"))
    (own / "config.yaml").unlink()
    wrong = house.compose(*RUN)

    assert wrong.returncode == 1
    assert (
        "\nfailed: dbt: /data/house/tariffs.csv line 2, column import_price: '30 yen' "
        "is no number; write it alone, like 0.30, the currency has a column of its own\n"
    ) in wrong.stderr
    assert "\nnote: /data is ./data on the host\n" in wrong.stderr
    assert sorted(house.done("images", "--quiet").split()) == image
    (own / "tariffs.csv").unlink()
    assert house.compose(*RUN).returncode == 0


def test_a_password_in_a_file_reaches_the_batch(
    guarded_house: ComposeHouse, readings: list[Point], yesterday: str
) -> None:
    """INFLUX_PASSWORD_FILE names a file of this machine, seen from the compose file.

    The password is in nothing that the run keeps. Nor is it in any layer of the image, although it
    is in `.env` and in `secrets` beside the Dockerfile when that is built.
    """
    guarded_house.write(readings, "keeper", PASSWORD)

    run = guarded_house.compose(*RUN)

    assert run.returncode == 0, run.stderr
    assert_archived(guarded_house, readings, yesterday)
    kept = [path for path in (guarded_house.folder / "data").rglob("*") if path.is_file()]
    assert PASSWORD not in run.stdout + run.stderr
    assert [path for path in kept if PASSWORD.encode() in path.read_bytes()] == []
    [image] = [
        name for name in guarded_house.done("config", "--images").split() if name.endswith("-batch")
    ]
    layers = list(files_of_image(image))
    assert any(
        content.startswith(b'"""Settings') or b"INFLUX_PASSWORD_FILE" in content
        for content in layers
    ), "the project's code is seen"
    assert [content for content in layers if PASSWORD.encode() in content] == []


def files_of_image(image: str) -> Iterator[bytes]:
    """The content of every file in every layer, and the image's description."""
    with (
        subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE) as saved,
        tarfile.open(fileobj=saved.stdout, mode="r|") as archive,
    ):
        for member in archive:
            file = archive.extractfile(member)
            content = file.read() if file is not None else b""
            try:
                with tarfile.open(fileobj=io.BytesIO(content)) as layer:
                    yield from (
                        found.read()
                        for entry in layer
                        if entry.isreg() and (found := layer.extractfile(entry)) is not None
                    )
            except tarfile.ReadError:
                yield content
