"""The memory of a command and of all that it starts, at its peak."""

import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

PROC = Path("/proc")
PAUSE_S = 0.05


def peak_mb(command: Sequence[str], environment: Mapping[str, str]) -> tuple[float, float]:
    """Seconds, and the most memory in MB at one time. RuntimeError with its words if it fails.

    Memory that processes share is counted once (PSS).
    """
    with tempfile.TemporaryFile() as words:
        began = time.monotonic()
        process = subprocess.Popen(
            command, env=dict(environment), stdout=subprocess.DEVNULL, stderr=words
        )
        peak_kb = 0
        while process.poll() is None:
            peak_kb = max(peak_kb, sum(map(_pss_kb, _tree(process.pid))))
            time.sleep(PAUSE_S)
        seconds = time.monotonic() - began
        words.seek(0)
        if process.returncode:
            raise RuntimeError(words.read().decode()[-2000:])
    return seconds, peak_kb / 1000


def _tree(pid: int) -> list[int]:
    """The process and all that descend from it."""
    found = [pid]
    for each in found:
        for children in PROC.glob(f"{each}/task/*/children"):
            try:
                found += map(int, children.read_text().split())
            except OSError:  # it has just ended
                continue
    return found


def _pss_kb(pid: int) -> int:
    try:
        for line in (PROC / str(pid) / "smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1])
    except OSError:  # it has just ended
        pass
    return 0
