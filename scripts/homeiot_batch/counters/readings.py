"""The readings of counters out of the raw table, a UTC day of a counter at a time."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import duckdb

from homeiot_batch.core.sql_text import quoted
from homeiot_batch.counters.arrow_lists import rows_with_lists
from homeiot_batch.counters.limits import DAY
from homeiot_batch.counters.power import Silence

COLUMNS = {"import": "energy_import_kwh", "export": "energy_export_kwh"}
POWER = "instant_power_w"
# readings of a longer time come by way of Arrow, and more readings
LONGEST_WITHOUT_ARROW = timedelta(days=7)
MOST_WITHOUT_ARROW = 250_000


class DayReadings(NamedTuple):
    """A UTC day (days since 1970) of a register: its times in µs since 1970, and its values."""

    source: str
    counter: str
    register: int
    day: int
    times: list[int]
    values: list[float]


def days_of(
    connection: duckdb.DuckDBPyConnection,
    first: datetime,
    end: datetime,
    sources: Collection[str],
) -> Iterator[DayReadings]:
    """Each day of each register that has a value, in order of time. `end` is not included.

    All are read at once, and become lists one by one.

    Values of one time are in order too, so that the same readings are always judged alike.
    """
    given = {"first": first, "end": end, "sources": sorted(sources)}
    found = [(counter, _rows(connection, column, given)) for counter, column in COLUMNS.items()]
    return (
        DayReadings(source, counter, *of_day) for counter, rows in found for source, *of_day in rows
    )


def power_days_of(
    connection: duckdb.DuckDBPyConnection,
    first: datetime,
    end: datetime,
    counters: Mapping[tuple[str, int], str],
) -> Iterator[DayReadings]:
    """The same of power in W. `counters` says what it counts as, by source and register."""
    sources = sorted({source for source, _ in counters})
    given = {"first": first, "end": end, "sources": sources}
    rows = _rows(connection, POWER, given)
    return (
        DayReadings(source, counters[source, register], register, *of_day)
        for source, register, *of_day in rows
        if (source, register) in counters
    )


def _rows(
    connection: duckdb.DuckDBPyConnection, column: str, given: Mapping[str, Any]
) -> Iterator[tuple[Any, ...]]:
    """Source, register, day, times and values of each day of a register."""
    found = connection.sql(_select(column), params=given)
    first = given["first"]
    end = given["end"]
    is_long = end - first > LONGEST_WITHOUT_ARROW
    if is_long or count_of(connection, first, end) > MOST_WITHOUT_ARROW:
        return rows_with_lists(found)
    return iter(found.fetchall())


def count_of(connection: duckdb.DuckDBPyConnection, first: datetime, end: datetime) -> int:
    """How many readings of any meters there are. `end` is not included."""
    [(readings,)] = connection.execute(
        "SELECT count(*) FROM stg_meter_readings WHERE ts_utc >= $first AND ts_utc < $end",
        {"first": first, "end": end},
    ).fetchall()
    return readings


def silences_of(
    connection: duckdb.DuckDBPyConnection,
    dataset: str,
    first: datetime,
    end: datetime,
    longest_s: float,
) -> list[Silence]:
    """When nothing was written to a dataset for longer than `longest_s`, in order."""
    rows = connection.execute(
        f"""
        SELECT before_utc, at_utc FROM (
            SELECT
                epoch_us(lag(ts_utc) OVER (ORDER BY ts_utc)) AS before_utc,
                epoch_us(ts_utc) AS at_utc
            FROM {quoted(dataset)} WHERE ts_utc >= $first AND ts_utc < $end
        )
        WHERE at_utc - before_utc > 1e6 * $longest ORDER BY at_utc
        """,
        {"first": first, "end": end, "longest": longest_s},
    ).fetchall()
    return [Silence(*row) for row in rows]


def _select(column: str) -> str:
    in_order = f"ORDER BY ts_utc, {column}"
    return f"""
        SELECT
            source,
            register,
            epoch_us(ts_utc) // {DAY} AS day,
            list(epoch_us(ts_utc) {in_order}),
            list({column} {in_order})
        FROM stg_meter_readings
        WHERE ts_utc >= $first AND ts_utc < $end AND source IN (SELECT unnest($sources))
            AND {column} IS NOT NULL
        GROUP BY source, register, day
        ORDER BY day, source, register
        """
