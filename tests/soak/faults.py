"""What befalls a house during one run.

Each fault is a context: it gives the run's settings, and lasts as long as the run.
"""

import contextlib
import os
import random
import shutil
import subprocess
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from tests.house import Checkout
from tests.integration import proxy
from tests.integration.servers import Influx1
from tests.soak.runs import Run

SPOILED = [
    proxy.cut_after_a_document,
    proxy.cut_inside_a_document,
    proxy.broken_off,
    proxy.emptied,
    proxy.without_rows,
]
NOBODY = "http://127.0.0.1:9"
TMPFS_MB = 512


@dataclass
class Site:
    """Where faults strike."""

    house: Checkout
    server: Influx1
    chance: random.Random
    another_run: Callable[[], Run]
    deliver: Callable[[], None]
    distrust_table: Callable[[], None]


Fault = Callable[[Site], AbstractContextManager[dict[str, str]]]


@contextlib.contextmanager
def database_deleted(site: Site) -> Generator[dict[str, str]]:
    """With its log of writes, or without."""
    site.distrust_table()
    site.house.database.unlink(missing_ok=True)
    if site.chance.random() < 0.5:
        _log_of_writes(site).unlink(missing_ok=True)
    yield {}


@contextlib.contextmanager
def database_truncated(site: Site) -> Generator[dict[str, str]]:
    """At any length."""
    site.distrust_table()
    if site.house.database.exists():
        os.truncate(
            site.house.database, site.chance.randrange(site.house.database.stat().st_size + 1)
        )
    yield {}


@contextlib.contextmanager
def database_damaged(site: Site) -> Generator[dict[str, str]]:
    """A stretch of it overwritten."""
    site.distrust_table()
    if site.house.database.exists() and site.house.database.stat().st_size:
        with site.house.database.open("r+b") as file:
            file.seek(site.chance.randrange(site.house.database.stat().st_size))
            file.write(site.chance.randbytes(4096))
    yield {}


@contextlib.contextmanager
def database_held(site: Site) -> Generator[dict[str, str]]:
    """Somebody has it open all the time."""
    if not site.house.database.exists():
        yield {}
        return
    with site.house.held():
        yield {"DUCKDB_WAIT_S": "0.5"}


@contextlib.contextmanager
def notes_deleted(site: Site) -> Generator[dict[str, str]]:
    """Snakemake's own notes are lost."""
    site.house.forget_snakemake()
    yield {}


@contextlib.contextmanager
def markers_deleted(site: Site) -> Generator[dict[str, str]]:
    """Some of them, or the whole folder."""
    if site.chance.random() < 0.3:
        shutil.rmtree(site.house.markers, ignore_errors=True)
    for marker in sorted(site.house.markers.rglob("*.json")):
        if site.chance.random() < 0.3:
            marker.unlink()
    yield {}


@contextlib.contextmanager
def streams_cut(site: Site) -> Generator[dict[str, str]]:
    """No answer with readings arrives whole."""
    with proxy.spoiling(site.server, site.chance.choice(SPOILED)) as url:
        yield {"INFLUX_URL": url}


@contextlib.contextmanager
def unreachable(site: Site) -> Generator[dict[str, str]]:
    """The network is down. The server goes on."""
    yield {"INFLUX_URL": NOBODY}


@contextlib.contextmanager
def points_arriving(site: Site) -> Generator[dict[str, str]]:
    """Late points reach the server in the middle of the run."""
    timer = threading.Timer(site.chance.uniform(1.5, 5), site.deliver)
    timer.start()
    yield {}
    timer.join()


@contextlib.contextmanager
def two_runs(site: Site) -> Generator[dict[str, str]]:
    """Another one is started at the same time, and comes to its end."""
    other = site.another_run()
    yield {}
    assert other.wait().code in {0, 1, 75}


@contextlib.contextmanager
def disk_full(site: Site) -> Generator[dict[str, str]]:
    """The disk of the data has hardly any room left, and has it again afterwards."""
    data = site.house.folder / "data"
    ballast = data / "ballast"
    room = site.chance.choice([0, 4096, 30_000, 300_000, 1_500_000])
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(shutil.disk_usage(data).free - room, 1))
    try:
        yield {}
    finally:
        ballast.unlink()


FAULTS: list[Fault] = [
    database_deleted,
    database_truncated,
    database_damaged,
    database_held,
    notes_deleted,
    markers_deleted,
    streams_cut,
    unreachable,
    points_arriving,
    two_runs,
]


@contextlib.contextmanager
def small_disk(folder: Path) -> Generator[bool]:
    """Mount a tmpfs on the folder and take it away at the end. Whether that can be done here.

    After a failure a copy stays beside it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={TMPFS_MB}m", "tmpfs", str(folder)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        print(
            f"no full disk in this soak: a tmpfs cannot be mounted "
            f"({mounted.stderr.decode().strip()})"
        )
        yield False
        return
    try:
        yield True
    except BaseException:
        shutil.copytree(folder, folder.with_name(f"{folder.name}-after-failure"))
        raise
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


def _log_of_writes(site: Site) -> Path:
    return site.house.database.with_name(site.house.database.name + ".wal")
