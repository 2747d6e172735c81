"""Snakemake's process, started before it is known what it has to do."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from homeiot_batch.workflow.early_start import EarlyWorkflow

WAITING = [sys.executable, "-m", "homeiot_batch.workflow.early_start"]
QUIETLY = ["--cores", "1", "--quiet", "all"]
SNAKEFILE = 'rule all:\n  run: open("made", "a").write(os.environ["WORD"])\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a workflow, which is the one that a run works in."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_runs_with_the_arguments_and_the_environment_that_come_later(folder: Path) -> None:
    """Each run is a process of its own, in the folder of that time."""
    environment = dict(os.environ)
    with EarlyWorkflow() as workflow:
        codes = [
            workflow.run(QUIETLY, environment | {"WORD": "one "}),
            workflow.run(QUIETLY, environment | {"WORD": "two"}),
            workflow.run(["nothing", *QUIETLY], environment),
        ]
    assert (codes, (folder / "made").read_text()) == ([0, 0, 1], "one two")


def test_without_an_order_it_ends_without_a_word(folder: Path) -> None:
    """So it is when the command that started it was killed while it planned."""
    done = subprocess.run(WAITING, input="", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (folder / "made").exists()


def test_ctrl_c_before_the_order_is_for_the_command_that_plans() -> None:
    """The terminal sends it to both; the waiting process leaves no traceback."""
    with subprocess.Popen(
        WAITING, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        while not ignores(process.pid, signal.SIGINT):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        said = process.communicate(b"")
    assert (process.returncode, said) == (0, (b"", b""))


def ignores(pid: int, number: int) -> bool:
    """Whether a process ignores the signal."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("SigIgn:"):
            return bool(int(line.split()[1], 16) >> (number - 1) & 1)
    return False


def test_a_command_that_asks_for_nothing_ends_it() -> None:
    """Nothing runs on behind a command whose plan failed."""
    with EarlyWorkflow() as workflow:
        process = workflow._process
    assert process is not None
    assert process.returncode == -signal.SIGKILL
