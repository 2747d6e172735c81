"""Exports of a meter on 9 November 2026 in Japan, for the tests of reading them."""

import gzip
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

START = 1794150000 * 10**9  # of the day
SECOND, MINUTE, HOUR, DAY = 10**9, 60 * 10**9, 3600 * 10**9, 86_400 * 10**9
Row = tuple[Any, ...]
Read = Callable[..., list[Row]]


def at(offset: int) -> int:
    """Nanoseconds since the epoch, from those since the start of the day."""
    return START + offset


def write(path: Path, *lines: str, end: str = "\n") -> None:
    """Write lines of line protocol, packed if the name ends in .gz."""
    data = ("\n".join(lines) + end).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)


def header(begin: str, end: str, *, database: str = "home_energy") -> list[str]:
    """The comments at the beginning of an export by influx_inspect."""
    return [
        f"# INFLUXDB EXPORT: {begin} - {end}",
        "# DDL",
        f"CREATE DATABASE {database} WITH NAME autogen",
        "# DML",
        f"# CONTEXT-DATABASE:{database}",
        "# CONTEXT-RETENTION-POLICY:autogen",
        "# writing tsm data",
    ]


def meter(first: int, last: int, source: str = "a", step: int = 10 * MINUTE) -> list[str]:
    """Readings of power from `first` until before `last`, both from the start of the day in ns."""
    return [
        f"power,source={source} instant_power_w={offset // step} {at(offset)}"
        for offset in range(first, last, step)
    ]


def hours(rows: Iterable[Row]) -> list[int]:
    """The hours of the day that have rows."""
    return sorted({row[0] // HOUR for row in rows})
