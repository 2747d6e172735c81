"""The datasets with series that are written on a change, as the last build of the tables found."""

from homeiot_batch.config import Settings
from homeiot_batch.errors import DatabaseError
from homeiot_batch.warehouse.database import columns_of, open_database

METERS = "SELECT source FROM dim_source WHERE reports IN ('on_change', 'both')"


def find_on_change_datasets(settings: Settings) -> set[str]:
    """The datasets of the meters that are said or learned to report on change.

    Only what is said, where there are no tables yet or they cannot be read now.
    """
    learned = _learned_meters(settings)
    return {
        series.dataset
        for name, meter in settings.meters.items()
        if meter.reports == "on_change" or (meter.learns_reports and name in learned)
        for _, series in meter.series
    }


def _learned_meters(settings: Settings) -> set[str]:
    if not settings.meters or not settings.duckdb_path.exists():
        return set()
    try:
        with open_database(settings.duckdb_path, read_only=True) as connection:
            columns = [name for name, _ in columns_of(connection, "dim_source")]
            if "reports" not in columns:
                return set()
            return {name for (name,) in connection.execute(METERS).fetchall()}
    except DatabaseError:
        return set()
