"""Whether a register is written at an interval or on a change, learned from its readings.

Its first days tell, so that the answer stays as it is from night to night, and is the same if all
is built again. A register that is read at an interval shows equal values while nothing flows, and
has lost readings where there is more time between two of them: it then rises by more. One that is
written on a change hardly ever shows a value twice, and more time brings no more energy.
"""

from collections.abc import Mapping
from typing import NamedTuple

import duckdb

from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.meter_series import Found, Reports, SeriesKey, find_series
from homeiot_batch.core.sql_text import literal, quoted

DAYS = 28  # UTC days with readings
LEAST_STEPS = 50
MOST_EQUAL = 0.05  # of all steps
LONG = 1.8  # times the lower quartile of the steps' lengths
MOST_RISE = 1.2  # of a long step, times that of the others
LEAST_UNEVEN = 0.4  # of the days with a rise

STEPS = """
WITH days AS (
    SELECT DISTINCT ts_utc::DATE AS day FROM {table} WHERE {is_of_series} ORDER BY day LIMIT {days}
),
steps AS (
    SELECT
        ts_utc::DATE AS day,
        epoch_us(ts_utc) - epoch_us(lag(ts_utc) OVER in_order) AS span,
        {sign} * ({value} - lag({value}) OVER in_order) AS rise
    FROM {table}
    WHERE {is_of_series} AND ts_utc < (SELECT max(day) + 1 FROM days)
    WINDOW in_order AS (ORDER BY ts_utc, {value})
),
rises AS (
    SELECT * FROM steps WHERE span > 0 AND rise >= 0
),
usual AS (
    SELECT quantile_disc(span, 0.25) AS span FROM rises
),
plain AS (
    SELECT rises.*, rises.span >= {long} * usual.span AS is_long FROM rises CROSS JOIN usual
)
SELECT
    count(*) AS steps,
    count(*) FILTER (rise = 0) AS equal,
    count(DISTINCT day) FILTER (rise > 0) AS days,
    count(DISTINCT day) FILTER (is_long AND rise > 0) AS uneven_days,
    median(rise) FILTER (NOT is_long AND rise > 0) AS short_rise,
    median(rise) FILTER (is_long AND rise > 0) AS long_rise
FROM plain
"""


class Steps(NamedTuple):
    """What the steps between a register's readings are like. Rises are in its own unit."""

    steps: int
    equal: int
    days: int
    uneven_days: int
    short_rise: float | None
    long_rise: float | None


def reports_of(steps: Steps) -> Reports:
    """`on_change` where all says so, otherwise `interval`, which marks more."""
    if steps.steps < LEAST_STEPS or steps.equal > MOST_EQUAL * steps.steps:
        return "interval"
    if steps.short_rise is None or steps.long_rise is None:
        return "interval"
    if steps.uneven_days < LEAST_UNEVEN * steps.days:
        return "interval"
    if steps.long_rise > MOST_RISE * steps.short_rise:
        return "interval"
    return "on_change"


def learn_reports(
    connection: duckdb.DuckDBPyConnection, settings: Settings
) -> Mapping[SeriesKey, Reports]:
    """How each register is written whose meter does not say it."""
    return {
        found.key: reports_of(_steps(connection, settings, found))
        for found in find_series(settings.meters, settings.datasets)
        if found.is_register and settings.meters[found.meter].learns_reports
    }


def _steps(connection: duckdb.DuckDBPyConnection, settings: Settings, found: Found) -> Steps:
    is_down = settings.meters[found.meter].direction_of(found.role) == "down"
    query = STEPS.format(
        table=quoted(found.declared.dataset),
        is_of_series=_condition(found, settings.datasets[found.declared.dataset]),
        value=f"{quoted(found.field)}::DOUBLE",
        sign=-1 if is_down else 1,
        days=DAYS,
        long=LONG,
    )
    [row] = connection.execute(query).fetchall()
    return Steps(*row)


def _condition(found: Found, dataset: Dataset) -> str:
    """The points of the series in SQL. A filled 0.0 is no reading."""
    conditions = [f"{quoted(found.field)} IS NOT NULL"]
    if dataset.missing is not None:
        conditions.append(f"{quoted(found.field)} <> {dataset.missing}")
    for tag, value in found.declared.where.items():
        conditions.append(f"{quoted(tag)} = {literal(value)}")
    return " AND ".join(conditions)
