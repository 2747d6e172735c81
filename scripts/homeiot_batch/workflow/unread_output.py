"""Lets a run go on when nobody reads its output any more, as after `| head` or a closed terminal.

Snakemake does not: if such a write fails while it reports a job's failure, it waits for that job
for ever and keeps the archive's lock.
"""

import contextlib
import logging
import os
import sys
from collections.abc import Iterable
from typing import Any, TextIO

from homeiot_batch.core.waiting_process import redirect


class PatientStream:
    """A text stream whose writes never fail. What cannot be written is lost."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write the text if that can be. The length of the text."""
        self._try(self._stream.write, text)
        return len(text)

    def writelines(self, lines: Iterable[str]) -> None:
        """Write the lines, as `write` does."""
        self.write("".join(lines))

    def flush(self) -> None:
        """Write what is still held back."""
        self._try(self._stream.flush)

    def _try(self, call: Any, *arguments: str) -> None:
        try:
            call(*arguments)
        except BrokenPipeError:
            self._redirect_to_devnull()
        except OSError:
            return

    def _redirect_to_devnull(self) -> None:
        """For child processes too."""
        with contextlib.suppress(OSError):
            redirect(os.devnull, os.O_WRONLY, self._stream.fileno())

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def go_on_unread(loggers: Iterable[logging.Logger] = ()) -> None:
    """Make stdout and stderr patient, also where the handlers of the loggers write to them."""
    patient = {}
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if not isinstance(stream, PatientStream):
            patient[stream] = PatientStream(stream)
            setattr(sys, name, patient[stream])
    for logger in loggers:
        for handler in logger.handlers:
            if isinstance(handler, logging.StreamHandler) and handler.stream in patient:
                handler.setStream(patient[handler.stream])
