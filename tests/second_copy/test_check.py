"""`verify --copy` finds whatever is not in the copy as it was put there."""

import json
from pathlib import Path

import pytest

from homeiot_batch.commands.mirror import mirror_now
from homeiot_batch.config import Settings
from homeiot_batch.errors import CopyError
from homeiot_batch.second_copy.check import Checked, check
from homeiot_batch.second_copy.folder_place import FolderPlace
from tests.second_copy import days
from tests.second_copy.commands import homeiot
from tests.second_copy.conftest import FEW


def checked(house: Settings, *, reads_all: bool = True) -> Checked:
    """What the check of the copy finds."""
    return check(house.layout, FolderPlace(Path(str(house.mirror_url)), "x"), reads_all=reads_all)


def name(nas: Path, file: Path) -> str:
    """The file's name in the copy."""
    return str(file.relative_to(nas))


def test_a_sound_copy_has_no_problem(house: Settings, nas: Path) -> None:
    """Every file is read: three days, zone, settings, tariffs, identity and list."""
    mirror_now(house)
    size = sum(file.stat().st_size for file in nas.rglob("*.*") if file.is_file())
    assert checked(house) == Checked(files=8, size=size)


def test_each_damage_is_named(house: Settings, nas: Path) -> None:
    """A flipped bit, a file cut short and a deleted one. Without reading, the last two."""
    mirror_now(house)
    flipped, short, gone = [days.files_of(nas, dt)[0] for dt in FEW]
    days.flip(flipped)
    size = short.stat().st_size
    short.write_bytes(short.read_bytes()[:-1])
    gone.unlink()
    known = [
        f"{name(nas, short)}: it has {size - 1} bytes of {size}",
        f"{name(nas, gone)}: it is missing",
        *(
            f"raw_meter_readings {dt}: the day is not in the copy; run `homeiot mirror`"
            for dt in FEW[1:]
        ),
    ]
    assert checked(house, reads_all=False).problems == known
    assert checked(house).problems == [
        f"{name(nas, flipped)}: its content is not that of its checksum",
        *known[:2],
        f"raw_meter_readings {FEW[0]}: the day is not in the copy; run `homeiot mirror`",
        *known[2:],
    ]


def test_damage_that_was_copied_again_is_a_note(house: Settings, nas: Path) -> None:
    """The copy has the content. Object lock may forbid to remove the damaged file."""
    mirror_now(house)
    flipped = days.files_of(nas, FEW[0])[0]
    days.flip(flipped)
    mirror_now(house, reads_all=True)
    found = checked(house)
    assert found.problems == []
    assert found.notes == [
        f"{name(nas, flipped)}: its content is not that of its checksum, and was copied again"
    ]


def test_a_deleted_older_version_is_named(house: Settings, nas: Path) -> None:
    """No other machine has it any more, but a list of the copy names it."""
    mirror_now(house)
    days.archive(house, [FEW[1]], readings=5)
    mirror_now(house)
    old, _ = days.files_of(nas, FEW[1])
    old.unlink()
    assert checked(house).problems == [f"{name(nas, old)}: it is missing"]


def test_damaged_and_missing_lists_are_named(house: Settings, nas: Path) -> None:
    """They show which files are missing, so they must be whole too."""
    mirror_now(house)
    days.archive(house, [FEW[1]], readings=5)
    mirror_now(house)
    first, second = sorted((nas / "lists").iterdir())
    first.unlink()
    assert checked(house).problems == ["lists/v1-*: it is missing"]
    second.write_bytes(second.read_bytes().replace(b"v2", b"v3"))
    assert checked(house).problems == [
        "lists/v1-*: it is missing",
        f"{name(nas, second)}: its content is not that of its checksum",
    ]


def test_what_is_not_copied_yet_is_named(house: Settings, nas: Path) -> None:
    """A day, and a setting, that are newer than the last mirror."""
    mirror_now(house)
    days.archive(house, days.dates(FEW[-1], 2)[1:])
    (house.house_dir / "config.yaml").write_text("tz: Asia/Tokyo\n")
    assert checked(house).problems == [
        "raw_meter_readings 2026-03-31: the day is not in the copy; run `homeiot mirror`",
        f"{house.house_dir / 'config.yaml'}: it is not in the copy; run `homeiot mirror`",
    ]


def test_another_machine_can_check_the_copy(house: Settings, empty: Settings, nas: Path) -> None:
    """It has no archive. The lists show what must be there."""
    mirror_now(house)
    assert checked(empty).problems == []
    gone = days.files_of(nas, FEW[0])[0]
    gone.unlink()
    assert checked(empty).problems == [f"{name(nas, gone)}: it is missing"]


def test_files_of_somebody_else_are_noted(house: Settings, nas: Path) -> None:
    """They do no harm."""
    mirror_now(house)
    (nas / "lost+found").mkdir()
    (nas / "lost+found/x").write_text("x")
    (nas / "zone/Thumbs.db").write_text("x")
    found = checked(house)
    assert found.problems == []
    assert found.notes == ["1 files are not the copy's, like zone/Thumbs.db"]


def test_an_empty_place_is_no_sound_copy(house: Settings, nas: Path) -> None:
    """Whether it was ever begun or not."""
    with pytest.raises(CopyError) as refused:
        checked(house)
    assert str(refused.value) == (f"{nas} holds no copy; mount it, or make one by `homeiot mirror`")


def test_the_command_says_it_by_its_exit_code(house: Settings, nas: Path) -> None:
    """0 for a sound copy, 1 for one with a problem. --json has the same for programs."""
    mirror_now(house)
    code, said, _ = homeiot(house, "verify", "--copy")
    assert (code, said) == (0, "8 files compared with their checksums, 0 problems\n")
    file = days.files_of(nas, FEW[0])[0]
    days.flip(file)
    code, said, _ = homeiot(house, "verify", "--copy", "--fast")
    assert (code, said) == (0, "8 files looked at by name and size, 0 problems\n")
    code, said, _ = homeiot(house, "verify", "--copy", "--json")
    assert code == 1
    assert json.loads(said)["problems"] == [
        f"{name(nas, file)}: its content is not that of its checksum",
        f"raw_meter_readings {FEW[0]}: the day is not in the copy; run `homeiot mirror`",
    ]


def test_a_day_that_holds_less_is_not_called_an_older_one(house: Settings, nas: Path) -> None:
    """No other machine wrote the copy: the day was read again, and has less."""
    mirror_now(house)
    days.archive(house, [FEW[1]], readings=1)
    [problem] = checked(house).problems
    assert problem.startswith(f"raw_meter_readings {FEW[1]}: the archived day holds 1 rows")
    assert problem == mirror_now(house).problems[0]


def test_a_deleted_setting_is_noted(house: Settings, empty: Settings, nas: Path) -> None:
    """Not on a machine without an archive, which has none at all."""
    mirror_now(house)
    (house.house_dir / "config.yaml").unlink()
    [line] = checked(house).notes
    assert line.startswith(f"the copy has a config.yaml that {house.house_dir} has not")
    assert checked(empty).notes == []
