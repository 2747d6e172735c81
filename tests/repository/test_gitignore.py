"""What a user's commands write into the checkout is no change that git shows."""

import shutil
import subprocess
from pathlib import Path

import pytest

from homeiot_batch.config import ROOT

WRITTEN = [
    "report.html",  # `snakemake --report` without a name
    "run.html",
    "november.html",
    "run.zip",
    "data/report/run.html",
    "secrets/gateway/writer",  # made by collect/first_start.py
    "secrets/batch/reader",
]
KEPT = [
    "docs/_static/page.html",
    "scripts/homeiot_batch/report/templates/page.html.j2",
    "tests/report/page.html",
    "README.md",
    "data/README.md",
    "secrets/batch/README.md",
]


def ignored(repository: Path, names: list[str]) -> list[str]:
    """Those of the names that git ignores in a repository with the checkout's .gitignore."""
    subprocess.run(["git", "init", "-q", str(repository)], check=True)
    shutil.copy(ROOT / ".gitignore", repository)
    done = subprocess.run(
        ["git", "-C", str(repository), "check-ignore", "--no-index", *names],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.splitlines()


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git")
def test_reports_are_ignored_and_sources_are_not(tmp_path: Path) -> None:
    """Whatever name `snakemake --report` is given at the root, as a page or packed."""
    assert ignored(tmp_path, WRITTEN + KEPT) == WRITTEN
