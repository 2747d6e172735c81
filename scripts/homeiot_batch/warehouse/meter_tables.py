"""What must be so in the database before dbt builds the tables of the declared meters."""

import duckdb

from homeiot_batch.config import SHIPPED_DATASET, Settings
from homeiot_batch.errors import BuildError
from homeiot_batch.warehouse.database import open_database
from homeiot_batch.warehouse.table_vars import table_datasets


def prepare_meters(settings: Settings) -> None:
    """Make the raw tables that dbt reads and of which no day is loaded yet.

    BuildError if a meter with series of its own has the name of a source of the shipped dataset.
    """
    with open_database(settings.duckdb_path) as connection:
        for name in table_datasets(settings):
            connection.execute(settings.datasets[name].ddl())
        if SHIPPED_DATASET in settings.datasets:
            _refuse_sources(connection, settings)


def _refuse_sources(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    names = [name for name, meter in settings.meters.items() if meter.series]
    if not names:
        return
    query = f"SELECT DISTINCT source FROM {SHIPPED_DATASET} WHERE source IN (SELECT unnest(?))"
    problems = [
        f"meters.{name} has series of its own, and {SHIPPED_DATASET} has a source of that name; "
        "give the meter another name"
        for (name,) in connection.execute(query, [names]).fetchall()
    ]
    if problems:
        raise BuildError(problems)
