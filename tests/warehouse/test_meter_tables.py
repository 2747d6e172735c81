"""What is made sure of before dbt builds the tables of declared meters."""

import json
from typing import Any

import duckdb
import pytest

from homeiot_batch.config import load_settings
from homeiot_batch.errors import BuildError
from homeiot_batch.warehouse.meter_tables import prepare_meters
from tests.dbt.meters import Archive, readings_of

pytestmark = pytest.mark.usefixtures("clean_environment")

ENERGY = {"measurement": "kWh", "fields": {"value": "double"}}
METER = {"kind": "load", "import": {"dataset": "energy"}}


def test_tables_without_a_loaded_day_are_made(tmp_path: Any) -> None:
    """A table of each dataset is read. A dataset of no meter needs none."""
    database = tmp_path / "home.duckdb"
    datasets = {"energy": ENERGY, "other": ENERGY}
    given = {"datasets": datasets, "meters": {"car": METER}, "duckdb_path": str(database)}
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps(given))
    prepare_meters(load_settings({}, file))
    with duckdb.connect(database) as connection:
        tables = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main'"
        assert connection.execute(tables).fetchall() == [("energy",)]


def test_a_meter_with_the_name_of_a_source_is_refused(tmp_path: Any) -> None:
    """Their energies would be added up. The name of another source is no mistake."""
    archive = Archive(tmp_path / "home.duckdb")
    archive.load(readings_of("car", "2026-11-09T10:00 100", archive.zone))
    shipped = load_settings({}).datasets["raw_meter_readings"].model_dump()
    datasets = {"energy": ENERGY, "raw_meter_readings": shipped}
    place = {"datasets": datasets, "duckdb_path": str(archive.database)}
    with pytest.raises(BuildError) as caught:
        prepare_meters(load_settings(place | {"meters": {"car": METER}}))
    assert caught.value.lines == [
        (
            "meters.car has series of its own, and raw_meter_readings has a source of that name; "
            "give the meter another name"
        )
    ]
    prepare_meters(load_settings(place | {"meters": {"wallbox": METER}}))
