"""Lists show what is missing. Where they are missing too, that is said."""

import shutil
from pathlib import Path

import pytest

from homeiot_batch.commands.mirror import mirror_now
from homeiot_batch.commands.night_mirror import mirror_after_night
from homeiot_batch.config import Settings
from homeiot_batch.core.files import read_json
from homeiot_batch.second_copy.contents import NO_LIST
from tests.second_copy import days
from tests.second_copy.conftest import FEW
from tests.second_copy.test_check import checked, name
from tests.second_copy.test_restore import restored

UNLISTED = "{} files are in no list, so nothing shows that nothing is missing"


def test_a_copy_without_any_list_is_a_problem(house: Settings, empty: Settings, nas: Path) -> None:
    """On any machine: a day that is gone with its list leaves no trace."""
    mirror_now(house)
    shutil.rmtree(nas / "lists")
    shutil.rmtree(nas / f"days/{days.DATASET}/dt={FEW[-1]}")
    assert checked(empty).problems == [f"{NO_LIST}; `homeiot mirror` writes a new one"]
    done = restored(empty, nas)
    assert (done.days, done.problems) == (2, [NO_LIST])
    assert empty.layout.restore_note.exists()
    assert NO_LIST in restored(empty, nas, takes_older=True).notes


def test_files_in_no_list_are_noted(house: Settings, empty: Settings, nas: Path) -> None:
    """The last list is gone, and all that it names is there."""
    mirror_now(house)
    days.archive(house, [FEW[1]], readings=5)
    mirror_now(house)
    max((nas / "lists").iterdir()).unlink()
    assert checked(empty).notes == [UNLISTED.format(1)]
    assert restored(empty, nas).notes == [UNLISTED.format(1)]


@pytest.mark.parametrize("has_day", [True, False])
def test_the_house_knows_how_many_lists_it_wrote(house: Settings, nas: Path, has_day: bool) -> None:
    """A NAS that was put back to yesterday's state: `verify --copy` and `mirror` say it.

    What the house has is copied again, and the list that was lost is named ever after.
    """
    mirror_now(house)
    days.archive(house, [FEW[1]], readings=5)
    mirror_now(house)
    assert read_json(house.layout.copy_note) is not None
    _, second = days.files_of(nas, FEW[1])
    max((nas / "lists").iterdir()).unlink()
    if not has_day:
        second.unlink()
    missing = "lists/v2-*: it is missing"
    assert checked(house).problems[0] == missing
    done = mirror_now(house)
    assert done.problems == [
        (
            f"this house wrote 2 lists to {nas}, and the last one there is 1: files were deleted "
            "there, or it was put back. What this house has is copied again; `homeiot verify "
            "--copy` names what is missing"
        )
    ]
    assert days.files_of(nas, FEW[1])[1].read_bytes() == days.part(house, FEW[1]).read_bytes()
    assert max((nas / "lists").iterdir()).name.startswith("v3-")
    assert mirror_now(house).problems == []
    assert checked(house).problems == [missing]


@pytest.mark.parametrize(
    "content", [b"", b"?", b"[]", b"{}", b'{"files": 1}', b'{"files": [1]}', b"[" * 100_000]
)
def test_what_is_no_list_or_identity_is_named(
    house: Settings, empty: Settings, nas: Path, content: bytes
) -> None:
    """The checksum in its name is right. No command ends in a traceback."""
    mirror_now(house)
    a_list = days.put(nas, "lists", 2, content)
    identity = days.put(nas, "identity", 2, content)
    faults = [
        f"{name(nas, identity)}: it is not an identity of this program",
        f"{name(nas, a_list)}: it is not a list of this program",
    ]
    assert checked(house).problems == faults
    done = restored(empty, nas)
    assert done.days == 3
    assert done.problems == [
        f"{faults[1]}, so nothing shows whether all files are there that it names"
    ]
    assert mirror_now(house).problems == []


def test_no_fault_ends_the_night(
    house: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Not even one of the program."""

    def fail(_: Settings) -> None:
        raise TypeError("odd\nthing")

    monkeypatch.setattr("homeiot_batch.commands.night_mirror.mirror_now", fail)
    told = "a fault of the program (TypeError: odd thing)"
    assert mirror_after_night(house) == told
    assert capsys.readouterr().err == f"warning: the second copy is not up to date: {told}\n"


def test_many_missing_lists_are_one_line(house: Settings, nas: Path) -> None:
    """A name may have any number: that costs no memory."""
    mirror_now(house)
    days.put(nas, "lists", 10**12, b'{"files": []}')
    assert checked(house).problems == ["lists/v2-* to v999999999999-*: they are missing"]


def test_a_name_has_one_spelling(house: Settings, nas: Path) -> None:
    """Another one, which would lead to no file, is none of the copy's."""
    mirror_now(house)
    [file] = days.files_of(nas, FEW[0])
    for odd in (f"v٢-{file.name[3:]}", f"v2-0{file.name[3:]}"):
        (file.parent / odd).write_bytes(file.read_bytes())
    found = checked(house)
    assert found.problems == []
    assert [note.split(",")[0] for note in found.notes] == ["2 files are not the copy's"]
