"""What is made sure of before dbt builds the tables of declared meters."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from homeiot_batch.config import Settings, load_settings
from homeiot_batch.errors import BuildError
from homeiot_batch.warehouse.meter_tables import prepare_meters
from tests.dbt.meters import Archive, readings_of

pytestmark = pytest.mark.usefixtures("clean_environment")

ENERGY = {
    "measurement": "kWh",
    "tags": {"entity": "none", "name": "none"},
    "fields": {"value": "double"},
}
IMPORT = {"dataset": "energy"}
METER = {"kind": "load", "import": IMPORT}


def house(database: Path, meters: dict[str, Any], **datasets: Any) -> Settings:
    """Settings of a house with these meters and datasets, and `energy`."""
    given = {"datasets": {"energy": ENERGY, **datasets}, "meters": meters}
    file = database.with_name("config.yaml")
    file.write_text(json.dumps(given | {"duckdb_path": str(database)}))
    return load_settings({}, file)


def put(settings: Settings, *points: tuple[int, str, str, float | None]) -> None:
    """Points of the dataset `energy`: hour, entity, name and value."""
    with duckdb.connect(settings.duckdb_path) as connection:
        connection.execute(settings.datasets["energy"].ddl())
        for hour, *values in points:
            at = datetime(2026, 11, 9, hour)
            row = [at, at, *values, at]
            connection.execute("INSERT INTO energy VALUES (?, ?, ?, ?, ?, ?)", row)


def lines(settings: Settings) -> list[str]:
    """What the meters are refused for, a line each."""
    with pytest.raises(BuildError) as caught:
        prepare_meters(settings)
    return caught.value.lines


def test_tables_without_a_loaded_day_are_made(tmp_path: Path) -> None:
    """A table of each dataset is read. A dataset of no meter needs none."""
    settings = house(tmp_path / "home.duckdb", {"car": METER}, other=ENERGY)
    lines(settings)
    with duckdb.connect(settings.duckdb_path) as connection:
        tables = "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'main'"
        assert connection.execute(tables).fetchall() == [("energy",)]


def test_a_series_without_readings_is_refused(tmp_path: Path) -> None:
    """It would be missing in the sum. A tag's value that no reading has is named."""
    registers = [IMPORT | {"where": {"entity": name}} for name in ("t1", "sensor.t2", "t3")]
    meters = {"house": {"kind": "grid", "import": registers, "export": {"dataset": "other"}}}
    other = ENERGY | {"measurement": "Wh"}
    settings = house(tmp_path / "home.duckdb", meters, other=other)
    put(settings, (1, "t1", "none", 1.0), (1, "t2", "none", 1.0), (1, "t3", "none", None))
    assert lines(settings) == [
        (
            "meters.house.import, no. 2, has no readings in energy: none has "
            "entity='sensor.t2'; known are t1, t2, t3. If it was only silent on the archived days, "
            "archive more of them"
        ),
        (
            "meters.house.import, no. 3, has no readings in energy; correct its `where` and "
            "`field`, or leave it out until there are some"
        ),
        (
            "meters.house.export has no readings in other; correct its `where` and `field`, or "
            "leave it out until there are some"
        ),
    ]


def test_two_series_at_a_time_are_refused(tmp_path: Path) -> None:
    """Their values would pass for one counter's. One that was renamed is one after the other."""
    settings = house(tmp_path / "home.duckdb", {"car": METER})
    put(settings, (1, "a", "none", 1.0), (3, "a", "none", 2.0), (4, "a", "new", 3.0))
    prepare_meters(settings)
    put(settings, (2, "b", "none", 7.0), (5, "b", "none", 7.0))
    [line] = lines(settings)
    assert line == (
        "meters.car.import matches several series of the same time (entity 'a', name 'none' and "
        "entity 'b', name 'none'); name the tags of one in `where`, and declare the others "
        "beside it"
    )


def test_a_meter_with_the_name_of_a_source_is_refused(tmp_path: Path) -> None:
    """Their energies would be added up. The name of another source is no mistake."""
    archive = Archive(tmp_path / "home.duckdb")
    archive.load(readings_of("car", "2026-11-09T10:00 100", archive.zone))
    shipped = load_settings({}).datasets["raw_meter_readings"].model_dump()
    settings = house(archive.database, {"car": METER}, raw_meter_readings=shipped)
    put(settings, (1, "a", "none", 1.0))
    assert lines(settings) == [
        (
            "meters.car has series of its own, and raw_meter_readings has a source of that name; "
            "give the meter another name"
        )
    ]
    prepare_meters(house(archive.database, {"wallbox": METER}, raw_meter_readings=shipped))
