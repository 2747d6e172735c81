"""Proving a day's file.

What is damage, what is a file that cannot be read now, and what is declared otherwise.
"""

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from homeiot_batch.archive.day_file import prove_day, refuse_undeclared, translate_read_errors
from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.day_record import Marker
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.files import sha256
from homeiot_batch.errors import ArchiveDamaged, ArchiveError, SettingsError
from tests.staging import stage_day

START = 1794150000 * 10**9


@pytest.fixture
def part(
    tmp_path: Path,
    settings: Settings,
    dataset: Dataset,
    day: LocalDay,
    batches: Callable[..., list[pa.RecordBatch]],
) -> Path:
    """A day's file of three readings."""
    points = batches([(START + k * 10**9, "a", 1.0 + k, 5.0 + k, None) for k in range(3)])
    return stage_day(points, dataset, day, settings, tmp_path).folder / "part-0.parquet"


def footer(content: bytes | bytearray) -> int:
    """Where the file's description of itself begins."""
    return len(content) - 8 - int.from_bytes(content[-8:-4], "little")


@pytest.mark.parametrize("name", [b"energy_import_kwh", b"source", b"ts_utc", b"ingested_at"])
def test_a_bit_of_a_columns_name(name: bytes, part: Path, day: LocalDay) -> None:
    """No checksum covers the footer.

    A column whose name has changed is damage, not a column that was declared later.
    """
    content = bytearray(part.read_bytes())
    content[content.index(name, footer(content))] ^= 1
    part.write_bytes(content)
    with pytest.raises(ArchiveDamaged, match="part-0.parquet is damaged"):
        prove_day(part.parent, day)


def test_a_file_that_has_changed_since_it_was_loaded(part: Path, day: LocalDay) -> None:
    """The same file with another checksum is damaged, wherever the byte lies.

    A file of another read has another checksum by right.
    """
    content = part.read_bytes()
    place = content.index(b'"energy_import_kwh": 3') + len(b'"energy_import_kwh": ')
    metadata = content[content.index(b'"write_id": "') + len(b'"write_id": "') :][:32].decode()
    loaded = {"write_id": metadata, "sha256": sha256(part)}
    prove_day(part.parent, day, Marker.from_json(loaded))
    part.write_bytes(content[:place] + b"1" + content[place + 1 :])
    prove_day(part.parent, day)
    prove_day(part.parent, day, Marker.from_json(loaded | {"write_id": "of another read"}))
    with pytest.raises(
        ArchiveDamaged, match="its checksum is no longer the one that it was loaded with"
    ):
        prove_day(part.parent, day, Marker.from_json(loaded))


DAMAGE = [
    OSError("Couldn't deserialize thrift"),
    pa.ArrowInvalid("no magic bytes"),
    KeyError("homeiot"),
    pa.ArrowNotImplementedError("codec"),
]
TROUBLE = [
    OSError(errno.EIO, "Input/output error"),
    PermissionError(errno.EACCES, "Permission denied"),
    pa.ArrowMemoryError("malloc failed"),
]


@pytest.mark.parametrize("error", DAMAGE + TROUBLE, ids=repr)
def test_what_cannot_be_read_now_is_no_damage(error: Exception, part: Path) -> None:
    """Arrow's own errors mean damage.

    The system's, and a lack of memory, do not: the file is kept.
    """
    with pytest.raises(ArchiveError) as raised, translate_read_errors(part):
        raise error
    assert isinstance(raised.value, ArchiveDamaged) == any(error is one for one in DAMAGE)
    assert str(part) in str(raised.value)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"fields": {"instant_power_w": "double"}},
            "'energy_import_kwh' .double., as in .*, but config.yaml does not declare it",
        ),
        (
            {"tags": {"sources": "meter1"}},
            "'source' .string., as in .*, but config.yaml does not declare it",
        ),
        (
            {
                "fields": {
                    "instant_power_w": "integer",
                    "energy_import_kwh": "double",
                    "energy_export_kwh": "double",
                }
            },
            "'instant_power_w' .double., as in .*, but config.yaml declares it as int64",
        ),
    ],
)
def test_what_is_archived_must_be_declared(
    change: dict[str, Any], said: str, part: Path, dataset: Dataset
) -> None:
    """A field or tag that is missing in the declaration, or has another type: named.

    One that is declared beside is none of it.
    """
    wider = dataset.model_copy(
        update={
            "fields": dataset.fields | {"voltage_v": "double"},
            "tags": dataset.tags | {"phase": "L1"},
        }
    )
    refuse_undeclared(part, wider, "Asia/Tokyo")
    with pytest.raises(SettingsError, match=said):
        refuse_undeclared(part, dataset.model_copy(update=change), "Asia/Tokyo")
