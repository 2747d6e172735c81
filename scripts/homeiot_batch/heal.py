"""What a killed run left behind, put right before the next one decides what to do. Only under the run's lock."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import structlog

from homeiot_batch.config import Settings
from homeiot_batch.database import outdated, recorded_build, recorded_loads, set_aside
from homeiot_batch.errors import DatabaseBusy, DatabaseDamaged
from homeiot_batch.files import file_stamp, read_json
from homeiot_batch.layout import PART, Layout
from homeiot_batch.parquet_writer import put_in_place
from homeiot_batch.read_copy import is_published
from homeiot_batch.witnesses import Loads

log = structlog.get_logger()


def settle_staging(layout: Layout) -> None:
    """Put days that were read whole in place where none stands, and drop all else that is staged.

    A staged day beside one in place is from a forced run that was killed: an older read than the next forced one.
    """
    for leftover in layout.staging.glob("tmp-*"):
        shutil.rmtree(leftover, ignore_errors=True)
    for dataset, dt in layout.staged_days():
        staged, day = layout.staged(dataset, dt), layout.day(dataset, dt)
        if (day / PART).exists() or not (staged / PART).exists():  # without its file: killed while the leftover was being deleted
            shutil.rmtree(staged)
        else:
            if day.exists():  # killed while Snakemake was deleting it
                shutil.rmtree(day)
            log.info("healed", dataset=dataset, dt=str(dt), what="a day read whole by a run that was killed is put in place")
            put_in_place(staged, day)


def drop_hollow_days(layout: Layout, datasets: Iterable[str]) -> None:
    """Remove day folders that hold no Parquet file, so that the days are read again: they would pass for archived."""
    for dataset in datasets:
        for dt in layout.archived_days(dataset):
            day = layout.day(dataset, dt)
            if not (day / PART).exists() and not any(day.glob("*.parquet")):
                log.info("healed", dataset=dataset, dt=str(dt), what="a day folder without its file is removed; the day is read again")
                shutil.rmtree(day)


def replace_unusable_database(layout: Layout, settings: Settings) -> str | None:
    """Set a damaged database, or one of an older schema, aside: a new one is then loaded from the archive. What was done, if anything was."""
    try:
        reason = _unusable(layout, settings)
    except DatabaseBusy:
        return None
    if not reason:
        return None
    aside = set_aside(settings.duckdb_path, settings.instant())
    layout.damage.unlink(missing_ok=True)
    return f"{settings.duckdb_path} is set aside as {aside.name} and built again from the archive: {reason}"


def _unusable(layout: Layout, settings: Settings) -> str:
    if not settings.duckdb_path.exists():
        layout.damage.unlink(missing_ok=True)
        return ""
    if found := read_json(layout.damage):
        return str(found["reason"])
    try:
        return outdated(settings.duckdb_path, settings.datasets.values(), settings.duckdb_wait_s)
    except DatabaseDamaged as error:
        return str(error)


def forget_unbelieved_markers(layout: Layout, settings: Settings) -> Loads | None:
    """Set aside the markers that are not to be believed, so that their loads and builds are done again.

    The loads that the database records; None if it cannot be asked now.
    """
    try:
        loads, build = recorded_loads(settings.duckdb_path), recorded_build(settings.duckdb_path)
    except DatabaseBusy as error:
        log.warning("markers not checked", reason=str(error))
        return None
    for dataset in settings.datasets:
        for path in (layout.markers / dataset).glob("dt=*.json"):
            dt = path.stem.removeprefix("dt=")
            if doubt := _doubt(read_json(path) or {}, loads.get((dataset, dt), (None,))[0], layout.day(dataset, dt) / PART):
                log.info("marker not believed", dataset=dataset, dt=dt, what=f"{doubt}; the day is loaded again")
                former = layout.former_marker(dataset, dt)
                former.parent.mkdir(exist_ok=True)
                path.replace(former)
    if not is_published(settings, layout, read_json(layout.read_marker)):
        layout.read_marker.unlink(missing_ok=True)
    build_id = (read_json(layout.models) or {}).get("build_id")
    if build_id is None or build_id != build:
        layout.models.unlink(missing_ok=True)
    return loads


def _doubt(marker: dict[str, Any], load_id: str | None, part: Path) -> str:
    """Why the marker does not speak of the database and the file that are there; file times alone would fail where a clock was set back."""
    if load_id is None or marker.get("load_id") != load_id:
        return "the database records no such load"
    if part.exists() and marker.get("file") != file_stamp(part):
        return "the archived file is another one"
    return ""
