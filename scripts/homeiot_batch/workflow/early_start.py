"""Snakemake's process, started before it is known what it has to do.

Its start takes as long as the planning of a night. So both happen at the same time.

python -m homeiot_batch.workflow.early_start     (what it has to do comes by its standard input)
"""

import atexit
import json
import os
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

from homeiot_batch.core.environment import plain_environment
from homeiot_batch.core.waiting_process import import_early, redirect
from homeiot_batch.workflow.unread_output import go_on_unread

# the checkout, in which Snakemake finds its Snakefile
ROOT = Path(__file__).resolve().parents[3]
COMMAND = [sys.executable, "-m", "homeiot_batch.workflow.early_start"]
CTRL_C = {signal.SIGINT}
# what takes long to import
PREPARED = ("snakemake.cli", "homeiot_batch.workflow.start")


class EarlyWorkflow:
    """A process that waits for `run`. Each further `run` starts one of its own.

    From the first `run` on, a signal that ends this process also ends that one, and no further run
    starts.
    """

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._signals: list[int] = []

    def __enter__(self) -> Self:
        self._process = _start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the process, if nothing was asked of it."""
        if self._process:
            self._process.kill()
            self._process.communicate()

    @property
    def was_ended(self) -> bool:
        """Whether somebody has ended this process, by Ctrl-C or by SIGTERM."""
        return bool(self._signals)

    @property
    def was_interrupted(self) -> bool:
        """Whether it was a person, by Ctrl-C."""
        return signal.SIGINT in self._signals

    def run(self, arguments: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run Snakemake to its end; the exit code, or less than 0 if a signal ended it."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        self._process = self._process or _start()
        if self.was_ended:  # before this process was started
            self._process.kill()
        order = json.dumps([list(arguments), dict(environment)])
        self._process.communicate(order.encode())
        code = self._process.returncode
        self._process = None
        return code

    def _end(self, number: int, _: object) -> None:
        self._signals.append(number)
        # the terminal sends Ctrl-C to the process as well
        if self._process and number != signal.SIGINT:
            self._process.send_signal(number)


def _start() -> subprocess.Popen[bytes]:
    """Start the process. Ctrl-C is held back until it can end the process without a traceback."""
    usual = signal.pthread_sigmask(signal.SIG_BLOCK, CTRL_C)
    try:
        return subprocess.Popen(COMMAND, stdin=subprocess.PIPE, env=plain_environment(), cwd=ROOT)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, usual)


def wait_and_run() -> None:
    """Import what takes long, wait for the order, and run Snakemake. Without an order, end."""
    go_on_unread()
    last_exit = _LastExit()
    atexit.register(last_exit)  # the first that is registered is called last
    handler = signal.getsignal(signal.SIGINT)
    if handler is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, CTRL_C)
    import_early(PREPARED)
    order = sys.stdin.buffer.read()
    if not order:
        return
    signal.signal(signal.SIGINT, handler)
    arguments, environment = json.loads(order)
    os.environ.clear()
    os.environ.update(environment)
    redirect(os.devnull, os.O_RDONLY, sys.stdin.fileno())
    sys.argv = ["snakemake", *arguments]
    try:
        runpy.run_module("snakemake", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        last_exit.code = end.code
        raise


class _LastExit:
    """Called last of all exit functions: ends the process without taking Python apart (0.3 s)."""

    code: object = ""

    def __call__(self) -> None:
        """Exit with the code, if it is one. Of another Python makes a message or a traceback."""
        if isinstance(self.code, int):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(self.code)


if __name__ == "__main__":
    wait_and_run()
