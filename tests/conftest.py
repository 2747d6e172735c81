"""Houses, settings and days that tests of every folder need."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from homeiot_batch.archive.parquet_writer import rename_durably
from homeiot_batch.config import Settings, load_settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.layout import Layout
from tests.fast_set import (  # noqa: F401 - hooks
    pytest_configure,
    pytest_deselected,
    pytest_sessionfinish,
    pytest_terminal_summary,
    pytest_testnodedown,
)
from tests.house import Checkout, House
from tests.long_first import pytest_collection_modifyitems  # noqa: F401 - a hook
from tests.parsed_project import pytest_sessionstart  # noqa: F401 - a hook
from tests.staging import stage_day
from tests.workflow import drills

Points = list[tuple[int, str | None, float | None, float | None, float | None]]


@pytest.fixture
def house(tmp_path: Path) -> House:
    """An empty house in Japan."""
    return House(tmp_path)


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A fresh checkout."""
    return Checkout(tmp_path)


@pytest.fixture
def clean_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No setting of the machine's environment, or of a house in this checkout, reaches the test."""
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("HOUSE_DIR", str(tmp_path_factory.mktemp("house")))


@pytest.fixture
def settings(tmp_path: Path, clean_environment: None) -> Settings:
    """Settings of a house in Japan whose people read English, whatever the environment says."""
    return load_settings(
        {
            "parquet_base_dir": str(tmp_path / "parquet"),
            "marker_dir": str(tmp_path / "markers"),
            "report_dir": str(tmp_path / "report"),
            "duckdb_path": str(tmp_path / "duckdb/home.duckdb"),
            "tz": "Asia/Tokyo",
            "report_language": "en",
            "now": "2026-11-24T00:10:00+09:00",
        }
    )


@pytest.fixture
def layout(settings: Settings) -> Layout:
    """The places of the settings."""
    return settings.layout


@pytest.fixture
def dataset(settings: Settings) -> Dataset:
    """The shipped dataset."""
    return settings.datasets["raw_meter_readings"]


@pytest.fixture
def day(settings: Settings) -> LocalDay:
    """9 November 2026 in Japan: 1794150000 to 1794236400 s."""
    return LocalDay(date(2026, 11, 9), settings.zone)


@pytest.fixture
def batches(dataset: Dataset) -> Callable[..., list[pa.RecordBatch]]:
    """Batches of points, each point as (time ns, source, W, import, export)."""

    def make(*groups: Points) -> list[pa.RecordBatch]:
        names: list[Any] = dataset.raw_schema().names
        rows = [[dict(zip(names, point, strict=True)) for point in group] for group in groups]
        return [pa.RecordBatch.from_pylist(group, schema=dataset.raw_schema()) for group in rows]

    return make


@pytest.fixture
def put_day(
    dataset: Dataset, batches: Callable[..., list[pa.RecordBatch]], tmp_path: Path
) -> Callable[[Points, LocalDay, Settings, Path], None]:
    """Puts a day of these points into a folder, staged by the code that stages a source's."""

    def put(points: Points, day: LocalDay, settings: Settings, folder: Path) -> None:
        groups = batches(points) if points else []
        staged = stage_day(groups, dataset, day, settings, tmp_path)
        rename_durably(staged.folder, folder)

    return put


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house whose three days are archived, loaded and built, never touched again."""
    house = House(tmp_path_factory.mktemp("template") / "house")
    house.folder.mkdir()
    drills.feed(house, drills.V1)
    outcome = house.snakemake(*drills.span())
    assert (outcome.code, outcome.jobs) == (
        0,
        drills.jobs("fetch extract load", *drills.DAYS, tables=True),
    ), outcome.stderr
    return house


@pytest.fixture
def archived(template: House, tmp_path: Path) -> House:
    """A house of one's own whose three days are archived, loaded and built.

    Its source still holds the same.
    """
    return drills.copy_of(template, tmp_path / "house")


@pytest.fixture(scope="session")
def template_checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout whose three days were brought in by one night, never touched again."""
    folder = tmp_path_factory.mktemp("template") / "checkout"
    folder.mkdir()
    checkout = Checkout(folder)
    drills.feed(checkout, drills.V1)
    days = ("--from", drills.FIRST, "--to", drills.LAST)
    assert checkout.night(drills.NEXT, *days).code == 0
    return checkout


@pytest.fixture
def archived_checkout(template_checkout: Checkout, tmp_path: Path) -> Checkout:
    """A checkout of one's own with three days. Its source still holds the same."""
    return drills.copy_of(template_checkout, tmp_path / "checkout")
