"""The nights of a soak.

The house measures, things go wrong, runs are killed, and the schedule's last attempt of the night
may come to its end.
"""

import contextlib
import random
import subprocess
import time
from collections import Counter
from contextlib import AbstractContextManager
from datetime import date, timedelta
from pathlib import Path

from tests.house import Checkout, Outcome
from tests.integration.servers import Influx1
from tests.soak.faults import FAULTS, Fault, Site, disk_full, unreachable
from tests.soak.gateway import BUCKET, Gateway
from tests.soak.inspector import Inspector
from tests.soak.model import Ledger
from tests.soak.runs import Run, night_of, wait_for_all

FIRST = date(2026, 10, 1)
# both others change their clocks in these nights, one by half an hour
ZONES = ["Asia/Tokyo", "Australia/Lord_Howe", "Europe/Berlin"]
RETENTION_DAYS = 8
LONG_OUTAGE = 10  # nights; the server forgets some days before they could be read
MOST_BAD = 3  # nights in a row, so that late points stay within the look-back
UNTIL_LOAD = ("--until", "load")
LOADING_POINTS = [
    *("fetch.written", "fetch.read", "fetch.staged"),
    *3 * ("extract.before_rename",),  # the day is in no place but in staging
    *("extract.renamed", "extract.done"),
    *("load.deleted", "load.inserted", "load.committed", "load.marked"),
]
LAST_POINTS = [
    "dbt.built",
    "publish.linked",
    "publish.written",
    "publish.renamed",
    "report.written",
]


class Nights:
    """A house, its gateway, and what befalls both."""

    def __init__(
        self, house: Checkout, server: Influx1, chance: random.Random, *, full_disk: bool
    ) -> None:
        self.zone = chance.choice(ZONES)
        self.house, self.today = house, FIRST
        self.ledger = Ledger(self.zone)
        self.gateway = Gateway(server, self.ledger, chance)
        self.inspector = Inspector(house, self.ledger)
        self.kills, self.ended, self.bad_nights = 0, 0, 0
        self.seen, self.moments, self.points, self.kill_seconds = (
            Counter[str](),
            Counter[str](),
            Counter[str](),
            0.0,
        )
        self._chance = chance
        self._faults = [*FAULTS, *([disk_full] if full_disk else [])]
        self._site = Site(
            house,
            server,
            chance,
            self._forced,
            lambda: self.gateway.deliver(self.today),
            self.inspector.distrust_table,
        )
        self._logs = 0
        house.environment |= server.environment(BUCKET) | {
            "TZ": self.zone,
            "ARCHIVE_START": str(FIRST),
            "INFLUX_CHUNK_ROWS": "100",
        }
        self.gateway.measure(FIRST)

    def pass_through(self, nights: int, kills: int) -> None:
        """So many nights with so many kills, then two quiet ones."""
        long = (
            range(nights // 2, nights // 2 + LONG_OUTAGE) if nights >= 3 * LONG_OUTAGE else range(0)
        )
        for number in range(nights):
            self._pass_night(number, long, kills * (number + 1) // nights)
            self._report(number)
        self._attempts(kills)
        for _ in range(2):
            self._begin(may_be_late=False)
            self._last_attempt(None)

    def _pass_night(self, number: int, long: range, kills: int) -> None:
        if number == self._second_source_since(long):
            self.gateway.sources.append("solar")
            self.seen["second source"] += 1
        self._begin(may_be_late=number + 1 not in long and number not in long)
        if number in long:
            self.seen["night of an outage longer than retention"] += 1
            self._attempts(self.kills + 1, unreachable)
            self._last_attempt(unreachable)
        elif self._is_tried() or number + 1 in long:
            self._attempts(kills)
            self._last_attempt(None)
        elif self._chance.random() < 0.08:
            self._without_server()
        else:
            self._attempts(kills)
            self._last_attempt(self._any_fault(0.5))

    def _second_source_since(self, long: range) -> int:
        return long.start // 2 or 2

    def _is_tried(self) -> bool:
        return self.bad_nights >= MOST_BAD

    def _begin(self, *, may_be_late: bool) -> None:
        """A day passes: retention, new readings, and late ones that arrive before the night."""
        self.today += timedelta(days=1)
        self.gateway.forget_before(self.today - timedelta(days=RETENTION_DAYS))
        self.gateway.measure(self.today, may_be_late=may_be_late)
        if may_be_late:
            self.gateway.deliver(self.today - timedelta(days=self._chance.randrange(2)))
        else:
            self.gateway.deliver_all()

    def _without_server(self) -> None:
        """The server is down for this night, and half of the time for the next as well."""
        self.gateway.stop()
        for _ in range(self._chance.randint(1, min(2, MOST_BAD - self.bad_nights))):
            self.seen["night without the server"] += 1
            self._attempts(self.kills + 1)
            self._last_attempt(unreachable)
            self._begin(may_be_late=True)
        self.gateway.start()
        self._last_attempt(None)

    # attempts

    def _attempts(self, kills: int, fault: Fault | None = None) -> None:
        """Runs that are killed, until there were so many kills in all.

        Each with `fault`, or sometimes with any other. The number of runs has a limit, as some end
        before.
        """
        started = time.monotonic()
        for _ in range(3 * (kills - self.kills)):
            if self.kills < kills:
                with self._striking(fault or self._any_fault(0.25)) as env:
                    self._killed(env)
                self.inspector.check()
        self.kill_seconds += time.monotonic() - started

    def _last_attempt(self, fault: Fault | None) -> None:
        """The schedule, to its end.

        Whatever has befallen the house, without a fault in this very run it succeeds.
        """
        with self._striking(fault) as env:
            outcome = Run.nightly(self.house, self.now(), self._log(), **env).wait()
        wait_for_all(self.house)
        self._judge(outcome, must_succeed=fault is None)
        self.inspector.check()
        self.bad_nights = 0 if outcome.code == 0 else self.bad_nights + 1

    def _judge(self, outcome: Outcome, *, must_succeed: bool) -> None:
        assert "a fault of the program" not in outcome.stderr, outcome.stderr
        assert outcome.code in ({0} if must_succeed else {0, 1, 75}), (
            f"exit code {outcome.code}:\n{outcome.stderr}"
        )
        if outcome.code == 0:
            self.inspector.trust_table()

    def _killed(self, env: dict[str, str]) -> None:
        """A run that is killed at a named point, or at a moment after it has taken the lock."""
        kind = self._chance.random()
        if kind < 0.02:
            self._kill_at(self._chance.choice(LAST_POINTS), True, env)
        elif kind < 0.35:
            self._kill_at(self._chance.choice(LOADING_POINTS), False, env)
        elif kind < 0.4:
            self._kill_after(self._chance.uniform(1, 9), self._forced(True, **env))
        elif kind < 0.7:
            self._kill_after(
                self._chance.uniform(0, 2), Run.nightly(self.house, self.now(), self._log(), **env)
            )
        else:
            self._kill_after(self._chance.uniform(0, 1.5), self._forced(**env))

    def _kill_after(self, seconds: float, run: Run) -> None:
        """With all its processes, or, one time in four, only the workflow's own.

        Dbt, and what started it, live on.
        """
        pid = run.workflow()
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.process.wait(seconds)
        was_running = run.process.poll() is None
        run.kill(pid if self._chance.random() < 0.25 else None)
        run.wait()
        self._count(run, killed=was_running)

    def _kill_at(self, point: str, tables: bool, env: dict[str, str]) -> None:
        run = self._forced(tables, HOMEIOT_FAULT=f"{point}:kill", **env)
        killed = run.wait().code < 0
        self.points[point] += killed
        self._count(run, killed=killed)

    def _count(self, run: Run, *, killed: bool) -> None:
        wait_for_all(self.house)
        self.kills += killed
        self.ended += not killed
        if killed:
            self.moments[run.last_step()] += 1

    def _forced(self, tables: bool = False, /, **env: str) -> Run:
        """Some of the last days are read again by hand, some of them dropped by the server."""
        oldest = max(FIRST, self.today - timedelta(days=RETENTION_DAYS + 2))
        first = oldest + timedelta(days=self._chance.randrange((self.today - oldest).days))
        last = min(
            first + timedelta(days=self._chance.randrange(3)), self.today - timedelta(days=1)
        )
        return Run.forced(
            self.house,
            self.now(),
            self._log(),
            (first, last),
            *([] if tables else UNTIL_LOAD),
            **env,
        )

    # how

    def _any_fault(self, share: float) -> Fault | None:
        return self._chance.choice(self._faults) if self._chance.random() < share else None

    def _striking(self, fault: Fault | None) -> AbstractContextManager[dict[str, str]]:
        if fault is None:
            return contextlib.nullcontext({})
        self.seen[fault.__name__.replace("_", " ")] += 1  # ty: ignore[missing-attribute]
        return fault(self._site)

    def now(self) -> str:
        return night_of(self.today, self.zone)

    def _log(self) -> Path:
        self._logs += 1
        return self.house.folder / f"run-{self._logs:04}.log"

    def _report(self, number: int) -> None:
        print(
            f"night {number + 1}, {self.today}: {self.kills} kills, {self.ended} ended before, "
            f"{self.bad_nights} bad nights in a row",
            flush=True,
        )
