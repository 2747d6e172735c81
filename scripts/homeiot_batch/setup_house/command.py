"""Looks at the source and writes the house's config.yaml.

python -m homeiot_batch init [--print] [--force] [--all]
"""

import os
from collections.abc import Sequence
from pathlib import Path

import typer
import yaml

from homeiot_batch.config import ROOT, Settings, given_settings, load_settings, shown_path
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay, yesterday
from homeiot_batch.core.host_paths import explained
from homeiot_batch.core.meter_checks import refuse_wrong_meters
from homeiot_batch.core.meters import Meter
from homeiot_batch.doctor.source import check_source
from homeiot_batch.errors import HomeIotError, SourceError
from homeiot_batch.setup_house.choice import Choice, choose
from homeiot_batch.setup_house.config_text import Content, config_text
from homeiot_batch.setup_house.export_survey import ExportSurvey
from homeiot_batch.setup_house.house_file import (
    former_settings,
    own_settings_file,
    refuse_existing,
    replace_file,
)
from homeiot_batch.setup_house.outlook import Hours, Outlook, outlook
from homeiot_batch.setup_house.proposal import (
    Found,
    begun_before,
    content_of,
    drop_unused,
    energy_fields,
    former_datasets,
    meter_names_taken,
    recognised_in,
)
from homeiot_batch.setup_house.questions import asked_kinds, is_at_terminal
from homeiot_batch.setup_house.server_survey import ServerSurvey
from homeiot_batch.setup_house.survey import Survey
from homeiot_batch.setup_house.zone import house_zone
from homeiot_batch.sources.influxdb.client import InfluxClient


def set_up_house(*, only_print: bool, force: bool, shows_all: bool, config: Sequence[str]) -> None:
    """Do what the options ask for. Exit code 1, with one line, and nothing written if it fails."""
    os.chdir(ROOT)
    try:
        settings = load_settings(given_settings(config))
        file = own_settings_file(settings)
        if not only_print and not force:
            refuse_existing(file)
        _set_up(settings, file, only_print=only_print, shows_all=shows_all)
    except HomeIotError as error:
        raise SystemExit(explained(f"error: {error}")) from None


def _set_up(settings: Settings, file: Path, *, only_print: bool, shows_all: bool) -> None:
    asks = is_at_terminal() and not only_print
    former = former_settings(file)
    _refuse_problems(settings)
    source = _opened(settings, looks_at_all=shows_all)
    survey = surveyed(source)
    zone, why_zone = house_zone(settings, asks=asks)
    settings = settings.model_copy(update={"tz": zone})
    found = recognised_in(survey, former_datasets(former))
    found.remarks += sorted(map(str, source.silent(energy_fields(found))))
    choice = _choice(settings, found, survey, asks=asks)
    drop_unused(found, choice)
    ahead = outlook(settings, found.datasets.values(), _hours(source))
    content = content_of(survey, found, choice, former, shows_all=shows_all)
    _complete(content, ahead, why_zone)
    if only_print:
        typer.echo(config_text(content), nl=False)
    _refuse_nothing(survey, found, only_print=only_print)
    if not only_print:
        _write(file, content, settings)
    _tell(survey, found, content, ahead, is_error=only_print)


Source = ServerSurvey | ExportSurvey


def _opened(settings: Settings, *, looks_at_all: bool) -> Source:
    """What can be asked for a survey."""
    if settings.is_server:
        return ServerSurvey(settings, InfluxClient(settings), look_at_all=looks_at_all)
    return ExportSurvey(settings)


def _hours(source: Source) -> Hours | None:
    """The hours of an export."""
    if isinstance(source, ExportSurvey):
        return source.hours
    return None


def surveyed(source: Source) -> Survey:
    """What the source holds. SourceError if it holds nothing."""
    survey = source.survey()
    if not survey.measurements:
        raise SourceError(
            f"{survey.place} holds no readings yet; let your programs write into it first, or "
            "correct INFLUX_BUCKET"
        )
    return survey


def _refuse_problems(settings: Settings) -> None:
    """SourceError for what the doctor finds wrong with the source."""
    for finding in check_source(settings):
        if finding.level == "problem":
            raise SourceError(f"{finding.found}; {finding.fix}")


def _choice(settings: Settings, found: Found, survey: Survey, *, asks: bool) -> Choice:
    """The meters among the candidates."""
    over = yesterday(settings.instant(), settings.zone)
    midnight_ns = LocalDay(over, settings.zone).end_ns
    candidates = begun_before(found.candidates, midnight_ns)
    begun = {one.key for one in candidates}
    new = [one for one in found.candidates if one.key not in begun]
    if asks:
        candidates = asked_kinds(candidates)
    choice = choose(candidates, meter_names_taken(found, survey))
    choice.leave(new, "its readings begin today")
    return choice


def _complete(content: Content, ahead: Outlook, why_zone: str) -> None:
    """Add the zone and the first day to the settings."""
    settings = dict(content.settings)
    settings["tz"] = ahead.settings.tz
    content.comments = {"tz": why_zone}
    if ahead.settings.is_server and ahead.first and "archive_start" not in settings:
        settings["archive_start"] = ahead.first
        content.comments = {"tz": why_zone, "archive_start": "the first day with readings"}
    content.settings = settings


def _refuse_nothing(survey: Survey, found: Found, *, only_print: bool) -> None:
    """SourceError if no schema was recognised: the file would archive nothing."""
    if found.datasets:
        return
    what_to_do = "docs/how-to/declare-your-meters.md says how to declare them"
    if not only_print:
        what_to_do = f"`homeiot init --print` lists them, and {what_to_do}"
    raise SourceError(
        f"none of the {len(survey.measurements)} measurements of {survey.place} is recognised; "
        f"{what_to_do}"
    )


def _write(file: Path, content: Content, settings: Settings) -> None:
    """Write the file, after a proof that it can be read."""
    text = config_text(content)
    _refuse_unusable(text)
    today = settings.instant().astimezone(settings.zone).date()
    copy = replace_file(file, text, today)
    if copy:
        typer.echo(f"the old file is kept as {shown_path(copy)}")
    typer.echo(f"written: {shown_path(file)}")


def _refuse_unusable(text: str) -> None:
    """SourceError if the names of the source make settings that a run would refuse."""
    declared = yaml.safe_load(text)
    try:
        datasets = {name: Dataset.model_validate(one) for name, one in declared["datasets"].items()}
        meters = {}
        for name, meter in (declared.get("meters") or {}).items():
            meters[name] = Meter.model_validate(meter)
        refuse_wrong_meters(meters, datasets, declared.get("dbt_vars") or {})
    except ValueError as error:
        reason = " ".join(str(error).split())
        raise SourceError(
            f"what was found cannot be declared: {reason}; `homeiot init --print` shows it, "
            "correct it and write it to config.yaml by hand"
        ) from None


def _tell(
    survey: Survey, found: Found, content: Content, ahead: Outlook, *, is_error: bool
) -> None:
    """What was found, and what comes next."""
    schemas = dict.fromkeys(found.schemas[name] for name in found.datasets)
    meters = [f"{meter.name} ({meter.kind})" for meter in content.meters]
    meters += meter_names_taken(found, survey)
    none = "none is clear. The file lists what may be one, as comments"
    there = len(survey.measurements) + survey.left_out
    share = f"{len(found.measurements)} of {there} measurements"
    lines = [
        f"recognised: {', '.join(schemas)}, in {share}",
        f"meters: {', '.join(meters) or none}",
    ]
    if meters and content.left:
        reasons = "the reasons"
        if len(content.left) < content.left_in_all:
            reasons = f"the reasons of {len(content.left)} of them"
        lines.append(f"left out: {content.left_in_all} series. The file has {reasons}, as comments")
    for line in [*lines, *ahead.lines()]:
        typer.echo(line, err=is_error)
