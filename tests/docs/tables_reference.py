"""docs/reference/tables.md, from what dbt's files say of the tables.

python -m tests.docs.tables_reference      rewrites the tables in docs/reference/tables.md
"""

import re
import textwrap
from collections.abc import Iterator
from typing import Any

import yaml

from homeiot_batch.config import ROOT
from tests.docs.pages import DOCS

PAGE = DOCS / "reference/tables.md"
TABLES = re.compile(r"(?<=<!-- tables -->\n).*?(?=<!-- /tables -->)", re.DOTALL)
# built for the others; only the one that shows how readings were judged is for readers
INNER = "int_"
SHOWN = "int_counter_steps"


def described() -> dict[str, dict[str, Any]]:
    """Name, description and columns of every table that is for readers: raw, staging, marts."""
    return {
        table["name"]: table
        for table in _all()
        if table["name"] == SHOWN or not table["name"].startswith(INNER)
    }


def reference() -> str:
    """A part for each table."""
    return "\n".join(_part(table) for table in described().values())


def _all() -> Iterator[dict[str, Any]]:
    for name in (
        "models/staging/_sources.yml",
        "models/staging/_staging.yml",
        "models/marts/_marts.yml",
        "models/intermediate/_intermediate.yml",
    ):
        document = yaml.safe_load((ROOT / "dbt" / name).read_text())
        yield from (
            table
            for source in document.get("sources", [])
            for table in source["tables"]
            if "columns" in table
        )
        yield from document.get("models", [])


def _part(table: dict[str, Any]) -> str:
    rows = [f"| `{column['name']}` | {column['description']} |" for column in table["columns"]]
    return (
        "\n".join(
            [
                f"## {table['name']}",
                "",
                textwrap.fill(table["description"], 100),
                "",
                "| column | meaning |",
                "| --- | --- |",
                *rows,
            ]
        )
        + "\n"
    )


if __name__ == "__main__":
    PAGE.write_text(TABLES.sub(lambda _: reference(), PAGE.read_text()))
