"""Daily archive of a house's readings: InfluxDB -> Parquet -> DuckDB -> dbt."""

from importlib.metadata import version

__version__ = version("homeiot-batch")
