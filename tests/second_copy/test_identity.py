"""A house is held to its own copies, however their places are written."""

import shutil
from pathlib import Path

import pytest
from pydantic import SecretStr

from homeiot_batch.commands.mirror import mirror_now
from homeiot_batch.config import Settings
from homeiot_batch.core.files import read_json, write_json
from homeiot_batch.errors import CopyError, SettingsError
from homeiot_batch.second_copy.place import open_place
from tests.second_copy import days
from tests.second_copy.conftest import FEW
from tests.second_copy.test_check import checked, name


@pytest.mark.parametrize("damage", ["flipped", "gone", "gone with all lists"])
def test_a_lost_identity_is_written_again(house: Settings, nas: Path, damage: str) -> None:
    """From the one that the house has noted. `verify --copy` checks all the rest."""
    mirror_now(house)
    [identity] = (nas / "identity").iterdir()
    content = identity.read_bytes()
    if damage == "flipped":
        days.flip(identity, at=0)
    else:
        identity.unlink()
    if damage == "gone with all lists":
        shutil.rmtree(nas / "lists")
    found = checked(house).problems
    assert "the copy has no identity that is whole; `homeiot mirror` writes it again" in found
    assert not any(str(FEW[0]) in line for line in found)
    mirror_now(house)
    assert max((nas / "identity").iterdir()).read_bytes() == content
    if damage != "gone with all lists":
        assert checked(house).problems == []


def test_a_lost_identity_opens_the_copy_to_no_other_house(
    house: Settings, empty: Settings, nas: Path
) -> None:
    """Without it, a day shows whose copy it is."""
    mirror_now(house)
    shutil.rmtree(nas / "identity")
    days.archive(empty, FEW)
    before = days.contents(nas, "**/*")
    with pytest.raises(CopyError, match="holds the copy of another house"):
        mirror_now(empty)
    assert days.contents(nas, "**/*") == before


def test_every_place_is_remembered(house: Settings, nas: Path, tmp_path: Path) -> None:
    """A second place, another spelling, or a link to the place: the guard stays."""
    other = tmp_path / "other"
    other.mkdir()
    link = tmp_path / "link"
    link.symlink_to(nas)
    mirror_now(house)
    for url in (str(other), f"{other}/", f"file://{other}", str(link)):
        mirror_now(house.model_copy(update={"mirror_url": url}))
    for folder in (nas, other):
        shutil.rmtree(folder)
        folder.mkdir()
    spellings = (f"{nas}/", f"{nas}/../{nas.name}", f"file://{nas}", str(link), f"{other}//")
    for url in spellings:
        with pytest.raises(CopyError, match="holds no copy, but one was begun there"):
            mirror_now(house.model_copy(update={"mirror_url": url}))
    assert days.contents(nas, "**/*") == days.contents(other, "**/*") == {}


def test_a_link_that_leads_elsewhere_today_is_no_new_place(
    house: Settings, nas: Path, tmp_path: Path
) -> None:
    """An automounter may turn it to an empty folder."""
    link = tmp_path / "link"
    link.symlink_to(nas)
    own = house.model_copy(update={"mirror_url": str(link)})
    mirror_now(own)
    link.unlink()
    (tmp_path / "nothing").mkdir()
    link.symlink_to(tmp_path / "nothing")
    with pytest.raises(CopyError, match="holds no copy, but one was begun there"):
        mirror_now(own)


def test_the_note_of_an_earlier_program_counts(house: Settings, nas: Path) -> None:
    """It has one place, and no number of a list."""
    mirror_now(house)
    places = (read_json(house.layout.copy_note) or {})["places"]
    [entry] = places.values()
    write_json(house.layout.copy_note, {"place": str(nas), "id": entry["id"]})
    kept = days.contents(nas, "**/*")
    mirror_now(house)
    assert read_json(house.layout.copy_note) == {"places": places}
    assert days.contents(nas, "**/*") == kept
    write_json(house.layout.copy_note, {"place": str(nas), "id": entry["id"]})
    shutil.rmtree(nas)
    nas.mkdir()
    with pytest.raises(CopyError, match="holds no copy, but one was begun there"):
        mirror_now(house)


def test_a_house_without_markers_is_told_to_run(house: Settings, nas: Path) -> None:
    """It may be the copy's own house: nothing shows that it is another one."""
    mirror_now(house)
    shutil.rmtree(house.marker_dir)
    with pytest.raises(CopyError) as refused:
        mirror_now(house)
    assert str(refused.value) == (
        f"no day here has a marker, so nothing shows that {nas} holds the copy of this house; run "
        "`homeiot run` first"
    )


def test_a_url_in_s3_has_one_spelling(house: Settings) -> None:
    """A slash at the end is none of the name. Steps to another folder are refused."""
    keys = {"mirror_access_key": SecretStr("a"), "mirror_secret_key": SecretStr("b")}
    own = house.model_copy(update=keys)
    urls = ("s3://house/home", "s3://house/home/")
    found = [open_place(url, "MIRROR_URL", own) for url in urls]
    assert [place.names for place in found] == [("s3://house/home",)] * 2
    assert {place.url for place in found} == {"s3://house/home"}
    for url in ("s3://house/../home", "s3://house/.", "s3://house/a/./b", "s3://house/.."):
        with pytest.raises(SettingsError, match="is no place in S3"):
            open_place(url, "MIRROR_URL", own)


def test_a_link_that_leads_nowhere_is_noted(house: Settings, nas: Path) -> None:
    """One that is somebody else's disables no copy. One with the name of a file is damage."""
    mirror_now(house)
    (nas / "days/odd").symlink_to(nas / "nowhere")
    (nas / "days/loop").symlink_to(nas / "days/loop")
    found = checked(house)
    assert found.problems == []
    assert found.notes == ["2 files are not the copy's, like days/loop"]
    [file] = days.files_of(nas, FEW[0])
    size = file.stat().st_size
    file.unlink()
    file.symlink_to(nas / "nowhere")
    assert checked(house).problems[0] == f"{name(nas, file)}: it has 0 bytes of {size}"
