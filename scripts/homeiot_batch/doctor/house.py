"""What the user has set: the files that are read, and mistakes in the tariffs."""

from collections.abc import Iterator

from homeiot_batch.config import Settings, overridden_settings, shown_path
from homeiot_batch.core.files import read_json
from homeiot_batch.core.house_folder import READ, unread_files
from homeiot_batch.core.layout import Layout
from homeiot_batch.doctor.finding import Finding, of_error, ok, problem, warning
from homeiot_batch.errors import SettingsError
from homeiot_batch.warehouse.build_inputs import changed_inputs
from homeiot_batch.warehouse.meter_columns import undeclared_columns
from homeiot_batch.warehouse.meter_names import unknown_meters
from homeiot_batch.warehouse.tariffs import SHIPPED, examine_tariffs, tariff_path


def check_house(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """The folder, the tariffs, and what the next run takes into the tables."""
    folder = shown_path(settings.house)
    there = [name for name in READ if (settings.house / name).exists()]
    yield ok("own settings", f"{folder} has {' and '.join(there) or 'none'}")
    for said in overridden_settings(settings):
        found, _, cure = said.partition("; ")
        yield warning("own settings", found, cure)
    for name in unread_files(settings.house):
        cure = f"rename it to {' or '.join(READ)}, or move it away"
        yield warning("own settings", f"{folder}/{name} is not read", cure)
    if lacking := undeclared_columns(settings):
        found, _, cure = lacking.partition("; ")
        yield problem("tables", found, cure)
    yield from _check_tariffs(settings)
    marker = read_json(layout.models)
    if marker and (changed := changed_inputs(settings, marker)):
        what = f"not as at the last build: {', '.join(changed)}"
        yield ok("tables", f"{what}; the next run builds them again")


def _check_tariffs(settings: Settings) -> Iterator[Finding]:
    path = tariff_path(settings)
    try:
        tariffs, mistakes = examine_tariffs(settings)
    except SettingsError as error:
        yield of_error("tariffs", error)
        return
    for mistake in mistakes:
        found, _, cure = mistake.partition("; ")
        yield problem("tariffs", found, cure)
    if mistakes:
        return
    yield ok("tariffs", f"{len(tariffs)} lines in {shown_path(path)}")
    for said in unknown_meters(settings, tariffs):
        found, _, cure = said.partition("; ")
        yield warning("tariffs", found, cure)
    if path != SHIPPED and SHIPPED.exists() and SHIPPED.read_bytes().count(b"\n") > 1:
        yield warning(
            "tariffs",
            f"{shown_path(SHIPPED)} has lines too, and is not read",
            f"keep the lines that hold in {shown_path(path)}, and delete the others",
        )
