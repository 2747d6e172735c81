"""A process that has imported what every run needs, and forks for each run that is asked for.

To import Snakemake, DuckDB and dbt takes longer than most runs of a test. A run that begins here is
a process of its own, with its own arguments, environment and folder, and ends as Python ends it.

python -m tests.prepared_server SOCKET KIND    (it ends when its standard input is closed)
"""

import importlib
import json
import os
import runpy
import select
import signal
import socket
import sys
import time
from typing import Any

LIBRARIES = (
    *("snakemake.cli", "snakemake.api", "snakemake.workflow", "snakemake.executors.local"),
    *("duckdb", "jinja2", "pyarrow.parquet", "pydantic_settings", "requests", "structlog"),
    *("tenacity", "typer", "yaml"),
)
# what takes long to import. A checkout has our own modules itself
PREPARED = {
    "checkout": LIBRARIES,
    "dbt": ("dbt.cli.main", "dbt.task.build", "dbt.adapters.duckdb", "duckdb"),
    "house": (
        *LIBRARIES,
        *("homeiot_batch.cli", "homeiot_batch.commands.run", "homeiot_batch.report.page"),
        "homeiot_batch.workflow.start",
    ),
}
# programs that are more than a module
PROGRAMS = {
    "dbt": "dbt.cli.main:cli",
    "snakemake": "snakemake.cli:main",
    "homeiot_batch.warehouse.dbt_process": "homeiot_batch.warehouse.dbt_process:wait_and_run",
    "homeiot_batch.workflow.early_start": "homeiot_batch.workflow.early_start:wait_and_run",
}
MOST_BYTES = 1 << 20  # of an order: its arguments and environment
MOST_DESCRIPTORS = 16


def serve(listener: socket.socket) -> dict[str, Any]:
    """Fork for each connection. Returns only in a process that is to be the run: its order."""
    while True:
        ready, _, _ = select.select([listener, sys.stdin], [], [], 1)
        forget_ended_children()
        if sys.stdin in ready:
            sys.exit()
        if listener in ready:
            connection, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                return attend(connection)
            connection.close()


def forget_ended_children() -> None:
    """Take the exit codes of the children that have told theirs."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def attend(connection: socket.socket) -> dict[str, Any]:
    """Start the run, and tell how it ended: its exit code, or less than 0 for a signal."""
    order, descriptors, _, _ = socket.recv_fds(connection, MOST_BYTES, MOST_DESCRIPTORS)
    child = os.fork()
    if child == 0:
        connection.close()
        return become(json.loads(order), descriptors)
    for descriptor in descriptors:
        os.close(descriptor)
    _, status = os.waitpid(child, 0)
    connection.sendall(str(os.waitstatus_to_exitcode(status)).encode())
    os._exit(0)


def become(order: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
    """Take the run's input, output, folder, environment and arguments. It keeps the locks."""
    for wanted, descriptor in enumerate(descriptors[:3]):
        os.dup2(descriptor, wanted)
        os.close(descriptor)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["environment"])
    time.tzset()
    sys.path[:1] = [order["folder"], *filter(None, os.environ.get("PYTHONPATH", "").split(":"))]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = order["arguments"]
    return order


def run(order: dict[str, Any]) -> None:
    """Be the program, or `python -m MODULE`."""
    for module, command in order["stand_ins"].items():
        importlib.import_module(module).COMMAND[:] = command
    if order["program"] in PROGRAMS:
        module, _, function = PROGRAMS[order["program"]].partition(":")
        sys.exit(getattr(importlib.import_module(module), function)())
    runpy.run_module(order["program"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    for name in PREPARED[sys.argv[2]]:
        importlib.import_module(name)
    with socket.socket(socket.AF_UNIX) as own:
        own.bind(sys.argv[1])
        own.listen()
        print("ready", flush=True)
        received = serve(own)
    run(received)
