"""What is said of reach, retention and the next command."""

from datetime import date, timedelta

import pytest

from homeiot_batch.config import Settings
from homeiot_batch.setup_house.outlook import Outlook
from tests.doctor.findings import given

LAST = date(2026, 11, 23)
URL = "http://localhost:8086"


@pytest.mark.parametrize(
    ("first", "days", "said"),
    [
        (
            date(2026, 11, 1),
            0,
            [
                "readings: since 2026-11-01",
                "retention: policy 'autogen' keeps readings for ever",
                "`homeiot run` archives 23 days, 2026-11-01 to 2026-11-23",
            ],
        ),
        (
            date(2026, 11, 1),
            30,
            [
                "readings: since 2026-11-01",
                (
                    "retention: policy 'autogen' keeps 30 days. The readings of 2026-11-01 begin "
                    "to be deleted on 2026-12-01: archive them before"
                ),
                "`homeiot run` archives 23 days, 2026-11-01 to 2026-11-23",
            ],
        ),
        # its first hours are gone already
        (
            date(2026, 11, 17),
            7,
            [
                "readings: since 2026-11-17",
                (
                    "retention: policy 'autogen' keeps 7 days. The readings of 2026-11-17 begin "
                    "to be deleted on 2026-11-24: archive them before"
                ),
                "`homeiot run` archives 7 days, 2026-11-17 to 2026-11-23",
            ],
        ),
        (
            date(2016, 2, 29),
            0,
            [
                "readings: since 2016-02-29",
                "retention: policy 'autogen' keeps readings for ever",
                (
                    "`homeiot run` archives 3921 days, 2016-02-29 to 2026-11-23. It may be "
                    "stopped at any time: the next run goes on"
                ),
            ],
        ),
        (
            date(2026, 11, 24),
            0,
            [
                "readings: since 2026-11-24",
                "retention: policy 'autogen' keeps readings for ever",
                (
                    "`homeiot run` tomorrow: no day of readings is over yet. Until then "
                    "`homeiot doctor` checks the set-up"
                ),
            ],
        ),
    ],
)
def test_a_server(settings: Settings, first: date, days: int, said: list[str]) -> None:
    """It is ten past midnight on 24 November in Japan."""
    changed = given(settings, influx_url=URL)
    outlook = Outlook(changed, first, LAST, "autogen", timedelta(days=days))
    zone = "zone: Asia/Tokyo. A day begins at its midnight. The first run fixes it"
    assert list(outlook.lines()) == [*said[:-1], zone, f"next: {said[-1]}"]


@pytest.mark.parametrize(
    ("url", "start", "kept", "retention", "following"),
    [
        # the days before are not wanted
        (
            URL,
            date(2026, 11, 20),
            30,
            (
                "policy 'autogen' keeps 30 days. The readings of 2026-11-20 begin to be deleted on "
                "2026-12-20: archive them before"
            ),
            "`homeiot run` archives 4 days, 2026-11-20 to 2026-11-23",
        ),
        # days without readings belong to the archive
        (
            URL,
            date(2026, 10, 25),
            0,
            "policy 'autogen' keeps readings for ever",
            "`homeiot run` archives 30 days, 2026-10-25 to 2026-11-23",
        ),
        (
            URL,
            date(2027, 1, 1),
            0,
            "policy 'autogen' keeps readings for ever",
            "`homeiot run` after 2027-01-01, which `archive_start` says is the first day",
        ),
        (
            "house.lp",
            date(2026, 11, 20),
            0,
            "an export deletes nothing",
            (
                "`homeiot run --from 2026-11-20 --to 2026-11-23` archives 4 days, 2026-11-20 to "
                "2026-11-23"
            ),
        ),
        (
            "house.lp",
            date(2026, 10, 25),
            0,
            "an export deletes nothing",
            (
                "`homeiot run --from 2026-11-01 --to 2026-11-23` archives 23 days, 2026-11-01 to "
                "2026-11-23"
            ),
        ),
    ],
)
def test_the_first_day_of_the_archive_is_set(
    settings: Settings, url: str, start: date, kept: int, retention: str, following: str
) -> None:
    """A run begins with it. The readings before it may be deleted."""
    changed = given(settings, influx_url=url, archive_start=str(start))
    outlook = Outlook(changed, date(2026, 11, 1), LAST, "autogen", timedelta(days=kept))
    assert list(outlook.lines()) == [
        "readings: since 2026-11-01",
        f"retention: {retention}",
        "zone: Asia/Tokyo. A day begins at its midnight. The first run fixes it",
        f"next: {following}",
    ]
