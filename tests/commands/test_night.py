"""The nightly command: what it does after nights that were missed, and what its exit codes say."""

import fcntl
import http.server
import json
import re
import shutil
from collections.abc import Generator

import pytest

from homeiot_batch.config import ROOT
from homeiot_batch.core.exit_codes import BUSY, DONE, FAILED, MEANINGS, USAGE
from tests.house import Checkout, House, Outcome
from tests.http_server import QuietHandler, running

NOON = 1794193200  # of 9 November 2026 in Japan


def feed(house: House, *days: int) -> None:
    """An export with a reading at noon of each day of November 2026."""
    house.export(
        *(
            f"power,source=a energy_import_kwh={day} {NOON + (day - 9) * 86400}000000000"
            for day in days
        )
    )


def days_of(outcome: Outcome, step: str) -> list[str]:
    """The days of which `step` was done."""
    return [job.split()[-1] for job in outcome.jobs if job.startswith(step)]


@pytest.mark.slow
def test_missed_nights_are_made_up_for(checkout: Checkout) -> None:
    """One run without options brings in every missing day, and no other.

    Four nights were off, and one day was deleted long ago.
    """
    feed(checkout, *range(2, 12))
    assert checkout.night("2026-11-03").code == DONE  # yesterday is the 2nd
    # the 5th is not over
    assert checkout.night("2026-11-04", "--from", "2026-11-03", "--to", "2026-11-05").code == FAILED
    assert days_of(
        checkout.night("2026-11-06", "--from", "2026-11-03", "--to", "2026-11-05"), "fetch"
    ) == [f"2026-11-0{n}" for n in (3, 4, 5)]
    shutil.rmtree(checkout.day("2026-11-04"))
    checkout.marker("2026-11-03").unlink()
    outcome = checkout.night("2026-11-11")
    assert (outcome.code, outcome.failures) == (DONE, [])
    assert days_of(outcome, "fetch") == [
        "2026-11-04",
        "2026-11-06",
        "2026-11-07",
        "2026-11-08",
        "2026-11-09",
        "2026-11-10",
    ]
    assert days_of(outcome, "load") == [
        "2026-11-03",
        "2026-11-04",
        "2026-11-06",
        "2026-11-07",
        "2026-11-08",
        "2026-11-09",
        "2026-11-10",
    ]
    assert [row[4] for row in checkout.rows()] == [float(day) for day in range(2, 11)]
    again = checkout.night("2026-11-11")
    assert (again.code, again.jobs) == (DONE, [])


@pytest.mark.slow
def test_a_deleted_database_is_built_again_from_the_archive_alone(checkout: Checkout) -> None:
    """The next night loads every archived day. Only yesterday is asked of the source."""
    feed(checkout, 2, 3, 4)
    assert checkout.night("2026-11-04", "--from", "2026-11-02", "--to", "2026-11-03").code == DONE
    checkout.database.unlink()
    outcome = checkout.night("2026-11-05")
    assert (outcome.code, days_of(outcome, "fetch"), days_of(outcome, "load")) == (
        DONE,
        ["2026-11-04"],
        ["2026-11-02", "2026-11-03", "2026-11-04"],
    )
    assert [row[2] for row in checkout.energy()] == [0.0, 0.0, 0.0]


@pytest.mark.slow
def test_an_open_database_does_not_keep_yesterday_from_the_archive(checkout: Checkout) -> None:
    """An analyst has it open at night.

    The day is archived all the same, the load fails by name, and the next night catches up.
    """
    feed(checkout, 2, 3, 4)
    assert checkout.night("2026-11-03").code == DONE
    with checkout.held():
        busy = checkout.night("2026-11-04", DUCKDB_WAIT_S="0.2")
    assert (busy.code, busy.jobs) == (
        FAILED,
        [f"{step} raw_meter_readings 2026-11-03" for step in ("extract", "fetch")],
    )
    assert "is open in another process" in busy.failures[0]
    free = checkout.night("2026-11-05")
    assert (free.code, days_of(free, "fetch"), days_of(free, "load")) == (
        DONE,
        ["2026-11-04"],
        ["2026-11-03", "2026-11-04"],
    )


@pytest.fixture
def watchdog() -> Generator[tuple[str, list[tuple[str, str]]]]:
    """A server that keeps what it is told, and its URL."""
    heard: list[tuple[str, str]] = []

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            heard.append((self.path, self.rfile.read(int(self.headers["Content-Length"])).decode()))
            self.send_response(200)
            self.end_headers()

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    with running(server) as port:
        yield f"http://127.0.0.1:{port}/secret-uuid", heard


@pytest.mark.slow
def test_the_watchdog_hears_of_start_success_and_failure(
    checkout: Checkout, watchdog: tuple[str, list[tuple[str, str]]]
) -> None:
    """With the summary as body. The URL is nowhere in the output or among the house's files.

    A ping that fails fails nothing.
    """
    url, heard = watchdog
    feed(checkout, 2)
    good = checkout.night("2026-11-03", HEALTHCHECK_URL=url)
    bad = checkout.night("2026-11-04", HEALTHCHECK_URL=url, INFLUX_URL="/nowhere")
    assert (good.code, bad.code) == (DONE, FAILED)
    assert [path for path, _ in heard] == [
        "/secret-uuid/start",
        "/secret-uuid",
        "/secret-uuid/start",
        "/secret-uuid/fail",
    ]
    assert heard[1][1].startswith(
        "summary: 1 days read (1 rows), 1 days loaded (1 rows), tables built, 1 warnings, 0 failed"
    )
    assert (
        "failed: fetch raw_meter_readings 2026-11-03: INFLUX_URL='/nowhere': there is no file"
        in heard[3][1]
    )
    assert (
        json.loads((checkout.markers / "last_run.json").read_text())["lines"]
        == heard[3][1].splitlines()
    )
    assert "secret-uuid" not in good.stderr + bad.stderr
    files = [path for path in checkout.folder.rglob("*") if path.is_file()]
    assert [path for path in files if b"secret-uuid" in path.read_bytes()] == []
    unreachable = checkout.night("2026-11-03", HEALTHCHECK_URL="http://127.0.0.1:9/secret-uuid")
    assert (unreachable.code, "the watchdog was not reached" in unreachable.stderr) == (DONE, True)
    assert "secret-uuid" not in unreachable.stderr


@pytest.mark.parametrize("page", ["README.md", "docs/reference/commands.md"])
def test_exit_codes_are_those_of_the_pages(page: str) -> None:
    """The tables list just these."""
    table = re.search(
        r"\| exit code \| meaning \|\n\| --- \| --- \|\n((?:\|.*\n)+)", (ROOT / page).read_text()
    )
    assert table is not None
    assert table[1].splitlines() == [
        f"| {code} | {meaning} |" for code, meaning in MEANINGS.items()
    ]


def test_each_end_has_its_exit_code(checkout: Checkout) -> None:
    """Done, failed, a wrong option, and another run that does not end."""
    feed(checkout, 2)
    assert checkout.night("2026-11-03").code == DONE
    assert checkout.night("2026-11-03", "--date", "2026-02-30").code == FAILED
    assert checkout.night("2026-11-03", "--dat").code == USAGE
    with (checkout.parquet / ".lock").open("r+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        busy = checkout.night("2026-11-04", LOCK_WAIT_S="0.3")
    assert (busy.code, len(busy.failures), busy.jobs) == (BUSY, 1, [])
    assert "still holds" in busy.failures[0]
