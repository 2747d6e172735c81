"""How many readings an archived day has, what share of the usual ones, and its longest gap."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb

from homeiot_batch.archive.day_bounds import DayBounds
from homeiot_batch.archive.day_file import prove_day
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.duckdb_connections import scratch
from homeiot_batch.core.sql_text import literal, quoted
from homeiot_batch.errors import ArchiveDamaged

FILES = (
    "read_parquet(?, hive_partitioning = true, hive_types_autocast = false, union_by_name = true)"
)
SERIES_DAYS = """
WITH readings AS (
    SELECT
        dt,
        row({tags}) AS series,
        ts_utc,
        ts_utc - lag(ts_utc) OVER (PARTITION BY dt, series ORDER BY ts_utc) AS step
    FROM {files}
),
per_day AS (
    SELECT
        dt::DATE AS dt,
        series,
        count(*) AS n,
        min(ts_utc) AS first,
        max(ts_utc) AS last,
        epoch(max(step)) AS gap,
        median(epoch(step)) FILTER (WHERE step > INTERVAL 0 SECOND) AS usual
    FROM readings
    GROUP BY ALL
),
usual AS (
    SELECT series, min(dt) AS since, median(usual) AS usual
    FROM per_day
    GROUP BY series
)
SELECT dt, n, epoch_us(first), epoch_us(last), gap, usual.usual, series, since
FROM per_day JOIN usual USING (series)
"""
US_PER_S = 1e6


@dataclass(frozen=True)
class Measures:
    """Readings of a day, their share of the usual ones, and the longest gap with the day's edges.

    The share and the gap are None where the day has no reading.
    """

    rows: int = 0
    share: float | None = None
    longest_gap_s: float | None = None


@dataclass(frozen=True)
class SeriesDay:
    """The readings of one series on one day, and what is usual for the series."""

    dt: date
    readings: int
    first_us: int
    last_us: int
    gap_s: float | None
    usual_s: float | None  # between two readings, the median over all days of the series
    series: tuple[object, ...]  # the values of its tags
    since: date  # the first day of the series


def measured_days(
    dataset: Dataset, parts: dict[date, Path], bounds: DayBounds
) -> tuple[set[date], dict[date, Measures]]:
    """The days whose files are damaged, and what the others hold."""
    try:
        return set(), _measured(dataset, parts, bounds)
    except duckdb.Error:  # does not say which one; all are read through only now
        damaged = {day for day, part in parts.items() if _is_damaged(part, bounds.day(day))}
        if not damaged:
            raise
    whole = {day: part for day, part in parts.items() if day not in damaged}
    _, measured = measured_days(dataset, whole, bounds)
    return damaged, measured


def _measured(dataset: Dataset, parts: dict[date, Path], bounds: DayBounds) -> dict[date, Measures]:
    """What each day with readings holds."""
    if not parts:
        return {}
    found = _series_days(dataset, parts.values())
    series = {row.series: row for row in found}
    by_day: dict[date, list[SeriesDay]] = {}
    for row in found:
        by_day.setdefault(row.dt, []).append(row)
    measured: dict[date, Measures] = {}
    for dt, rows in by_day.items():
        day = bounds.day(dt)
        measured[dt] = _measures(day, rows, series.values())
    return measured


def _is_damaged(part: Path, day: LocalDay) -> bool:
    try:
        prove_day(part.parent, day)
    except ArchiveDamaged:
        return True
    return False


def _series_days(dataset: Dataset, parts: Collection[Path]) -> list[SeriesDay]:
    """What each series holds of each day."""
    files = [str(part) for part in parts]
    with scratch() as connection:
        described = connection.execute(f"DESCRIBE SELECT * FROM {FILES}", [files])
        columns = {name for name, *_ in described.fetchall()}
        tags = ", ".join(_tag(dataset, tag, columns) for tag in dataset.tags)
        query = SERIES_DAYS.format(tags=tags or "NULL", files=FILES)
        rows = connection.execute(query, [files]).fetchall()
    return [SeriesDay(*row) for row in rows]


def _tag(dataset: Dataset, tag: str, columns: set[str]) -> str:
    """The tag in SQL. Files of earlier declarations may not have its column."""
    column = "NULL"
    if tag in columns:
        column = quoted(tag)
    return f"coalesce({column}, {literal(dataset.absent(tag))})"


def _measures(day: LocalDay, rows: list[SeriesDay], series: Collection[SeriesDay]) -> Measures:
    count = sum(row.readings for row in rows)
    longest = max(_longest_gap_s(day, row) for row in rows)
    expected = _expected(day, series)
    if not expected:
        return Measures(count, None, longest)
    share = min(1.0, count / expected)
    return Measures(count, share, longest)


def _expected(day: LocalDay, series: Collection[SeriesDay]) -> float:
    """Readings of all series that have been seen on the day or earlier.

    What a series usually has is the day's length over its usual interval.
    """
    length_s = (day.end - day.start).total_seconds()
    seen = [one for one in series if one.since <= day.date]
    return sum(length_s / one.usual_s for one in seen if one.usual_s)


def _longest_gap_s(day: LocalDay, row: SeriesDay) -> float:
    between = row.gap_s or 0
    before = row.first_us / US_PER_S - day.start.timestamp()
    after = day.end.timestamp() - row.last_us / US_PER_S
    return max(between, before, after)
