"""A mirror that is killed, at any moment, leaves a copy that goes on."""

import os
import random
import signal
import time
from datetime import date
from pathlib import Path

from homeiot_batch.commands.mirror import mirror_now
from homeiot_batch.config import Settings
from homeiot_batch.second_copy.check import check
from homeiot_batch.second_copy.folder_place import FolderPlace
from homeiot_batch.second_copy.names import version_of
from tests.second_copy import days
from tests.second_copy.commands import start

KILLS = 8
LONGEST_S = 60


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


def copied(nas: Path) -> list[Path]:
    """The files of the copy: their names start with no dot."""
    files = [path for path in nas.rglob("*") if path.is_file()]
    return [path for path in files if not path.name.startswith(".")]


def begun(nas: Path) -> int:
    """How many days have a folder in the copy."""
    folder = nas / "days" / days.DATASET
    return len(list(folder.glob("dt=*")))


def kill_in_the_middle(house: Settings, nas: Path, chance: random.Random) -> None:
    """Kill a mirror once it has begun some more days, at a random moment within one."""
    wanted = begun(nas) + chance.randrange(1, 20)
    process = start(house, "mirror")
    limit = time.monotonic() + LONGEST_S
    while begun(nas) < wanted:
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < limit
        time.sleep(0.001)
    time.sleep(chance.random() * 0.004)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
