"""The nightly command, once a night at a local time, for as long as this process runs.

Its own few lines, as schedulers skip a night whose time the clock jumps over, or run it twice where
the clock is put back.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from types import FrameType
from zoneinfo import ZoneInfo

import structlog

from homeiot_batch.commands.good_nights import Nights
from homeiot_batch.config import ROOT, Settings, given_settings, load_settings
from homeiot_batch.core.exit_codes import BUSY, DONE
from homeiot_batch.core.host_paths import explained
from homeiot_batch.core.inventory import archived_days
from homeiot_batch.errors import HomeIotError
from homeiot_batch.logging_conf import configure

# the clock is read so often: after a sleep of the machine, a night that is due starts at once
POLL_S = 20
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)

log = structlog.get_logger()


def last_due(now: datetime, at: time, zone: ZoneInfo) -> datetime:
    """The last instant (UTC) up to `now` at which a night was due: `at` on each local day.

    Where the clock jumps over that time, the night is due as long after the jump. Where the time
    comes twice, the first counts.
    """
    today = now.astimezone(zone).date()
    instants = [
        datetime.combine(today - timedelta(days=n), at, zone).astimezone(UTC) for n in range(3)
    ]
    return max(instant for instant in instants if instant <= now)


def first_since(settings: Settings, nights: Nights, now: datetime) -> datetime:
    """The instant (UTC) since which a night that was due has not run.

    The end of the last good one. A house without archived days waits for its first night: its
    yesterday may be from before its meter.
    """
    good = nights.last_good()
    if good is not None and good <= now:
        return good
    has_archive = any(archived_days(settings.layout, name) for name in settings.datasets)
    return BEGINNING if has_archive else now


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
        since = first_since(settings, nights, settings.instant())
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
        self._ended = threading.Event()

    def run(self) -> None:
        """Until a signal comes."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._end)
        while not self._ended.is_set():
            self._run_if_due()
            self._ended.wait(POLL_S)

    def _run_if_due(self) -> None:
        now = self._settings.instant()
        # a clock that was ahead and is right again must not hold up the nights until then
        self._since = min(self._since, now)
        due = last_due(now, self._settings.schedule, self._settings.zone)
        if due <= self._since:
            return
        code = self._night()
        if code == BUSY:  # another run has the archive: soon again
            return
        self._since = now
        if code == DONE and not self._ended.is_set():
            self._note_good()
        else:
            log.error("the night failed", exit_code=code)

    def _night(self) -> int:
        with subprocess.Popen(self._command) as process:
            self._process = process
            if self._ended.is_set():
                process.terminate()
            code = process.wait()
        self._process = None
        return code

    def _note_good(self) -> None:
        try:
            self._nights.note_good(self._settings.instant())
        except HomeIotError as error:  # the night itself is done
            log.warning("the good night could not be noted", reason=str(error))

    def _end(self, number: int, _frame: FrameType | None) -> None:
        self._ended.set()
        # a terminal sends Ctrl-C to the night as well
        if self._process and number != signal.SIGINT:
            self._process.send_signal(number)
