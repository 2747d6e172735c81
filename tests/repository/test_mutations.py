"""The list of protections that `make mutate` takes out."""

import ast
from pathlib import Path

import pytest

from homeiot_batch.config import ROOT
from tests.mutations import MUTATIONS, Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.name)
def test_each_protection_stands_where_the_list_says(mutation: Mutation) -> None:
    """The patch changes its file, what comes out can be run, and the tests are there."""
    source = (ROOT / mutation.patch.file).read_text()
    patched = mutation.patch.change(source)
    if mutation.patch.file.suffix == ".py":
        assert patched != ast.unparse(ast.parse(source)) + "\n"
        compile(patched, mutation.patch.file, "exec")
    assert patched != source
    assert Path(ROOT / mutation.tests.split()[0]).is_file()
