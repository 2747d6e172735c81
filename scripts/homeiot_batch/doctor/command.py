"""Checks a set-up and prints each finding and what to do.

Changes nothing and prints no secret.

python -m homeiot_batch doctor [--json]
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict

import typer

from homeiot_batch.config import ROOT, Settings, given_settings, load_settings
from homeiot_batch.core.exit_codes import DONE, FAILED
from homeiot_batch.core.host_paths import explained, explanation
from homeiot_batch.core.layout import Layout
from homeiot_batch.doctor.archive import check_archive
from homeiot_batch.doctor.database import check_database
from homeiot_batch.doctor.finding import Finding, problem
from homeiot_batch.doctor.house import check_house
from homeiot_batch.doctor.messages import check_messages
from homeiot_batch.doctor.readings import check_readings
from homeiot_batch.doctor.source import check_source
from homeiot_batch.doctor.yesterday import check_yesterday
from homeiot_batch.errors import HomeIotError, printable

Report = dict[str, list[Finding]]  # by group


def examine(settings: Settings, layout: Layout) -> Report:
    """The findings by group. Those on the readings only of a server that can be read."""
    source = _gathered(check_source(settings))
    readings: list[Finding] = []
    if settings.is_server and not _has_problem(source):
        readings += _gathered(check_readings(settings))
        readings += _gathered(check_yesterday(settings, readings))
    return {
        "source": source,
        "readings": readings,
        "archive": _gathered(check_archive(settings, layout)),
        "database": _gathered(check_database(settings, layout)),
        "house": _gathered(check_house(settings, layout)),
        "messages": _gathered(check_messages(settings, layout)),
    }


def _has_problem(findings: list[Finding]) -> bool:
    return any(finding.level == "problem" for finding in findings)


def _gathered(findings: Iterator[Finding]) -> list[Finding]:
    """The findings up to the end, or to a file that this user may not read."""
    gathered: list[Finding] = []
    try:
        for finding in findings:
            gathered.append(finding)  # noqa: PERF402 - what was found before stays
    except OSError as error:
        found = f"{error.filename} cannot be read ({error.strerror})"
        fix = "see to its permissions, or run as the user of the batch"
        gathered.append(problem("files", found, fix))
    return gathered


def show_findings(*, as_json: bool, config: Sequence[str]) -> None:
    """Print the findings, and exit with 1 if one is a problem."""
    os.chdir(ROOT)
    try:
        settings = load_settings(given_settings(config))
        report = examine(settings, settings.layout)
    except HomeIotError as error:
        raise SystemExit(explained(f"error: {error}")) from None
    if as_json:
        typer.echo(json.dumps(_objects(report), indent=1))
    else:
        lines = list(_lines(report))
        typer.echo("\n".join([*lines, *explanation(lines)]))
    if _has_problem(_all_findings(report)):
        raise SystemExit(FAILED)
    raise SystemExit(DONE)


def _all_findings(report: Report) -> list[Finding]:
    return [finding for group in report.values() for finding in group]


def _objects(report: Report) -> list[dict[str, str]]:
    """Each finding for --json."""
    objects: list[dict[str, str]] = []
    for group, findings in report.items():
        for finding in findings:
            objects.append({"group": group, **asdict(finding)})
    return objects


def _lines(report: Report) -> Iterator[str]:
    """A line a finding. Where something is wrong, what to do on the next."""
    findings = _all_findings(report)
    width = max(len(finding.name) for finding in findings)
    for group, found in report.items():
        if found:
            yield group
        for finding in found:
            yield from _finding_lines(finding, width)
    levels = [finding.level for finding in findings]
    problems = levels.count("problem")
    warnings = levels.count("warning")
    yield f"{len(findings)} findings, problems: {problems}, warnings: {warnings}"


def _finding_lines(finding: Finding, width: int) -> Iterator[str]:
    """The names in a column as wide as the widest."""
    name = finding.name.ljust(width)
    yield f"  {finding.level:<9}{name}  {printable(finding.found)}"
    if finding.fix:
        yield f"  {'':<9}{' ' * width}  fix: {printable(finding.fix)}"
