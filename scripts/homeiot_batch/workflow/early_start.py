"""Snakemake's process, started before it is known what it has to do.

Its start takes as long as the planning of a night. So both happen at the same time.

python -m homeiot_batch.workflow.early_start     (what it has to do comes by its standard input)
"""

import importlib
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

# what takes long to import
PREPARED = ("snakemake.cli", "homeiot_batch.workflow.start")


class EarlyWorkflow:
    """A process that waits for `run`. Each further `run` starts one of its own."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._process = _start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the process, if nothing was asked of it."""
        if self._process:
            self._process.kill()
            self._process.communicate()

    def run(self, arguments: Sequence[str], environment: Mapping[str, str]) -> int:
        """Run Snakemake to its end; the exit code."""
        self._process = self._process or _start()
        order = json.dumps([str(Path.cwd()), list(arguments), dict(environment)])
        self._process.communicate(order.encode())
        code = self._process.returncode
        self._process = None
        return code

    def send_signal(self, number: int) -> None:
        """Hand a signal on."""
        if self._process:
            self._process.send_signal(number)


def _start() -> subprocess.Popen[bytes]:
    # -P: a file in the folder where this was started is no module
    command = [sys.executable, "-P", "-m", "homeiot_batch.workflow.early_start"]
    return subprocess.Popen(command, stdin=subprocess.PIPE, env=plain_environment())


def wait_and_run() -> None:
    """Prepare, wait, and become Snakemake. End if the standard input ends without a word."""
    # while this waits, Ctrl-C ends the process that started it, and that ends this one
    handler = signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in PREPARED:
        importlib.import_module(name)
    order = sys.stdin.buffer.read()
    if not order:
        return
    signal.signal(signal.SIGINT, handler)
    folder, arguments, environment = json.loads(order)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, sys.stdin.fileno())
    sys.argv = ["snakemake", *arguments]
    runpy.run_module("snakemake", run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    wait_and_run()
