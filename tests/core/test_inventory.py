"""What the folders tell of an archive."""

from datetime import date
from pathlib import Path

import pytest

from homeiot_batch.core.files import write_json
from homeiot_batch.core.inventory import first_day
from homeiot_batch.core.layout import Layout


@pytest.mark.parametrize(
    ("days", "first"),
    [
        ({}, None),
        ({"2026-08-24": 0}, "2026-08-24"),
        ({"2026-08-24": 0, "2026-08-25": 0, "2026-11-22": 9}, "2026-11-22"),
        ({"2024-01-29": 0, "2024-02-29": 0, "2024-03-01": 9}, "2024-01-29"),  # 31 days apart
        ({"2024-01-28": 0, "2024-02-29": 0, "2024-03-01": 9}, "2024-02-29"),  # 32
        ({"2025-12-31": 1, "2026-11-21": 0, "2026-11-22": 9}, "2025-12-31"),
        ({"2026-01-01": None, "2026-11-22": 9}, "2026-01-01"),
        ({"1926-11-24": 0, "2026-08-24": 0, "2026-11-22": 0}, "2026-11-22"),
    ],
)
def test_empty_days_far_before_the_others_are_not_the_first(
    tmp_path: Path, days: dict[str, int | None], first: str | None
) -> None:
    """A mistyped date must not make every day since a missed one.

    A day with readings, or not loaded, counts however far away it is.
    """
    layout = Layout(
        *(tmp_path / name for name in ("parquet", "markers", "duckdb", "report", "house"))
    )
    for day, rows in days.items():
        layout.day("raw_meter_readings", day).mkdir(parents=True)
        if rows is not None:
            write_json(layout.marker("raw_meter_readings", day), {"rows": rows})
    assert first_day(layout, "raw_meter_readings") == (date.fromisoformat(first) if first else None)
