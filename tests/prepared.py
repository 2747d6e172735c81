"""Runs of commands that begin where their imports are done, by a server for each test process."""

import atexit
import functools
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from homeiot_batch.config import ROOT

# Python, the C library and Arrow read them before the first line of a run
READ_AT_START = ("PYTHON", "LD_", "LC_", "LANG", "MALLOC", "ARROW", "JE_", "OMP_", "OPENBLAS")

DBT_PROCESS = "homeiot_batch.warehouse.dbt_process"
EARLY_START = "homeiot_batch.workflow.early_start"
LONGEST_RUN_S = 1200  # on a busy machine; it only ends a run that hangs


@functools.cache
def _socket(kind: str) -> str:
    """The address of this process's server, which is started with the first call."""
    folder = Path(tempfile.mkdtemp(prefix="homeiot-"))
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.prepared_server", str(folder / kind), kind],
        cwd=ROOT,
        # a process with threads must not fork: Arrow's allocator would start one
        env=os.environ | {"JE_ARROW_MALLOC_CONF": "background_thread:false"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    atexit.register(_stop, server, folder)
    assert server.stdout is not None
    assert server.stdout.readline() == b"ready\n"
    return str(folder / kind)


def _stop(server: "subprocess.Popen[bytes]", folder: Path) -> None:
    server.communicate()
    shutil.rmtree(folder)


def can_run(environment: Mapping[str, str]) -> bool:
    """Whether a process with this environment would begin as the server did."""
    return _read_at_start(environment) == _read_at_start(os.environ)


def _read_at_start(environment: Mapping[str, str]) -> dict[str, str]:
    return {
        name: value
        for name, value in environment.items()
        if name.startswith(READ_AT_START) and name != "PYTHONPATH"
    }


def run(
    program: str, arguments: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> tuple[int, str]:
    """Run `snakemake`, `dbt` or `python -m PROGRAM` with the arguments in the folder, to its end.

    Returns its exit code, or less than 0 for a signal, and all that it wrote.
    """
    kind = "dbt" if program == "dbt" else _kind(environment)
    order = {
        "program": program,
        "arguments": [program, *arguments],
        "folder": str(folder),
        "environment": dict(environment),
        "stand_ins": {} if program == "dbt" else stand_ins(kind),
    }
    with (
        socket.socket(socket.AF_UNIX) as connection,
        Path(os.devnull).open() as empty,
        tempfile.TemporaryFile("w+") as output,
    ):
        connection.settimeout(LONGEST_RUN_S)
        connection.connect(_socket(kind))
        descriptors = [empty.fileno(), output.fileno(), output.fileno()]
        socket.send_fds(connection, [json.dumps(order).encode()], descriptors)
        code = int(connection.recv(100))
        output.seek(0)
        return code, output.read()


def _kind(environment: Mapping[str, str]) -> str:
    """A checkout's own modules are found by PYTHONPATH."""
    has_own = environment.get("PYTHONPATH") != os.environ.get("PYTHONPATH")
    return "checkout" if has_own else "house"


def stand_ins(kind: str) -> dict[str, list[str]]:
    """The modules that start as a process, and what starts in their place."""
    dbt = _stand_in("dbt", DBT_PROCESS, {})
    return {DBT_PROCESS: dbt, EARLY_START: _stand_in(kind, EARLY_START, {DBT_PROCESS: dbt})}


def _stand_in(kind: str, module: str, its_own: Mapping[str, list[str]]) -> list[str]:
    client = str(ROOT / "tests/prepared_client.py")
    return [sys.executable, "-IS", client, _socket(kind), module, json.dumps(its_own)]
