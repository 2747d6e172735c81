"""How many more days find room on the disks, by what the archived ones took."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from homeiot_batch.config import Settings
from homeiot_batch.core.files import nearest_existing
from homeiot_batch.core.inventory import archived_days
from homeiot_batch.core.layout import PART, Layout

MONTH_OF_DAYS = 31
WHAT_TO_DO = "make room, or move these folders to a larger disk"
GB = 1e9
MB = 1e6
KB = 1e3


class Room(NamedTuple):
    """The free bytes of a file system, and those that a day took there on average (None: unknown).

    `places` are the folders of the archive, of the database and of the markers that lie on it.
    """

    places: list[Path]
    free: int
    per_day: float | None

    @property
    def days_left(self) -> int | None:
        """For how many days there is room. None if no day is archived."""
        if self.per_day is None:
            return None
        return int(self.free / self.per_day)

    @property
    def found(self) -> str:
        """All of it in words."""
        shown = ", ".join(map(str, self.places))
        found = f"{bytes_text(self.free)} free for {shown}"
        if self.per_day is None:
            return found
        return f"{found}, a day took {bytes_text(self.per_day)}: room for {self.days_left} days"


def rooms(settings: Settings, layout: Layout) -> Iterator[Room]:
    """The room on each file system that a run writes to."""
    days = _archived_days(settings, layout)
    taken = _taken_bytes(settings, layout)
    for places in _by_disk(taken):
        free = shutil.disk_usage(nearest_existing(places[0])).free
        used = sum(taken[place] for place in places)
        per_day = None
        if days and used:
            per_day = used / days
        yield Room(places, free, per_day)


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


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def bytes_text(size: float) -> str:
    """So many bytes with their unit."""
    if size >= GB:
        return f"{size / GB:.1f} GB"
    if size >= MB:
        return f"{size / MB:.1f} MB"
    return f"{size / KB:.1f} kB"
