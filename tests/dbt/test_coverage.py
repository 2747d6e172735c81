"""The share of a day's readings where the day is longer or shorter than others, or begins twice."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.dbt.meters import Archive, Reading
from tests.fast_set import few


def every_minute(
    first: datetime, last: datetime, quiet: tuple[datetime, datetime]
) -> Iterator[Reading]:
    """0.6 kWh an hour, read every minute but in the quiet time (begin included, end not). UTC."""
    for minute in range(int((last - first).total_seconds()) // 60):
        at = first + timedelta(minutes=minute)
        if not quiet[0] <= at < quiet[1]:
            yield at, "a", 600.0, 100 + minute / 100, None


@pytest.mark.parametrize(
    ("zone", "day", "begin", "end"),
    few(
        [
            (
                "America/Havana",
                date(2025, 11, 2),
                datetime(2025, 11, 2, 4),
                datetime(2025, 11, 3, 5),
            ),
            (
                "Atlantic/Azores",
                date(2026, 10, 25),
                datetime(2026, 10, 25, 0),
                datetime(2026, 10, 26, 1),
            ),
            ("America/Havana", date(2026, 3, 8), datetime(2026, 3, 8, 5), datetime(2026, 3, 9, 4)),
        ],
        ("America/Havana", date(2025, 11, 2), datetime(2025, 11, 2, 4), datetime(2025, 11, 3, 5)),
    ),
)
def test_the_coverage_of_a_day_that_begins_twice(
    zone: str, day: date, begin: datetime, end: datetime, tmp_path: Path
) -> None:
    """It begins with the earlier midnight.

    The days next to it are whole, and one of its own 25 hours is missing. It has 23 where midnight
    is skipped.
    """
    archive = Archive(tmp_path / "home_energy.duckdb", ZoneInfo(zone))
    quiet = begin + timedelta(hours=12), begin + timedelta(hours=13)
    archive.load(every_minute(begin - timedelta(days=1), end + timedelta(days=1), quiet))
    archive.dbt("run", "--select", "+fct_daily_energy")
    hours = (end - begin).total_seconds() / 3600
    rows = archive.query("SELECT date_jst, readings, coverage FROM fct_daily_energy ORDER BY ALL")
    assert rows == [
        (day - timedelta(days=1), 1440, pytest.approx(1)),
        (day, 60 * (hours - 1), pytest.approx((hours - 1) / hours)),
        (day + timedelta(days=1), 1440, pytest.approx(1)),
    ]
