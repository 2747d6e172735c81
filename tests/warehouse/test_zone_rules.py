"""One set of zone rules: those of the locked package tzdata, whatever files the system has."""

import os
import subprocess
import sys
from datetime import date
from importlib.resources import files
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pytest

from homeiot_batch.core.days import LocalDay, nanoseconds
from homeiot_batch.core.environment import plain_environment

ONE_DAY = """
from zoneinfo import ZoneInfo
from datetime import date
ZoneInfo("America/Vancouver")  # as a library might before
from homeiot_batch.core.days import LocalDay
day = LocalDay(date(2026, 11, 10), ZoneInfo("America/Vancouver"))
print(day.start, day.end)
"""
PLAIN = """
from zoneinfo import ZoneInfo
from datetime import datetime
print(datetime(2026, 11, 10, tzinfo=ZoneInfo("America/Vancouver")).utcoffset())
"""


@pytest.fixture
def system(tmp_path: Path) -> dict[str, str]:
    """The environment of a system whose own zone file gives Vancouver the rules of Tokyo."""
    file = tmp_path / "zoneinfo/America/Vancouver"
    file.parent.mkdir(parents=True)
    file.write_bytes(files("tzdata.zoneinfo").joinpath("Asia", "Tokyo").read_bytes())
    return {"PYTHONTZPATH": str(tmp_path / "zoneinfo")}


def said(script: str, environment: dict[str, str]) -> str:
    """What the script prints in a process of its own."""
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_system_s_own_files_are_not_read(system: dict[str, str]) -> None:
    """A day of Vancouver is cut by the locked rules, also where the zone was used before."""
    bounds = "2026-11-10 07:00:00+00:00 2026-11-11 07:00:00+00:00"
    assert said(ONE_DAY, dict(os.environ) | system) == bounds


def test_programs_that_a_run_starts_take_the_same_rules(
    system: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They get an empty list of folders, whatever this process was given."""
    monkeypatch.setenv("PYTHONTZPATH", system["PYTHONTZPATH"])
    assert said(PLAIN, dict(os.environ)) == "9:00:00"
    assert said(PLAIN, plain_environment()) == "-1 day, 17:00:00"


@pytest.mark.parametrize(
    ("zone", "day", "start", "hours"),
    [
        ("America/Vancouver", "2026-11-01", "2026-11-01 07:00", 24),
        ("America/Vancouver", "2027-01-01", "2027-01-01 07:00", 24),
        ("America/Edmonton", "2026-11-01", "2026-11-01 06:00", 24),
        ("America/Winnipeg", "2026-11-01", "2026-11-01 05:00", 24),
        ("America/Winnipeg", "2028-02-29", "2028-02-29 05:00", 24),
        ("Africa/Casablanca", "2026-09-20", "2026-09-19 23:00", 25),
        ("Africa/Casablanca", "2027-02-07", "2027-02-07 00:00", 24),
        ("Africa/Casablanca", "2027-03-14", "2027-03-14 00:00", 24),
        ("Europe/Chisinau", "2026-03-29", "2026-03-28 22:00", 23),
        ("Australia/Adelaide", "2026-10-04", "2026-10-03 14:30", 23),
        ("Australia/Darwin", "2028-02-29", "2028-02-28 14:30", 24),
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04 13:00", 24.5),
        ("Asia/Tokyo", "2026-12-31", "2026-12-30 15:00", 24),
    ],
)
def test_days_by_the_locked_rules(zone: str, day: str, start: str, hours: float) -> None:
    """Countries that changed their rules of late, half hours, ends of months and years.

    DuckDB has the same wall time at both ends.
    """
    found = LocalDay(date.fromisoformat(day), ZoneInfo(zone))
    length = (found.end - found.start).total_seconds() / 3600
    assert (f"{found.start:%F %H:%M}", length) == (start, hours)
    with duckdb.connect() as connection:
        for instant in (found.start, found.end):
            [(wall,)] = connection.execute(
                "SELECT timezone(?, make_timestamptz(?))",
                [zone, nanoseconds(instant) // 1000],
            ).fetchall()
            assert wall == instant.astimezone(found.zone).replace(tzinfo=None)
