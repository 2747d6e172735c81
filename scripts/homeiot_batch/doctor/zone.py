"""Whether the archive, the settings, this machine and DuckDB agree about the time zone."""

from collections.abc import Iterator
from datetime import timedelta
from zoneinfo import ZoneInfo

from homeiot_batch.archive.zone_record import recorded_zone, require_zone
from homeiot_batch.config import Settings
from homeiot_batch.core.days import EPOCH, yesterday
from homeiot_batch.core.duckdb_connections import scratch
from homeiot_batch.core.layout import Layout
from homeiot_batch.doctor.finding import Finding, of_error, ok, problem, warning
from homeiot_batch.errors import HomeIotError
from homeiot_batch.warehouse.zone_rules import UPDATE, other_rules
from homeiot_batch.workflow.machine_zone import zone_difference

NONE_YET = "no day is archived yet"
WALL_TIMES = """
SELECT epoch_us(t), timezone(?, timezone('UTC', t))
FROM range(?::TIMESTAMP, ?::TIMESTAMP, INTERVAL 1 HOUR) AS hours(t)
"""


def check_time_zone(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """The archive's zone, this machine's, and DuckDB's rules of the house's zone."""
    try:
        require_zone(layout, settings.tz)
        yield _shown_zone(settings, layout)
        yield from _check_machine_zone(settings, layout)
    except HomeIotError as error:
        yield of_error("zone", error)
    yield from _check_rules(settings)


def _shown_zone(settings: Settings, layout: Layout) -> Finding:
    begun = NONE_YET
    if recorded_zone(layout):
        begun = "the archive was begun with it"
    now = settings.instant().astimezone(settings.zone)
    over = yesterday(now, settings.zone)
    return ok("zone", f"{settings.tz}, {begun}, now is {now:%F %H:%M}, yesterday {over}")


def _check_machine_zone(settings: Settings, layout: Layout) -> Iterator[Finding]:
    difference = zone_difference(settings)
    if not difference:
        return
    fix = f"set TZ to the zone of the house, to {settings.tz} if that is it"
    if recorded_zone(layout):
        fix = (
            f"set TZ={settings.tz} if that is the zone of the house. For another zone begin "
            "another archive: another PARQUET_BASE_DIR, MARKER_DIR and DUCKDB_PATH"
        )
    yield warning("machine zone", difference, fix)


def _check_rules(settings: Settings) -> Iterator[Finding]:
    this_year = settings.instant().year
    hour = differing_hour(settings.tz, settings.zone, this_year)
    if hour:
        yield problem(
            "zone rules",
            f"{other_rules(settings.zone)} at {hour} UTC: "
            "days of which they differ are archived, but not loaded",
            UPDATE,
        )


def differing_hour(tz: str, zone: ZoneInfo, year: int) -> str | None:
    """The first hour (UTC) to which DuckDB's rules and Python's give other wall times.

    Looks at the year, the one before and the one after.
    """
    begin = f"{year - 1}-01-01"
    end = f"{year + 2}-01-01"
    with scratch() as connection:
        rows = connection.execute(WALL_TIMES, [tz, begin, end]).fetchall()
    for microseconds, wall in rows:
        utc = EPOCH + timedelta(microseconds=microseconds)
        if utc.astimezone(zone).replace(tzinfo=None) != wall:
            return f"{utc:%F %H:%M}"
    return None
