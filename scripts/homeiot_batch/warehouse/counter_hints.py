"""Advice for a counter whose values are mostly wrong, or that is silent: what to do."""

from collections.abc import Collection
from datetime import date
from pathlib import Path
from typing import NamedTuple

import duckdb
import structlog

from homeiot_batch.core.files import read_json, write_json
from homeiot_batch.errors import HomeIotError
from homeiot_batch.warehouse.database import open_database
from homeiot_batch.warehouse.silent_meters import silent_counters

log = structlog.get_logger()

# a highest power of fewer W is likely one in kW
LEAST_PEAK_W = 50

# the counters of the newest day, and the energy beside the highest power that was measured
NEWEST = """
SELECT
    counters.source, counters.counter, counters.date_jst, counters.readings, counters.accepted,
    counters.glitches, counters.resets, counters.step_backs, counters.backwards,
    coalesce(counters.kwh, 0) AS kwh, coalesce(power.peak_w, 0) AS peak_w
FROM int_daily_counters AS counters
LEFT JOIN int_daily_power AS power USING (source, date_jst)
WHERE date_jst = (SELECT max(date_jst) FROM int_daily_power)
ORDER BY counters.source, counters.counter
"""


# a night brings a day, also one without a reading
LAST_DAY = "SELECT max(dt) FROM archive.loads"


class CounterDay(NamedTuple):
    """What a counter showed on a local day. Numbers of readings, kWh, W."""

    source: str
    counter: str
    date_jst: date
    readings: int
    accepted: int
    glitches: int
    resets: int
    step_backs: int
    backwards: int
    kwh: float
    peak_w: float


def new_hints(
    database: Path, record: Path, wait_s: float, declared: Collection[str] = ()
) -> list[str]:
    """The hints of the night, if none were given after the last loaded day (kept in `record`).

    `declared` are the meters that are declared with series of their own. A database that cannot be
    read now gives none: a hint never fails a run.
    """
    try:
        with open_database(database, read_only=True, wait_s=wait_s) as connection:
            day, hints = newest_hints(connection, declared)
        if not hints or (read_json(record) or {}).get("day") == str(day):
            return []
        write_json(record, {"day": str(day)})
    except (HomeIotError, OSError) as error:
        log.warning("the counters were not looked at", cause=str(error))
        return []
    return hints


def newest_hints(
    connection: duckdb.DuckDBPyConnection, declared: Collection[str] = ()
) -> tuple[date | None, list[str]]:
    """The last loaded day, and a line for each counter that is mostly wrong or is silent."""
    days = [CounterDay(*row) for row in connection.execute(NEWEST).fetchall()]
    hints = []
    for day in days:
        if hint := hint_of(day, is_declared=day.source in declared):
            hints.append(f"{_name(day)} {hint}")
    hints += [silent.line for silent in silent_counters(connection)]
    [(last,)] = connection.execute(LAST_DAY).fetchall()
    return last, hints


def _name(day: CounterDay) -> str:
    return f"{day.source} on {day.date_jst}: the {day.counter} counter"


def hint_of(day: CounterDay, *, is_declared: bool = False) -> str:
    """What is wrong with the counter and what to set, or "" if it is mostly right.

    A declared meter is set in its declaration, and the unit is that of each of its series.
    """
    where = "for it in dbt_vars"
    in_wh = "if its values are in Wh set `unit: Wh`"
    if is_declared:
        where = f"in meters.{day.source}"
        in_wh += " beside its `dataset`"
    values = day.readings + day.glitches
    if day.backwards + day.step_backs > max(2, values / 10):
        falls = day.backwards + day.step_backs
        return (
            f"fell in {falls} of {values} readings, which is no energy here; "
            f"if it counts down set `direction: down`, if both ways `direction: both`, {where}"
        )
    if day.resets > max(2, values / 5):
        return (
            f"leapt by more than could flow in {day.resets} of {values} readings; "
            f"{in_wh}, else a higher `max_power_kw`, {where}"
        )
    if day.glitches > max(2, values / 5):
        return (
            f"showed wrong values in {day.glitches} of {values} readings; "
            "if two meters write under this name give each its own"
        )
    if 0 < 2 * day.peak_w * 24 / 1000 < day.kwh:
        if is_declared and day.peak_w < LEAST_PEAK_W:
            in_wh = f"if the power is in kW set `unit: kW` beside its `dataset`, {in_wh}"
        return (
            f"rose by {day.kwh:.1f} kWh, but the power was never above {_shown(day.peak_w)} W; "
            f"{in_wh}, {where}"
        )
    return ""


def _shown(watts: float) -> str:
    if watts < LEAST_PEAK_W:
        return f"{watts:.2f}"
    return f"{watts:.0f}"
