"""The compose file as a house uses it: on a real Docker engine, in a copy of the checkout, as a user who is not root.

COMPOSE_BUILD_NETWORK=host lets the build reach package registries where a container's own network cannot.
"""

import io
import os
import re
import shutil
import subprocess
import tarfile
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
from tests.conftest import House
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
    """A house whose permanent services run, its image not built yet; afterwards nothing of it is left in the engine."""
    house = ComposeHouse(folder, settings)
    try:
        house.done("up", "--detach", "--wait")
        yield house
    finally:
        house.compose("--profile", "batch", "down", "--volumes", "--rmi", "local", "--timeout", "5")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeHouse]:
    """A house with the compose file's own settings."""
    yield from started(tmp_path_factory.mktemp("compose"))


@pytest.fixture
def guarded_house(tmp_path: Path) -> Iterator[ComposeHouse]:
    """A house whose InfluxDB asks for a password, which the batch has from a file that only its user may read."""
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
    """Readings of three days, yesterday in their middle, and one without a tag in its last microsecond."""
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
    """Into mounts that Docker itself has to make, as a user who is not root; what is kept lies in the four mounts."""
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


def test_only_the_source_runs_all_the_time(house: ComposeHouse) -> None:
    """`docker compose up -d` leaves the batch alone, and a run leaves no container of its own."""
    assert house.done("ps", "--services").split() == ["influxdb"]
    assert house.done("ps", "--all", "--quiet", "batch") == ""


def test_the_image_holds_compiled_code_and_nothing_of_the_house(house: ComposeHouse) -> None:
    """Any user can run it, no module has to be compiled again, and neither data nor secrets nor tests are in it."""
    house.done("build", "batch")
    modules = "import dbt.adapters.duckdb, dbt.cli.main, homeiot_batch.archive_run, snakemake.cli"
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
    """Everything is in the log; what is printed, and so mailed, is the end of a run that failed."""
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


def test_a_password_in_a_file_reaches_the_batch(
    guarded_house: ComposeHouse, readings: list[Point], yesterday: str
) -> None:
    """INFLUX_PASSWORD_FILE names a file of this machine, seen from the compose file; the password is in nothing that the run keeps.

    Nor in any layer of the image, although it lies in `.env` and in `secrets` beside the Dockerfile when that is built.
    """
    guarded_house.write(readings, "keeper", PASSWORD)

    run = guarded_house.compose(*RUN)

    assert run.returncode == 0, run.stderr
    assert_archived(guarded_house, readings, yesterday)
    kept = [path for path in (guarded_house.folder / "data").rglob("*") if path.is_file()]
    assert PASSWORD not in run.stdout + run.stderr
    assert [path for path in kept if PASSWORD.encode() in path.read_bytes()] == []
    [image] = [
        name
        for name in guarded_house.done("--profile", "batch", "config", "--images").split()
        if name.endswith("-batch")
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
