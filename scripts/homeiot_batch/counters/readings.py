"""The readings of counters out of the raw table, a UTC day at a time."""

from bisect import bisect_left
from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Literal

import duckdb
import pyarrow as pa

from homeiot_batch.counters.limits import DAY

COLUMNS = {"import": "energy_import_kwh", "export": "energy_export_kwh"}
Series = tuple[list[int], list[float]]


def days_of(
    connection: duckdb.DuckDBPyConnection,
    first: datetime,
    end: datetime,
    sources: Collection[str],
) -> Iterator[tuple[str, int, dict[str, Series]]]:
    """Source, day (UTC, since 1970), and the times (µs) and values of each of its counters.

    In order of source and time. `end` is not included.
    """
    table = connection.sql(
        f"""
        SELECT source, epoch_us(ts_utc) AS at_us, {", ".join(COLUMNS.values())}
        FROM stg_meter_readings
        WHERE ts_utc >= $first AND ts_utc < $end AND source IN (SELECT unnest($sources))
        ORDER BY source, ts_utc, {", ".join(COLUMNS.values())}
        """,
        params={"first": first, "end": end, "sources": sorted(sources)},
    ).to_arrow_table()
    if not table.num_rows:
        return
    table = table.combine_chunks()
    coded = table["source"].chunk(0).dictionary_encode()
    codes = coded.indices.to_pylist()
    for code, source in enumerate(coded.dictionary.to_pylist()):
        begin = bisect_left(codes, code)
        rows = table.slice(begin, bisect_left(codes, code + 1) - begin)
        for day, part in _days(rows):
            yield source, day, part


def _days(rows: pa.Table) -> Iterator[tuple[int, dict[str, Series]]]:
    times = numbers(rows["at_us"].chunk(0), "q")
    columns = {counter: rows[name].chunk(0) for counter, name in COLUMNS.items()}
    begin = 0
    while begin < len(times):
        day = times[begin] // DAY
        end = bisect_left(times, (day + 1) * DAY, begin)
        series = {
            counter: _present(times[begin:end], column.slice(begin, end - begin))
            for counter, column in columns.items()
        }
        yield day, {counter: found for counter, found in series.items() if found[0]}
        begin = end


def _present(times: list[int], values: pa.Array) -> Series:
    """The times and values of those that are not NULL."""
    if values.null_count == 0:
        return times, numbers(values, "d")
    pairs = [
        (at, value)
        for at, value in zip(times, values.to_pylist(), strict=True)
        if value is not None
    ]
    return [at for at, _ in pairs], [value for _, value in pairs]


def numbers(array: pa.Array, kind: Literal["q", "d"]) -> list:
    """The numbers of an array without NULL (`q`: int64, `d`: double), faster than to_pylist."""
    values = memoryview(array.buffers()[1])
    values = values.cast("q") if kind == "q" else values.cast("d")
    return values[array.offset : array.offset + len(array)].tolist()
