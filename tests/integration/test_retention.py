"""Days of which the server may have forgotten a part before they were read."""

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from tests.house import House, Outcome
from tests.integration.points import Point
from tests.integration.servers import Influx1, Influx2

KEPT_HOURS = 72
ZONE = ZoneInfo("Asia/Tokyo")


def hourly(since: datetime, until: datetime) -> list[Point]:
    """A reading each hour."""
    hours = range(int((until - since) / timedelta(hours=1)))
    return [
        Point((int(since.timestamp()) + hour * 3600) * 10**9, {"instant_power_w": float(hour)})
        for hour in hours
    ]


def warned(outcome: Outcome) -> list[str]:
    """The days that were archived with a doubt."""
    return [
        line.split()[2].rstrip(":")
        for line in outcome.stderr.splitlines()
        if line.startswith("warning: ") and "may have been gone" in line
    ]


def test_a_day_at_the_edge_of_retention_is_archived_with_a_warning(
    house: House, server: Influx1 | Influx2
) -> None:
    """Of a day that began before what is kept some readings may be gone.

    It is archived as it is, and the run says so. It does not for later days.
    """
    server.create("edge", KEPT_HOURS)
    now = datetime.fromtimestamp(int(time.time()), UTC).replace(microsecond=1)  # never midnight
    edge = now - timedelta(hours=KEPT_HOURS)
    server.write("edge", hourly(edge + timedelta(minutes=10), now))
    first, last = edge.astimezone(ZONE).date(), now.astimezone(ZONE).date() - timedelta(days=1)
    outcome = house.snakemake(
        "--until",
        "load",
        "--config",
        f"start={first}",
        f"end={last}",
        f"now={now.isoformat()}",
        **server.environment("edge"),
        TZ=ZONE.key,
    )
    assert (outcome.code, house.day(str(first)).is_dir(), house.day(str(last)).is_dir()) == (
        0,
        True,
        True,
    )
    assert warned(outcome) == [str(first)]


def test_what_is_kept_for_ever_is_not_doubted(house: House, influx1: Influx1) -> None:
    """A policy without an end forgets nothing."""
    influx1.create("for_ever")
    midnight = datetime(2025, 11, 9, tzinfo=ZONE)
    influx1.write("for_ever", hourly(midnight, midnight + timedelta(days=1)))
    outcome = house.snakemake(
        "--until",
        "load",
        "--config",
        "start=2025-11-09",
        "end=2025-11-09",
        **influx1.environment("for_ever"),
    )
    assert (outcome.code, warned(outcome)) == (0, [])
