"""Meters that are silent, or incomplete yesterday, by the tables as published."""

from collections.abc import Collection
from datetime import date, datetime
from typing import NamedTuple

import duckdb

from homeiot_batch.config import Settings
from homeiot_batch.core.days import yesterday
from homeiot_batch.core.layout import Layout
from homeiot_batch.errors import DatabaseError
from homeiot_batch.messages.faults import Fault, Found, of_kind
from homeiot_batch.messages.words import Words
from homeiot_batch.report.figures import Meter
from homeiot_batch.report.panel import silent_since
from homeiot_batch.warehouse.database import open_database

METERS = """
SELECT
    source, kind, last_reading_jst, has_import, has_export, has_power, import_interval_s,
    display_name, energy_from, reports, silent_since_jst, until_jst
FROM dim_source
ORDER BY source
"""
# it is over after so many complete days in a row, or a meter at the edge would be told of daily
WHOLE_DAYS = 3
# not the first day of a meter, which begins when the meter was put in
DAYS = f"""
SELECT
    source, is_complete, coverage, longest_gap_s,
    reset_count + step_back_count + backwards_count AS falls,
    (
        SELECT count_if(recent.is_complete) = {WHOLE_DAYS}
        FROM fct_daily_energy AS recent
        WHERE
            recent.source = fct_daily_energy.source
            AND recent.date_jst > $day::DATE - {WHOLE_DAYS}
            AND recent.date_jst <= $day
    ) AS is_whole_again
FROM fct_daily_energy JOIN dim_source USING (source)
WHERE date_jst = $day AND is_complete IS NOT NULL AND dim_source.first_reading_jst < $day
ORDER BY source
"""


class MeterDay(NamedTuple):
    """How whole the day of a meter is. `coverage` is from 0 to 1.

    `is_whole_again` says that the days before it are complete too.
    """

    source: str
    is_complete: bool
    coverage: float | None
    longest_gap_s: float | None
    falls: int
    is_whole_again: bool


def check_meters(settings: Settings, layout: Layout, told: Collection[str], words: Words) -> Found:
    """Those that are silent, and those whose yesterday is not complete.

    The tables must be those of this night. Nothing where there are none, or they cannot be read.
    """
    if not layout.read_copy.exists():
        return Found()
    last = yesterday(settings.instant(), settings.zone)
    try:
        with open_database(layout.read_copy, read_only=True) as connection:
            meters = [Meter(*row) for row in connection.execute(METERS).fetchall()]
            days = _days(connection, last)
    except DatabaseError:
        return Found()
    silent = _silent(meters, last)
    faults = [_silence(source, since, words) for source, since in silent.items()]
    over: dict[str, str] = {}
    for key, source in of_kind("silent", told).items():
        if source not in silent:
            over[key] = words("over_silent", name=source)
    for day in days:
        key = f"partial:{day.source}"
        if day.is_whole_again:
            over[key] = words("over_partial", name=day.source, n=WHOLE_DAYS)
        elif not day.is_complete and day.source not in silent:
            faults.append(Fault(key, _incomplete(day, last, words)))
    return Found(faults, over | _gone(meters, told, words))


def _days(connection: duckdb.DuckDBPyConnection, last: date) -> list[MeterDay]:
    return [MeterDay(*row) for row in connection.execute(DAYS, {"day": last}).fetchall()]


def _silent(meters: Collection[Meter], last: date) -> dict[str, datetime]:
    """Since when each silent meter has no readings, local time."""
    silent: dict[str, datetime] = {}
    for meter in meters:
        if since := silent_since(meter, last):
            silent[meter.name] = since
    return silent


def _silence(source: str, since: datetime, words: Words) -> Fault:
    day = words.day(since.date(), "date_plain")
    line = words("silent", meter=source, since=f"{day} {words.time(since)}")
    return Fault(f"silent:{source}", line)


def _incomplete(day: MeterDay, last: date, words: Words) -> str:
    found: list[str] = []
    if day.coverage is not None:
        found.append(words("coverage", percent=words.share(day.coverage)))
    if day.longest_gap_s:
        found.append(words("gap", length=words.duration(day.longest_gap_s)))
    if day.falls:
        found.append(words("resets", n=day.falls))
    shown = words.listed(found) or words("not_complete")
    date_words = words.day(last, "date_plain")
    return words("partial", meter=day.source, day=date_words, found=shown)


def _gone(meters: Collection[Meter], told: Collection[str], words: Words) -> dict[str, str]:
    """What was told of meters that are in no table any more."""
    known = {meter.name for meter in meters}
    told_of = of_kind("partial", told) | of_kind("silent", told)
    over: dict[str, str] = {}
    for key, source in told_of.items():
        if source not in known:
            over[key] = words("over_not_checked", name=source)
    return over
