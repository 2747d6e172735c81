"""The house of the dashboards, built once."""

import json

import duckdb
import pytest

from homeiot_batch.config import load_settings
from tests.dashboards import house
from tests.dbt.meters import Archive
from tests.report.conftest import Built


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The tables of the house, by the real dbt, published as every night does it."""
    folder = tmp_path_factory.mktemp("dashboards")
    archive = Archive(folder / "home_energy.duckdb", house.ZONE)
    archive.load(house.readings())
    archive.build("--vars", json.dumps(house.VARS))
    with duckdb.connect(archive.database) as connection:
        connection.executemany(
            "INSERT INTO archive.tariffs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", house.TARIFFS
        )
    archive.dbt("run", "--select", "fct_daily_cost")
    places = {
        "parquet_base_dir": str(folder / "parquet"),
        "marker_dir": str(folder / "markers"),
        "duckdb_path": str(archive.database),
        "tz": house.ZONE.key,
    }
    settings = load_settings(places)
    archive.publish(settings)
    return Built(archive, settings)
