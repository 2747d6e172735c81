"""A day that holds less than is known of it, staged by permission only."""

from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from homeiot_batch.archive.day_file import read_metadata
from homeiot_batch.archive.parquet_writer import rename_durably
from homeiot_batch.archive.shrink_guard import ShrinkGuard
from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.day_record import DayRecord
from homeiot_batch.core.days import LocalDay
from homeiot_batch.errors import ShrinkError
from homeiot_batch.workflow.fetch import FetchedDay, fetch_day
from tests.staging import GivenPoints

START = 1794150000 * 10**9
SUBJECT = "raw_meter_readings 2026-11-09"
COUNTS = {"instant_power_w": 2, "energy_import_kwh": 0, "energy_export_kwh": 0}

Fetch = Callable[..., FetchedDay]


@pytest.fixture
def fetch(
    settings: Settings,
    dataset: Dataset,
    day: LocalDay,
    batches: Callable[..., list[pa.RecordBatch]],
) -> Fetch:
    """Fetches readings at these seconds of the day."""

    def fetched(*seconds: int, known: list[DayRecord], allow_shrink: bool = False) -> FetchedDay:
        points = batches([(START + second * 10**9, "a", 1.0, None, None) for second in seconds])
        guard = ShrinkGuard(SUBJECT, known, allow_shrink)
        return fetch_day(GivenPoints(points), dataset, day, guard, settings)

    return fetched


@pytest.fixture
def archived(fetch: Fetch, settings: Settings) -> Path:
    """The folder of the day with readings at 0 and 1 s."""
    folder = settings.layout.day("raw_meter_readings", "2026-11-09")
    rename_durably(fetch(0, 1, known=[]).folder, folder)
    return folder


def test_a_day_with_less_than_is_known_leaves_nothing(fetch: Fetch, settings: Settings) -> None:
    """The guard refuses it before the file is finished, and staging is empty again."""
    known = [DayRecord(2, COUNTS)]
    with pytest.raises(ShrinkError) as refused:
        fetch(0, known=known)
    assert str(refused.value) == (
        f"{SUBJECT} would shrink from 2 rows (instant_power_w 2, energy_import_kwh 0, "
        "energy_export_kwh 0) to 1 rows (instant_power_w 1, energy_import_kwh 0, "
        "energy_export_kwh 0): the source may have forgotten it. What is archived is kept; if the "
        "new one is right, run this day alone again with --config allow_shrink=true"
    )
    assert list(settings.layout.staging.iterdir()) == []


def test_a_day_without_archived_readings_leaves_nothing(
    fetch: Fetch, archived: Path, settings: Settings
) -> None:
    """As many readings, but not the archived ones: the file is finished, and then refused."""
    kept = (archived / "part-0.parquet").read_bytes()
    with pytest.raises(ShrinkError) as refused:
        fetch(0, 2, known=[DayRecord(2, COUNTS)])
    assert str(refused.value) == (
        f"{SUBJECT} would lose 1 archived readings that the source no longer has, though it has "
        "others. What is archived is kept; if the new one is right, run this day alone again with "
        "--config allow_shrink=true"
    )
    assert list(settings.layout.staging.iterdir()) == []
    assert (archived / "part-0.parquet").read_bytes() == kept


def test_a_permitted_day_records_what_it_shrank_from(fetch: Fetch, archived: Path) -> None:
    """The file has the permission in its metadata, and the day has both losses as text."""
    known = [DayRecord(2, COUNTS), DayRecord(1, COUNTS | {"energy_import_kwh": 1})]
    new = fetch(1, known=known, allow_shrink=True)
    metadata = read_metadata(new.folder)
    assert metadata is not None
    assert metadata.shrunk_from == DayRecord(2, COUNTS | {"energy_import_kwh": 1})
    assert new.losses() == [
        "to 1 rows (instant_power_w 1, energy_import_kwh 0, energy_export_kwh 0)",
        "1 archived readings are not in it",
    ]


def test_a_day_that_grows_has_no_losses(fetch: Fetch, archived: Path) -> None:
    """A day that holds all that is known and more needs no permission, and records none."""
    new = fetch(0, 1, 2, known=[DayRecord(2, COUNTS)])
    metadata = read_metadata(new.folder)
    assert metadata is not None
    assert (metadata.shrunk_from, new.losses()) == (None, [])
