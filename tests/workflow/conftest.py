"""Houses that are archived already: each test has a copy of one that was built once."""

from pathlib import Path

import pytest

from tests.conftest import House
from tests.workflow import drills


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
    """A house of one's own whose three days are archived, loaded and built; its source still holds the same."""
    return drills.copy_of(template, tmp_path / "house")
