"""Whether a folder's file system has locks: a run and DuckDB each keep others out by one."""

import contextlib
import errno
import fcntl
import tempfile
from pathlib import Path

# the errors of a kernel that has no lock to give, other than that somebody holds it
MISSING = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
WHAT_TO_DO = "mount it with locks (NFS without `nolock`), or set {setting} to a local disk"


def lock_refusal(folder: Path) -> str:
    """The kernel's error where no file can be locked. "" where locks work, or it cannot be tried.

    Tried on a file without a name in the folder, or in the nearest one above that is there.
    """
    there = folder.absolute()
    while not there.is_dir():
        there = there.parent
    with contextlib.suppress(OSError), tempfile.TemporaryFile(dir=there) as file:
        return _refusal(file.fileno())
    return ""


def _refusal(descriptor: int) -> str:
    for lock in (fcntl.flock, fcntl.lockf):  # a run's own, DuckDB's
        try:
            lock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in MISSING:
                return str(error.strerror)
    return ""


def found_and_fix(folder: Path, setting: str, reason: str) -> tuple[str, str]:
    """What is wrong with the folder that `setting` names, and what to do."""
    found = f"{folder} lies on a file system without locks ({reason}): two runs could meet in it"
    return found, WHAT_TO_DO.format(setting=setting)


def without_locks(folder: Path, setting: str, reason: str) -> str:
    """The same as one message."""
    return "; ".join(found_and_fix(folder, setting, reason))
