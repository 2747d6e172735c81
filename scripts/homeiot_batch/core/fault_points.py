"""Named places where a test can make a run die, fail or stop.

Nothing happens unless HOMEIOT_FAULT names one of them.

HOMEIOT_FAULT=<point>:<action>, the actions being
  kill       the process ends there, as by kill -9
  terminate  it is asked to end (SIGTERM) and goes on until it does
  interrupt  the same by Ctrl-C (SIGINT)
  disk_full  what is done there fails with "No space left on device"
  exception  it fails with an error that nobody has foreseen
  pause      it waits there to be killed
"""

import errno
import os
import signal
import time

VARIABLE = "HOMEIOT_FAULT"
SIGNALS = {"kill": signal.SIGKILL, "terminate": signal.SIGTERM, "interrupt": signal.SIGINT}

# in the order of a run: what has just been done when the point is reached
POINTS = {
    "fetch.written": "read: the day is written, not yet flushed and read back",
    "fetch.read": "read: the day is proven whole",
    "fetch.staged": "stage: the day lies in staging",
    "extract.before_rename": "Snakemake's delete: the old day is gone, the new one is staged",
    "extract.renamed": "rename: the new day is in place",
    "load.deleted": "delete: the old rows are deleted in the transaction",
    "load.inserted": "insert: the new rows are in the transaction",
    "load.committed": "commit: the transaction is committed",
    "load.marked": "marker: the load has its marker",
    "dbt.built": "dbt: the tables are built",
    "publish.linked": "read copy: the files are linked",
    "publish.written": "read copy: the new file is written",
    "publish.renamed": "read copy: the new file is in place",
    "report.written": "report: the page is in place",
}


def reach(point: str) -> None:
    """Do what HOMEIOT_FAULT asks for at `point`, if it asks for anything there."""
    fault = os.environ.get(VARIABLE, "")
    wanted, _, action = fault.partition(":")
    if wanted != point:
        return
    if action in SIGNALS:
        os.kill(os.getpid(), SIGNALS[action])
    if action == "disk_full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if action == "exception":
        raise RuntimeError(f"a fault planted at {point}")
    if action == "pause":
        print(f"paused at {point}", flush=True)
        time.sleep(3600)
