"""Log lines as key=value or JSON, on stderr and, inside a job, also in the job's own file."""

import contextlib
import logging
import sys
from collections.abc import Callable, Generator
from contextvars import ContextVar
from pathlib import Path
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor

SUBJECT = ("dataset", "dt")
NO_DETAILS = ("event", "level", "step")

_job_file: ContextVar[TextIO | None] = ContextVar("job_file", default=None)


class Stream:
    """Writes each line to stderr, and in the context of a job to its own file."""

    shows_info = True  # on stderr; not where a progress bar shows what goes well

    def msg(self, message: str) -> None:
        """Write a line."""
        self._write(message, is_shown=True)

    def info(self, message: str) -> None:
        """Write a line of what goes well."""
        self._write(message, is_shown=self.shows_info)

    def _write(self, message: str, *, is_shown: bool) -> None:
        line = f"{message}\n"
        # a full disk or a closed terminal fails no job by its log
        with contextlib.suppress(OSError), _whole_lines():
            if is_shown:
                print(line, end="", file=sys.stderr, flush=True)
        file = _job_file.get()
        if file is not None:
            with contextlib.suppress(OSError):
                print(line, end="", file=file, flush=True)

    def debug(self, message: str) -> None:
        """Write a line that only the job's own file has."""
        self._write(message, is_shown=False)

    log = warning = warn = error = critical = exception = failure = fatal = msg


class _WarningsReported:
    """A step of structlog's that passes each line on, and reports the warnings among them."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._warn = warn

    def __call__(self, _logger: object, _method: str, entry: EventDict) -> EventDict:
        if entry["level"] == "warning":
            self._warn(_sentence(entry))
        return entry


def _sentence(entry: EventDict) -> str:
    """The line as a sentence: whose it is, what was seen, and the rest in brackets."""
    subject = [str(entry[name]) for name in SUBJECT if name in entry]
    sentence = str(entry["event"])
    details = []
    for name, value in entry.items():
        if name not in SUBJECT and name not in NO_DETAILS:
            details.append(f"{name}={value}")
    if details:
        sentence = f"{sentence} ({', '.join(details)})"
    if subject:
        sentence = f"{' '.join(subject)}: {sentence}"
    return " ".join(sentence.split())


@contextlib.contextmanager
def _whole_lines() -> Generator[None]:
    """Keep Snakemake out while a line is written, and wait until it has ended its own.

    It writes a line and its end one after the other.
    """
    with contextlib.ExitStack() as locks:
        for handler in logging.getLogger("snakemake.logging").handlers:
            if handler.lock is not None:
                locks.enter_context(handler.lock)
        yield


def _renderer(log_format: str) -> Processor:
    if log_format == "json":
        return structlog.processors.JSONRenderer()
    return structlog.processors.LogfmtRenderer(
        key_order=["timestamp", "level", "event"], bool_as_flag=False
    )


def _ignore(_sentence: str) -> None:
    """Nobody counts the warnings."""


def _stream(*_names: object) -> Stream:
    return Stream()


def configure(log_format: str, warn: Callable[[str], None] | None = None) -> None:
    """Set up structlog for this process. `log_format` is keyvalue or json.

    `warn` is given every line of level warning as a sentence, so that a summary can count it.
    """
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _WarningsReported(warn or _ignore),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _renderer(log_format),
        ],
        logger_factory=_stream,
        cache_logger_on_first_use=False,
    )


@contextlib.contextmanager
def job_log(path: Path) -> Generator[None]:
    """Send the log lines of this context to `path` too, replacing what a former job wrote there.

    A thread that the job starts must run in a copy of the context. No job fails because `path`
    cannot be written.
    """
    file = None
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("w")
    token = _job_file.set(file)
    try:
        yield
    finally:
        _job_file.reset(token)
        if file is not None:
            # what a full disk did not take before, it does not take now
            with contextlib.suppress(OSError):
                file.close()
