"""What of a house a copy must hold, so that all else can be built from it again."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from homeiot_batch.core.datasets import is_dataset_name
from homeiot_batch.core.day_record import Marker, read_marker
from homeiot_batch.core.files import is_there
from homeiot_batch.core.house_folder import READ
from homeiot_batch.core.inventory import known_days, noted_days
from homeiot_batch.core.layout import PART, Layout
from homeiot_batch.second_copy.contents import SecondCopy
from homeiot_batch.second_copy.names import EARLY, HOUSE, ZONE, day_item, day_of


@dataclass(frozen=True)
class HouseFile:
    """A small file that is copied whenever it has another content than in the copy."""

    item: str
    path: Path
    suffix: str


def each_known_day(layout: Layout) -> Iterator[tuple[str, date]]:
    """Dataset and day of all that is archived or has a marker, declared or not."""
    for dataset in known_datasets(layout):
        for dt in known_days(layout, dataset):
            yield dataset, dt


def known_datasets(layout: Layout) -> list[str]:
    """The names of the datasets that have days or markers."""
    names: set[str] = set()
    for folder in (layout.parquet, layout.markers):
        if folder.is_dir():
            names.update(path.name for path in folder.iterdir() if is_dataset_name(path.name))
    return sorted(names)


def marker_of(layout: Layout, dataset: str, dt: date) -> Marker | None:
    """The marker of the day's last load, or None where there is none."""
    return read_marker(layout.marker(dataset, dt))


def small_files(layout: Layout) -> Iterator[HouseFile]:
    """All but the days: the zone, the notes of early reads, and what the user sets."""
    yield HouseFile(ZONE, layout.archive_file, ".json")
    for dataset in known_datasets(layout):
        for dt in noted_days(layout, dataset):
            item = day_item(EARLY, dataset, dt)
            yield HouseFile(item, layout.early_note(dataset, dt), ".json")
    for name in READ:
        yield HouseFile(f"{HOUSE}/{name}", layout.house / name, Path(name).suffix)


def kept_in_copy(copy: SecondCopy, layout: Layout) -> Iterator[str]:
    """What the user has removed here, and a restore would bring back: a line for each."""
    for name in READ:
        if copy.newest_whole(f"{HOUSE}/{name}") and not is_there(layout.house / name):
            yield (
                f"the copy has a {name} that {layout.house} has not; a restore brings it back, "
                "and you can delete it there then"
            )


def place_of(item: str, layout: Layout) -> Path | None:
    """Where the item's file lies in a house, or None for an item that lies in none."""
    if item == ZONE:
        return layout.archive_file
    for name in READ:
        if item == f"{HOUSE}/{name}":
            return layout.house / name
    found = day_of(item)
    if found is None:
        return None
    kind, dataset, dt = found
    if kind == EARLY:
        return layout.early_note(dataset, dt)
    return layout.day(dataset, dt) / PART
