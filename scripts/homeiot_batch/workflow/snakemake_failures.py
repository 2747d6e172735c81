"""Collects Snakemake's own errors, outside of the jobs' work, for the run's summary."""

import logging
import re
from collections.abc import Callable

from snakemake_interface_logger_plugins.common import LogEvent

# what a failed job has said itself, and what only repeats that one has failed
KNOWN = ("JobFailed", "Exiting because a job execution failed")
REPEATED = "At least one job did not complete successfully."
OLDER = re.compile(r"Output (.+) has older modification time .* than input (.+) \(\d{4}-")
LONGEST = 400


class FailureNotes(logging.Handler):
    """Passes each error of Snakemake's own to `note`, as one line with what to do."""

    def __init__(self, note: Callable[[str], None]) -> None:
        super().__init__(logging.ERROR)
        self._note = note

    def emit(self, record: logging.LogRecord) -> None:
        """Pass the record on, unless a job has reported it or it is about a job as a whole."""
        text = record.getMessage()
        of_job = getattr(record, "event", None) in (LogEvent.JOB_ERROR, LogEvent.GROUP_ERROR)
        if not of_job and not text.startswith(KNOWN) and REPEATED not in text:
            self._note(explained(text))


def explained(text: str) -> str:
    """Snakemake's error as one line, with what to do where it can be told."""
    line = " ".join(text.split())
    if older := OLDER.search(line):
        made, source = older.groups()
        return (
            f"{made} became older than {source}, which it is made from: the machine's clock was "
            "set back during the run; check the clock and run the same command again"
        )
    return f"Snakemake: {line[:LONGEST]}"
