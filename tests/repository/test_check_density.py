"""Code that is too dense fails the linter."""

import subprocess
import sys
from pathlib import Path

import pytest

from homeiot_batch.config import ROOT

PLAIN = "def f(a):\n    b = a + 1\n    return b\n"
FIGURES = """syntax nodes a simple statement, median: {median} (at most 10)
syntax nodes a simple statement, 90th percentile: {ninth} (at most 22)
conditional expressions per 100 statements: {conditionals} (at most 3)
uses of dict[str, Any]: {loose} (at most 15)
"""


def check(folder: Path, text: str) -> "subprocess.CompletedProcess[str]":
    """Run the check on a folder with one file."""
    (folder / "a.py").write_text(text)
    command = [sys.executable, str(ROOT / "scripts/check_density.py"), "."]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_plain_code_passes(tmp_path: Path) -> None:
    """Docstrings and imports are not counted."""
    done = check(tmp_path, '"""A docstring."""\n\nimport os\n\n' + PLAIN)
    figures = FIGURES.format(median=5.5, ninth=8, conditionals=0, loose=0)
    assert (done.returncode, done.stdout, done.stderr) == (0, figures, "")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a = [[1, 2, 3, 4, 5], [6, 7]]\n", "syntax nodes a simple statement, median: 16"),
        (
            PLAIN * 5 + "a = [" + "1, " * 30 + "]\n" + "b = [" + "1, " * 30 + "]\n",
            "syntax nodes a simple statement, 90th percentile: 35",
        ),
        ("a = 1 if b else 2\n", "conditional expressions per 100 statements: 100"),
        ("a: dict[str, Any]\n" * 16, "uses of dict[str, Any]: 16"),
        ("a = 1 if b else 2 if c else 3\n", "a.py:1: a conditional expression in another one"),
        ("def f():\n" + "    a\n" * 45, "a.py:1: f has 46 lines"),
    ],
)
def test_each_bound_is_named(tmp_path: Path, text: str, fault: str) -> None:
    """With the value that breaks it."""
    done = check(tmp_path, text)
    assert done.returncode == 1
    assert f"too dense: {fault}" in done.stderr
