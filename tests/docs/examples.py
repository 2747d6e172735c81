"""The datasets of docs/how-to/add-a-dataset.md, with the points and the rows that stand there."""

from typing import Any

import yaml

from tests.docs.pages import blocks, page, sections, tables
from tests.house import House

EXAMPLES = {
    name: text
    for name, text in sections(page("how-to/add-a-dataset.md")).items()
    if blocks(text, "yaml")
}
LINES = [
    line
    for text in EXAMPLES.values()
    for block in blocks(text, "text")
    for line in block.splitlines()
]


def declared(system: str) -> dict[str, Any]:
    """The datasets that the part of the page declares."""
    [snippet] = blocks(EXAMPLES[system], "yaml")
    return yaml.safe_load(snippet)["datasets"]


def archive(house: House) -> None:
    """Declare every example beside the shipped dataset. Archive and load the day of the points."""
    datasets = {name: dataset for system in EXAMPLES for name, dataset in declared(system).items()}
    config = house.folder / "config.yaml"
    config.write_text(yaml.safe_dump({"datasets": datasets}, sort_keys=False))
    outcome = house.snakemake(
        "--until",
        "load",
        "--configfile",
        str(config),
        "--config",
        "start=2025-11-09",
        "end=2025-11-09",
    )
    assert (outcome.code, outcome.failures) == (0, []), outcome.stderr


def assert_rows(house: House, system: str) -> None:
    """Each of the system's tables has the columns and rows of the page, no more and no less."""
    for name, (columns, *rows) in tables(EXAMPLES[system]).items():
        shown = ", ".join(f"coalesce(CAST({column} AS VARCHAR), 'NULL')" for column in columns)
        assert [column for column, *_ in house.query(f"DESCRIBE {name}")] == [
            *columns,
            "ingested_at",
        ]
        assert house.query(f"SELECT {shown} FROM {name} ORDER BY ALL") == [
            tuple(row) for row in rows
        ]
