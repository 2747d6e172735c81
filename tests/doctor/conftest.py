"""A house that the doctor examines."""

from collections.abc import Callable
from datetime import date

import pytest

from homeiot_batch.archive.zone_record import record_zone
from homeiot_batch.config import Settings
from homeiot_batch.core.files import write_json
from homeiot_batch.core.layout import PART, Layout
from homeiot_batch.warehouse.database import open_database
from tests.doctor.findings import DATASET


@pytest.fixture
def house(settings: Settings, layout: Layout) -> Callable[..., None]:
    """Makes an archive with these days of November 2026, markers and an empty database.

    Each day has `size` bytes.
    """

    def make(*days: int, size: int = 1000) -> None:
        record_zone(layout, settings.tz)
        for day in days:
            part = layout.day(DATASET, date(2026, 11, day)) / PART
            part.parent.mkdir(parents=True)
            with part.open("wb") as file:
                file.truncate(size)
            write_json(layout.marker(DATASET, date(2026, 11, day)), {})
        with open_database(settings.duckdb_path) as connection:
            connection.execute("INSERT INTO archive.house VALUES (?)", [settings.tz])

    return make
