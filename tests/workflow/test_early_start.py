"""Snakemake's process, started before it is known what it has to do."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from homeiot_batch.workflow import early_start
from homeiot_batch.workflow.early_start import EarlyWorkflow

WAITING = [sys.executable, "-m", "homeiot_batch.workflow.early_start"]
QUIETLY = ["--cores", "1", "--quiet", "all"]
SNAKEFILE = 'rule all:\n  run: open("made", "a").write(os.environ["WORD"])\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a workflow, in the place of the checkout."""
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    monkeypatch.setattr(early_start, "ROOT", tmp_path)
    return tmp_path


def test_it_runs_with_the_arguments_and_the_environment_that_come_later(folder: Path) -> None:
    """Each run is a process of its own."""
    environment = dict(os.environ)
    with usual_handlers(), EarlyWorkflow() as workflow:
        codes = [
            workflow.run(QUIETLY, environment | {"WORD": "one "}),
            workflow.run(QUIETLY, environment | {"WORD": "two"}),
            workflow.run(["nothing", *QUIETLY], environment),
        ]
    assert (codes, (folder / "made").read_text()) == ([0, 0, 1], "one two")


def test_exit_functions_are_called_before_it_ends(folder: Path) -> None:
    """The run's summary is such a function."""
    at_exit = 'import atexit, pathlib\natexit.register(pathlib.Path("ended").touch)\n'
    (folder / "Snakefile").write_text(at_exit + SNAKEFILE)
    with usual_handlers(), EarlyWorkflow() as workflow:
        code = workflow.run(QUIETLY, dict(os.environ) | {"WORD": "one"})
    assert (code, (folder / "ended").exists()) == (0, True)


def test_without_an_order_it_ends_without_a_word(folder: Path) -> None:
    """So it is when the command that started it was killed while it planned."""
    done = subprocess.run(WAITING, input="", capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not (folder / "made").exists()


@pytest.mark.parametrize("pause_s", [0.0, 0.05, 0.3])
def test_ctrl_c_while_it_waits_ends_it_without_a_word(
    pause_s: float, capfd: pytest.CaptureFixture[str]
) -> None:
    """The terminal sends it to both processes. No traceback stands above the command's own word."""
    with EarlyWorkflow() as workflow:
        process = workflow._process
        assert process is not None
        time.sleep(pause_s)
        process.send_signal(signal.SIGINT)
        process.wait()
    assert (process.returncode, capfd.readouterr()) == (-signal.SIGINT, ("", ""))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ended_between_two_runs(number: int, folder: Path) -> None:
    """Nothing more is run: who ends the command between two batches ends the whole run."""
    environment = dict(os.environ)
    with usual_handlers(), EarlyWorkflow() as workflow:
        first = workflow.run(QUIETLY, environment | {"WORD": "one"})
        os.kill(os.getpid(), number)
        second = workflow.run(QUIETLY, environment | {"WORD": "two"})
    assert (first, second, workflow.was_ended) == (0, -signal.SIGKILL, True)
    assert (folder / "made").read_text() == "one"


@contextlib.contextmanager
def usual_handlers() -> Generator[None]:
    """Put the handlers of this process back afterwards."""
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def test_a_command_that_asks_for_nothing_ends_it() -> None:
    """Nothing runs on behind a command whose plan failed."""
    with EarlyWorkflow() as workflow:
        process = workflow._process
    assert process is not None
    assert process.returncode == -signal.SIGKILL
