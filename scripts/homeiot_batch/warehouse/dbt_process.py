"""dbt in a process of its own. Its imports take long, so it can start while a day is read.

python -m homeiot_batch.warehouse.dbt_process     (what it has to do comes by its standard input)
"""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from homeiot_batch.archive import run_lock
from homeiot_batch.core.waiting_process import import_early, redirect

COMMAND = [sys.executable, "-m", "homeiot_batch.warehouse.dbt_process"]
READY = b"ready\n"
# what takes long to import
PREPARED = ("dbt.cli.main", "dbt.task.build", "dbt.adapters.duckdb")


class DbtProcess:
    """A process that waits for `run`.

    It keeps the run's lock: if this process is killed, the next run waits until dbt has let go of
    the database.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            COMMAND,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            pass_fds=run_lock.descriptors(),
        )

    def is_ready(self) -> bool:
        """Wait until it can take the order. False if it has ended, as by a signal."""
        assert self._process.stdout
        return self._process.stdout.readline() == READY

    def run(self, arguments: Sequence[str], folder: Path, log: Path) -> int:
        """Run dbt in the folder to its end, and add its output to `log`.

        The exit code, or less than 0 if a signal ended it.
        """
        log.touch()
        order = json.dumps([list(arguments), str(folder), str(log.absolute())])
        with self._process as process:
            _, said = process.communicate(order.encode())
        if said:  # by Python, before the log was its output
            with log.open("ab") as file:
                file.write(said)
        return process.returncode

    def stop(self) -> None:
        """End the process, if nothing was asked of it."""
        assert self._process.stdout
        if not self._process.stdout.closed:
            self._process.kill()
            self._process.communicate()


def wait_and_run() -> None:
    """Import what takes long, wait for the order, and run dbt. Without an order, end."""
    with contextlib.suppress(ImportError):  # it is raised again when the log is there
        import_early(PREPARED)
    sys.stdout.buffer.write(READY)
    sys.stdout.flush()
    order = sys.stdin.buffer.read()
    if not order:
        return
    arguments, folder, log = json.loads(order)
    redirect(os.devnull, os.O_RDONLY, 0)
    redirect(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 1, 2)
    os.chdir(folder)
    from dbt.cli.main import cli  # noqa: PLC0415 - it is imported by now

    sys.argv = ["dbt", *arguments]
    sys.exit(cli(prog_name="dbt"))


if __name__ == "__main__":
    wait_and_run()
