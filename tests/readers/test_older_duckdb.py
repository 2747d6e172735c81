"""The read copy in older versions of DuckDB, as Grafana, Metabase and DBeaver bring them.

An environment for each is made by `make readers`. Without it these tests are skipped, unless
INTEGRATION_TESTS=1.
"""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from homeiot_batch.config import load_settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.warehouse.read_copy import publish
from tests.house import Checkout, House
from tests.readers.environments import OLDER_PYTHONS, read_all
from tests.workflow import drills
from tests.workflow.drills import DAYS, FIRST, MIDDLE, UNTIL_LOAD, V1, span

FIELDS = "temperature_c: double, window_is_open: boolean, presses: integer, note: string"
CLIMATE = f"""  room_climate:
    measurement: climate
    tags: {{room: none}}
    fields: {{{FIELDS}}}
"""
NOON = 1794193200  # of the first day, in seconds
LINES = [
    f"climate,room=living\\ room temperature_c=2{n}.5,window_is_open=t,presses={n}i,"
    f'note="it\'s {n}",co2_ppm=40{n}i {NOON + n * 86400}000000000'
    for n in range(len(DAYS))
]
TABLES = [
    "dim_source",
    "fct_daily_balance",
    "fct_daily_cost",
    "fct_daily_energy",
    "fct_daily_profile",
    "fct_hourly_balance",
    "fct_hourly_energy",
    "fct_load_curve",
    "fct_monthly_balance",
    "fct_monthly_energy",
    "never_read",
    "raw_meter_readings",
    "read_copy",
    "room_climate",
]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A house with fields of every type, and with dbt's tables.

    When two of the three days had been archived, one more field was declared, and all fields in
    another order.
    """
    house = Checkout(tmp_path_factory.mktemp("readers"))
    house.export(*(line for day in V1 for line in drills.lines(day, 1)), *LINES)
    config = house.folder / "config.yaml"
    shipped = config.read_text()
    config.write_text(shipped + CLIMATE)
    outcome = house.snakemake(*UNTIL_LOAD, *span(FIRST, MIDDLE))
    assert outcome.code == 0, outcome.stderr
    turned = yaml.safe_load(shipped + CLIMATE.replace(FIELDS, f"{FIELDS}, co2_ppm: integer"))
    for dataset in turned["datasets"].values():
        dataset["fields"] = dict(reversed(dataset["fields"].items()))
    config.write_text(yaml.safe_dump(turned, sort_keys=False))
    outcome = house.snakemake(*span())
    assert outcome.code == 0, outcome.stderr
    return house


@pytest.fixture
def house(built: Checkout, tmp_path: Path) -> House:
    """The same house in a folder of its own."""
    shutil.copytree(built.folder, tmp_path / "house")
    return House(tmp_path / "house")


older = pytest.mark.parametrize("python", OLDER_PYTHONS)
OWN_PYTHON = Path(sys.executable)


def published(house: House, version: str = "v1.0.0") -> Path:
    """The read copy, published for that version of DuckDB, with a dataset that has no day yet."""
    given = {
        "parquet_base_dir": str(house.parquet),
        "marker_dir": str(house.markers),
        "duckdb_path": str(house.database),
        "read_copy_storage_version": version,
    }
    settings = load_settings(given, house.folder / "config.yaml")
    settings.datasets["never_read"] = Dataset(measurement="n", fields={"x": "double"}).named(
        "never_read"
    )
    publish(settings, settings.layout, wait_s=0)
    return settings.layout.read_copy


@older
def test_every_table_and_view_is_the_same(house: House, python: Path) -> None:
    """All columns with their types, and all rows, are those that the batch's own DuckDB reads."""
    copy = published(house)
    found = read_all(python, copy)
    assert found == read_all(OWN_PYTHON, copy)
    assert sorted({line.split()[0] for line in found}) == TABLES
    climate = [line for line in found if line.startswith("room_climate (")]
    values = [
        """None, "it's 0", 0, True, 20.5""",
        """None, "it's 1", 1, True, 21.5""",
        """402, "it's 2", 2, True, 22.5""",
    ]
    assert len(climate) == 3
    assert all(value in line for value, line in zip(values, climate, strict=True))


@older
def test_views_follow_an_archive_that_moved(house: House, python: Path, tmp_path: Path) -> None:
    """Whoever sees the Parquet files elsewhere names the folder, and finds the same rows."""
    copy = published(house)
    before = read_all(OWN_PYTHON, copy)
    house.parquet.rename(tmp_path / "elsewhere")
    assert read_all(python, copy, [tmp_path / "elsewhere"]) == before


@older
def test_what_older_versions_refuse(house: House, python: Path) -> None:
    """The batch's own database, and a copy that was asked for in the newest format."""
    for file in (house.database, published(house, "latest")):
        script = f"import duckdb; duckdb.connect({str(file)!r}, read_only=True)"
        done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=False)
        assert "Trying to read a database file with version number" in done.stderr
