"""The clock of this machine beside the server's."""

from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import pytest

from homeiot_batch.core.days import LocalDay
from homeiot_batch.errors import SourceError
from homeiot_batch.sources.clock import Clocks, length

HERE = datetime(2026, 11, 24, 15, 10, tzinfo=UTC)  # 0:10 of the 25th in Japan
DAY = LocalDay(date(2026, 11, 24), ZoneInfo("Asia/Tokyo"))


def clocks(difference: timedelta) -> Clocks:
    """What is compared when the server's clock is ahead by the difference."""
    found = Clocks.of({"Date": format_datetime(HERE + difference, usegmt=True)}, HERE)
    assert found is not None
    return found


def test_date_of_an_answer_is_the_servers_clock() -> None:
    """It is cut to seconds, so half a second is added.

    An answer without a Date, or with none that can be read, gives nothing.
    """
    assert clocks(timedelta(hours=1)).difference == timedelta(hours=1, seconds=0.5)
    unreadable = ({}, {"Date": ""}, {"Date": "yesterday"}, {"Date": "2026-11-24T15:10:00Z"})
    assert [Clocks.of(headers, HERE) for headers in unreadable] == [None] * 4


@pytest.mark.parametrize("seconds", [-59, -1, 0, 1, 58])
def test_seconds_are_not_worth_a_word(seconds: int) -> None:
    """No warning, and the day that is over is read."""
    assert clocks(timedelta(seconds=seconds)).warning() == ""
    clocks(timedelta(seconds=seconds)).refuse_unfinished(DAY)


@pytest.mark.parametrize(
    ("difference", "said"),
    [
        (
            timedelta(minutes=9),
            "ahead of this machine's (2026-11-24 15:19:00 UTC, here it is 2026-11-24 15:10:00)",
        ),
        (
            timedelta(minutes=-9),
            "behind this machine's (2026-11-24 15:01:00 UTC, here it is 2026-11-24 15:10:00)",
        ),
    ],
)
def test_minutes_are_a_warning(difference: timedelta, said: str) -> None:
    """With both times. The day is over by both clocks, and is read."""
    warning = f"the server's clock is 9 min {said}; set the one that is wrong (NTP)"
    assert clocks(difference).warning() == warning
    clocks(difference).refuse_unfinished(DAY)


def test_a_day_that_is_not_over_by_the_server_is_refused() -> None:
    """A second before its end by the server's clock it is not read, at its end it is."""
    clocks(timedelta(minutes=-10)).refuse_unfinished(DAY)
    with pytest.raises(SourceError) as error:
        clocks(timedelta(minutes=-10, seconds=-1)).refuse_unfinished(DAY)
    assert str(error.value) == (
        "2026-11-24 is not over by the server's clock: the server's clock is 10 min behind this "
        "machine's (2026-11-24 14:59:59 UTC, here it is 2026-11-24 15:10:00); "
        "set the one that is wrong (NTP), and run again"
    )


@pytest.mark.parametrize("days", [-14_000, -40, -1, 1, 40, 14_000])
def test_a_day_or_more_is_refused_whatever_is_asked_for(days: int) -> None:
    """Either clock may be the wrong one, also for a day that is over by both."""
    old = LocalDay(date(1980, 1, 1), DAY.zone)
    which = "ahead of" if days > 0 else "behind"
    with pytest.raises(SourceError) as error:
        clocks(timedelta(days=days, seconds=-1 if days < 0 else 0)).refuse_unfinished(old)
    assert f" {which} this machine's (" in str(error.value)
    assert str(error.value).endswith(
        ": nothing is archived; set the one that is wrong (NTP), and run again"
    )


@pytest.mark.parametrize(
    ("time", "text"),
    [
        (timedelta(seconds=7), "7 s"),
        (timedelta(seconds=-130), "2 min"),
        (timedelta(hours=3), "3 h"),
        (timedelta(days=-40), "40 days"),
    ],
)
def test_length_takes_the_largest_unit_that_fits(time: timedelta, text: str) -> None:
    """Whatever its sign."""
    assert length(time) == text
