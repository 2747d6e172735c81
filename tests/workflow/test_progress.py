"""What a run shows of itself while it lasts, to a person at a terminal and in a log."""

import logging
import os
import pty
import re
import subprocess

import pytest

from homeiot_batch.logging_conf import configure
from homeiot_batch.workflow.progress import Progress
from tests.house import House
from tests.workflow import drills
from tests.workflow.drills import UNTIL_LOAD, jobs, span

WEEK = [f"2026-11-{n:02}" for n in range(5, 12)]


def at_a_terminal(house: House, *arguments: str) -> tuple[int, str]:
    """Run `snakemake ARGUMENTS` at a terminal of its own.

    Exit code, and all that came to the screen.
    """
    ours, its = pty.openpty()
    command, env = house.snakemake_command(*arguments), house.env(TERM="xterm")
    with subprocess.Popen(
        command, cwd=house.folder, env=env, stdin=its, stdout=its, stderr=its
    ) as process:
        os.close(its)
        shown = b""
        while True:
            try:
                shown += (more := os.read(ours, 65_536))
            except OSError:  # the terminal's other side is closed
                break
            if not more:
                break
    os.close(ours)
    return process.returncode, shown.decode()


def test_a_long_range_at_a_terminal_has_a_bar(house: House) -> None:
    """Days done, rate and time left in a line that is written over and over.

    The days' own log lines are in the jobs' logs. Then the summary.
    """
    drills.feed(house, dict.fromkeys(WEEK, 1))
    code, shown = at_a_terminal(house, *UNTIL_LOAD, *span(WEEK[0], WEEK[-1]))
    assert code == 0, shown
    counts = [int(count) for count in re.findall(r"(\d+) of 7 days", shown)]
    assert counts == sorted(counts)
    assert len(set(counts)) > 2
    assert re.search(r"\d+\.\d days/s left .*\d:\d\d:\d\d", shown)
    assert "level=info" not in shown
    assert "Execute " not in shown
    assert (
        "event=loaded"
        in (house.markers / f"log/{drills.DATASET}/dt={WEEK[0]}.load.log").read_text()
    )
    assert any(
        line.startswith("summary: 7 days read (21 rows), 7 days loaded (21 rows)")
        for line in shown.replace("\x1b[2K", "\r").splitlines()
    )


def test_what_fails_is_said_above_the_bar(house: House) -> None:
    """An error's line is shown while the bar goes on."""
    drills.feed(house, dict.fromkeys(WEEK, 1))
    code, shown = at_a_terminal(house, *UNTIL_LOAD, *span(WEEK[0], WEEK[-1]))
    assert code == 0
    house.marker(WEEK[0]).unlink()
    part = house.day(WEEK[0]) / "part-0.parquet"
    part.write_bytes(part.read_bytes()[:-20])
    for day in WEEK[1:]:
        house.marker(day).unlink()
    code, shown = at_a_terminal(house, *UNTIL_LOAD, *span(WEEK[0], WEEK[-1]))
    assert code == 1
    assert "level=error event=failed" in shown
    assert "7 days loaded" not in shown
    assert "of 7 days" in shown


def test_a_pipe_gets_lines_without_control_characters(house: House) -> None:
    """Log lines of every job, no bar, no colour."""
    drills.feed(house, dict.fromkeys(WEEK, 1))
    outcome = house.snakemake(*UNTIL_LOAD, *span(WEEK[0], WEEK[-1]))
    assert (outcome.code, outcome.jobs) == (0, jobs("fetch extract load", *WEEK))
    assert [
        character
        for character in outcome.stderr
        if not character.isprintable() and character != "\n"
    ] == []
    assert "of 7 days" not in outcome.stderr


def test_a_log_gets_a_line_every_thirty_days(capsys: pytest.CaptureFixture[str]) -> None:
    """With how many days are done, the rate and the seconds left.

    None for steps that are no days', and none for a short range.
    """
    configure("keyvalue")
    for days, expected in ((70, [30, 60]), (30, [])):
        progress = Progress()
        progress.announce(
            {"fetch": days, "extract": days, "load": days, "dbt": 1, "total": 3 * days + 1},
            logging.getLogger("nobody"),
        )
        for _ in range(days):
            for step in ("fetch", "extract", "load"):
                progress.ended(step)
        progress.ended("dbt")
        lines = [line for line in capsys.readouterr().err.splitlines() if "event=progress" in line]
        done = [re.findall(r" days=(\d+)", line) for line in lines]
        assert done == [[str(days)] for days in expected]
        assert all(
            f"of={days}" in line and "days_per_s=" in line and "left_s=" in line for line in lines
        )
