"""Checks a house's set-up and says each finding with its cure; changes nothing and prints no secret.

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
from homeiot_batch.doctor.readings import check_readings
from homeiot_batch.doctor.source import check_source
from homeiot_batch.doctor.yesterday import check_yesterday
from homeiot_batch.errors import HomeIotError, printable

Report = dict[str, list[Finding]]


def examine(settings: Settings, layout: Layout) -> Report:
    """The findings by group; those on the readings only of a server that can be read."""
    source = _gathered(check_source(settings))
    can_be_read = settings.is_server and not any(finding.level == "problem" for finding in source)
    readings = _gathered(check_readings(settings)) if can_be_read else []
    if can_be_read:
        readings += _gathered(check_yesterday(settings, readings))
    return {
        "source": source,
        "readings": readings,
        "archive": _gathered(check_archive(settings, layout)),
        "database": _gathered(check_database(settings, layout)),
        "house": _gathered(check_house(settings, layout)),
    }


def _gathered(findings: Iterator[Finding]) -> list[Finding]:
    """The findings up to the end, or to a file that this user may not read."""
    found: list[Finding] = []
    try:
        for finding in findings:
            found.append(finding)  # noqa: PERF402 - what was found before stays
    except OSError as error:
        found.append(
            problem(
                "files",
                f"{error.filename} cannot be read ({error.strerror})",
                "see to its permissions, or run as the user of the batch",
            )
        )
    return found


def show_findings(*, as_json: bool, config: Sequence[str]) -> None:
    """Print the findings, and exit with 1 if one is a problem."""
    os.chdir(ROOT)
    try:
        settings = load_settings(given_settings(config))
        report = examine(settings, settings.layout)
    except HomeIotError as error:
        raise SystemExit(explained(f"error: {error}")) from None
    objects = [
        {"group": group} | asdict(finding)
        for group, findings in report.items()
        for finding in findings
    ]
    lines = list(_text(report))
    text = "\n".join([*lines, *explanation(lines)])
    typer.echo(json.dumps(objects, indent=1) if as_json else text)
    raise SystemExit(FAILED if any(entry["level"] == "problem" for entry in objects) else DONE)


def _text(report: Report) -> Iterator[str]:
    """A line a finding; where something is wrong, the cure on the next."""
    findings = [finding for group in report.values() for finding in group]
    width = max(len(finding.name) for finding in findings)
    for group, found in report.items():
        yield from [group] if found else []
        for finding in found:
            yield f"  {finding.level:<9}{finding.name:<{width}}  {printable(finding.found)}"
            if finding.cure:
                yield f"  {'':<9}{'':<{width}}  cure: {printable(finding.cure)}"
    count = {
        level: sum(finding.level == level for finding in findings)
        for level in ("problem", "warning")
    }
    yield f"{len(findings)} findings, problems: {count['problem']}, warnings: {count['warning']}"
