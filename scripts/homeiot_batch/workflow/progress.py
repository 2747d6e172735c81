"""How far a run is.

A terminal shows a bar with rate and time left. Elsewhere the log gets a line every so many days.
"""

import logging
import sys
import threading
import time
from collections import Counter
from collections.abc import Mapping
from typing import Any

import structlog
from snakemake.common import NOTHING_TO_BE_DONE_MSG
from snakemake_interface_logger_plugins.common import LogEvent

from homeiot_batch.logging_conf import Stream

DAY_STEPS = ("fetch", "extract", "load")
LONG = 5  # days from which on a bar is worth its place
DAYS_A_LINE = 30
NOISE = ("Select jobs to execute", "Execute ")  # Snakemake's, twice a job or so
# at the end of a job's failure that has been shown for another day: the run's summary names both
REPEATED = " (as for a day before)"

log = structlog.get_logger()


class Progress:
    """Counts the jobs that ended against those that Snakemake has announced.

    Called by the jobs' threads.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._announced: Mapping[str, int] = {}
        self._ended: Counter[str] = Counter()
        self._started = time.monotonic()
        self._may_show_bar = True
        self._bar: Any = None

    def follow(self, logger: logging.Logger, *, may_show_bar: bool) -> None:
        """Hear from Snakemake how many jobs there are, and keep its noise from the user."""
        self._may_show_bar = may_show_bar
        for handler in logger.handlers:
            handler.addFilter(lambda record: not _is_noise(record.getMessage()))
        logger.addHandler(_Announcement(self))

    def announce(self, jobs: Mapping[str, int], logger: logging.Logger) -> None:
        """The jobs of the run by step. A long one gets its bar, if a person looks."""
        if not any(jobs.values()) and not self._announced:
            logger.info(NOTHING_TO_BE_DONE_MSG)  # which Snakemake leaves out with --until
        self._announced, self._started = jobs, time.monotonic()
        if self._may_show_bar and self._days() >= LONG and sys.stderr.isatty():
            self._bar = _Bar(self._days(), self._jobs(), logger)

    def ended(self, step: str) -> None:
        """A job has ended, well or not."""
        with self._lock:
            self._ended[step] += 1
            if step not in DAY_STEPS or not self._announced.get(step):
                return
            done = sum(self._ended[step] for step in DAY_STEPS)
            seconds = time.monotonic() - self._started
            days = self._days() * done / self._jobs()
            if self._bar:
                self._bar.show(done, int(days), days / seconds)
            elif (
                self._days() > DAYS_A_LINE
                and int(days) // DAYS_A_LINE
                > int(days - self._days() / self._jobs()) // DAYS_A_LINE
            ):
                left = seconds * (self._jobs() - done) / done
                log.info(
                    "progress",
                    days=int(days),
                    of=self._days(),
                    days_per_s=round(days / seconds, 2),
                    left_s=round(left),
                )

    def close(self) -> None:
        """Take the bar away."""
        if self._bar:
            self._bar.close()
            self._bar = None

    def _days(self) -> int:
        return max((self._announced.get(step, 0) for step in DAY_STEPS), default=0)

    def _jobs(self) -> int:
        return sum(self._announced.get(step, 0) for step in DAY_STEPS)


def _is_noise(message: str) -> bool:
    return message.startswith(NOISE) or message.rstrip().endswith(REPEATED)


class _Announcement(logging.Handler):
    """Passes on what Snakemake says of a run's jobs."""

    def __init__(self, progress: Progress) -> None:
        super().__init__()
        self._progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        if getattr(record, "event", None) == LogEvent.RUN_INFO:
            self._progress.announce(record.__dict__["stats"], logging.getLogger(record.name))


class _Bar:
    """A bar at the terminal's lower edge.

    What is said scrolls above it, and the log lines of days that go well are in the jobs' logs
    only.
    """

    def __init__(self, days: int, jobs: int, logger: logging.Logger) -> None:
        from rich import console, progress  # noqa: PLC0415 - only where it is looked at

        columns = [
            progress.TextColumn("{task.fields[done]} of {task.fields[days]} days"),
            progress.BarColumn(bar_width=None),
            progress.TextColumn("{task.fields[rate]}"),
        ]
        self._progress = progress.Progress(
            *columns,
            progress.TextColumn("left"),
            progress.TimeRemainingColumn(),
            console=console.Console(stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task("", total=jobs, done=0, days=days, rate="")
        self._streams = [
            handler
            for handler in logger.handlers
            if isinstance(handler, logging.StreamHandler) and handler.stream is sys.stderr
        ]
        self._progress.start()
        self._redirect()
        Stream.shows_info = False

    def show(self, jobs: int, days: int, rate: float) -> None:
        self._progress.update(self._task, completed=jobs, done=days, rate=f"{rate:.1f} days/s")

    def close(self) -> None:
        Stream.shows_info = True
        self._progress.stop()
        self._redirect()

    def _redirect(self) -> None:
        """Let Snakemake's lines go where sys.stderr leads now."""
        for handler in self._streams:
            handler.setStream(sys.stderr)
