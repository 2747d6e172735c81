"""A kernel lock on the archive lets one run work at a time. It ends with the process."""

import fcntl
import os
import sys
import time
from pathlib import Path

from homeiot_batch.core.file_locks import lock_refusal, without_locks
from homeiot_batch.errors import ArchiveError, LockError

_held: dict[Path, int] = {}


def hold(path: Path, wait_s: float) -> None:
    """Take the lock for the rest of this process, waiting up to `wait_s` seconds.

    LockError if another run keeps it.
    """
    if path in _held:
        return
    if reason := lock_refusal(path.parent):
        raise ArchiveError(without_locks(path.parent, "PARQUET_BASE_DIR", reason))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise ArchiveError(
            f"{path} cannot be written ({error.strerror}); give PARQUET_BASE_DIR a folder of yours"
        ) from None
    if not _locked(descriptor, wait_s, path):
        holder = _noted(descriptor)
        os.close(descriptor)
        raise LockError(
            f"another run (process {holder}) still holds {path} after {wait_s:g} s; start again "
            "when it has ended"
        )
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    _held[path] = descriptor


def holder(path: Path) -> str | None:
    """Process id of the run that holds the lock now, or None if there is none.

    A run that starts meanwhile is not held up.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _noted(descriptor)
    except OSError:  # no locks here, so nobody holds one
        return None
    finally:
        os.close(descriptor)
    return None


def descriptors() -> tuple[int, ...]:
    """The locks held, for a child that must keep them if it outlives this process."""
    return tuple(_held.values())


def _noted(descriptor: int) -> str:
    """The process id that the holder has written into the lock file."""
    return os.pread(descriptor, 100, 0).decode(errors="replace").strip() or "unknown"


def _locked(descriptor: int, wait_s: float, path: Path) -> bool:
    deadline = time.monotonic() + wait_s
    announced = False
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
        if not announced:
            print(f"another run holds {path}, waiting up to {wait_s:g} s", file=sys.stderr)
            announced = True
        time.sleep(0.2)
