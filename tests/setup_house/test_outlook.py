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
