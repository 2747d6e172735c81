"""Stands for a process that a prepared server runs: it hands on its own input, output and locks.

A signal ends this process but not the run.

python -IS prepared_client.py SOCKET PROGRAM STAND_INS

It uses only the standard library, so it starts at once.
"""

import contextlib
import json
import os
import signal
import socket
import sys


def main(path: str, program: str, stand_ins: str) -> int:
    """Have the server run the program. Returns its exit code, or less than 0 for a signal."""
    held = sorted(int(name) for name in os.listdir("/proc/self/fd"))  # noqa: PTH208
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(path)
        order = {
            "program": program,
            "arguments": [program],
            "folder": os.getcwd(),  # noqa: PTH109
            "environment": dict(os.environ),
            "stand_ins": json.loads(stand_ins),
        }
        own = connection.fileno()
        given = [descriptor for descriptor in held if is_open(descriptor) and descriptor != own]
        socket.send_fds(connection, [json.dumps(order).encode()], given)
        return int(connection.recv(100))


def is_open(descriptor: int) -> bool:
    """Whether the descriptor still is one. That of the list of descriptors is not."""
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    code = main(*sys.argv[1:])
    if code < 0:
        with contextlib.suppress(OSError):  # SIGKILL can have no other handler
            signal.signal(-code, signal.SIG_DFL)
        os.kill(os.getpid(), -code)
    sys.exit(code)
