"""The list of protections that `make mutate` takes out."""

from pathlib import Path

import pytest

from homeiot_batch.config import ROOT
from tests.mutations import MUTATIONS, Mutation


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda m: m.name)
def test_each_protection_stands_where_the_list_says(mutation: Mutation) -> None:
    """Once, so that it is this one that is taken out; and its tests are there."""
    assert (ROOT / mutation.file).read_text().count(mutation.old) == 1
    assert Path(ROOT / mutation.tests.split()[0]).is_file()
