"""Compares the machine's zone with the house's: one that nobody set may be wrong."""

import contextlib
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, available_timezones

from homeiot_batch.config import Settings

LOCALTIME = Path("/etc/localtime")
TIMEZONE = Path("/etc/timezone")
YEAR_OF_WEEKS = 53


def zone_difference(settings: Settings) -> str:
    """How this machine's zone differs from the house's if TZ was not set, or "" if it does not."""
    if "tz" in settings.model_fields_set:
        return ""
    machine = machine_zone()
    if machine is None or _is_same(machine, settings.tz, settings.instant()):
        return ""
    return f"TZ is not set: days are those of {settings.tz}, and this machine's zone is {machine}"


def machine_zone() -> str | None:
    """The IANA name of this machine's zone, or None where the system does not tell."""
    candidates = [str(LOCALTIME.resolve()).partition("/zoneinfo/")[2]]
    with contextlib.suppress(OSError, ValueError):
        candidates.append(TIMEZONE.read_text().strip())
    known = available_timezones()
    return next((name for name in candidates if name in known), None)


def _is_same(machine: str, house: str, now: datetime) -> bool:
    """Whether both have the same wall time in each week of the year to come."""
    weeks = (now + timedelta(weeks=week) for week in range(YEAR_OF_WEEKS))
    offsets = (
        (at.astimezone(ZoneInfo(machine)).utcoffset(), at.astimezone(ZoneInfo(house)).utcoffset())
        for at in weeks
    )
    return all(here == there for here, there in offsets)
