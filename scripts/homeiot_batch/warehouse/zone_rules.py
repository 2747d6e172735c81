"""The zone rules of DuckDB, compared with those of the package tzdata, by which days are cut."""

from importlib.metadata import version
from zoneinfo import ZoneInfo

import duckdb

UPDATE = (
    "update duckdb as soon as a newer one has these rules, or tzdata if its rules are the older "
    "ones. The next run then loads such days by itself"
)


def other_rules(zone: ZoneInfo) -> str:
    """That the two differ, with their versions."""
    return (
        f"duckdb {duckdb.__version__} has other rules for {zone.key} than tzdata "
        f"{version('tzdata')}"
    )
