"""The readings of counters out of the raw table, a UTC day of a counter at a time."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import NamedTuple

import duckdb

from homeiot_batch.counters.limits import DAY

COLUMNS = {"import": "energy_import_kwh", "export": "energy_export_kwh"}


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

    Values of one time are in order too, so that the same readings are always judged alike.
    """
    given = {"first": first, "end": end, "sources": sorted(sources)}
    for counter, column in COLUMNS.items():
        rows = connection.execute(_select(column), given).fetchall()
        for source, register, day, times, values in rows:
            yield DayReadings(source, counter, register, day, times, values)


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
