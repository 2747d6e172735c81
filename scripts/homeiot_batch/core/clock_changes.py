"""When clocks are changed within a local day, and by how much they differ from UTC until then."""

import functools
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from homeiot_batch.core.days import LocalDay

# no zone changes its clocks twice within this time
STEP = timedelta(minutes=15)
SECOND = timedelta(seconds=1)


@functools.lru_cache(maxsize=8)
def offsets(day: LocalDay) -> tuple[tuple[datetime, timedelta], ...]:
    """What local time is ahead of UTC in the day, with the instant (UTC) from which on it is so.

    The first one is that of the day's start. A day on which no clock is changed has one alone.
    """
    before = day.start
    end = day.end
    found = [(before, _offset(before, day.zone))]
    while before < end:
        at = min(before + STEP, end)
        ahead = _offset(at, day.zone)
        if ahead != found[-1][1]:
            change = _change(before, at, day.zone)
            if change < end:
                found.append((change, ahead))
        before = at
    return tuple(found)


def _change(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The first second of the new offset, which begins after `before`, and with `after` at last."""
    former = _offset(before, zone)
    while after - before > SECOND:
        middle = before + (after - before) // 2 // SECOND * SECOND
        middle = max(middle, before + SECOND)
        if _offset(middle, zone) == former:
            before = middle
        else:
            after = middle
    return after


def _offset(instant: datetime, zone: ZoneInfo) -> timedelta:
    local = instant.astimezone(zone)
    return local.replace(tzinfo=UTC) - instant
