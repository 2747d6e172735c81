"""dbt's process, started before it has something to do."""

import os
import signal
from pathlib import Path

from homeiot_batch.archive import run_lock
from homeiot_batch.core.environment import plain_environment
from homeiot_batch.warehouse.dbt_process import DbtProcess


def start() -> DbtProcess:
    """A process that waits."""
    return DbtProcess(plain_environment())


def process_id(process: DbtProcess) -> int:
    return process._process.pid


def test_its_output_is_added_to_the_log(tmp_path: Path) -> None:
    """Dbt's own words, and its exit code."""
    log = tmp_path / "dbt.log"
    log.write_text("before\n")
    process = start()
    assert process.is_ready()
    assert process.run(["no_such_command"], tmp_path, log) == 2
    assert log.read_text() == (
        "before\n"
        "Usage: dbt [OPTIONS] [COMMAND] [ARGS]...\n"
        "Try 'dbt --help' for help.\n"
        "\n"
        "Error: No such command 'no_such_command'.\n"
    )


def test_without_an_order_it_ends_with_its_parent(tmp_path: Path) -> None:
    """Its input ends when the parent is killed: no lock stays held."""
    run_lock.hold(tmp_path / "lock", 0)
    process = start()
    assert process.is_ready()
    process._process.communicate()  # which closes its input
    assert process._process.returncode == 0


def test_one_that_was_stopped() -> None:
    """It has ended, and can be stopped again."""
    process = start()
    process.stop()
    process.stop()
    assert not Path(f"/proc/{process_id(process)}").exists()


def test_one_that_a_signal_has_ended_is_not_ready() -> None:
    """So that another is started in its place."""
    process = start()
    os.kill(process_id(process), signal.SIGKILL)
    assert not process.is_ready()
    process.stop()


def test_a_dbt_that_cannot_be_imported_says_so_in_the_log(tmp_path: Path) -> None:
    """The log holds Python's words."""
    (tmp_path / "dbt").mkdir()
    (tmp_path / "dbt/__init__.py").write_text("")
    process = DbtProcess(plain_environment() | {"PYTHONPATH": str(tmp_path)})
    log = tmp_path / "dbt.log"
    assert process.run(["build"], tmp_path, log) == 1
    assert log.read_text().splitlines()[-1] == "ModuleNotFoundError: No module named 'dbt.cli'"
    (tmp_path / "dbt/__init__.py").write_text("raise ValueError('of another Python')")
    process = DbtProcess(plain_environment() | {"PYTHONPATH": str(tmp_path)})
    assert process.run(["build"], tmp_path, log) == 1
    assert log.read_text().splitlines()[-1] == "ValueError: of another Python"
