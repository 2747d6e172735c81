"""Changes of clocks within local days."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest

from homeiot_batch.core.clock_changes import offsets
from homeiot_batch.core.days import LocalDay, each_day

CASES = {
    ("Asia/Tokyo", "2026-12-31"): [("2026-12-30 15:00", 540)],
    ("Asia/Kolkata", "2028-02-29"): [("2028-02-28 18:30", 330)],
    ("Australia/Darwin", "2026-02-28"): [("2026-02-27 14:30", 570)],
    ("Europe/Berlin", "2026-03-29"): [("2026-03-28 23:00", 60), ("2026-03-29 01:00", 120)],
    ("Europe/Berlin", "2026-10-25"): [("2026-10-24 22:00", 120), ("2026-10-25 01:00", 60)],
    ("Australia/Lord_Howe", "2026-04-05"): [("2026-04-04 13:00", 660), ("2026-04-04 15:00", 630)],
    # at midnight: a day before the change, and one that begins with it
    ("America/Havana", "2026-03-07"): [("2026-03-07 05:00", -300)],
    ("America/Havana", "2026-03-08"): [("2026-03-08 05:00", -240)],
    # 30 December 2011 was left out
    ("Pacific/Apia", "2011-12-29"): [("2011-12-29 10:00", -600)],
}


@pytest.mark.parametrize(("case", "expected"), CASES.items(), ids=map(str, CASES))
def test_what_local_time_is_ahead(case: tuple[str, str], expected: list[tuple[str, int]]) -> None:
    """In minutes, from which instant (UTC) on."""
    zone, day = case
    found = offsets(LocalDay(date.fromisoformat(day), ZoneInfo(zone)))
    minutes = [(f"{begin:%F %H:%M}", ahead // timedelta(minutes=1)) for begin, ahead in found]
    assert minutes == expected


ZONES = ["Africa/Casablanca", "America/St_Johns", "Asia/Gaza", "Europe/Dublin", "Pacific/Chatham"]


@pytest.mark.parametrize("zone", ZONES)
def test_each_minute_of_two_years_has_its_local_time(zone: str) -> None:
    """Whatever the day is like, an instant has the offset of the last step before it."""
    for dt in each_day(date(2024, 1, 1), date(2025, 12, 31)):
        day = LocalDay(dt, ZoneInfo(zone))
        found = [*offsets(day), (day.end, timedelta())]
        for (begin, ahead), (end, _) in pairwise(found):
            for at in (begin, begin + (end - begin) / 3, end - timedelta(seconds=1)):
                local = at.astimezone(day.zone).replace(tzinfo=None)
                assert at.replace(tzinfo=None) + ahead == local
        assert len(found) <= 3


def test_a_change_is_found_to_the_second() -> None:
    """Monrovia was behind by 44 minutes and 30 seconds until 1972."""
    day = LocalDay(date(1972, 1, 6), ZoneInfo("Africa/Monrovia"))
    behind = -timedelta(minutes=44, seconds=30)
    change = datetime(1972, 1, 7, 0, 44, 30, tzinfo=UTC)
    assert offsets(day) == ((change - timedelta(days=1), behind),)
    longer = day.within(day.start, datetime(1972, 1, 7, 12, tzinfo=UTC))
    assert offsets(longer) == ((day.start, behind), (change, timedelta()))
