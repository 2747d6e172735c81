"""The page of the architecture shows the tree and the layers as they are."""

import re
import tomllib

from homeiot_batch.config import ROOT

PAGE = (ROOT / "docs/explanation/architecture.md").read_text()
PACKAGE = ROOT / "scripts/homeiot_batch"


def test_the_page_names_every_folder() -> None:
    """And no folder that is not there."""
    folders = [path.parent for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE]
    shown = re.findall(r"^ {2,4}(\w+)/ ", PAGE, re.MULTILINE)
    assert sorted(shown) == sorted(folder.name for folder in folders)


def test_the_page_has_the_layers_that_the_linter_checks() -> None:
    """From the top to the bottom."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    layers = next(c["layers"] for c in contracts["contracts"] if c["type"] == "layers")
    listed = "\n".join(layer.replace(" | ", ", ") for layer in layers)
    assert f"```text\n{listed}\n```" in PAGE
