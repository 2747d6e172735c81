"""The pages of the example houses: their declarations are those of examples/."""

import re

import pytest
import yaml

from homeiot_batch.config import ROOT
from tests.docs.pages import blocks, page, sections
from tests.examples.make import EXAMPLES


def page_of(name: str) -> str:
    """The page of a house."""
    return page(f"how-to/{name.replace('_', '-')}.md")


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_declaration_is_the_one_that_is_tested(name: str) -> None:
    """Tests run the file in examples/. The page has the same, without its comments."""
    [declaration] = blocks(page_of(name), "yaml")
    example = (ROOT / "examples" / name / "config.yaml").read_text()
    assert yaml.safe_load(declaration) == yaml.safe_load(example)
    assert f"docs/how-to/{name.replace('_', '-')}.md" in example


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_page_leads_from_the_clone_to_the_report(name: str) -> None:
    """In this order: the demo, the zone and the server, `init`, `doctor`, `run`, the report."""
    text = page_of(name)
    steps = [
        "make setup",
        f"homeiot demo --house {name}\n",
        "export TZ=",
        "export INFLUX_URL=",
        "homeiot init\n",
        "homeiot doctor\n",
        "homeiot run\n",
        "Then open `data/report/index.html`",
    ]
    places = [text.index(step) for step in steps]
    assert places == sorted(places)
    assert re.findall(r"^\d", "\n".join(sections(text)), re.MULTILINE)[:3] == ["1", "2", "3"]


@pytest.mark.parametrize("readme", ["README.md", "README.ja.md"])
def test_the_first_screen_names_the_houses(readme: str) -> None:
    """Before the first heading after the title, with a link to each page."""
    first, _, _ = (ROOT / readme).read_text().partition("\n## ")
    for name in EXAMPLES:
        assert f"docs/how-to/{name.replace('_', '-')}.md" in first
