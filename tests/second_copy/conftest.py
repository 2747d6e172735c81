"""A house of a few days, its second copy in a folder, and an empty machine."""

from datetime import date
from pathlib import Path

import pytest

from homeiot_batch.config import Settings
from tests.second_copy import days

BERLIN = "Europe/Berlin"
# a day of 23 hours in it
FEW = days.dates(date(2026, 3, 28), 3)


@pytest.fixture
def house(settings: Settings, tmp_path: Path) -> Settings:
    """Three days in Berlin, with settings and tariffs, that are to be copied to a folder."""
    copy = tmp_path / "nas"
    copy.mkdir()
    own = tmp_path / "own"
    own.mkdir()
    (own / "config.yaml").write_text("tz: Europe/Berlin\n")
    (own / "tariffs.csv").write_text("from,price\n")
    changes = {"tz": BERLIN, "mirror_url": str(copy), "house_dir": own}
    house = settings.model_copy(update=changes)
    days.archive(house, FEW)
    return house


@pytest.fixture
def nas(house: Settings) -> Path:
    """The folder of the copy."""
    return Path(str(house.mirror_url))


@pytest.fixture
def empty(house: Settings, tmp_path: Path) -> Settings:
    """The settings of another machine, where nothing is yet."""
    new = tmp_path / "new"
    return house.model_copy(
        update={
            "parquet_base_dir": new / "parquet",
            "marker_dir": new / "markers",
            "report_dir": new / "report",
            "duckdb_path": new / "duckdb/home.duckdb",
            "house_dir": new / "own",
        }
    )
