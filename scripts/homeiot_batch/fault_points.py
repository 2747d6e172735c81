"""Named places where a test can make a run die, fail or stop: nothing happens unless HOMEIOT_FAULT names one of them.

HOMEIOT_FAULT=<name>:kill ends the process there as a power cut would, :error is a full disk, :pause waits to be killed.
"""

import errno
import os
import signal
import time

VARIABLE = "HOMEIOT_FAULT"


def reach(name: str) -> None:
    """Do what HOMEIOT_FAULT asks for at the place `name`, if it asks for anything there."""
    point, _, action = os.environ.get(VARIABLE, "").partition(":")
    if point != name:
        return
    if action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    if action == "error":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    print(f"paused at {name}", flush=True)
    time.sleep(3600)
