"""A mirror or a restore that is killed, at any moment, goes on the next time."""

import os
import random
import signal
import subprocess
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from homeiot_batch.commands.mirror import mirror_now
from homeiot_batch.config import Settings
from homeiot_batch.second_copy.check import check
from homeiot_batch.second_copy.folder_place import FolderPlace
from homeiot_batch.second_copy.names import version_of
from tests.second_copy import days
from tests.second_copy.commands import homeiot, start

KILLS = 8
RESTORES = 3
LONGEST_S = 60


@pytest.mark.slow
def test_a_year_is_copied_through_kills(settings: Settings, tmp_path: Path) -> None:
    """By kill -9 in the middle, again and again. Each file in the copy is whole at every moment.

    The year has 29 February, and days of 23 and 25 hours.
    """
    nas = tmp_path / "nas"
    nas.mkdir()
    house = settings.model_copy(update={"tz": "Europe/Berlin", "mirror_url": str(nas)})
    year = days.dates(date(2027, 6, 1), 365)
    assert date(2028, 2, 29) in year
    days.archive(house, year)
    chance = random.Random(17)
    for _ in range(KILLS):
        kill_in_the_middle(house, nas, chance)
        for file in copied(nas):
            version = version_of(str(file.relative_to(nas)))
            assert version is not None
            assert version.is_of(file.read_bytes())
    assert begun(nas) < len(year)
    done = mirror_now(house)
    assert (done.days, done.problems) == (365, [])
    assert check(house.layout, FolderPlace(nas, "x"), reads_all=True).problems == []
    for dt in year:
        [file] = days.files_of(nas, dt)
        assert file.read_bytes() == days.part(house, dt).read_bytes()


def test_a_restore_is_killed_and_goes_on(house: Settings, empty: Settings, nas: Path) -> None:
    """By kill -9 in the middle, again and again. Each day in place is whole at every moment."""
    days.archive(house, days.dates(date(2026, 4, 1), 80))
    mirror_now(house)
    wanted = days.contents(house.parquet_base_dir)
    (empty.house_dir).mkdir(parents=True)
    chance = random.Random(17)
    for _ in range(RESTORES):
        process = start(empty, "restore", "--from", str(nas))
        kill_when(process, lambda: restored(empty), chance)
        found = days.contents(empty.parquet_base_dir)
        assert found.items() <= wanted.items()
        assert empty.layout.restore_note.exists()
    assert len(found) < len(wanted)
    code, _, error = homeiot(empty, "restore", "--from", str(nas))
    assert (code, error) == (0, "")
    assert days.contents(empty.parquet_base_dir) == wanted
    assert not empty.layout.restore_note.exists()


def restored(machine: Settings) -> int:
    """How many days are in place."""
    return len(list((machine.parquet_base_dir / days.DATASET).glob("dt=*")))


def copied(nas: Path) -> list[Path]:
    """The files of the copy: their names start with no dot."""
    files = [path for path in nas.rglob("*") if path.is_file()]
    return [path for path in files if not path.name.startswith(".")]


def begun(nas: Path) -> int:
    """How many days have a folder in the copy."""
    folder = nas / "days" / days.DATASET
    return len(list(folder.glob("dt=*")))


def kill_in_the_middle(house: Settings, nas: Path, chance: random.Random) -> None:
    """Kill a mirror once it has begun some more days."""
    kill_when(start(house, "mirror"), lambda: begun(nas), chance)


def kill_when(
    process: "subprocess.Popen[str]", count: Callable[[], int], chance: random.Random
) -> None:
    """Kill the process once it has come some days further, at a random moment within one."""
    wanted = count() + chance.randrange(1, 20)
    limit = time.monotonic() + LONGEST_S
    while count() < wanted:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.01)
    time.sleep(chance.random() * 0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
