"""The script that cron calls, in a checkout; test_compose.py has it with containers."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.house import Checkout

READING = "power,source=a instant_power_w=1 {}000000000"
NOON = 1794193200  # of 9 November 2026 in Japan


def cron(house: Checkout, script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the script as cron does."""
    command = [
        "/bin/sh",
        str(script),
        "checkout",
        "python",
        "-m",
        "homeiot_batch.run_archive",
        *arguments,
    ]
    return subprocess.run(
        command, cwd="/", env=house.env(), text=True, capture_output=True, check=False
    )


@pytest.mark.slow
def test_warnings_of_a_good_night_are_printed(checkout: Checkout) -> None:
    """A night without readings is no failure, but cron mails its warning.

    A night without warnings says nothing.
    """
    (checkout.folder / ".venv").symlink_to(sys.prefix)
    checkout.export(
        READING.format(NOON),
        READING.format(NOON + 2 * 86_400 - 60),
        READING.format(NOON + 2 * 86_400 + 43_100),
    )
    script = checkout.folder / "workflow/cron/nightly.sh"
    now = ("--config", "now=2026-11-13T01:00:00+09:00")
    checkout.environment["ARCHIVE_START"] = "2026-11-10"
    empty = cron(checkout, script, "--date", "2026-11-10", *now)
    warning = (
        "warning: raw_meter_readings 2026-11-10: the source holds no readings for this day, so it "
        "is archived empty\n"
    )
    assert (empty.returncode, empty.stdout, empty.stderr) == (0, "", warning)
    whole = cron(checkout, script, "--date", "2026-11-11", *now)
    assert (whole.returncode, whole.stdout, whole.stderr) == (0, "", "")
    assert "1 days loaded (2 rows)" in (checkout.folder / "data/cron.log").read_text()


def test_a_link_to_the_script_is_refused(checkout: Checkout, tmp_path: Path) -> None:
    """Called by a link it would take another folder for the checkout: nothing is made there."""
    elsewhere = tmp_path / "elsewhere"
    link = elsewhere / "a/b/nightly.sh"
    link.parent.mkdir(parents=True)
    link.symlink_to(checkout.folder / "workflow/cron/nightly.sh")
    refused = cron(checkout, link)
    assert (refused.returncode, refused.stderr) == (
        1,
        f"{link}: {elsewhere} is no checkout; call the script by its own path, not by a link\n",
    )
    assert not (elsewhere / "data").exists()


STAND_IN = """#!/bin/sh
echo "run $1"
[ $# -lt 2 ] || mv "$2" "$2.1"
echo "warning: of $1"
exit ${3:-0}
"""


def stand_in(house: Checkout, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Call the script for a program that says its first argument, and renames the log meanwhile."""
    program = house.folder / ".venv/bin/program"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(STAND_IN)
    program.chmod(0o755)
    script = house.folder / "workflow/cron/nightly.sh"
    command = ["/bin/sh", str(script), "checkout", "program", *arguments]
    return subprocess.run(command, cwd="/", text=True, capture_output=True, check=False)


def test_the_log_does_not_grow_for_ever(checkout: Checkout) -> None:
    """Above a megabyte it is put aside, and the one that was put aside before goes."""
    log, former = checkout.folder / "data/cron.log", checkout.folder / "data/cron.log.1"
    for n in range(3):
        text = f"{n} " * 500_001
        log.parent.mkdir(exist_ok=True)
        log.write_text(text)
        done = stand_in(checkout, f"number {n}")
        assert (done.returncode, done.stdout, done.stderr) == (0, "", f"warning: of number {n}\n")
        assert former.read_text() == text
        first, *rest = log.read_text().splitlines()
        assert first.endswith(f"/.venv/bin/program number {n}")
        assert rest == [f"run number {n}", f"warning: of number {n}"]
    log.write_text("a line\n")
    stand_in(checkout, "again")
    assert log.read_text().startswith("a line\n")
    assert former.read_text() == text


def test_a_log_that_another_run_puts_aside_loses_nothing(checkout: Checkout) -> None:
    """What is mailed is of this run. What it wrote is in the log that was put aside."""
    log = checkout.folder / "data/cron.log"
    log.parent.mkdir()
    log.write_text("before\n")
    done = stand_in(checkout, "mine", str(log), "3")
    assert done.returncode == 3
    said = "run mine\nwarning: of mine\n"
    assert done.stderr == f"exit code 3; the end of {log}:\n{said}"
    assert log.with_name("cron.log.1").read_text().endswith(said)
    assert not log.exists()
