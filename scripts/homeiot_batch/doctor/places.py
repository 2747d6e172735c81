"""Whether this user may write in the folders that a run writes in."""

import os
from collections.abc import Iterator
from pathlib import Path

from homeiot_batch.config import Settings
from homeiot_batch.core.files import nearest_existing
from homeiot_batch.core.layout import Layout
from homeiot_batch.doctor.finding import Finding, ok, problem


def check_permissions(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """The folders of each place, and what lies in them that a run must write."""
    for setting, paths in _written_paths(settings, layout).items():
        yield _check_place(setting, paths)


def _written_paths(settings: Settings, layout: Layout) -> dict[str, list[Path]]:
    """By setting: its folder first, then what is written in it."""
    archive = [layout.parquet, layout.staging, layout.lock, layout.archive_file]
    markers = [layout.markers]
    for dataset in settings.datasets:
        archive.append(layout.parquet / dataset)
        markers.append(layout.markers / dataset)
    return {
        "PARQUET_BASE_DIR": archive,
        "MARKER_DIR": markers,
        "REPORT_DIR": [layout.report_folder, layout.report],
        "DUCKDB_PATH": [layout.database.parent, layout.database],
    }


def _check_place(setting: str, paths: list[Path]) -> Finding:
    folder = paths[0]
    closed = [path for path in paths if path.exists() and not _is_open(path)]
    top = nearest_existing(folder)
    if not top.is_dir():
        fix = f"move it away, or set {setting} to another place"
        return problem(setting, f"{top} is no folder", fix)
    if not closed and not _is_open(top):
        closed = [top]
    if closed:
        shown = ", ".join(map(str, closed))
        found = f"{shown} cannot be written by this user ({os.getuid()})"
        fix = "give the user of the batch the right, or run as its owner"
        return problem(setting, found, fix)
    if folder.exists():
        return ok(setting, f"{folder} can be written")
    return ok(setting, f"{folder} is made by the first run, in {top}")


def _is_open(path: Path) -> bool:
    wanted = os.W_OK
    if path.is_dir():
        wanted |= os.X_OK
    return os.access(path, wanted)
