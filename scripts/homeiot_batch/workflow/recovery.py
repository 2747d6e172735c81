"""What a killed run left behind, put right before the next one decides what to do.

Only under the run's lock.
"""

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import structlog

from homeiot_batch.archive.day_bounds import bounded_day, recorded_day
from homeiot_batch.archive.day_file import foreign_files, open_day, prove_day
from homeiot_batch.archive.parquet_writer import rename_durably
from homeiot_batch.archive.shrink_guard import holds_all_of
from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.day_record import Marker
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.files import file_stamp, is_there, read_json
from homeiot_batch.core.inventory import archived_days, loaded_days, staged_days
from homeiot_batch.core.layout import PART, Layout
from homeiot_batch.core.marker_cache import MarkerCache
from homeiot_batch.errors import ArchiveDamaged, DatabaseBusy, DatabaseDamaged
from homeiot_batch.warehouse.build_inputs import changed_inputs
from homeiot_batch.warehouse.database import (
    RecordedLoad,
    reason_to_rebuild,
    recorded_build,
    recorded_loads,
    refuse_lost_link,
    remove_spill,
    set_aside,
)
from homeiot_batch.warehouse.read_copy import is_published
from homeiot_batch.workflow.day_history import Loads

log = structlog.get_logger()


def recover_staged_days(layout: Layout, settings: Settings) -> None:
    """Put days in place that a killed run has read whole, and drop all else that is staged.

    A staged day is a later read than the one in place, and the source may have forgotten it since:
    it is dropped only where it is damaged, or lacks something that the day in place holds.
    """
    _drop_parts(layout)
    for name, dt in staged_days(layout):
        staged = layout.staged(name, dt)
        day = layout.day(name, dt)
        if not is_there(staged / PART):  # killed while the leftover was being deleted
            shutil.rmtree(staged)
        elif name not in settings.datasets and is_there(day):
            log.warning(
                "a staged day is left as it is: its dataset is not declared",
                dataset=name,
                dt=str(dt),
            )
        elif reason := _reason_to_drop(
            staged, day, settings.datasets.get(name), _staged_day(settings, layout, name, dt)
        ):
            log.warning("a staged day is dropped", dataset=name, dt=str(dt), reason=reason)
            shutil.rmtree(staged)
        else:
            if is_there(day):
                _move_away(layout, name, dt)
            log.info(
                "recovered",
                dataset=name,
                dt=str(dt),
                what="a day read whole by a run that was killed is put in place",
            )
            rename_durably(staged, day)
    _drop_parts(layout)


def remove_empty_day_folders(layout: Layout, datasets: Iterable[str]) -> None:
    """Move day folders that hold no Parquet file out of the way, so that the days are read again.

    They would pass for archived.
    """
    for dataset in datasets:
        for dt in archived_days(layout, dataset):
            if not _holds_file(layout, dataset, dt):
                log.info(
                    "recovered",
                    dataset=dataset,
                    dt=str(dt),
                    what="a day folder without its file is removed, and the day is read again",
                )
                _move_away(layout, dataset, dt)
    _drop_parts(layout)


def _holds_file(layout: Layout, dataset: str, dt: date) -> bool:
    """Whether the day's folder holds its file, or another Parquet file."""
    if is_there(layout.part_text(dataset, dt)):
        return True
    return any(name.endswith(".parquet") for name in foreign_files(layout.day(dataset, dt)))


def replace_unusable_database(layout: Layout, settings: Settings) -> str | None:
    """Set a damaged database, or one of an older schema, aside.

    A new one is then loaded from the archive. What was done, if anything was.
    """
    try:
        reason = _unusable(layout, settings)
    except DatabaseBusy:
        return None
    remove_spill(settings.duckdb_path)  # of a run that was killed: nobody has the file open now
    if not reason:
        return None
    aside = set_aside(settings.duckdb_path)
    layout.damage.unlink(missing_ok=True)
    return (
        f"{settings.duckdb_path} is set aside as {aside.name} and built again from the archive: "
        f"{reason}"
    )


def _staged_day(settings: Settings, layout: Layout, dataset: str, dt: date) -> LocalDay:
    """The day as it was read, which may have been by former zone rules."""
    recorded = recorded_day(layout.staged(dataset, dt), dt, settings.zone)
    return recorded or bounded_day(layout, dataset, dt, settings.zone)


def _reason_to_drop(staged: Path, day: Path, dataset: Dataset | None, local_day: LocalDay) -> str:
    """Why the staged day may not take its place, or "" if it may.

    ArchiveError if one of both cannot be read now.
    """
    try:
        new = prove_day(staged, local_day)
    except ArchiveDamaged as error:
        return str(error)
    if not is_there(day / PART):
        return ""
    try:
        archived = open_day(day)
    except ArchiveDamaged:
        return ""
    if dataset is None or not holds_all_of(new, archived, dataset):
        return "the day in place holds what it lacks"
    return ""


def _move_away(layout: Layout, dataset: str, dt: date) -> None:
    """Take a day's folder out of its place.

    To staging, where it is dropped, but with files of somebody else to a place where it is kept.
    """
    day = layout.day(dataset, dt)
    aside = layout.staging / f"tmp-{uuid.uuid4().hex}"
    if others := foreign_files(day):
        aside = layout.kept / dataset / f"dt={dt}-{uuid.uuid4().hex[:8]}"
        log.warning(
            "a day folder with other files is kept aside",
            dataset=dataset,
            dt=str(dt),
            files=others,
            folder=str(aside),
        )
    aside.parent.mkdir(parents=True, exist_ok=True)
    day.rename(aside)


def _drop_parts(layout: Layout) -> None:
    for leftover in layout.staging.glob("tmp-*"):
        shutil.rmtree(leftover, ignore_errors=True)


def _unusable(layout: Layout, settings: Settings) -> str:
    refuse_lost_link(settings.duckdb_path)
    if not settings.duckdb_path.exists():
        layout.damage.unlink(missing_ok=True)
        return ""
    if (found := read_json(layout.damage)) and found.get("database") == str(settings.duckdb_path):
        return str(found["reason"])
    try:
        return reason_to_rebuild(
            settings.duckdb_path, settings.datasets.values(), settings.duckdb_wait_s
        )
    except DatabaseDamaged as error:
        return str(error)


def invalidate_stale_markers(markers: MarkerCache, settings: Settings) -> Loads | None:
    """Set stale markers aside, so that their loads and builds are done again.

    The loads that the database records, or None if it cannot be asked now.
    """
    layout = markers.layout
    try:
        loads = recorded_loads(settings.duckdb_path)
        build = recorded_build(settings.duckdb_path)
    except DatabaseBusy as error:
        log.warning("markers not checked", reason=str(error))
        return None
    for dataset in settings.datasets:
        for day in loaded_days(layout, dataset):
            dt = str(day)
            if reason := _stale_reason(
                markers.of(dataset, day) or Marker(),
                loads.get((dataset, dt)),
                layout.part_text(dataset, dt),
            ):
                log.info(
                    "stale marker",
                    dataset=dataset,
                    dt=dt,
                    what=f"{reason}, so the day is loaded again",
                )
                markers.set_aside(dataset, day)
    if not is_published(settings, layout, read_json(layout.read_marker)):
        layout.read_marker.unlink(missing_ok=True)
    if not _is_report_of_its_marker(layout):
        layout.report_marker.unlink(missing_ok=True)
    _invalidate_stale_build(layout, settings, build)
    return loads


def _is_report_of_its_marker(layout: Layout) -> bool:
    """Whether the page is there as its marker names it.

    Where REPORT_DIR is set back to a former place, an older page lies there.
    """
    # a folder that nobody may look into must not end the run
    if not os.access(layout.report, os.R_OK):
        return False
    page = (read_json(layout.report_marker) or {}).get("page")
    return page in (None, file_stamp(layout.report))


def _invalidate_stale_build(layout: Layout, settings: Settings, recorded: str | None) -> None:
    """Remove the marker of a build that the database does not record, or of other inputs."""
    if not layout.models.exists():
        return
    marker = read_json(layout.models) or {}
    reasons = changed_inputs(settings, marker)
    if recorded is None or marker.get("build_id") != recorded:
        reasons = ["the database"]
    if reasons:
        what = f"not as at the last build: {', '.join(reasons)}"
        log.info("tables are built again", what=what)
        layout.models.unlink()


def _stale_reason(marker: Marker, load: RecordedLoad | None, part: str) -> str:
    """Why the marker is not of the database and the file that are there, or "" if it is.

    File times alone would fail where a clock was set back.
    """
    if load is None or marker.load_id != load.load_id:
        return "the database records no such load"
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        if marker.file != file_stamp(part):
            return "the archived file is another one"
    return ""
