"""A house in Berlin around the end of summer time, with everything that a dashboard must mark."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.dbt.meters import Reading

ZONE = ZoneInfo("Europe/Berlin")
FIRST, LAST = date(2025, 10, 20), date(2025, 11, 2)
GAP = date(2025, 10, 23)  # no readings of any meter
SHORT = date(2025, 10, 28)  # "main" is silent from 06:00 to 18:00
UNPRICED = date(2025, 10, 30)
QUOTED = "heat 'pump'"
VARS = {
    "sources": {
        "main": {"kind": "grid", "name": "House"},
        "roof": {"kind": "solar", "name": "Meter"},
        QUOTED: {"kind": "load", "name": "Meter"},
    }
}
TARIFFS = [
    ("main", first, last, "1234567", "00:00", "24:00", 0.3, 0.1, currency)
    for first, last, currency in (
        (date(2025, 1, 1), date(2025, 10, 25), "DEM"),
        (date(2025, 10, 26), date(2025, 10, 29), "EUR"),
        (date(2025, 10, 31), None, "EUR"),
    )
]
STEP = timedelta(minutes=30)


def midnight(day: date) -> datetime:
    """The instant at which the local day begins, UTC, without zone."""
    local = datetime(day.year, day.month, day.day, tzinfo=ZONE)
    return local.astimezone(UTC).replace(tzinfo=None)


def readings() -> Iterator[Reading]:
    """A reading of each meter every half an hour. The heat pump begins three days later."""
    at, end = midnight(FIRST), midnight(LAST + timedelta(days=1))
    bought, sold, made, heat = 100.0, 50.0, 20.0, 10.0
    while at < end:
        local = at.replace(tzinfo=UTC).astimezone(ZONE)
        sun = 1.0 if 10 <= local.hour < 15 else 0.0
        if local.date() != GAP:
            if not (local.date() == SHORT and 6 <= local.hour < 18):
                yield at, "main", 600.0, round(bought, 3), round(sold, 3)
            yield at, "roof", 2000 * sun, None, round(made, 3)
            if local.date() >= FIRST + timedelta(days=4):
                yield at, QUOTED, 200.0, round(heat, 3), None
        bought += 0.3 + 0.01 * local.day
        sold += sun / 2
        made += sun
        heat += 0.1
        at += STEP
