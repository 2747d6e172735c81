"""The datasets of docs/how-to/add-a-dataset.md.

The points that stand there go in, the rows that stand there come out.
"""

import pytest
import yaml

from homeiot_batch.config import ROOT
from tests.docs.examples import EXAMPLES, LINES, archive, assert_rows, declared
from tests.docs.pages import blocks, tables
from tests.house import House

SHIPPED = yaml.safe_load((ROOT / "config.yaml").read_text())["datasets"]


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house that has archived the points of every example from an export."""
    house = House(tmp_path_factory.mktemp("examples"))
    house.export(*LINES)
    archive(house)
    return house


def test_three_systems_are_shown() -> None:
    """Each with its declaration. All names differ, so that a house may have all of them."""
    assert list(EXAMPLES) == ["Home Assistant", "evcc", "Telegraf"]
    names = [name for system in EXAMPLES for name in declared(system)]
    assert sorted({*names, *SHIPPED}) == sorted([*names, *SHIPPED])


@pytest.mark.parametrize("system", EXAMPLES)
def test_every_declared_table_is_shown(system: str) -> None:
    """A dataset whose rows are not on the page would not be tested."""
    assert set(declared(system)) == set(tables(EXAMPLES[system])) - set(SHIPPED)


@pytest.mark.parametrize("system", EXAMPLES)
def test_the_points_become_the_rows(system: str, archived: House) -> None:
    """All of them, whole, in each table."""
    assert_rows(archived, system)


def test_the_query_by_day(archived: House) -> None:
    """The page's SQL, run as it stands there."""
    [query] = blocks(EXAMPLES["Home Assistant"], "sql")
    assert [(entity, kwh) for _, entity, kwh in archived.query(query)] == [
        ("heat_pump_energy", 1.5)
    ]
