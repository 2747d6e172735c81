"""Warnings: whatever is printed or logged as one, the summary counts and names."""

import json
import re
from pathlib import Path

import pytest

from tests.house import Checkout, House, Outcome
from tests.workflow import drills
from tests.workflow.drills import DATASET, FIRST, FORCED, LAST, MIDDLE, V1, span

NIGHT = "2026-11-12"
UNREACHABLE = "http://127.0.0.1:9"


def warnings(outcome: Outcome) -> list[str]:
    """The warnings that are named at the end. As many as the summary counts, and as are logged."""
    lines = outcome.stderr.splitlines()
    named = [line.removeprefix("warning: ") for line in lines if line.startswith("warning: ")]
    [count] = re.findall(r"^summary: .* (\d+) warnings", outcome.stderr, re.MULTILINE)
    assert int(count) == len(named), outcome.stderr
    logged = [line for line in lines if "level=warning" in line]
    events = [re.findall(r'event="([^"]*)"', line)[0] for line in logged]
    assert all(any(event in warning for warning in named) for event in events), outcome.stderr
    return named


@pytest.fixture
def night(checkout: Checkout) -> Checkout:
    """A checkout whose three days are archived and built, and then have no source any more."""
    drills.feed(checkout, V1)
    outcome = checkout.snakemake(*span())
    assert outcome.code == 0, outcome.stderr
    checkout.environment["INFLUX_URL"] = UNREACHABLE
    return checkout


@pytest.mark.slow
def test_what_recovery_finds(archived: House) -> None:
    """A staged day that is damaged is dropped before the first job.

    The summary of the run has it.
    """
    staged = archived.parquet / ".staging" / DATASET / f"dt={MIDDLE}"
    staged.mkdir(parents=True)
    (staged / "part-0.parquet").write_text("no Parquet")
    [warning] = warnings(archived.snakemake(*span()))
    assert warning.startswith(f"{DATASET} {MIDDLE}: a staged day is dropped (reason=")


def test_what_a_job_finds(archived: House) -> None:
    """The archived file of a day that is read again is damaged: its markers are asked instead."""
    part = archived.day(MIDDLE) / "part-0.parquet"
    part.write_bytes(part.read_bytes()[:-20])
    outcome = archived.snakemake(*FORCED, *span(MIDDLE, MIDDLE))
    assert outcome.code == 0, outcome.stderr
    assert [warning.split(" (")[0] for warning in warnings(outcome)] == [
        f"{DATASET} {MIDDLE}: the archived day cannot be read"
    ]


@pytest.mark.slow
def test_a_database_that_is_open_elsewhere(archived: House) -> None:
    """Each wait for it is named, with its holder."""
    with archived.held() as holder:
        drills.feed(archived, {MIDDLE: 2})
        outcome = archived.snakemake(
            *FORCED, *span(MIDDLE, MIDDLE), DUCKDB_WAIT_S="1", LOCK_WAIT_S="1"
        )
    assert outcome.code == 1
    found = warnings(outcome)
    waits = [warning for warning in found if "is open elsewhere, waiting (holder=" in warning]
    assert waits != []
    assert all(f"PID {holder}" in wait for wait in waits)
    assert [warning.split(" (")[0] for warning in found if "not checked" in warning] == [
        "markers not checked"
    ]


@pytest.mark.slow
def test_what_the_night_finds_before_it_begins(night: Checkout) -> None:
    """Late points that could not be looked for, and a damaged day: counted in its only summary."""
    part = night.day(FIRST) / "part-0.parquet"
    part.write_bytes(part.read_bytes()[:-20])
    found = warnings(night.night(NIGHT))
    late = f"{DATASET}: late points were not looked for: {UNREACHABLE} cannot be reached"
    assert [warning for warning in found if warning.startswith(late)] != []
    assert [w for w in found if w.startswith(f"{DATASET} {FIRST}: ") and "damaged" in w] != []
    said = json.loads((night.markers / "last_run.json").read_text())
    assert said["warnings"] == sorted(found)


@pytest.mark.slow
def test_a_night_with_nothing_to_do_but_a_warning(night: Checkout) -> None:
    """Its summary says no more than that, and advises nothing."""
    outcome = night.night(NIGHT)
    assert (outcome.code, outcome.jobs) == (0, [])
    [warning] = warnings(outcome)
    assert warning.startswith(f"{DATASET}: late points were not looked for: ")
    assert "next step" not in outcome.stderr


@pytest.mark.slow
def test_a_watchdog_that_is_not_reached(night: Checkout) -> None:
    """The ping before the run is in its summary, the one after it is named behind it."""
    night.environment |= {"HEALTHCHECK_URL": f"{UNREACHABLE}/x", "LOOKBACK_DAYS": "0"}
    drills.feed(night, {LAST: 2})
    outcome = night.night(NIGHT, "--date", LAST, "--force")
    assert outcome.code == 0, outcome.stderr
    before, _, after = outcome.stderr.partition("\nsummary: ")
    assert before.count("level=warning") == 1
    told = [line for line in after.splitlines() if line.startswith("warning: ")]
    assert [line for line in told if "watchdog" in line] == [
        "warning: the watchdog was not reached (ping=start, reason=ConnectionError)",
        "warning: the watchdog was not reached (ping=success, reason=ConnectionError)",
    ]
    assert f" {len(told) - 1} warnings, 0 failed" in after


@pytest.mark.slow
def test_the_same_for_a_reconciliation_without_a_run(night: Checkout, tmp_path: Path) -> None:
    """Nothing was to do and the source was not asked: its warning is printed all the same."""
    outcome = night.night(NIGHT, "--from", FIRST, "--to", LAST, "--reconcile")
    assert outcome.code == 1
    assert [line for line in outcome.stderr.splitlines() if line.startswith("warning: ")] != []
