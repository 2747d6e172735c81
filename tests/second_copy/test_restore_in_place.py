"""A restore puts each file where the next run looks for it, and leaves nothing else there."""

import shutil
from pathlib import Path

import pytest

from homeiot_batch.commands.mirror import mirror_now
from homeiot_batch.config import Settings, load_settings
from homeiot_batch.core.files import write_json
from homeiot_batch.errors import ArchiveError, CopyError, SettingsError
from homeiot_batch.second_copy import restore as restoring
from homeiot_batch.second_copy.contents import read_copy
from homeiot_batch.second_copy.folder_place import FolderPlace
from homeiot_batch.second_copy.house_settings import settings_to_restore
from homeiot_batch.second_copy.restore import Restored
from tests.second_copy import days
from tests.second_copy.commands import homeiot
from tests.second_copy.conftest import FEW
from tests.second_copy.test_restore import restored

NO_PLACES = dict.fromkeys(("PARQUET_BASE_DIR", "MARKER_DIR", "DUCKDB_PATH", "REPORT_DIR"), "")


@pytest.fixture
def placed(house: Settings, empty: Settings, tmp_path: Path) -> Settings:
    """The house, mirrored, with a config.yaml that names all its places on the new machine."""
    text = f"""tz: Europe/Berlin
parquet_base_dir: {tmp_path}/there/parquet
marker_dir: {tmp_path}/there/markers
duckdb_path: {tmp_path}/there/home.duckdb
report_dir: {tmp_path}/there/report
"""
    (house.house_dir / "config.yaml").write_text(text)
    mirror_now(house)
    empty.house_dir.mkdir(parents=True)
    return house


def newest_config(nas: Path) -> Path:
    """The last version of config.yaml in the copy."""
    return max((nas / "house/config.yaml").iterdir())


def resolved(machine: Settings, nas: Path, *, takes_older: bool = False) -> Settings:
    """The settings that a restore goes by."""
    copy = read_copy(FolderPlace(nas, "--from"))
    return settings_to_restore(copy, machine, {}, takes_older=takes_older)


def test_the_places_of_the_restored_settings_are_used(
    placed: Settings, empty: Settings, nas: Path, tmp_path: Path
) -> None:
    """The next run reads the restored config.yaml: it finds all days."""
    done = homeiot(empty, "restore", "--from", str(nas), **NO_PLACES)
    assert (done[0], done[2]) == (0, "")
    there = days.contents(tmp_path / "there/parquet")
    assert there == days.contents(placed.parquet_base_dir)
    assert (tmp_path / "there/markers/copy.json").is_file()
    assert (empty.house_dir / "config.yaml").read_bytes() == newest_config(nas).read_bytes()


def test_own_settings_name_the_places(
    placed: Settings, empty: Settings, nas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A config.yaml that is there, and the environment, go before the copy's."""
    for name in NO_PLACES:
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("PARQUET_BASE_DIR", str(empty.parquet_base_dir))
    found = resolved(empty, nas)
    assert found.parquet_base_dir == empty.parquet_base_dir
    assert found.marker_dir != empty.marker_dir
    assert found.house_dir == empty.house_dir
    (empty.house_dir / "config.yaml").write_text("")
    assert resolved(empty, nas) == empty


def test_damaged_settings_are_refused(placed: Settings, empty: Settings, nas: Path) -> None:
    """They may name other places. With --older those of the machine are used."""
    file = newest_config(nas)
    days.flip(file, at=0)
    code, said, error = homeiot(empty, "restore", "--from", str(nas), **NO_PLACES)
    assert (code, said) == (1, "")
    assert error == (
        f"error: {file.relative_to(nas)}: its content is not that of its checksum; nothing of it "
        "is restored, and it may name other places for the archive; repair the copy, put a "
        f"config.yaml of your own into {empty.house_dir}, or give --older\n"
    )
    assert not empty.parquet_base_dir.exists()
    assert resolved(empty, nas, takes_older=True) == empty


@pytest.mark.parametrize("text", ["no_such_setting: 1\n", "tz: Nowhere\n", "[\n"])
def test_settings_that_cannot_be_used_are_refused(
    placed: Settings, empty: Settings, nas: Path, text: str
) -> None:
    """As by a program of another version: the next run would refuse them too."""
    (placed.house_dir / "config.yaml").write_text(text)
    mirror_now(placed)
    with pytest.raises(SettingsError, match=r"the copy's config.yaml cannot be used \("):
        resolved(empty, nas)
    load_settings()


def test_a_day_with_another_content_is_a_problem(
    house: Settings, empty: Settings, nas: Path
) -> None:
    """A file that was cut short meanwhile is named. Nothing of it counts as proven."""
    mirror_now(house)
    begin_elsewhere(empty, nas, FEW[1])
    part = days.part(empty, FEW[1])
    done = restored(empty, nas)
    [copied] = days.files_of(nas, FEW[1])
    assert done == Restored(
        days=2,
        problems=[
            (
                f"{part} is there with another content than {copied.relative_to(nas)}, which is "
                "not restored; move it away, and start the restore again"
            )
        ],
    )
    assert part.read_bytes() == b"PAR1"
    assert empty.layout.restore_note.exists()
    shutil.rmtree(part.parent)
    assert restored(empty, nas) == Restored(days=3)


def begin_elsewhere(machine: Settings, nas: Path, dt: object) -> None:
    """A restore has begun, and a day has a file of four bytes."""
    write_json(machine.layout.restore_note, {"place": str(nas)})
    part = Path(machine.layout.part_text(days.DATASET, dt))
    part.parent.mkdir(parents=True)
    part.write_bytes(b"PAR1")


def test_a_newer_version_replaces_what_a_killed_restore_left(
    house: Settings, empty: Settings, nas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between two attempts a day was read again: the copy's newest version is restored."""
    mirror_now(house)
    monkeypatch.setattr(restoring, "note", die)
    with pytest.raises(KeyboardInterrupt):
        restored(empty, nas)
    monkeypatch.undo()
    days.archive(house, [FEW[1]], readings=5)
    mirror_now(house)
    assert restored(empty, nas) == Restored(days=3)
    assert days.contents(empty.parquet_base_dir) == days.contents(house.parquet_base_dir)


def die(*_: object) -> None:
    """A kill."""
    raise KeyboardInterrupt


def test_a_newest_day_in_place_stays_when_the_copy_loses_it(
    house: Settings, empty: Settings, nas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second attempt takes no older version for it, also with --older."""
    mirror_now(house)
    days.archive(house, [FEW[1]], readings=5)
    mirror_now(house)
    monkeypatch.setattr(restoring, "note", die)
    with pytest.raises(KeyboardInterrupt):
        restored(empty, nas)
    monkeypatch.undo()
    days.flip(days.files_of(nas, FEW[1])[1])
    assert restored(empty, nas, takes_older=True) == Restored(days=3)
    assert days.contents(empty.parquet_base_dir) == days.contents(house.parquet_base_dir)


@pytest.mark.parametrize("content", ['{"tz": "Asia/Tokyo"}', "{}", "?"])
def test_another_zone_in_place_is_refused(
    house: Settings, empty: Settings, nas: Path, content: str
) -> None:
    """Before anything is written."""
    mirror_now(house)
    file = empty.layout.archive_file
    file.parent.mkdir(parents=True)
    file.write_text(content)
    before = days.contents(file.parent, "**/*")
    with pytest.raises(ArchiveError, match="is of Europe/Berlin; a restore needs an empty machine"):
        restored(empty, nas)
    assert days.contents(file.parent, "**/*") == before
    assert not empty.house_dir.exists()


def test_the_same_zone_in_place_is_no_obstacle(house: Settings, empty: Settings, nas: Path) -> None:
    """As a run leaves it that archived nothing."""
    mirror_now(house)
    write_json(empty.layout.archive_file, {"tz": "Europe/Berlin"})
    assert restored(empty, nas) == Restored(days=3)


def test_a_loss_shows_in_the_last_line_and_the_exit_code(
    house: Settings, empty: Settings, nas: Path
) -> None:
    """With --older a day that has no whole version, and one whose newest is damaged."""
    mirror_now(house)
    days.archive(house, [FEW[1]], readings=5)
    mirror_now(house)
    days.files_of(nas, FEW[0])[0].unlink()
    days.flip(days.files_of(nas, FEW[1])[1])
    empty.house_dir.mkdir(parents=True)
    code, said, error = homeiot(empty, "restore", "--from", str(nas), "--older")
    assert (code, error.count("note: ")) == (1, 2)
    assert said == (
        "restore: 2 days up to 2026-03-30 are in place, each proven by its checksum, from a copy "
        "whose last list is number 2. 1 files are lost, and 1 are older than the copy's newest: "
        "see the notes. Now `homeiot run` loads them and builds tables and report\n"
    )
    assert not empty.layout.restore_note.exists()


def test_status_and_mirror_name_a_restore_that_is_not_finished(
    house: Settings, empty: Settings, nas: Path
) -> None:
    """They would show, or copy, a part of the house."""
    mirror_now(house)
    write_json(empty.layout.restore_note, {"place": str(nas)})
    line = (
        f"the restore from {nas} into {empty.parquet_base_dir} is not finished; run `homeiot "
        f"restore --from {nas}` again"
    )
    empty.house_dir.mkdir(parents=True)
    code, _, error = homeiot(empty, "status")
    assert (code, error) == (1, f"note: {line}\n")
    with pytest.raises(ArchiveError, match="is not finished"):
        mirror_now(empty)


def test_a_restore_needs_no_identity(house: Settings, empty: Settings, nas: Path) -> None:
    """All days are whole: that the identity is not is a note."""
    mirror_now(house)
    [identity] = (nas / "identity").iterdir()
    days.flip(identity, at=0)
    note = restoring.NO_NOTE
    assert restored(empty, nas) == Restored(days=3, notes=[note])
    assert not empty.layout.copy_note.exists()


def test_settings_of_the_call_are_asked_for_again(
    house: Settings, empty: Settings, nas: Path
) -> None:
    """A run without them would look elsewhere."""
    mirror_now(house)
    empty.house_dir.mkdir(parents=True)
    place = f"parquet_base_dir={empty.parquet_base_dir}"
    code, said, _ = homeiot(empty, "restore", "--from", str(nas), "--config", place)
    assert code == 0
    assert "Now `homeiot run` with the same --config loads them" in said


def test_a_copy_without_days_restores_nothing(house: Settings, empty: Settings, nas: Path) -> None:
    """As of a house none of whose days was loaded. An empty archive must not pass for it."""
    shutil.rmtree(house.marker_dir)
    assert len(mirror_now(house).problems) == 3
    with pytest.raises(CopyError, match="has no day, so there is nothing to restore"):
        restored(empty, nas)
    assert not empty.parquet_base_dir.exists()
    assert not empty.house_dir.exists()
