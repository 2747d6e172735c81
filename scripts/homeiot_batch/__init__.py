"""Daily archive of a house's readings: InfluxDB -> Parquet -> DuckDB -> dbt."""

import zoneinfo
from importlib.metadata import version

__version__ = version("homeiot-batch")

# The zone rules are those of the locked package tzdata: a system's own files may be older.
zoneinfo.reset_tzpath(())
zoneinfo.ZoneInfo.clear_cache()
