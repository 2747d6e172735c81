"""The script that cron calls, in a checkout; test_compose.py has it with containers."""

import subprocess
import sys
from pathlib import Path

from tests.conftest import Checkout

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


def test_warnings_of_a_good_night_are_printed(checkout: Checkout) -> None:
    """A night without readings is no failure, but cron mails its warning; a night without warnings says nothing."""
    (checkout.folder / ".venv").symlink_to(sys.prefix)
    checkout.export(
        READING.format(NOON),
        READING.format(NOON + 2 * 86_400 - 60),
        READING.format(NOON + 2 * 86_400 + 43_100),
    )
    script = checkout.folder / "workflow/cron/nightly.sh"
    now = ("--config", "now=2026-11-13T01:00:00+09:00")
    empty = cron(checkout, script, "--date", "2026-11-10", *now)
    warning = "warning: raw_meter_readings 2026-11-10: the source holds no readings for this day; it is archived empty\n"
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
