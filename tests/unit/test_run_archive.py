"""The nightly command's options, as the workflow gets them."""

import os
import subprocess
import sys

import pytest

from homeiot_batch.errors import SettingsError
from homeiot_batch.run_archive import snakemake_arguments


@pytest.mark.parametrize(
    ("day", "first", "last", "force", "config", "expected"),
    [
        (None, None, None, False, [], ["yesterday"]),
        (None, None, None, True, [], ["yesterday", "--forcerun", "extract"]),
        ("2028-02-29", None, None, False, [], ["all", "--config", "start=2028-02-29", "end=2028-02-29"]),
        (None, "2026-12-31", "2027-01-01", True, [], ["all", "--forcerun", "extract", "--config", "start=2026-12-31", "end=2027-01-01"]),
        (None, None, None, False, ["allow_shrink=true"], ["yesterday", "--config", "allow_shrink=true"]),
    ],
)
def test_options_become_a_target(day: str | None, first: str | None, last: str | None, force: bool, config: list[str], expected: list[str]) -> None:
    """Yesterday without dates, the range otherwise; the target stands first, or Snakemake's own options would swallow it."""
    assert snakemake_arguments(day, first, last, force=force, config=config) == expected


@pytest.mark.parametrize(
    ("day", "first", "last", "message"),
    [
        ("2026-11-01", "2026-11-01", None, "exclude each other"),
        (None, "2026-11-01", None, "belong together"),
        (None, None, "2026-11-01", "belong together"),
        ("2026-13-01", None, None, "--date='2026-13-01' is not a date"),
        (None, "2026-11-01", "tomorrow", "--to='tomorrow' is not a date"),
    ],
)
def test_options_that_mean_no_range_are_refused(day: str | None, first: str | None, last: str | None, message: str) -> None:
    """Nothing is run for dates that cannot be meant."""
    with pytest.raises(SettingsError, match=message):
        snakemake_arguments(day, first, last, force=False, config=[])


def test_a_users_mistake_is_one_line() -> None:
    """Exit code 1, one line on stderr, no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "homeiot_batch.run_archive", "--date", "2026-02-30"],
        capture_output=True,
        text=True,
        env=dict(os.environ),
        check=False,
    )
    assert (done.returncode, done.stderr) == (1, "error: --date='2026-02-30' is not a date; give an existing day as YYYY-MM-DD\n")
