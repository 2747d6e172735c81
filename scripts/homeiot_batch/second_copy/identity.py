"""Holds a house to its own copy: a place that lost it, or has another house, is refused."""

import json
import uuid

from homeiot_batch.core.files import read_json, write_json
from homeiot_batch.core.layout import Layout
from homeiot_batch.errors import ArchiveError, CopyError
from homeiot_batch.second_copy.contents import SecondCopy
from homeiot_batch.second_copy.house_files import each_known_day, marker_of
from homeiot_batch.second_copy.names import DAYS, IDENTITY, day_item
from homeiot_batch.second_copy.writing import add_version


def require_own_copy(copy: SecondCopy, layout: Layout) -> None:
    """CopyError if the place holds the copy of another house, or lost the one that was begun."""
    noted = read_json(layout.copy_note) or {}
    is_noted_here = noted.get("place") == copy.place.url
    if copy.is_empty:
        if is_noted_here:
            raise CopyError(
                f"{copy.place.url} holds no copy, but one was begun there; mount it, or to begin "
                f"a new one remove {layout.copy_note}"
            )
        return
    identity = read_identity(copy)
    if is_noted_here and noted.get("id") == identity:
        return
    has_days = next(each_known_day(layout), None) is not None
    if has_days and (is_noted_here or not _shares_a_day(copy, layout)):
        raise CopyError(
            f"{copy.place.url} holds the copy of another house; give this one a place of its own"
        )


def begin(copy: SecondCopy, layout: Layout) -> None:
    """Give a new copy its identity, and note it beside the markers.

    ArchiveError where there is nothing to copy.
    """
    if next(each_known_day(layout), None) is None:
        raise ArchiveError(f"there is nothing to copy: {layout.parquet} holds no archived day")
    if copy.is_empty:
        content = json.dumps({"id": uuid.uuid4().hex}).encode()
        add_version(copy, IDENTITY, content, ".json")
    note(copy, layout)


def note(copy: SecondCopy, layout: Layout) -> None:
    """Note beside the markers that this house has its copy there."""
    content = {"place": copy.place.url, "id": read_identity(copy)}
    if read_json(layout.copy_note) != content:
        write_json(layout.copy_note, content)


def read_identity(copy: SecondCopy) -> str:
    """The identity of the copy. CopyError if it has none that can be read."""
    version = copy.newest_whole(IDENTITY)
    if version is None:
        raise CopyError(
            f"{copy.place.url} has files of a copy but not its identity, which is damaged or was "
            "deleted; restore that file there, or begin a new copy in another place"
        )
    return str(json.loads(copy.read(version))["id"])


def _shares_a_day(copy: SecondCopy, layout: Layout) -> bool:
    """Whether a day of this house is in the copy just as it was loaded here."""
    for dataset, dt in each_known_day(layout):
        marker = marker_of(layout, dataset, dt)
        if marker and copy.holding(day_item(DAYS, dataset, dt), str(marker.sha256)):
            return True
    return False
