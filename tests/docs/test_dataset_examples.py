"""The datasets of docs/how-to/add-a-dataset.md: the points that stand there go in, the rows that stand there come out."""

from typing import Any

import pytest
import yaml

from homeiot_batch.config import ROOT
from tests.conftest import House
from tests.docs.pages import blocks, page, sections, tables

EXAMPLES = {name: text for name, text in sections(page("how-to/add-a-dataset.md")).items() if blocks(text, "yaml")}
SHIPPED = yaml.safe_load((ROOT / "config.yaml").read_text())["datasets"]


def declared(text: str) -> dict[str, Any]:
    """The datasets that the part of the page declares."""
    [snippet] = blocks(text, "yaml")
    return yaml.safe_load(snippet)["datasets"]


@pytest.fixture(scope="module")
def archived(tmp_path_factory: pytest.TempPathFactory) -> House:
    """A house that declares every example beside the shipped dataset, with the day of the points archived and loaded from an export."""
    house = House(tmp_path_factory.mktemp("examples"))
    datasets = {name: dataset for text in EXAMPLES.values() for name, dataset in declared(text).items()}
    config = house.folder / "config.yaml"
    config.write_text(yaml.safe_dump({"datasets": datasets}, sort_keys=False))
    house.export(*(line for text in EXAMPLES.values() for line in blocks(text, "text")[0].splitlines()))
    outcome = house.snakemake("--until", "load", "--configfile", str(config), "--config", "start=2025-11-09", "end=2025-11-09")
    assert (outcome.code, outcome.failures) == (0, []), outcome.stderr
    return house


def test_three_systems_are_shown() -> None:
    """Each with its declaration; all names differ, so that a house may have all of them."""
    assert list(EXAMPLES) == ["Home Assistant", "evcc", "Telegraf"]
    names = [name for text in EXAMPLES.values() for name in declared(text)]
    assert sorted({*names, *SHIPPED}) == sorted([*names, *SHIPPED])


@pytest.mark.parametrize("system", EXAMPLES)
def test_every_declared_table_is_shown(system: str) -> None:
    """A dataset whose rows are not on the page would not be tested."""
    assert set(declared(EXAMPLES[system])) == set(tables(EXAMPLES[system])) - set(SHIPPED)


@pytest.mark.parametrize("system", EXAMPLES)
def test_the_points_become_the_rows(system: str, archived: House) -> None:
    """All of them, whole, in each table."""
    for name, (columns, *rows) in tables(EXAMPLES[system]).items():
        shown = ", ".join(f"coalesce(CAST({column} AS VARCHAR), 'NULL')" for column in columns)
        assert [column for column, *_ in archived.query(f"DESCRIBE {name}")] == [*columns, "ingested_at"]
        assert archived.query(f"SELECT {shown} FROM {name} ORDER BY ALL") == [tuple(row) for row in rows]


def test_the_query_by_day(archived: House) -> None:
    """The page's SQL, run as it stands there."""
    [query] = blocks(EXAMPLES["Home Assistant"], "sql")
    assert [(entity, kwh) for _, entity, kwh in archived.query(query)] == [("heat_pump_energy", 1.5)]
