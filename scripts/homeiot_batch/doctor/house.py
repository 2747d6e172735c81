"""What the user has set: the files that are read, and mistakes in the tariffs."""

from collections.abc import Iterator
from pathlib import Path

from homeiot_batch.config import Settings, overridden_settings, shown_path
from homeiot_batch.core.files import read_json
from homeiot_batch.core.house_folder import READ, unread_files
from homeiot_batch.core.layout import Layout
from homeiot_batch.doctor.finding import Finding, of_error, ok, problem, warning
from homeiot_batch.errors import SettingsError
from homeiot_batch.warehouse.build_inputs import changed_inputs
from homeiot_batch.warehouse.meter_columns import undeclared_columns
from homeiot_batch.warehouse.meter_names import unknown_meters
from homeiot_batch.warehouse.silent_meters import FIX, find_silent_counters
from homeiot_batch.warehouse.tariffs import SHIPPED, examine_tariffs, tariff_path


def check_house(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """The folder, the tariffs, and what the next run takes into the tables."""
    yield from _check_folder(settings)
    lacking = undeclared_columns(settings)
    if lacking:
        found, fix = _split(lacking)
        yield problem("tables", found, fix)
    yield from _check_tariffs(settings)
    yield from _check_meters(settings)
    marker = read_json(layout.models)
    changed = marker and changed_inputs(settings, marker)
    if changed:
        found = f"not as at the last build: {', '.join(changed)}"
        yield ok("tables", f"{found}, so the next run builds them again")


def _check_meters(settings: Settings) -> Iterator[Finding]:
    """The declared meters that are silent."""
    for silent in find_silent_counters(settings.duckdb_path):
        yield warning(silent.source, silent.found, FIX)


def _check_folder(settings: Settings) -> Iterator[Finding]:
    """The files of the folder, and settings that the environment overrides."""
    folder = shown_path(settings.layout.house)
    there = [name for name in READ if (settings.layout.house / name).exists()]
    listed = " and ".join(there) or "none"
    yield ok("own settings", f"{folder} has {listed}")
    for message in overridden_settings(settings):
        found, fix = _split(message)
        yield warning("own settings", found, fix)
    for name in unread_files(settings.layout.house):
        fix = f"rename it to {' or '.join(READ)}, or move it away"
        yield warning("own settings", f"{folder}/{name} is not read", fix)


def _check_tariffs(settings: Settings) -> Iterator[Finding]:
    try:
        tariffs, mistakes = examine_tariffs(settings)
    except SettingsError as error:
        yield of_error("tariffs", error)
        return
    for mistake in mistakes:
        found, fix = _split(mistake)
        yield problem("tariffs", found, fix)
    if mistakes:
        return
    path = tariff_path(settings)
    yield ok("tariffs", f"{len(tariffs)} lines in {shown_path(path)}")
    for message in unknown_meters(settings, tariffs):
        found, fix = _split(message)
        yield warning("tariffs", found, fix)
    if path != SHIPPED and _has_lines(SHIPPED):
        yield warning(
            "tariffs",
            f"{shown_path(SHIPPED)} has lines too, and is not read",
            f"keep the lines that hold in {shown_path(path)}, and delete the others",
        )


def _has_lines(tariffs: Path) -> bool:
    """Whether the file has more than its header."""
    return tariffs.exists() and tariffs.read_bytes().count(b"\n") > 1


def _split(message: str) -> tuple[str, str]:
    """What was found, and what to do, as a message has them around its first semicolon."""
    found, _, fix = message.partition("; ")
    return found, fix
