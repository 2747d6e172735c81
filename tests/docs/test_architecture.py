"""The page of the architecture shows the tree and the layers as they are."""

import re
import tomllib
from pathlib import Path

from homeiot_batch.config import ROOT
from homeiot_batch.core.layout import Layout

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


def test_the_page_names_every_file_between_the_parts() -> None:
    """Each path in the archive's folders or the markers' that has a name of its own."""
    folders = {name: Path(f"<{name}>") for name in ("parquet", "markers", "database", "house")}
    layout = Layout(**folders, report_folder=Path("<report>"))
    names = [name for name, member in vars(Layout).items() if isinstance(member, property)]
    paths = [str(getattr(layout, name)) for name in names]
    between = [path for path in paths if path.startswith(("<parquet>", "<markers>"))]
    assert "<parquet>/.kept" in between
    assert [path for path in between if f"`{path}" not in PAGE] == []
