"""The declared meters that have no readings any more, as the last build left them."""

from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import duckdb

from homeiot_batch.errors import DatabaseError
from homeiot_batch.warehouse.database import columns_of, open_database

SILENT = """
SELECT source, if(is_power, 'power', counter || ' counter') AS what, min(silent_since_jst)
FROM int_silent_registers
GROUP BY ALL
ORDER BY ALL
"""
FIX = "check whether the device works, or if it was taken out give its last day as `until`"


class SilentCounter(NamedTuple):
    """A counter of a meter, or its power, and the local time from which it has no readings."""

    source: str
    what: str
    since_jst: datetime

    @property
    def found(self) -> str:
        """What is wrong, in words."""
        return f"its {self.what} has no readings after {self.since_jst}"

    @property
    def line(self) -> str:
        """The same with the meter and what to do."""
        return f"{self.source}: {self.found}; {FIX}"


def silent_counters(connection: duckdb.DuckDBPyConnection) -> list[SilentCounter]:
    """All of them, or none where there are no tables yet."""
    if not columns_of(connection, "int_silent_registers"):
        return []
    return [SilentCounter(*row) for row in connection.execute(SILENT).fetchall()]


def find_silent_counters(database: Path) -> list[SilentCounter]:
    """The same of a database file, or none where it is not there or cannot be read now."""
    try:
        if not database.exists():
            return []
        with open_database(database, read_only=True) as connection:
            return silent_counters(connection)
    except (DatabaseError, OSError):
        return []
