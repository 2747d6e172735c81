"""Whether the next days find room on the disks."""

import shutil
from collections.abc import Iterator
from pathlib import Path

from homeiot_batch.config import Settings
from homeiot_batch.core.inventory import archived_days
from homeiot_batch.core.layout import PART, Layout
from homeiot_batch.doctor.finding import Finding, ok, problem, warning
from homeiot_batch.doctor.places import nearest_existing

MONTH_OF_DAYS = 31
GB = 1e9
MB = 1e6
KB = 1e3


def check_room(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """Free bytes of each file system against what a day took there on average."""
    days = _archived_days(settings, layout)
    taken = _taken_bytes(settings, layout)
    for places in _by_disk(taken):
        free = shutil.disk_usage(nearest_existing(places[0])).free
        used = sum(taken[place] for place in places)
        yield _room(places, free, used, days)


def _archived_days(settings: Settings, layout: Layout) -> int:
    """How many days are archived of at least one dataset."""
    days = set()
    for dataset in settings.datasets:
        days.update(archived_days(layout, dataset))
    return len(days)


def _taken_bytes(settings: Settings, layout: Layout) -> dict[Path, int]:
    """What the archive, the DuckDB file and the markers take."""
    archive = 0
    for dataset in settings.datasets:
        for day in archived_days(layout, dataset):
            archive += _size(layout.day(dataset, day) / PART)
    return {
        layout.parquet: archive,
        settings.duckdb_path.parent: _size(settings.duckdb_path),
        layout.markers: sum(map(_size, layout.markers.rglob("*"))),
    }


def _by_disk(places: dict[Path, int]) -> list[list[Path]]:
    """The places, those on one file system together."""
    disks: dict[int, list[Path]] = {}
    for place in places:
        device = nearest_existing(place).stat().st_dev
        disks.setdefault(device, []).append(place)
    return list(disks.values())


def _room(places: list[Path], free: int, used: int, days: int) -> Finding:
    shown = ", ".join(map(str, places))
    found = f"{_bytes(free)} free for {shown}"
    if not days or not used:
        return ok("disk", found)
    per_day = used / days
    left = int(free / per_day)
    found += f", a day took {_bytes(per_day)}: room for {left} days"
    fix = "make room, or move these folders to a larger disk"
    if left >= MONTH_OF_DAYS:
        return ok("disk", found)
    if left:
        return warning("disk", found, fix)
    return problem("disk", found, fix)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _bytes(size: float) -> str:
    if size >= GB:
        return f"{size / GB:.1f} GB"
    if size >= MB:
        return f"{size / MB:.1f} MB"
    return f"{size / KB:.1f} kB"
