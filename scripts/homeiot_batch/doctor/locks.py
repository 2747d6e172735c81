"""Whether files can be locked where a run and DuckDB need it."""

from pathlib import Path

from homeiot_batch.core.file_locks import found_and_fix, lock_refusal
from homeiot_batch.doctor.finding import Finding, problem


def check_locks(folder: Path, setting: str) -> Finding | None:
    """A problem if no file in the folder that `setting` names can be locked."""
    reason = lock_refusal(folder)
    if not reason:
        return None
    found, fix = found_and_fix(folder, setting, reason)
    return problem("locks", found, fix)
