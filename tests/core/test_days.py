"""Local days and their bounds."""

from datetime import UTC, date, datetime
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from homeiot_batch.core.days import LocalDay, each_day, parse_day, yesterday
from homeiot_batch.errors import SettingsError


@pytest.mark.parametrize(
    ("zone", "day", "start", "end"),
    [
        ("Asia/Tokyo", "2026-11-22", "2026-11-21T15:00", "2026-11-22T15:00"),
        ("Asia/Tokyo", "2027-01-01", "2026-12-31T15:00", "2027-01-01T15:00"),
        ("Asia/Tokyo", "2028-02-29", "2028-02-28T15:00", "2028-02-29T15:00"),
        ("Asia/Kathmandu", "2026-04-30", "2026-04-29T18:15", "2026-04-30T18:15"),
        ("Australia/Adelaide", "2026-07-01", "2026-06-30T14:30", "2026-07-01T14:30"),
        ("Australia/Adelaide", "2026-04-05", "2026-04-04T13:30", "2026-04-05T14:30"),
        ("Europe/Berlin", "2026-03-29", "2026-03-28T23:00", "2026-03-29T22:00"),
        ("Europe/Berlin", "2026-10-25", "2026-10-24T22:00", "2026-10-25T23:00"),
        ("America/Sao_Paulo", "2018-11-04", "2018-11-04T03:00", "2018-11-05T02:00"),
        ("America/Sao_Paulo", "2018-02-17", "2018-02-17T02:00", "2018-02-18T03:00"),
        ("Pacific/Apia", "2011-12-30", "2011-12-30T10:00", "2011-12-30T10:00"),
    ],
)
def test_a_day_is_bounded_by_its_zones_own_rules(zone: str, day: str, start: str, end: str) -> None:
    """Half-open UTC bounds.

    Ordinary days, +9:30 and +5:45, both changes of the clock also at midnight, a day that never
    was.
    """
    local = LocalDay(date.fromisoformat(day), ZoneInfo(zone))
    expected = tuple(datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (start, end))
    assert (local.start, local.end) == expected
    assert (local.start_ns, local.end_ns) == tuple(
        int(instant.timestamp()) * 10**9 for instant in expected
    )


@pytest.mark.parametrize(
    "zone",
    [
        "Asia/Tokyo",
        "Europe/Berlin",
        "Australia/Adelaide",
        "Asia/Kathmandu",
        "America/Sao_Paulo",
        "Asia/Beirut",
    ],
)
def test_days_follow_each_other_without_gap_or_overlap(zone: str) -> None:
    """Over ten years each day begins where the last one ends, and holds its instants."""
    days = [LocalDay(day, ZoneInfo(zone)) for day in each_day(date(2017, 1, 1), date(2026, 12, 31))]
    assert all(one.end == next_one.start for one, next_one in pairwise(days))
    assert all(day.start.astimezone(day.zone).date() == day.date for day in days)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-22T15:04:59+00:00", "2026-11-22"),
        ("2026-11-22T14:59:59+00:00", "2026-11-21"),
        ("2027-01-01T00:10:00+09:00", "2026-12-31"),
        ("2028-03-01T00:05:00+09:00", "2028-02-29"),
        ("2026-03-01T00:30:00+09:00", "2026-02-28"),
    ],
)
def test_the_target_date_is_yesterday_in_the_houses_zone(now: str, expected: str) -> None:
    """Just after midnight in Japan, yesterday is the day that just ended, whatever the UTC date."""
    assert yesterday(datetime.fromisoformat(now), ZoneInfo("Asia/Tokyo")) == date.fromisoformat(
        expected
    )


@pytest.mark.parametrize(
    "text",
    [
        "2026-13-01",
        "2026-02-29",
        "2026-1-1",
        "20261101",
        20261101,
        "",
        "today",
        "2026-11-01T00:00",
        "２０２６-11-01",
    ],
)
def test_what_is_no_date_is_refused_with_its_origin(text: object) -> None:
    """The message names the value, where it came from, and the form that is wanted."""
    with pytest.raises(
        SettingsError, match="--from=.* is not a date; give an existing day as YYYY-MM-DD"
    ):
        parse_day(text, "--from")


def test_a_range_includes_both_ends() -> None:
    """Ranges run over month ends and 29 February."""
    assert [str(day) for day in each_day(date(2028, 2, 28), date(2028, 3, 1))] == [
        "2028-02-28",
        "2028-02-29",
        "2028-03-01",
    ]
