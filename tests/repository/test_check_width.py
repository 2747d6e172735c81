"""Lines of pages, YAML and SQL that are too long fail the linter."""

import subprocess
import sys
from pathlib import Path

import pytest

from homeiot_batch.config import ROOT

WORDS = "a word " * 14  # 98 columns
LONG = WORDS + "end"
CODE = f"```bash\n{LONG}\n```\n"


def check(folder: Path, name: str, text: str) -> "subprocess.CompletedProcess[str]":
    """Run the check on one file."""
    (folder / name).write_text(text)
    command = [sys.executable, str(ROOT / "scripts/check_width.py"), name]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("page.md", WORDS + "at\n"),
        ("page.ja.md", "あ" * 100 + "\n"),
        ("page.md", f"| {LONG} | {LONG} |\n"),
        ("page.md", CODE),
        ("page.md", "https://example.org/" + "a" * 100 + "\n"),
        ("models.yml", "  rows: " + "a" * 92 + "\n"),
        ("models.sql", "    " + "a" * 120 + "\n"),
        ("empty.yml", ""),
    ],
)
def test_what_is_no_wider_than_it_must_be(tmp_path: Path, name: str, text: str) -> None:
    """100 columns, and what cannot be broken: Markdown's tables and code, and a long word."""
    done = check(tmp_path, name, text)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("name", "text", "fault"),
    [
        ("page.md", f"short\n{LONG}\n", "page.md:2: 101"),
        ("page.md", f"{CODE}{LONG}\n", "page.md:4: 101"),
        ("models.yml", f"| {LONG} |\n", "models.yml:1: 105"),
        ("models.sql", LONG, "models.sql:1: 101"),
    ],
)
def test_a_line_that_is_too_long_is_named(tmp_path: Path, name: str, text: str, fault: str) -> None:
    """With its place and its width."""
    done = check(tmp_path, name, text)
    assert (done.returncode, done.stderr) == (1, f"too long: {fault} columns, at most 100\n")
