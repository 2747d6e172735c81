"""The list of protections that `make mutate` takes out."""

import ast
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from _pytest.mark.expression import Expression

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


def test_each_protection_has_tests_that_can_notice() -> None:
    """No selection by -k is left without a test, as after a test or its parameters are renamed."""
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "--numprocesses", "0"],
        cwd=ROOT,
        env=os.environ | {"INTEGRATION_TESTS": "1"},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    without = [mutation.name for mutation in MUTATIONS if not _chosen(mutation, found)]
    assert (without, len(found) > len(MUTATIONS)) == ([], True)


def _chosen(mutation: Mutation, tests: list[str]) -> list[str]:
    """The tests that `make mutate` runs for the mutation."""
    file, *option = shlex.split(mutation.tests)
    in_file = [test for test in tests if test.startswith(f"{file}::")]
    if not option:
        return in_file
    [wanted] = option[1:]
    expression = Expression.compile(wanted)
    return [test for test in in_file if _matches(expression, test.lower())]


def _matches(expression: Expression, test: str) -> bool:
    def holds(word: str, /, **_: object) -> bool:
        return word.lower() in test

    return expression.evaluate(holds)
