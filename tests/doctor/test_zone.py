"""DuckDB's rules of a zone beside Python's."""

from zoneinfo import ZoneInfo

import pytest

from homeiot_batch.doctor.zone import differing_hour


@pytest.mark.parametrize(
    ("tz", "other", "hour"),
    [
        ("Europe/Berlin", "Europe/Berlin", None),
        ("Australia/Adelaide", "Australia/Adelaide", None),
        ("Asia/Tokyo", "Asia/Tokyo", None),
        ("Europe/Berlin", "Africa/Algiers", "2025-03-30 01:00"),  # which has no summer time
        ("Africa/Algiers", "Europe/Berlin", "2025-03-30 01:00"),
    ],
)
def test_rules_that_differ_are_found(tz: str, other: str, hour: str | None) -> None:
    """DuckDB's rules of a zone against Python's, hour by hour: the first one that differs."""
    assert differing_hour(tz, ZoneInfo(other), 2026) == hour
