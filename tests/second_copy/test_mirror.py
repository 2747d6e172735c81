"""The copy grows by what is new, and takes nothing that is not proven."""

import shutil
from pathlib import Path

import pytest

from homeiot_batch.archive.day_file import open_day
from homeiot_batch.commands.mirror import mirror_now
from homeiot_batch.config import Settings
from homeiot_batch.core.files import write_json
from homeiot_batch.errors import ArchiveError, CopyError, SettingsError
from homeiot_batch.second_copy.mirror import Mirrored
from homeiot_batch.second_copy.names import version_of
from tests.second_copy import days
from tests.second_copy.conftest import FEW


def tree(folder: Path) -> dict[str, bytes]:
    """Every file below the folder."""
    return days.contents(folder, "**/*.*")


def test_the_copy_has_all_that_a_house_is_built_from(house: Settings, nas: Path) -> None:
    """Days, zone, notes of early reads, settings and tariffs, byte for byte. No secret."""
    note = house.layout.early_note(days.DATASET, FEW[0])
    write_json(note, {"write_id": "x"})
    done = mirror_now(house)
    assert (done.files, done.days, done.problems) == (7, 3, [])
    found = {version_of(name): content for name, content in tree(nas).items()}
    copied = {v.item: content for v, content in found.items() if v}
    assert [v.is_of(content) for v, content in found.items() if v] == [True] * 9
    assert sorted(copied) == [
        *(f"days/raw_meter_readings/dt={dt}" for dt in FEW),
        f"early/raw_meter_readings/dt={FEW[0]}",
        "house/config.yaml",
        "house/tariffs.csv",
        "identity",
        "lists",
        "zone",
    ]
    for dt in FEW:
        assert copied[f"days/{days.DATASET}/dt={dt}"] == days.part(house, dt).read_bytes()
    assert copied[f"early/{days.DATASET}/dt={FEW[0]}"] == note.read_bytes()
    assert copied["zone"] == house.layout.archive_file.read_bytes()
    assert copied["house/config.yaml"] == b"tz: Europe/Berlin\n"


def test_what_is_there_is_not_copied_again(house: Settings, nas: Path) -> None:
    """Nothing is written, also if a file's time changed, as after a restore from a backup."""
    mirror_now(house)
    before = tree(nas)
    days.part(house, FEW[1]).touch()
    assert mirror_now(house) == Mirrored(days=3)
    assert tree(nas) == before


def test_a_day_that_was_read_again_lies_beside_the_old_one(house: Settings, nas: Path) -> None:
    """Late points make a second version. The first stays as it is."""
    mirror_now(house)
    before = tree(nas)
    days.archive(house, [FEW[1]], readings=5)
    done = mirror_now(house)
    assert (done.files, done.days, done.problems) == (1, 3, [])
    _, second = days.files_of(nas, FEW[1])
    assert second.read_bytes() == days.part(house, FEW[1]).read_bytes()
    assert {name: content for name, content in tree(nas).items() if name in before} == before


def test_settings_that_are_set_back_are_the_newest_again(house: Settings, nas: Path) -> None:
    """A small file is copied whenever it differs from the newest version."""
    for text in ("a: 1\n", "a: 2\n", "a: 1\n"):
        (house.house_dir / "config.yaml").write_text(text)
        mirror_now(house)
    found = sorted((nas / "house/config.yaml").iterdir())
    assert [file.read_text() for file in found] == ["a: 1\n", "a: 2\n", "a: 1\n"]


def test_a_damaged_day_is_not_copied(house: Settings, nas: Path) -> None:
    """It is named, with what to do. The other days are copied."""
    part = days.part(house, FEW[1])
    days.flip(part)
    done = mirror_now(house)
    assert done.problems == [
        (
            f"raw_meter_readings {FEW[1]}: {part} is not the file that was loaded: its checksum "
            "differs from the marker's. It is not copied; if a run is going on, wait for its end, "
            "otherwise run `homeiot run`, and then `homeiot mirror` again"
        )
    ]
    assert [len(days.files_of(nas, dt)) for dt in FEW] == [1, 0, 1]


def test_a_day_that_is_not_loaded_is_not_copied(house: Settings, nas: Path) -> None:
    """Nothing proves its file yet."""
    house.layout.marker(days.DATASET, FEW[1]).unlink()
    done = mirror_now(house)
    assert done.problems == [
        (
            f"raw_meter_readings {FEW[1]}: {days.part(house, FEW[1])} is not loaded yet, so "
            "nothing proves it; run `homeiot run`, and then `homeiot mirror` again"
        )
    ]
    assert [len(days.files_of(nas, dt)) for dt in FEW] == [1, 0, 1]


def test_a_day_that_is_gone_stays_in_the_copy(house: Settings, nas: Path) -> None:
    """It is named as long as it has a marker. Once nothing of it is left, nothing is missed."""
    mirror_now(house)
    before = tree(nas)
    [copied] = days.files_of(nas, FEW[1])
    shutil.rmtree(house.layout.day(days.DATASET, FEW[1]))
    assert mirror_now(house).problems == [
        (
            f"raw_meter_readings {FEW[1]}: {days.part(house, FEW[1])} is gone, the copy keeps the "
            f"day; read it again, or put {copied.relative_to(nas)} in its place"
        )
    ]
    house.layout.marker(days.DATASET, FEW[1]).unlink()
    assert mirror_now(house) == Mirrored(days=2)
    assert tree(nas) == before


def test_an_older_day_in_the_archive_is_named(house: Settings, nas: Path) -> None:
    """A backup was put back over a day with late points. The copy keeps the later version."""
    old = days.part(house, FEW[1]).read_bytes()
    mirror_now(house)
    days.archive(house, [FEW[1]], readings=5)
    mirror_now(house)
    before = tree(nas)
    days.part(house, FEW[1]).write_bytes(old)
    days.mark(house, FEW[1])
    _, later = days.files_of(nas, FEW[1])
    assert mirror_now(house).problems == [
        (
            f"raw_meter_readings {FEW[1]}: the copy has a later version of the day "
            f"({later.relative_to(nas)}); the archive was put back, or another machine writes "
            "there too. Read the day again by `homeiot run --force --date`, or put that "
            "file in its place"
        )
    ]
    assert tree(nas) == before


def test_a_day_with_less_than_in_the_copy_is_refused(house: Settings, nas: Path) -> None:
    """All that was known of it here was lost, and the source had forgotten a part of it."""
    days.archive(house, [FEW[1]], readings=5)
    mirror_now(house)
    [copied] = days.files_of(nas, FEW[1])
    days.archive(house, [FEW[1]], readings=3)
    done = mirror_now(house)
    five, three = [
        f"{n} rows (instant_power_w {n}, energy_import_kwh {n}, energy_export_kwh {n})"
        for n in (5, 3)
    ]
    assert done.problems == [
        (
            f"raw_meter_readings {FEW[1]}: the archived day holds {three}, and the copy's {five}; "
            f"it is not copied. Put {copied.relative_to(nas)} in its place, and run `homeiot run`. "
            "If the day may hold less: `homeiot mirror --config allow_shrink=true --config "
            f"start={FEW[1]} --config end={FEW[1]}`"
        )
    ]
    assert days.files_of(nas, FEW[1]) == [copied]


def test_a_day_that_was_allowed_to_shrink_is_copied(house: Settings, nas: Path) -> None:
    """Its file records that, and from how much."""
    days.archive(house, [FEW[1]], readings=5)
    mirror_now(house)
    known = open_day(house.layout.day(days.DATASET, FEW[1])).record
    days.archive(house, [FEW[1]], readings=3, may_shrink_from=known)
    assert mirror_now(house) == Mirrored(
        files=1, size=days.part(house, FEW[1]).stat().st_size, days=3
    )
    assert len(days.files_of(nas, FEW[1])) == 2


def test_a_place_that_lost_the_copy_is_refused(house: Settings, nas: Path) -> None:
    """A NAS that is not mounted leaves an empty folder: this disk must not be filled."""
    mirror_now(house)
    shutil.rmtree(nas)
    with pytest.raises(CopyError, match="is no folder; mount it"):
        mirror_now(house)
    nas.mkdir()
    with pytest.raises(CopyError) as refused:
        mirror_now(house)
    assert str(refused.value) == (
        f"{nas} holds no copy, but one was begun there; mount it, or to begin a new one remove "
        f"{house.layout.copy_note}"
    )
    assert tree(nas) == {}


def test_the_copy_of_another_house_is_refused(house: Settings, empty: Settings, nas: Path) -> None:
    """Two houses in one place would be mixed up in a restore."""
    mirror_now(house)
    before = tree(nas)
    days.archive(empty, FEW)
    with pytest.raises(CopyError) as refused:
        mirror_now(empty)
    assert str(refused.value) == (
        f"{nas} holds the copy of another house; give this one a place of its own"
    )
    assert tree(nas) == before


def test_lost_markers_do_not_begin_another_copy(house: Settings) -> None:
    """The note of the copy is gone with them. The days show that the copy is the house's own."""
    mirror_now(house)
    shutil.rmtree(house.marker_dir)
    for dt in FEW:
        days.mark(house, dt)
    assert mirror_now(house) == Mirrored(days=3)


def test_an_empty_house_begins_no_copy(empty: Settings, nas: Path, house: Settings) -> None:
    """Its settings alone would look like a copy."""
    with pytest.raises(ArchiveError, match="there is nothing to copy"):
        mirror_now(empty)
    assert tree(nas) == {}


def test_damage_in_the_copy_is_repaired_beside(house: Settings, nas: Path) -> None:
    """A damaged file is copied again under another name, a short or missing one without asking."""
    mirror_now(house)
    flipped, short, gone = [days.files_of(nas, dt)[0] for dt in FEW]
    days.flip(flipped)
    short.write_bytes(short.read_bytes()[:-1])
    gone.unlink()
    assert mirror_now(house).files == 2
    assert mirror_now(house, reads_all=True).files == 1
    for dt in FEW:
        assert days.files_of(nas, dt)[-1].name.startswith("v2-")
        assert days.files_of(nas, dt)[-1].read_bytes() == days.part(house, dt).read_bytes()


def test_what_is_damaged_while_it_is_written_is_no_copy(
    house: Settings, nas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file is read back. The next mirror copies it again."""
    write = Path.write_bytes

    def write_badly(path: Path, content: bytes) -> int:
        return write(path, content[:-1] + b"?" if path.name.endswith(".parquet.part") else content)

    monkeypatch.setattr(Path, "write_bytes", write_badly)
    with pytest.raises(CopyError, match="its content is not that of its checksum"):
        mirror_now(house)
    monkeypatch.setattr(Path, "write_bytes", write)
    assert mirror_now(house).problems == []
    assert [len(days.files_of(nas, dt)) for dt in FEW] == [2, 1, 1]


def test_a_half_written_file_is_no_copy(
    house: Settings, nas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed while it writes, it leaves a part that has no name of the copy's."""
    write = Path.write_bytes

    def die(path: Path, content: bytes) -> int:
        if FEW[1].isoformat() in str(path):
            write(path, content[:-1])
            raise KeyboardInterrupt
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", die)
    with pytest.raises(KeyboardInterrupt):
        mirror_now(house)
    assert [len(days.files_of(nas, dt)) for dt in FEW] == [1, 0, 0]
    monkeypatch.undo()
    assert mirror_now(house).files == 5
    assert [len(days.files_of(nas, dt)) for dt in FEW] == [1, 1, 1]


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (None, "MIRROR_URL is not set"),
        ("ftp://nas/x", "is neither s3://, file:/// nor a path"),
        ("s3://key:secret@house/x", "MIRROR_URL is no place in S3"),
        ("s3://house/x", "needs a key: set MIRROR_ACCESS_KEY and MIRROR_SECRET_KEY"),
    ],
)
def test_a_place_that_cannot_be_is_refused(house: Settings, url: str | None, message: str) -> None:
    """With what to set. A secret in it is not shown."""
    with pytest.raises(SettingsError) as refused:
        mirror_now(house.model_copy(update={"mirror_url": url}))
    assert message in str(refused.value)
    assert "secret@" not in str(refused.value)


@pytest.mark.parametrize("inside", ["parquet_base_dir", "marker_dir", "house_dir"])
def test_a_place_inside_the_house_is_refused(house: Settings, inside: str) -> None:
    """It would be lost with it. Neither may the house lie inside of the copy."""
    for folder in (getattr(house, inside), getattr(house, inside).parent):
        with pytest.raises(SettingsError, match="lie in each other"):
            mirror_now(house.model_copy(update={"mirror_url": str(folder)}))


def test_an_older_day_behind_damage_is_made_the_newest_on_request(
    house: Settings, nas: Path
) -> None:
    """As after `restore --older`: nobody is told to use the damaged file, and --repair ends it."""
    old = days.part(house, FEW[1]).read_bytes()
    mirror_now(house)
    days.archive(house, [FEW[1]], readings=5)
    mirror_now(house)
    days.part(house, FEW[1]).write_bytes(old)
    days.mark(house, FEW[1])
    _, later = days.files_of(nas, FEW[1])
    days.flip(later)
    assert mirror_now(house).problems == [
        (
            f"raw_meter_readings {FEW[1]}: the copy's newest version ({later.relative_to(nas)}) is "
            "damaged or missing: its content is not that of its checksum. The archived day is the "
            "one before it: put back a whole file of the newest, if there is one elsewhere. "
            "Otherwise `homeiot mirror --repair` makes the archived day the newest"
        )
    ]
    assert len(days.files_of(nas, FEW[1])) == 2
    done = mirror_now(house, reads_all=True)
    assert (done.files, done.problems) == (1, [])
    assert days.files_of(nas, FEW[1])[2].read_bytes() == old
    assert mirror_now(house) == Mirrored(days=3)


def test_a_day_that_shrank_by_two_reads_is_copied_on_request(house: Settings, nas: Path) -> None:
    """The second read records no permission. The message says how to give it for the copy."""
    days.archive(house, [FEW[1]], readings=5)
    mirror_now(house)
    days.archive(house, [FEW[1]], readings=3)
    [problem] = mirror_now(house).problems
    assert problem.endswith(f"allow_shrink=true --config start={FEW[1]} --config end={FEW[1]}`")
    for dt, count in ((FEW[0], 1), (FEW[1], 2)):
        changes = {"allow_shrink": True, "start": dt, "end": dt}
        mirror_now(house.model_copy(update=changes))
        assert len(days.files_of(nas, FEW[1])) == count
    assert mirror_now(house) == Mirrored(days=3)


def test_a_deleted_setting_is_noted(house: Settings, nas: Path) -> None:
    """The copy keeps it, and a restore would bring it back."""
    mirror_now(house)
    (house.house_dir / "tariffs.csv").unlink()
    done = mirror_now(house)
    assert done == Mirrored(
        days=3,
        notes=[
            (
                f"the copy has a tariffs.csv that {house.house_dir} has not; a restore brings it "
                "back, and you can delete it there then"
            )
        ],
    )


def test_a_full_disk_leaves_no_part(
    house: Settings, nas: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was written of the file is removed."""
    write = Path.write_bytes

    def fill(path: Path, content: bytes) -> int:
        write(path, content[:-1])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", fill)
    with pytest.raises(CopyError, match="No space left on device"):
        mirror_now(house)
    assert [path for path in nas.rglob("*") if path.is_file()] == []
