"""A second copy on a real S3 server that keeps what it was given."""

import os
import random
import signal
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from homeiot_batch.config import Settings
from homeiot_batch.second_copy.names import version_of
from tests.integration.s3 import BUCKET, MIRROR_KEY, S3Server, is_built
from tests.second_copy import days
from tests.second_copy.commands import homeiot, start
from tests.second_copy.signed import Key, ask

KILLS = 12
LONGEST_S = 60

pytestmark = pytest.mark.skipif(not is_built(), reason="needs versitygw; run `make servers`")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """The server, with an empty bucket."""
    with S3Server(tmp_path_factory.mktemp("s3")) as server:
        yield server


class Houses:
    """A house with its copy below a prefix of its own, and an empty machine."""

    def __init__(self, settings: Settings, server: S3Server, folder: Path) -> None:
        self.prefix = folder.name
        self.server = server
        self.copy = server.objects / self.prefix
        self.secret_file = folder / "secret-key"
        self.secret_file.write_text(f"{MIRROR_KEY.secret}\n")
        url = f"s3://{BUCKET}/{self.prefix}"
        own = {"tz": "Australia/Darwin", "mirror_url": url}
        self.house = settings.model_copy(update=own)
        new = folder / "new"
        places = {"parquet_base_dir": new / "parquet", "marker_dir": new / "markers"}
        places |= {"duckdb_path": new / "duckdb/home.duckdb", "house_dir": new / "own"}
        self.empty = self.house.model_copy(update=places)
        for machine in (self.house, self.empty):
            (folder / machine.house_dir).mkdir(parents=True, exist_ok=True)

    def environment(self, key: Key = MIRROR_KEY) -> dict[str, str]:
        """The settings of the server: the key by the environment, its secret by a file."""
        return {
            "MIRROR_ENDPOINT": self.server.url,
            "MIRROR_ACCESS_KEY": key.access,
            "MIRROR_SECRET_KEY_FILE": str(self.secret_file),
        }

    def homeiot(self, *arguments: str) -> tuple[int, str, str]:
        """Exit code, standard output and standard error of a command in the house."""
        return homeiot(self.house, *arguments, **self.environment())


@pytest.fixture
def houses(settings: Settings, server: S3Server, tmp_path: Path) -> Houses:
    """The house, without days yet."""
    return Houses(settings, server, tmp_path)


def test_a_house_is_copied_proven_and_restored(houses: Houses) -> None:
    """By a key that may list, get and put alone, in a bucket with versions and object lock."""
    few = days.dates(date(2024, 2, 28), 3)
    days.archive(houses.house, few)
    code, said, error = houses.homeiot("mirror")
    assert (code, error) == (0, "")
    assert said.startswith("mirror: 3 days are in the copy, 4 files copied and proven (")
    assert houses.homeiot("verify", "--copy")[:2] == (
        0,
        "6 files compared with their checksums, 0 problems\n",
    )
    days.archive(houses.house, few[1:2], readings=5)
    assert houses.homeiot("mirror")[1].startswith("mirror: 3 days are in the copy, 1 files copied")
    url = str(houses.house.mirror_url)
    environment = houses.environment()
    code, said, error = homeiot(houses.empty, "restore", "--from", url, **environment)
    assert (code, error) == (0, ""), error
    assert said.startswith("restore: 3 days up to 2024-03-01 are in place, each proven by its")
    wanted = days.contents(houses.house.parquet_base_dir)
    assert days.contents(houses.empty.parquet_base_dir) == wanted
    file = days.files_of(houses.copy, few[0])[0]
    address = f"{houses.server.url}/{BUCKET}/{file.relative_to(houses.server.objects)}"
    address = address.replace("=", "%3D")
    assert ask(MIRROR_KEY, "GET", address).status_code == 200
    assert ask(MIRROR_KEY, "DELETE", address).status_code == 403


def test_a_file_of_several_parts_is_copied(houses: Houses, tmp_path: Path) -> None:
    """The client sends more than 10 MB in parts. The file is proven and restored as any other."""
    content = os.urandom(11 << 20)
    (tmp_path / houses.house.house_dir / "tariffs.csv").write_bytes(content)
    days.archive(houses.house, days.dates(date(2026, 11, 9), 1))
    code, said, error = houses.homeiot("mirror")
    assert (code, error) == (0, ""), error
    assert said.startswith("mirror: 1 days are in the copy, 3 files copied and proven (11.5 MB)")
    url = str(houses.house.mirror_url)
    code, _, error = homeiot(houses.empty, "restore", "--from", url, **houses.environment())
    assert (code, error) == (0, ""), error
    assert (tmp_path / houses.empty.house_dir / "tariffs.csv").read_bytes() == content


def test_damage_at_the_server_is_found(houses: Houses) -> None:
    """A flipped bit, a file cut short and a deleted one, behind the server's back.

    The client itself finds the flipped bit, by a checksum that the server keeps.
    """
    few = days.dates(date(2026, 11, 9), 3)
    days.archive(houses.house, few)
    assert houses.homeiot("mirror")[0] == 0
    flipped, short, gone = [days.files_of(houses.copy, dt)[0] for dt in few]
    names = [str(file.relative_to(houses.copy)) for file in (flipped, short, gone)]
    days.flip(flipped)
    size = short.stat().st_size
    os.truncate(short, size - 1)
    gone.unlink()
    code, said, error = houses.homeiot("verify", "--copy")
    assert (code, error) == (1, "")
    assert said.splitlines() == [
        (
            f"{names[0]}: it cannot be read: the copy in {houses.house.mirror_url} cannot be read "
            "(Response checksums mismatch; see to MIRROR_URL, MIRROR_ENDPOINT, MIRROR_REGION, the "
            "keys and the server)"
        ),
        f"{names[1]}: it has {size - 1} bytes of {size}",
        f"{names[2]}: it is missing",
        *(
            f"raw_meter_readings {dt}: the day is not in the copy; run `homeiot mirror`"
            for dt in few
        ),
        "6 files compared with their checksums, 6 problems",
    ]
    assert houses.homeiot("mirror", "--repair")[0] == 0
    assert houses.homeiot("verify", "--copy")[0] == 0


def test_a_killed_mirror_goes_on(houses: Houses) -> None:
    """By kill -9 in the middle, again and again. No object is ever a part of a file."""
    many = days.dates(date(2026, 1, 1), 150)
    days.archive(houses.house, many)
    chance = random.Random(17)
    for _ in range(KILLS):
        kill_in_the_middle(houses, chance)
        for file in houses.copy.rglob("v*"):
            version = version_of(str(file.relative_to(houses.copy)))
            assert version is not None
            assert version.is_of(file.read_bytes())
    assert begun(houses) < len(many)
    assert houses.homeiot("mirror")[0] == 0
    assert houses.homeiot("verify", "--copy")[0] == 0
    for dt in many:
        [file] = days.files_of(houses.copy, dt)
        assert file.read_bytes() == days.part(houses.house, dt).read_bytes()


def begun(houses: Houses) -> int:
    """How many days have a folder at the server."""
    folder = houses.copy / "days" / days.DATASET
    return len(list(folder.glob("dt=*")))


def kill_in_the_middle(houses: Houses, chance: random.Random) -> None:
    """Kill a mirror once it has begun some more days. Its secret is nowhere to be seen."""
    wanted = begun(houses) + chance.randrange(1, 12)
    process = start(houses.house, "mirror", **houses.environment())
    limit = time.monotonic() + LONGEST_S
    while begun(houses) < wanted:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.01)
    command_line = Path(f"/proc/{process.pid}/cmdline").read_bytes()
    time.sleep(chance.random() * 0.02)
    os.kill(process.pid, signal.SIGKILL)
    said = "".join(process.communicate())
    assert MIRROR_KEY.secret.encode() not in command_line
    assert MIRROR_KEY.access.encode() not in command_line
    assert MIRROR_KEY.secret not in said


def test_credentials_are_in_no_file(houses: Houses, tmp_path: Path) -> None:
    """Not in a marker, a note, a log or the copy."""
    days.archive(houses.house, days.dates(date(2026, 11, 9), 1))
    code, *said = houses.homeiot("mirror")
    assert code == 0
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    files.remove(houses.secret_file)
    files += [path for path in houses.copy.rglob("*") if path.is_file()]
    assert len(files) > 5
    for secret in (MIRROR_KEY.secret, MIRROR_KEY.access):
        assert secret not in "".join(said)
        assert [path for path in files if secret.encode() in path.read_bytes()] == []


NOBODY = {"MIRROR_ENDPOINT": "http://127.0.0.1:9"}
WRONG = {"MIRROR_SECRET_KEY_FILE": "", "MIRROR_SECRET_KEY": "not-the-secret"}
UNKNOWN = {"MIRROR_ACCESS_KEY": "nobodys-key"}
PLACE = f"s3://{BUCKET}/refused"
NOWHERE = "s3://no-such-bucket/x"


@pytest.mark.parametrize(
    ("command", "place", "change", "message"),
    [
        ("mirror", PLACE, WRONG, "SIGNATURE_DOES_NOT_MATCH: the secret is not the key's"),
        ("mirror", PLACE, UNKNOWN, "INVALID_ACCESS_KEY_ID: there is no such key"),
        ("mirror", PLACE, NOBODY, "the server does not answer; see to MIRROR_ENDPOINT"),
        ("mirror", NOWHERE, {}, "NO_SUCH_BUCKET: there is no such bucket"),
        ("verify --copy", PLACE, WRONG, "SIGNATURE_DOES_NOT_MATCH: the secret is not the key's"),
        ("verify --copy", NOWHERE, {}, "holds no copy"),
        (f"restore --from {PLACE}", PLACE, NOBODY, "NETWORK_CONNECTION, "),
        (f"restore --from {NOWHERE}", NOWHERE, {}, "holds no copy"),
    ],
)
def test_a_server_that_refuses_ends_in_one_line(
    houses: Houses, command: str, place: str, change: dict[str, str], message: str
) -> None:
    """With the kind of the error and what to do. No day is touched, and no secret shown."""
    machine = houses.empty
    if "restore" not in command:
        machine = houses.house
        days.archive(machine, days.dates(date(2026, 11, 9), 1))
    before = days.contents(machine.parquet_base_dir)
    named = machine.model_copy(update={"mirror_url": place})
    environment = houses.environment() | change
    code, said, error = homeiot(named, *command.split(), **environment)
    assert (code, said) == (1, ""), error
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert message in error
    assert "secret-" not in error
    assert days.contents(machine.parquet_base_dir) == before


@pytest.mark.filterwarnings("ignore:Unverified HTTPS request")
def test_a_server_with_its_own_authority(settings: Settings, tmp_path: Path) -> None:
    """MIRROR_CA_FILE makes it known. Without it nothing is sent, and the message says why."""
    with S3Server(tmp_path / "s3") as server:
        authority = server.speak_tls()
        houses = Houses(settings, server, tmp_path)
        days.archive(houses.house, days.dates(date(2026, 11, 9), 1))
        code, _, error = houses.homeiot("mirror")
        assert code == 1
        assert "NETWORK_CONNECTION, SSL" in error
        assert "see to MIRROR_ENDPOINT, MIRROR_CA_FILE and the network" in error
        assert error.count("\n") == 1
        environment = houses.environment() | {"MIRROR_CA_FILE": str(authority)}
        code, _, error = homeiot(houses.house, "mirror", **environment)
        assert (code, error) == (0, "")
        gone = houses.environment() | {"MIRROR_CA_FILE": str(tmp_path / "gone")}
        code, _, error = homeiot(houses.house, "mirror", **gone)
        assert (code, error) == (
            1,
            f"error: MIRROR_CA_FILE='{tmp_path / 'gone'}' is no file; name one in PEM\n",
        )
