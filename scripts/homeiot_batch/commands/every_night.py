"""Runs the nightly command every day at a local time, for as long as this process runs.

It uses no scheduler library. APScheduler skips a night whose time does not exist because summer
time begins, and repeats one whose time comes twice.
"""

import os
import queue
import signal
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from types import FrameType
from zoneinfo import ZoneInfo

import structlog

from homeiot_batch.commands.good_nights import Nights
from homeiot_batch.config import ROOT, Settings, given_settings, load_settings
from homeiot_batch.core.exit_codes import BUSY, DONE, FAILED
from homeiot_batch.core.host_paths import explained
from homeiot_batch.core.inventory import archived_days
from homeiot_batch.errors import HomeIotError
from homeiot_batch.logging_conf import configure

# the clock is read so often: after a sleep of the machine, a night that is due starts at once
POLL_S = 20
BUSY_S = 600  # until another try, if another run has the archive
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

log = structlog.get_logger()


def last_due(now: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The last instant (UTC) up to `now` at which a night was due: `at` on each local day.

    Where summer time begins and skips that time, the night is due an hour later. Where it ends and
    the time comes twice, the first counts.
    """
    today = now.astimezone(zone).date()
    instants = [
        datetime.combine(today - timedelta(days=n), at, zone).astimezone(UTC) for n in range(3)
    ]
    return max(instant for instant in instants if instant <= now)


def no_night_since(settings: Settings, nights: Nights, now: datetime) -> datetime:
    """The instant (UTC) since which no night has run.

    The start of the last good one. A house without archived days waits for the first night after
    the first start of this service: its yesterday may be from before its meter.
    """
    started = nights.last_started()
    if started is not None and started <= now:
        return started
    if any(archived_days(settings.layout, name) for name in settings.datasets):
        return BEGINNING
    return nights.since() or now


def run_every_night(config: Sequence[str]) -> None:
    """Run the nightly command at SCHEDULE, and at once if the last night is missing.

    It ends with the signal that ends this process. A night that has started is ended too.
    """
    os.chdir(ROOT)
    try:
        settings = load_settings(given_settings(config))
        configure(settings.log_format)
        nights = Nights(settings.layout)
        nights.begin(settings.instant())
        since = no_night_since(settings, nights, settings.instant())
    except (HomeIotError, OSError) as error:
        raise SystemExit(explained(f"error: {error}")) from None
    log.info("a night runs every day", at=f"{settings.schedule:%H:%M}", zone=settings.tz)
    _Scheduler(settings, nights, since, config).run()


class _Scheduler:
    """Waits for the nights, runs each as a process of its own, and passes on a signal to end."""

    def __init__(
        self, settings: Settings, nights: Nights, since: datetime, config: Sequence[str]
    ) -> None:
        self._settings = settings
        self._nights = nights
        self._since = since
        options = [part for one in config for part in ("--config", one)]
        self._command = [sys.executable, "-m", "homeiot_batch", "run", *options]
        self._process: subprocess.Popen[bytes] | None = None
        # a signal may come while another is handled: an Event would wait for itself
        self._signals: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._is_ended = False

    def run(self) -> None:
        """Until a signal comes."""
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._end)
        while not self._is_ended:
            wait_s = self._run_if_due()
            if not self._is_ended:
                self._wait(wait_s)

    def _wait(self, seconds: float) -> None:
        try:
            self._signals.get(timeout=seconds)
        except queue.Empty:
            return

    def _run_if_due(self) -> float:
        """Run the night if it is due. Returns the seconds until the clock is to be read again."""
        now = self._settings.instant()
        # a clock that was ahead and is right again must not hold up the nights until then
        self._since = min(self._since, now)
        if last_due(now, self._settings.schedule, self._settings.zone) <= self._since:
            return POLL_S
        code = self._night()
        if code == BUSY:
            return BUSY_S
        self._since = now
        if code == DONE:
            self._note_good(now)
        elif self._is_ended:
            log.info("the night was ended", exit_code=code)
        else:
            log.error("the night failed", exit_code=code)
        return POLL_S

    def _night(self) -> int:
        """Run the nightly command to its end. Its exit code, less than 0 if a signal ended it."""
        try:
            with subprocess.Popen(self._command) as process:
                self._process = process
                if self._is_ended:  # before there was a process to pass the signal on to
                    process.terminate()
                return process.wait()
        except OSError as error:
            log.error("the night cannot be started", reason=str(error))
            return FAILED
        finally:
            self._process = None

    def _note_good(self, started: datetime) -> None:
        try:
            self._nights.note_good(started, self._settings.instant())
        except (HomeIotError, OSError) as error:  # the night itself is done
            log.warning("the good night could not be noted", reason=str(error))

    def _end(self, number: int, _frame: FrameType | None) -> None:
        self._is_ended = True
        self._signals.put(number)
        # a terminal sends Ctrl-C to the night as well
        if self._process and number != signal.SIGINT:
            self._process.terminate()
