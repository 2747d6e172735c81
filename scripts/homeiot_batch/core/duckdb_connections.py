"""Every connection of this program to DuckDB, all within the same limits.

dbt has its own connection, which has them from its profile.
"""

import threading
from dataclasses import dataclass
from pathlib import Path

import duckdb

# with two, rows that are inserted in order wait for each other, and row groups that are not full
# are written again when the file is closed, in memory that grows with the day
THREADS = 1


@dataclass(frozen=True)
class Limits:
    """The memory limit as DuckDB writes it, and the folder for what does not fit.

    What a database file needs beyond it goes to a folder beside the file.
    """

    memory: str = "2GB"
    spill: Path | None = None


class _Current:
    limits = Limits()
    scratch: duckdb.DuckDBPyConnection | None = None
    lock = threading.Lock()


def set_limits(limits: Limits) -> None:
    """Set what holds for all connections that this process opens from now on.

    The database of `scratch` stays open where they are as before.
    """
    with _Current.lock:
        if limits == _Current.limits:
            return
        _Current.limits = limits
        _Current.scratch = None


def scratch() -> duckdb.DuckDBPyConnection:
    """A connection without a file, to read others' files. Close it after use.

    All are of one database in memory: to make one for each file costs more than to read a day.
    """
    with _Current.lock:
        if _Current.scratch is None:
            _Current.scratch = connect()
        return _Current.scratch.cursor()


def connect(path: Path | None = None, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection to the file, or to a new database in memory. duckdb.Error if it refuses."""
    limits = _Current.limits
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": limits.memory,
        "threads": THREADS,
        # a file is read from the disk each time: it is read to find out whether it has changed
        "enable_external_file_cache": False,
    }
    if path is None:
        if limits.spill is not None:
            config["temp_directory"] = str(limits.spill)
        return duckdb.connect(config=config)
    return duckdb.connect(path, read_only=read_only, config=config)
