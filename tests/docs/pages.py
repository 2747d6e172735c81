"""What stands in the pages of docs/: fenced blocks and tables, as a reader would take them."""

import re

from homeiot_batch.config import ROOT

DOCS = ROOT / "docs"


def page(name: str) -> str:
    """The text of a page."""
    return (DOCS / name).read_text()


def between(text: str, marker: str) -> str:
    """What is between `<!-- marker -->` and `<!-- /marker -->`, which must be there once."""
    _, start, rest = text.partition(f"<!-- {marker} -->\n")
    inside, end, after = rest.partition(f"<!-- /{marker} -->")
    assert start
    assert end
    assert f"<!-- {marker} -->" not in after
    return inside


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language, without their fences."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def sections(text: str) -> dict[str, str]:
    """The parts of a page by their headings of the second level."""
    _, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    return {part.partition("\n")[0]: part.partition("\n")[2] for part in parts}


def tables(text: str) -> dict[str, list[list[str]]]:
    """The tables of a Markdown page by name: header and rows.

    The line before a table begins with the name in backquotes and ends with a colon.
    """
    found = re.findall(r"^`(\w+)`[^\n]*:\n\n((?:\|[^\n]*\n)+)", text, re.MULTILINE)
    return {
        name: [_cells(line) for line in lines.splitlines() if not line.startswith("| ---")]
        for name, lines in found
    }


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
