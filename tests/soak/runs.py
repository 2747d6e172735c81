"""Runs in a process group of their own, which can be killed with all their children."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.house import SNAKEMAKE, Checkout, Outcome

STEPS = ["fetch", "extract", "load", "dbt", "publish", "report"]


class Run:
    """A started run, whose output goes to a file, as cron's."""

    def __init__(self, house: Checkout, command: Sequence[str], log: Path, **env: str) -> None:
        self.house, self.log, self.command = house, log, command
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command,
                cwd=house.folder,
                env=house.env(**env),
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @classmethod
    def nightly(cls, house: Checkout, now: str, log: Path, **env: str) -> "Run":
        """The schedule."""
        return cls(
            house,
            [sys.executable, "-m", "homeiot_batch.run_archive", "--config", f"now={now}"],
            log,
            **env,
        )

    @classmethod
    def forced(
        cls,
        house: Checkout,
        now: str,
        log: Path,
        span: tuple[date, date],
        *options: str,
        **env: str,
    ) -> "Run":
        """Somebody reads a range again."""
        days = [f"start={span[0]}", f"end={span[1]}", f"now={now}"]
        return cls(
            house, [SNAKEMAKE, *options, "--forcerun", "extract", "--config", *days], log, **env
        )

    def workflow(self) -> int | None:
        """Process id of the workflow once it has the lock, or None if the run ended before."""
        while self.process.poll() is None:
            with contextlib.suppress(OSError, ValueError):
                pid = int((self.house.parquet / ".lock").read_text())
                if os.getpgid(pid) == self.process.pid:
                    return pid
            time.sleep(0.01)
        return None

    def wait(self, seconds: float = 300) -> Outcome:
        """Let it come to its end."""
        code = self.process.wait(seconds)
        return Outcome(code, self.log.read_text(errors="replace"))

    def kill(self, pid: int | None = None) -> None:
        """End all its processes with kill -9, or only the one of that id."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL) if pid else os.killpg(self.process.pid, signal.SIGKILL)

    def last_step(self) -> str:
        """The last step that it has done."""
        done = [job.split()[0] for job in Outcome(-1, self.log.read_text(errors="replace")).jobs]
        return max(done, key=STEPS.index, default="nothing")


def wait_for_all(house: Checkout) -> None:
    """Return when no process of a run, dbt say, lives on: each has the lock."""
    house.parquet.mkdir(parents=True, exist_ok=True)
    with (house.parquet / ".lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)


def night_of(day: date, zone: str) -> str:
    """The last second of the local day, as the setting `now` has it."""
    return datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=ZoneInfo(zone)).isoformat()
