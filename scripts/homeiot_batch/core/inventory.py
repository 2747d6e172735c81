"""Which days of an archive are there, by the names of its folders and markers."""

import contextlib
import os
from collections.abc import Collection
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

from homeiot_batch.core.datasets import is_dataset_name
from homeiot_batch.core.files import read_json
from homeiot_batch.core.layout import Layout

SPARSE_DAYS = 31


def archived_days(layout: Layout, dataset: str) -> list[date]:
    """The days in place, ascending."""
    return sorted(_dates(layout.parquet / dataset))


def loaded_days(layout: Layout, dataset: str) -> list[date]:
    """The days with a marker, ascending."""
    return sorted(_dates(layout.markers / dataset, ".json"))


def noted_days(layout: Layout, dataset: str) -> list[date]:
    """The days with a note that they were read too early, ascending."""
    return sorted(_dates(layout.parquet / ".early" / dataset, ".json"))


def known_days(layout: Layout, dataset: str) -> list[date]:
    """The days that are in place, or that have a marker or had one, ascending."""
    known = set(archived_days(layout, dataset))
    known.update(loaded_days(layout, dataset))
    former = layout.markers / dataset / "former"
    known.update(_dates(former, ".json"))
    return sorted(known)


def is_done(layout: Layout, dataset: str, dt: object) -> bool:
    """Whether the day is archived and loaded."""
    is_archived = layout.day(dataset, dt).is_dir()
    return is_archived and layout.marker(dataset, dt).exists()


def first_day(layout: Layout, dataset: str) -> date | None:
    """The first day that is known, but for empty ones long before the others.

    An empty day more than a month before the next one comes of a date that was mistyped.
    """
    days = known_days(layout, dataset)
    if not days:
        return None
    for before, day in reversed(_leading_pairs(layout, dataset, days)):
        if day - before > timedelta(days=SPARSE_DAYS):
            return day
    return days[0]


def _leading_pairs(layout: Layout, dataset: str, days: list[date]) -> list[tuple[date, date]]:
    """Each day up to the first one with readings, or to the last, beside the day before it."""
    pairs = []
    for before, day in pairwise(days):
        if not _is_empty(layout, dataset, before):
            break
        pairs.append((before, day))
    return pairs


def _is_empty(layout: Layout, dataset: str, day: date) -> bool:
    # a marker without the counts of its fields counts too
    marker = read_json(layout.marker(dataset, day))
    return marker is not None and marker.get("rows") == 0


def undeclared_days(layout: Layout, datasets: Collection[str]) -> dict[str, int]:
    """How many days are in place of each dataset that is not among `datasets`."""
    found: dict[str, int] = {}
    names = [path.name for path in layout.parquet.glob("*")]
    for name in sorted(names):
        if is_dataset_name(name) and name not in datasets:
            with contextlib.suppress(OSError):  # somebody else's folder
                found[name] = len(archived_days(layout, name))
    return {name: days for name, days in found.items() if days}


def unloaded_days(layout: Layout, dataset: str) -> list[date]:
    """The days in place without a marker, ascending."""
    archived = set(archived_days(layout, dataset))
    return sorted(archived.difference(loaded_days(layout, dataset)))


def staged_days(layout: Layout) -> list[tuple[str, date]]:
    """The (dataset, day) pairs left in staging by a run that was killed."""
    if not layout.staging.is_dir():
        return []
    found = []
    for folder in sorted(layout.staging.iterdir()):
        for day in sorted(_dates(folder)):
            found.append((folder.name, day))
    return found


def _dates(folder: Path, suffix: str = "") -> list[date]:
    """The days that the names in the folder give: an empty list if there is no folder.

    OSError if it cannot be listed, which a glob would pass over.
    """
    try:
        with os.scandir(folder) as entries:  # for thousands, `iterdir` takes ten times as long
            days = [_date(entry.name, suffix) for entry in entries]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [day for day in days if day is not None]


def _date(name: str, suffix: str) -> date | None:
    """The day in a name like dt=YYYY-MM-DD and the suffix, or None if it is another name."""
    if not name.startswith("dt=") or not name.endswith(suffix):
        return None
    text = name.removeprefix("dt=").removesuffix(suffix)
    if len(text) != len("YYYY-MM-DD"):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
