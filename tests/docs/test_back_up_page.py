"""docs/how-to/back-up.md: what it saves is enough on an empty machine, by its own commands."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from homeiot_batch.warehouse.tariff_file import HEADER
from tests.docs.pages import between, blocks, page
from tests.house import Checkout

PAGE = page("how-to/back-up.md")
PROGRAMS = ("restic", "rclone", "flock")
DAYS = 3
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(map(shutil.which, PROGRAMS)) and os.environ.get("INTEGRATION_TESTS") != "1",
        reason="apt-get install restic rclone",
    ),
]


class Machine(Checkout):
    """A checkout whose shell has `homeiot`, and the backup of the page at a place of the test."""

    def __init__(self, folder: Path, backups: Path, source: Path, zone: str) -> None:
        folder.mkdir()
        super().__init__(folder)
        secret = backups / "password"
        secret.write_text("secret\n")
        self.environment |= {
            "PATH": f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin",
            "TZ": zone,
            "INFLUX_URL": str(source),
            "RESTIC_REPOSITORY": str(backups / "restic"),
            "RESTIC_PASSWORD_FILE": str(secret),
            "XDG_CACHE_HOME": str(backups / "cache"),
            "RCLONE_CONFIG": "/dev/null",
            "RCLONE_CONFIG_BACKUP_TYPE": "alias",
            "RCLONE_CONFIG_BACKUP_REMOTE": str(backups / "rclone"),
        }

    def shell(self, script: str) -> str:
        """What the commands say, all of which must end well."""
        done = subprocess.run(
            ["bash", "-ec", script],
            cwd=self.folder,
            env=self.env(),
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        assert done.returncode == 0, done.stdout
        return done.stdout

    def report(self) -> list[str]:
        """The lines of its page."""
        return (self.folder / "data/report/index.html").read_text().splitlines()


def costs(house: Checkout) -> list[tuple[Any, ...]]:
    """The table of daily costs. DuckDB adds in any order, so sums differ behind the 9th decimal."""
    rows = house.query("FROM fct_daily_cost ORDER BY ALL")
    return [tuple(round(v, 9) if isinstance(v, float) else v for v in row) for row in rows]


def commands(marker: str) -> list[str]:
    """The blocks of commands between two markers of the page, but for the places of the backup."""
    return [
        re.sub(r"^export RESTIC.*\n", "", block, flags=re.MULTILINE)
        for block in blocks(between(PAGE, marker), "sh")
    ]


def quiet_zone() -> str:
    """A zone in which no midnight is near, as the test takes yesterday from the clock."""
    return "Etc/GMT-6" if datetime.now(UTC).hour < 12 else "Etc/GMT+6"


def own_places(folder: Path, backups: Path) -> str:
    """A config.yaml whose places are those of the house, wherever it is read."""
    return (
        f"duckdb_path: {folder}/data/duckdb/home_energy.duckdb\n"
        f"report_dir: {folder}/data/report\n"
        f"mirror_url: {backups}/mirror\n"
        f"notify_url_file: {backups}/notify\n"
    )


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A house whose last night was good, with prices, backed up both ways."""
    folder = tmp_path_factory.mktemp("back-up")
    backups = folder / "backups"
    (backups / "mirror").mkdir(parents=True)
    zone, source = quiet_zone(), folder / "house.lp.gz"
    machine = Machine(folder / "house", backups, source, zone)
    offset = int(zone.removeprefix("Etc/GMT"))
    yesterday = (datetime.now(UTC) - timedelta(hours=offset, days=1)).date()
    first = yesterday - timedelta(days=DAYS - 1)
    (machine.folder / "data/house").mkdir(parents=True)
    price = "meter1,2020-01-01,,1234567,00:00,24:00,36.4,10,JPY"
    (machine.folder / "data/house/tariffs.csv").write_text(f"{HEADER}\n{price}\n")
    (machine.folder / "data/house/config.yaml").write_text(own_places(machine.folder, backups))
    machine.shell(
        f"homeiot simulate {source} --from {first} --to {yesterday} --tz {zone} --step 300\n"
        f"homeiot run --from {first} --to {yesterday}"
    )
    machine.shell("\n".join(commands("restic")))
    for _ in range(2):  # the second night's has nothing new
        machine.shell("\n".join(commands("rclone")))
    return machine


@pytest.fixture
def empty(house: Machine) -> Machine:
    """An empty machine: a fresh checkout beside the house."""
    folder = house.folder.parent
    machine = Machine(
        folder / "drill",
        folder / "backups",
        Path(house.environment["INFLUX_URL"]),
        house.environment["TZ"],
    )
    assert not (machine.folder / "data").exists()
    return machine


def files(folder: Path) -> dict[str, bytes]:
    """Every file that a restore brings, byte for byte."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not {".read", ".staging"} & set(path.relative_to(folder).parts)
    }


@pytest.fixture
def messages(house: Machine) -> Iterator[socket.socket]:
    """Where the house sends its messages and pings."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        url = f"json://127.0.0.1:{server.getsockname()[1]}"
        (house.folder.parent / "backups/notify").write_text(url)
        yield server


def state(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Every file: its bytes, and when it was last changed."""
    return {
        str(path): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_the_page_of_the_restored_house_is_equal(
    house: Machine, empty: Machine, messages: socket.socket
) -> None:
    """By the commands of the drill: all days, their prices, and no day read from the source.

    The house has its folders as absolute paths, in the environment and in config.yaml. The drill
    leaves them alone, sends no message, and writes nothing to the second copy.
    """
    [drill] = commands("drill")
    url = (house.folder.parent / "backups/notify").read_text()
    empty.environment |= {
        "PARQUET_BASE_DIR": str(house.parquet),
        "MARKER_DIR": str(house.markers),
        "HOUSE_DIR": str(house.own),
        "NOTIFY_URL": url,
        "HEALTHCHECK_URL": url.replace("json:", "http:"),
        "MIRROR_URL": str(house.folder.parent / "backups/mirror"),
    }
    before = state(house.folder / "data")

    said = empty.shell(drill)

    assert state(house.folder / "data") == before
    assert list((house.folder.parent / "backups/mirror").iterdir()) == []
    with pytest.raises(BlockingIOError):
        messages.accept()
    assert "no errors were found" in said
    summary = rf"^summary: 0 days read \(0 rows\), {DAYS} days loaded .* 0 failed"
    assert re.search(summary, said, re.MULTILINE), said
    assert f"{DAYS} days verified, {DAYS * 2 * 288} rows, 0 with problems" in said
    assert empty.rows() == house.rows()
    assert costs(empty) == costs(house) != []
    assert empty.snapshot() == house.snapshot()
    different = [
        (mine, theirs)
        for mine, theirs in zip(empty.report(), house.report(), strict=True)
        if mine != theirs
    ]
    stamp = re.compile(r"tables published [^<]*|data-made=\"[^\"]*\"")
    assert [stamp.sub("", mine) for mine, _ in different] == [
        stamp.sub("", theirs) for _, theirs in different
    ]
    [compare] = commands("compare")
    done = subprocess.run(["sh", "-c", compare], cwd=empty.folder, capture_output=True, check=False)
    assert done.stdout.count(b"\n< ") == len(different)


def test_a_second_copy_of_a_day_keeps_the_former_version() -> None:
    """Each copy moves what it replaces to a folder of its own, also twice on a date."""
    [block] = commands("rclone")
    places = re.findall(r'--backup-dir "backup:homeiot/[\w-]+/\$\(date \+([^)]*)\)"', block)
    assert places == ["%F-%H%M%S", "%F-%H%M%S"]


def test_rclone_has_the_same_files(house: Machine) -> None:
    """The archive and what the user sets. Nothing of it was moved away by the second copy."""
    kept = house.folder.parent / "backups/rclone/homeiot"
    assert {path.name for path in kept.iterdir()} == {"parquet", "house"}
    for name in ("parquet", "house"):
        assert files(kept / name) == files(house.folder / "data" / name)
    assert not {".read", ".staging"} & {path.name for path in (kept / "parquet").iterdir()}


HOLD = """
import sys
from pathlib import Path
from typing import Any
from homeiot_batch.archive.run_lock import hold
hold(Path("data/parquet/.lock"), 0)
print("held", flush=True)
sys.stdin.read()
"""


def test_a_backup_waits_for_a_run_and_a_run_for_it(house: Machine) -> None:
    """By the lock that a run holds."""
    [_, backup] = commands("restic")
    assert backup.startswith("flock --shared data/parquet/.lock ")
    lock = ["flock", "--shared", "--nonblock", "data/parquet/.lock"]
    run = [sys.executable, "-c", HOLD]
    with subprocess.Popen(
        run,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=house.folder,
        env=house.env(),
        text=True,
    ) as held:
        assert held.stdout is not None
        assert held.stdout.readline() == "held\n"
        assert house.run_in(house.folder, [*lock, "true"]).code == 1
        held.communicate()
    done = house.run_in(house.folder, [*lock, *run])
    assert "another run" in done.stderr
    assert done.code != 0


def test_a_new_database_is_built_from_the_archive(house: Machine) -> None:
    """By the block of docs/how-to/upgrade.md: the same rows and tables, and no file was changed."""
    (house.own / "config.yaml").unlink()
    before = house.rows(), house.energy(), costs(house), house.snapshot()

    [block] = blocks(between(page("how-to/upgrade.md"), "duckdb"), "sh")
    said = house.shell(block)

    assert f"summary: 0 days read (0 rows), {DAYS} days loaded" in said
    assert (house.rows(), house.energy(), costs(house), house.snapshot()) == before
    assert (house.folder / "data/duckdb.before/home_energy.duckdb").exists()
