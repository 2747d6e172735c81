"""A restore gives back the newest of each file, proven, or says why it does not."""

import os
from pathlib import Path

import pytest

from homeiot_batch.archive.shrink_guard import ShrinkGuard
from homeiot_batch.archive.zone_record import recorded_zone
from homeiot_batch.commands.mirror import mirror_now
from homeiot_batch.config import Settings
from homeiot_batch.core.day_record import DayRecord
from homeiot_batch.core.files import read_json, write_json
from homeiot_batch.errors import ArchiveError, CopyError, ShrinkError
from homeiot_batch.second_copy import restore as restoring
from homeiot_batch.second_copy.folder_place import FolderPlace
from homeiot_batch.second_copy.names import day_of
from homeiot_batch.second_copy.restore import Restored, restore
from homeiot_batch.workflow.day_history import previous_records
from homeiot_batch.workflow.preflight import refuse_unfinished_restore
from tests.second_copy import days
from tests.second_copy.commands import homeiot
from tests.second_copy.conftest import FEW


def restored(machine: Settings, nas: Path, *, takes_older: bool = False) -> Restored:
    """Restore from the folder."""
    return restore(machine.layout, FolderPlace(nas, "--from"), takes_older=takes_older)


def test_a_house_is_given_back_byte_for_byte(house: Settings, empty: Settings, nas: Path) -> None:
    """Days, zone, notes of early reads, settings and tariffs. The copy goes on being its copy."""
    write_json(house.layout.early_note(days.DATASET, FEW[0]), {"write_id": "x"})
    days.archive(house, [FEW[1]], readings=5)
    mirror_now(house)
    days.archive(house, [FEW[1]], readings=9)
    mirror_now(house)
    assert restored(empty, nas) == Restored(days=3)
    for pattern in ("*/dt=*/*", ".early/*/*", ".archive.json"):
        wanted = days.contents(house.parquet_base_dir, pattern)
        assert days.contents(empty.parquet_base_dir, pattern) == wanted
    assert days.contents(empty.house_dir, "*") == days.contents(house.house_dir, "*")
    assert recorded_zone(empty.layout) == "Europe/Berlin"
    refuse_unfinished_restore(empty.layout)
    assert read_json(empty.layout.copy_note) == read_json(house.layout.copy_note)
    for dt in FEW:
        days.mark(empty, dt)
    assert (mirror_now(empty).files, mirror_now(empty).days) == (0, 3)


@pytest.mark.parametrize("tz", ["Australia/Darwin", "Australia/Lord_Howe", "America/New_York"])
def test_zones_are_given_back(settings: Settings, tmp_path: Path, empty: Settings, tz: str) -> None:
    """+9:30, a clock change of half an hour, one of an hour, and 29 February."""
    nas = tmp_path / "other-nas"
    nas.mkdir()
    house = settings.model_copy(
        update={"tz": tz, "mirror_url": str(nas), "parquet_base_dir": tmp_path / "p2"}
    )
    house = house.model_copy(update={"marker_dir": tmp_path / "m2"})
    first = FEW[0].replace(year=2024, month=2, day=28)
    days.archive(house, [*days.dates(first, 3), FEW[0].replace(month=4, day=5)])
    mirror_now(house)
    assert restored(empty, nas) == Restored(days=4)
    assert recorded_zone(empty.layout) == tz
    assert days.contents(empty.parquet_base_dir) == days.contents(house.parquet_base_dir)


def test_a_restored_day_may_not_shrink(house: Settings, empty: Settings, nas: Path) -> None:
    """A later read that holds less is refused, before and after the first load."""
    mirror_now(house)
    restored(empty, nas)
    known = previous_records(empty.layout, {}, empty.duckdb_path, days.DATASET, str(FEW[0]))
    assert [record.rows for record in known] == [2]
    guard = ShrinkGuard("the day", known, allow_shrink=False)
    with pytest.raises(ShrinkError, match="would shrink"):
        guard.permit(DayRecord(1, known[0].values))


@pytest.mark.parametrize("there", ["day", "marker", "database"])
def test_only_an_empty_machine_is_restored(
    house: Settings, empty: Settings, nas: Path, there: str
) -> None:
    """What is there may be newer than the copy. Nothing of it changes."""
    mirror_now(house)
    if there == "database":
        empty.duckdb_path.parent.mkdir(parents=True)
        empty.duckdb_path.write_text("x")
    else:
        days.archive(empty, FEW[:1])
    if there == "marker":
        empty.layout.day(days.DATASET, FEW[0]).rename(empty.parquet_base_dir.parent / "away")
    before = days.contents(empty.parquet_base_dir.parent, "**/*")
    with pytest.raises(ArchiveError, match="a restore needs an empty machine: move"):
        restored(empty, nas)
    assert days.contents(empty.parquet_base_dir.parent, "**/*") == before


def test_an_empty_place_restores_nothing(house: Settings, empty: Settings, nas: Path) -> None:
    """A share that is not mounted must not pass for an empty house."""
    with pytest.raises(CopyError, match="holds no copy"):
        restored(empty, nas)
    assert days.contents(empty.parquet_base_dir.parent, "**/*") == {}


@pytest.mark.parametrize("damage", ["flipped", "short", "gone"])
def test_damage_is_not_restored(house: Settings, empty: Settings, nas: Path, damage: str) -> None:
    """The newest version is named, the older one not taken, and no run starts before it is."""
    mirror_now(house)
    old = days.part(house, FEW[1]).read_bytes()
    days.archive(house, [FEW[1]], readings=5)
    mirror_now(house)
    kept, bad = days.files_of(nas, FEW[1])
    size = bad.stat().st_size
    if damage == "flipped":
        days.flip(bad)
    elif damage == "short":
        bad.write_bytes(bad.read_bytes()[:-1])
    else:
        bad.unlink()
    reason = {
        "flipped": "its content is not that of its checksum",
        "short": f"it has {size - 1} bytes of {size}",
        "gone": "it is missing",
    }[damage]
    name = bad.relative_to(nas)
    done = restored(empty, nas)
    assert done == Restored(days=2, problems=[f"{name}: {reason}; nothing of it is restored"])
    assert not empty.layout.day(days.DATASET, FEW[1]).exists()
    with pytest.raises(ArchiveError) as refused:
        refuse_unfinished_restore(empty.layout)
    assert str(refused.value) == (
        f"the restore from {nas} into {empty.parquet_base_dir} is not finished; run "
        f"`homeiot restore --from {nas}` again"
    )
    done = restored(empty, nas, takes_older=True)
    assert done.problems == []
    assert done.notes == [f"{name}: {reason}; {kept.relative_to(nas)} is restored"]
    assert days.part(empty, FEW[1]).read_bytes() == old
    refuse_unfinished_restore(empty.layout)


def test_the_newest_content_may_lie_in_an_older_file(
    house: Settings, empty: Settings, nas: Path
) -> None:
    """Settings that were set back: the damaged newest file has the content of the first."""
    for text in ("a: 1\n", "a: 2\n", "a: 1\n"):
        (house.house_dir / "config.yaml").write_text(text)
        mirror_now(house)
    days.flip(sorted((nas / "house/config.yaml").iterdir())[-1], at=0)
    assert restored(empty, nas) == Restored(days=3)
    assert (empty.house_dir / "config.yaml").read_text() == "a: 1\n"


def test_a_missing_list_is_named(house: Settings, empty: Settings, nas: Path) -> None:
    """Without it nothing shows whether all days are there."""
    mirror_now(house)
    days.archive(house, [FEW[1]], readings=5)
    mirror_now(house)
    min((nas / "lists").iterdir()).unlink()
    assert restored(empty, nas).problems == [
        "lists/v1-*: it is missing, so nothing shows whether all files are there that it names"
    ]


def test_own_settings_are_left_as_they_are(house: Settings, empty: Settings, nas: Path) -> None:
    """Those of the new machine may name other places."""
    mirror_now(house)
    empty.house_dir.mkdir(parents=True)
    (empty.house_dir / "config.yaml").write_text("influx_url: http://new:8086\n")
    assert restored(empty, nas).notes == [
        f"{empty.house_dir / 'config.yaml'} is there with another content, and is left as it is"
    ]
    assert (empty.house_dir / "config.yaml").read_text() == "influx_url: http://new:8086\n"
    assert (empty.house_dir / "tariffs.csv").exists()


def test_a_killed_restore_goes_on(
    house: Settings, empty: Settings, nas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No run starts in between, and another place is refused."""
    mirror_now(house)
    real = restoring.rename_durably

    def die(source: Path, target: Path) -> None:
        if target.name == f"dt={FEW[1]}":
            raise KeyboardInterrupt
        real(source, target)

    monkeypatch.setattr(restoring, "rename_durably", die)
    with pytest.raises(KeyboardInterrupt):
        restored(empty, nas)
    with pytest.raises(ArchiveError, match="is not finished"):
        refuse_unfinished_restore(empty.layout)
    with pytest.raises(ArchiveError, match="go on with that one"):
        restored(empty, nas.parent)
    monkeypatch.undo()
    assert restored(empty, nas) == Restored(days=3)
    assert days.contents(empty.parquet_base_dir) == days.contents(house.parquet_base_dir)


def test_names_that_lead_elsewhere_are_not_restored(
    house: Settings, empty: Settings, nas: Path
) -> None:
    """A copy is read from elsewhere: its names are not trusted."""
    mirror_now(house)
    file = days.files_of(nas, FEW[0])[0]
    for odd in ("days/x.y/dt=2026-03-01", "days/raw/dt=2026-02-30", "house/.bashrc"):
        target = nas / odd / file.name
        target.parent.mkdir(parents=True)
        os.link(file, target)
    assert day_of("days/../dt=2026-03-01") is None
    done = restored(empty, nas)
    assert (done.days, done.problems) == (3, [])
    assert sorted(done.notes) == [
        "3 files are in no list, so nothing shows that nothing is missing",
        "days/raw/dt=2026-02-30 is no part of a house that this program restores",
        "days/x.y/dt=2026-03-01 is no part of a house that this program restores",
        "house/.bashrc is no part of a house that this program restores",
    ]


def test_the_command_restores_and_names_the_next_one(
    house: Settings, empty: Settings, nas: Path
) -> None:
    """Exit code 0, or 1 with what is wrong, and then a run is refused."""
    mirror_now(house)
    file = days.files_of(nas, FEW[0])[0]
    sound = file.read_bytes()
    days.flip(file)
    empty.house_dir.mkdir(parents=True)
    assert homeiot(empty, "restore", "--from", str(nas)) == (
        1,
        (
            "restore: 2 days are in place, 1 problems: no run starts before it is finished. Repair "
            "the copy and start it again, or give --older\n"
        ),
        (
            f"failed: {file.relative_to(nas)}: its content is not that of its checksum; nothing of "
            "it is restored\n"
        ),
    )
    file.write_bytes(sound)
    assert homeiot(empty, "restore", "--from", str(nas)) == (
        0,
        (
            "restore: 3 days up to 2026-03-30 are in place, each proven by its checksum, from a "
            "copy whose last list is number 1. Now `homeiot run` loads them and builds tables and "
            "report\n"
        ),
        "",
    )
