"""The nightly command's options, as the workflow gets them."""

import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import override

import pytest

from homeiot_batch.commands.night import Plan
from homeiot_batch.commands.run import config_arguments, plan_run, run_workflow
from homeiot_batch.config import Settings
from homeiot_batch.core.exit_codes import FAILED
from homeiot_batch.errors import SettingsError
from homeiot_batch.workflow.early_start import EarlyWorkflow


def arguments(
    settings: Settings,
    day: str | None,
    first: str | None,
    last: str | None,
    config: list[str],
    **flags: bool,
) -> list[str]:
    """What `snakemake` is given."""
    plan = plan_run(settings, day, first, last, **{"force": False, "reconcile": False} | flags)
    [run] = plan.batches()
    return [*run, *config_arguments(day, first, last, config)]


@pytest.mark.parametrize(
    ("day", "first", "last", "force", "config", "expected"),
    [
        (None, None, None, False, [], ["yesterday", "MARKERS/dbt.json"]),
        (
            None,
            None,
            None,
            True,
            [],
            ["yesterday", "--forcerun", "PARQUET/raw_meter_readings/dt=2026-11-23"],
        ),
        (
            "2028-02-29",
            None,
            None,
            False,
            [],
            ["all", "--config", "start=2028-02-29", "end=2028-02-29"],
        ),
        (
            None,
            "2026-12-31",
            "2027-01-01",
            True,
            [],
            [
                "all",
                "--forcerun",
                "PARQUET/raw_meter_readings/dt=2026-12-31",
                "PARQUET/raw_meter_readings/dt=2027-01-01",
                "--config",
                "start=2026-12-31",
                "end=2027-01-01",
            ],
        ),
        (
            None,
            "2010-01-01",
            "2026-11-22",
            True,
            [],
            ["all", "--forcerun", "extract", "--config", "start=2010-01-01", "end=2026-11-22"],
        ),
        (
            "2026-11-09",
            None,
            None,
            False,
            ["allow_shrink=true"],
            ["all", "--config", "start=2026-11-09", "end=2026-11-09", "allow_shrink=true"],
        ),
    ],
)
def test_options_become_a_target(
    settings: Settings,
    day: str | None,
    first: str | None,
    last: str | None,
    force: bool,
    config: list[str],
    expected: list[str],
) -> None:
    """Yesterday without dates, the range otherwise.

    The target stands first, or Snakemake's own options would swallow it.
    """
    local = settings.model_copy(update={"influx_url": "an export"})
    places = {"MARKERS": str(settings.marker_dir), "PARQUET": str(settings.parquet_base_dir)}
    for place, path in places.items():
        expected = [argument.replace(place, path) for argument in expected]
    assert arguments(local, day, first, last, config, force=force) == expected


@pytest.mark.parametrize(
    ("day", "first", "last", "flags", "message"),
    [
        ("2026-11-01", "2026-11-01", None, {}, "exclude each other"),
        (None, "2026-11-01", None, {}, "belong together"),
        (None, None, "2026-11-01", {}, "belong together"),
        ("2026-13-01", None, None, {}, "--date='2026-13-01' is not a date"),
        (None, "2026-11-01", "tomorrow", {}, "--to='tomorrow' is not a date"),
        (
            None,
            None,
            None,
            {"reconcile": True},
            "--reconcile takes the days of --date, or of --from and --to",
        ),
        ("2026-11-01", None, None, {"reconcile": True, "force": True}, "and no --force"),
        (
            "2026-11-01",
            None,
            None,
            {"reconcile": True},
            "INFLUX_URL='an export' is an export; read the days again by --force",
        ),
    ],
)
def test_options_that_mean_no_range_are_refused(
    settings: Settings,
    day: str | None,
    first: str | None,
    last: str | None,
    flags: dict[str, bool],
    message: str,
) -> None:
    """Nothing is run for dates that cannot be meant."""
    with pytest.raises(SettingsError, match=message):
        arguments(
            settings.model_copy(update={"influx_url": "an export"}), day, first, last, [], **flags
        )


def test_a_users_mistake_is_one_line() -> None:
    """Exit code 1, one line on stderr, no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "homeiot_batch.run_archive", "--date", "2026-02-30"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        1,
        "error: --date='2026-02-30' is not a date; give an existing day as YYYY-MM-DD\n",
    )


def test_more_targets_than_a_command_line_takes() -> None:
    """Several runs: each with its own forced days, the tables' target in the last."""
    plan = Plan(targets=["yesterday", "a", "b", "c", "b", "d"], forced=["d", "a"])
    assert list(plan.batches(2)) == [
        ["d", "--forcerun", "d"],
        ["b", "c"],
        ["yesterday", "a", "--forcerun", "a"],
    ]
    assert list(plan.batches()) == [["yesterday", "a", "b", "c", "d", "--forcerun", "d", "a"]]
    assert list(Plan().batches()) == []


class EndedWorkflow(EarlyWorkflow):
    """A workflow that comes to its end, although somebody has pressed Ctrl-C."""

    def __init__(self, code: int) -> None:
        super().__init__()
        self._code = code

    @override
    def run(self, arguments: Sequence[str], environment: Mapping[str, str]) -> int:
        self._signals.append(signal.SIGINT)
        return self._code


@pytest.mark.parametrize(("code", "said"), [(0, FAILED), (FAILED, FAILED), (-2, FAILED), (3, 3)])
def test_a_run_that_was_ended_has_failed(code: int, said: int) -> None:
    """The days of its other batches are not read, so that it is no success."""
    assert run_workflow(EndedWorkflow(code), [], []) == said
