"""What a run refuses, or warns of, before its first job."""

import contextlib
import sys
from collections.abc import Iterable, Iterator
from typing import Any

from homeiot_batch.archive.day_file import refuse_undeclared
from homeiot_batch.archive.zone_record import recorded_zone
from homeiot_batch.config import Settings, overridden_settings
from homeiot_batch.core.files import is_there, read_json
from homeiot_batch.core.house_folder import READ, unread_files
from homeiot_batch.core.inventory import archived_days, known_days, undeclared_days
from homeiot_batch.core.layout import PART, Layout
from homeiot_batch.errors import ArchiveError, SettingsError
from homeiot_batch.workflow.day_history import Loads
from homeiot_batch.workflow.machine_zone import zone_difference


def refuse_deletion(workflow: Any) -> None:
    """SettingsError for Snakemake's options that delete outputs.

    The archive is the only copy of what the source has forgotten.
    """
    deletes = [argument for argument in sys.argv[1:] if argument.startswith("--delete-a")]
    if deletes or workflow.storage_settings.all_temp:
        option = (deletes or ["--all-temp"])[0]
        raise SettingsError(
            f"{option} would delete archived days; remove what you do not want to keep by hand"
        )


def refuse_lost_archive(layout: Layout, datasets: Iterable[str], loads: Loads) -> None:
    """ArchiveError where markers or the database know of days, but there is no archive at all.

    Its disk is not mounted, for example.
    """
    names = list(datasets)
    known = {(name, str(day)) for name in names for day in known_days(layout, name)} | set(loads)
    is_begun = layout.archive_file.exists() or any(archived_days(layout, name) for name in names)
    if known and not is_begun:
        raise ArchiveError(
            f"PARQUET_BASE_DIR={layout.parquet} holds no archive, but {len(known)} days are known "
            f"from {layout.markers} and the database; mount or restore it. "
            "A new archive needs another MARKER_DIR and DUCKDB_PATH"
        )


def refuse_unfinished_restore(layout: Layout) -> None:
    """ArchiveError where a restore has begun, so that no tables are built without its days."""
    if is_there(layout.restore_note):
        place = (read_json(layout.restore_note) or {}).get("place")
        raise ArchiveError(
            f"the restore from {place} into {layout.parquet} is not finished; run "
            f"`homeiot restore --from {place}` again"
        )


def refuse_undeclared_columns(layout: Layout, settings: Settings) -> None:
    """SettingsError where the newest day that can be read has a column that is not declared.

    New days would lack it.
    """
    for dataset in settings.datasets.values():
        for day in reversed(archived_days(layout, dataset.name)):
            with contextlib.suppress(ArchiveError):
                refuse_undeclared(layout.day(dataset.name, day) / PART, dataset, settings.tz)
                break


def zone_warnings(settings: Settings, layout: Layout) -> Iterator[str]:
    """Before the first archived day, which fixes the zone: why it may not be the house's."""
    if recorded_zone(layout) is None and (difference := zone_difference(settings)):
        yield (
            f"{difference}; the first archived day fixes it: if it is wrong, set TZ to the zone of "
            f"the house, move {layout.parquet}, {layout.markers} and {settings.duckdb_path} "
            "away, and run again"
        )


def settings_warnings(settings: Settings, layout: Layout) -> Iterator[str]:
    """What is archived, set or lies in the house's folder, and is not used."""
    for name, days in undeclared_days(layout, settings.datasets).items():
        yield (
            f"{name}: {days} archived days that nothing is added to and no table shows: "
            "it is not declared in config.yaml"
        )
    yield from overridden_settings(settings)
    for name in unread_files(settings.layout.house):
        yield f"{settings.house_dir}/{name} is not read; the files there are {' and '.join(READ)}"
