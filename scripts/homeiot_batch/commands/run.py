"""The nightly batch: yesterday and what was missed, one date or a range, by the workflow.

python -m homeiot_batch.run_archive [--date D | --from A --to B] [--force | --reconcile]
"""

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

import structlog

from homeiot_batch.archive.zone_record import require_zone
from homeiot_batch.commands.healthcheck import ping
from homeiot_batch.commands.night import MOST_TARGETS, Plan, plan_night, plan_reconciliation
from homeiot_batch.config import ROOT, Settings, given_settings, load_settings
from homeiot_batch.core.days import each_day, parse_day, yesterday
from homeiot_batch.core.exit_codes import DONE, FAILED
from homeiot_batch.core.files import read_json
from homeiot_batch.core.host_paths import explained
from homeiot_batch.errors import HomeIotError, SettingsError
from homeiot_batch.logging_conf import configure
from homeiot_batch.messages.at_night import told_at_its_end
from homeiot_batch.messages.faults import NightEnd
from homeiot_batch.sources.influxdb.client import compare_clocks
from homeiot_batch.workflow.early_start import EarlyWorkflow
from homeiot_batch.workflow.early_warnings import hand_over
from homeiot_batch.workflow.unread_output import go_on_unread

log = structlog.get_logger()


def run_archive(
    workflow: EarlyWorkflow,
    day: str | None,
    first: str | None,
    last: str | None,
    *,
    force: bool,
    reconcile: bool,
    config: Sequence[str],
) -> None:
    """Do what the options ask for, tell the watchdog, and exit with the run's code."""
    os.chdir(ROOT)
    go_on_unread()
    is_night = not (day or first or last or force or reconcile)
    with told_at_its_end(config, is_night=is_night) as night:
        url = None
        warnings: list[str] = []
        try:
            given = given_settings(config)
            if "allow_shrink" in given:  # it is for the days that are asked for
                given |= {
                    name: dt for name, dt in (("start", day or first), ("end", day or last)) if dt
                }
            night.settings = settings = load_settings(given)
            configure(settings.log_format, warnings.append)
            url = settings.healthcheck_url.get_secret_value() if settings.healthcheck_url else None
            ping(url, "start")
            plan = plan_run(settings, day, first, last, force=force, reconcile=reconcile)
        except (HomeIotError, OSError) as error:
            ping(url, "fail", str(error))
            raise SystemExit(explained(f"error: {error}")) from None
        warnings += plan.warnings
        arguments = config_arguments(day, first, last, config)
        end = _run(workflow, plan, arguments, settings, warnings)
        code = end.code
        if reconcile and plan.datasets_not_compared:
            code = code or FAILED
        if is_night and not workflow.was_ended:
            end = replace(end, copy_fault=_copied(settings, code))
        night.ended(end, workflow)
        _say_what_was_not_done(plan, reconcile=reconcile)
        said = end.lines or f"nothing was done, exit code {code}"
        ping(url, "" if code == DONE else "fail", said)
        _print(warnings)  # of that ping: no summary has it
        raise SystemExit(code)


def _copied(settings: Settings, code: int) -> str | None:
    """Why the second copy is not up to date, "" if it is, None if none is wanted.

    It is made after a night with a failed day too: the others are archived.
    """
    if not settings.mirror_url or code not in (DONE, FAILED):
        return None
    from homeiot_batch.commands.night_mirror import mirror_after_night  # noqa: PLC0415 - seldom

    return mirror_after_night(settings)


def _say_what_was_not_done(plan: Plan, *, reconcile: bool) -> None:
    if reconcile and plan.datasets_not_compared:
        print(
            f"failed: {', '.join(plan.datasets_not_compared)} was not compared with the source; "
            "see the warnings, and run again",
            file=sys.stderr,
        )
    elif not plan.targets:
        print(
            "nothing to do: every day of the range is archived, and the source has no more of any",
            file=sys.stderr,
        )


def plan_run(
    settings: Settings,
    day: str | None,
    first: str | None,
    last: str | None,
    *,
    force: bool,
    reconcile: bool,
) -> Plan:
    """What the options mean. SettingsError for dates that are none or exclude each other."""
    _refuse_contradictions(settings, day, first, last, force=force, reconcile=reconcile)
    require_zone(settings.layout, settings.tz)
    if clocks := compare_clocks(settings):
        clocks.refuse_too_far()
    if day or first:
        start = parse_day(day, "--date") if day else parse_day(first, "--from")
        end = parse_day(day, "--date") if day else parse_day(last, "--to")
        if reconcile:
            return plan_reconciliation(settings, settings.layout, start, end)
        return _plan_range("all", settings, start, end, force=force)
    if not force:
        return plan_night(settings, settings.layout)
    last_over = yesterday(settings.instant(), settings.zone)
    return _plan_range("yesterday", settings, last_over, last_over, force=True)


def _refuse_contradictions(
    settings: Settings,
    day: str | None,
    first: str | None,
    last: str | None,
    *,
    force: bool,
    reconcile: bool,
) -> None:
    if day and (first or last):
        raise SettingsError(
            f"--date={day} and --from or --to exclude each other; give one or the other"
        )
    if bool(first) != bool(last):
        raise SettingsError("--from and --to belong together; give both, or --date for one day")
    if reconcile and (force or not (day or first)):
        raise SettingsError(
            "--reconcile takes the days of --date, or of --from and --to, and no --force; give it "
            "a range"
        )
    if reconcile and not settings.is_server:
        raise SettingsError(
            f"--reconcile asks a server for what it has more of, and "
            f"INFLUX_URL={settings.influx_url!r} is an export; read the days again by "
            "--force, which replaces none by a smaller one"
        )


def _plan_range(target: str, settings: Settings, start: date, end: date, *, force: bool) -> Plan:
    """The target, with the days from `start` to `end` read again if forced.

    They are forced by their folders. By the rule's name Snakemake would also read other days again,
    all those that are not loaded.
    """
    plan = Plan(targets=[target])
    if force:
        days = [(name, dt) for name in settings.datasets for dt in each_day(start, end)]
        plan.forced = [str(settings.layout.day(*day)) for day in days]
    if len(plan.forced) > MOST_TARGETS:
        plan.forced = ["extract"]
    return plan


def config_arguments(
    day: str | None, first: str | None, last: str | None, config: Sequence[str]
) -> list[str]:
    """The workflow's --config: the range, and what was given for this run."""
    span = [f"start={day or first}", f"end={day or last}"] if day or first else []
    return ["--config", *span, *config] if span or config else []


def _run(
    workflow: EarlyWorkflow,
    plan: Plan,
    config: Sequence[str],
    settings: Settings,
    warnings: list[str],
) -> NightEnd:
    """Run the workflow, once or in batches.

    The exit code of the first that failed, and what each said at its end.

    Where one has found the database damaged it is run once more: that builds a new one from the
    archive. The `warnings` are told by the first summary. Those that none has told are printed at
    the end.
    """
    codes = [DONE]
    ends: list[NightEnd] = []
    for arguments in plan.batches():
        started = datetime.now(UTC)
        code = run_workflow(workflow, [*arguments, *config], warnings)
        if code == FAILED and not workflow.was_ended and settings.layout.damage.exists():
            log.warning(
                "the database is damaged: once more, with a new one that is built from the archive"
            )
            started = datetime.now(UTC)
            code = run_workflow(workflow, [*arguments, *config], warnings)
        codes.append(code)
        end = _end_since(started, settings, code)
        ends.append(end)
        told = end.lines.splitlines()
        warnings[:] = [warning for warning in warnings if f"warning: {warning}" not in told]
        if workflow.was_ended or code not in (DONE, FAILED):
            break
    _print(warnings)
    return NightEnd(
        code=next(filter(None, codes), DONE),
        lines="\n".join(end.lines for end in ends if end.lines),
        failures=[failure for end in ends for failure in end.failures],
        built=any(end.built for end in ends),
    )


def _print(warnings: list[str]) -> None:
    """Print the warnings, and empty the list."""
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)
    warnings.clear()


def run_workflow(workflow: EarlyWorkflow, arguments: Sequence[str], warnings: Sequence[str]) -> int:
    """The exit code of one run. Its summary counts the `warnings` that were had before.

    A run that was ended from outside has failed, even if it came to its end.
    """
    with hand_over(warnings) as environment:
        code = workflow.run(arguments, environment)
    if code < 0:
        return FAILED
    if workflow.was_ended:
        return code or FAILED
    return code


def _end_since(started: datetime, settings: Settings, code: int) -> NightEnd:
    """What the run's summary has. Nothing but the code if it did nothing."""
    summary = read_json(settings.layout.last_run) or {}
    if summary.get("finished_at", "") < started.isoformat():
        return NightEnd(code)
    lines = "\n".join(summary.get("lines", []))
    return NightEnd(
        code,
        lines=lines,
        failures=summary.get("failures", []),
        built=summary.get("built", False),
    )
