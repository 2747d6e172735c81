"""The tests of a module are found by its name."""

import pytest

from homeiot_batch.config import ROOT

FOLDERS = ["core", "sources", "archive", "warehouse", "commands", "doctor"]


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_file_of_tests_has_the_name_of_a_module(folder: str) -> None:
    """In the folders whose tests concern one module each. Whole runs have names of their own."""
    package, tests = ROOT / "scripts/homeiot_batch" / folder, ROOT / "tests" / folder
    modules = {path.relative_to(package) for path in package.rglob("*.py")}
    files = list(tests.rglob("test_*.py"))
    assert files
    tested = {file.relative_to(tests).with_name(file.name[5:]) for file in files}
    assert tested - modules == set()
