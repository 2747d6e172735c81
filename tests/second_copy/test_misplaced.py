"""A file in the copy must be of the day that its path names, whatever its checksum."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from homeiot_batch.commands.mirror import mirror_now
from homeiot_batch.config import Settings
from homeiot_batch.core.day_record import Marker
from homeiot_batch.core.files import file_stamp, sha256, write_json
from homeiot_batch.errors import CopyError
from homeiot_batch.second_copy.mirror import Mirrored
from homeiot_batch.second_copy.names import day_item
from tests.second_copy import days
from tests.second_copy.conftest import FEW
from tests.second_copy.test_check import checked, name
from tests.second_copy.test_restore import restored

ITEM = day_item("days", days.DATASET, FEW[1])
PLACE = f"its place is that of {days.DATASET} {FEW[1]} Europe/Berlin"


def misplaced(house: Settings, kind: str) -> tuple[bytes, str]:
    """A content that is not of the day, and what is said of it."""
    if kind == "text":
        return b"no Parquet", "it is no file of an archived day"
    if kind == "odd":
        table = pa.table({"a": [1]}).replace_schema_metadata({"homeiot": '{"rows": 1e400}'})
        pq.write_table(table, house.parquet_base_dir.parent / "odd")
        content = (house.parquet_base_dir.parent / "odd").read_bytes()
        return content, "it is no file of an archived day"
    if kind == "day":
        said = f"{days.DATASET} {FEW[0]} Europe/Berlin"
        return days.part(house, FEW[0]).read_bytes(), f"it says that it is {said}; {PLACE}"
    other = house.parquet_base_dir.parent / "tokyo"
    tokyo = house.model_copy(update={"parquet_base_dir": other, "tz": "Asia/Tokyo"})
    days.archive_day(tokyo, FEW[1], 9)
    said = f"{days.DATASET} {FEW[1]} Asia/Tokyo"
    return days.part(tokyo, FEW[1]).read_bytes(), f"it says that it is {said}; {PLACE}"


@pytest.mark.parametrize("kind", ["text", "day", "zone"])
def test_it_is_named_and_not_restored(
    house: Settings, empty: Settings, nas: Path, kind: str
) -> None:
    """The checksum in its name is right. With --older the right version is taken.

    `mirror --repair` makes the archived day the newest version again.
    """
    mirror_now(house)
    content, fault = misplaced(house, kind)
    file = days.put(nas, ITEM, 2, content, ".parquet")
    line = f"{name(nas, file)}: {fault}"
    assert checked(house).problems == [line]
    assert restored(empty, nas).problems == [f"{line}; nothing of it is restored"]
    assert not days.part(empty, FEW[1]).exists()
    days.archive(house, [FEW[2]], readings=5)
    assert mirror_now(house, reads_all=True).problems == []
    assert restored(empty, nas).problems == []
    assert days.contents(empty.parquet_base_dir) == days.contents(house.parquet_base_dir)


@pytest.mark.parametrize("kind", ["text", "odd", "day", "zone"])
def test_it_is_not_copied(house: Settings, nas: Path, kind: str) -> None:
    """Also if a marker has its checksum."""
    content, fault = misplaced(house, kind)
    part = days.part(house, FEW[1])
    part.write_bytes(content)
    marker = Marker(dataset=days.DATASET, sha256=sha256(part), file=file_stamp(part))
    write_json(house.layout.marker(days.DATASET, FEW[1]), marker.to_json())
    assert mirror_now(house).problems == [
        (
            f"{days.DATASET} {FEW[1]}: {part}: {fault}; it is not copied, put it back where it "
            "belongs"
        )
    ]
    assert [len(days.files_of(nas, dt)) for dt in FEW] == [1, 0, 1]


def test_a_zone_that_changed_is_not_copied(house: Settings, nas: Path) -> None:
    """The days stay those of the zone that they were cut by."""
    mirror_now(house)
    before = days.contents(nas, "**/*")
    write_json(house.layout.archive_file, {"tz": "Asia/Tokyo"})
    line = "is of the zone Asia/Tokyo, and the copy in .* of Europe/Berlin; give this archive"
    with pytest.raises(CopyError, match=line):
        mirror_now(house)
    with pytest.raises(CopyError, match=line):
        checked(house)
    assert days.contents(nas, "**/*") == before


def test_mirrored_again_is_unchanged(house: Settings) -> None:
    """Every content that is in its place passes."""
    mirror_now(house)
    assert mirror_now(house, reads_all=True) == Mirrored(days=3)
