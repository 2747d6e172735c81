"""Holds a house to its own copy: a place that lost it, or has another house, is refused."""

import json
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from homeiot_batch.core.files import read_json, write_json
from homeiot_batch.core.layout import Layout
from homeiot_batch.errors import ArchiveError, CopyError
from homeiot_batch.second_copy.contents import SecondCopy
from homeiot_batch.second_copy.house_files import each_known_day, marker_of
from homeiot_batch.second_copy.names import DAYS, IDENTITY, day_item
from homeiot_batch.second_copy.place import Place
from homeiot_batch.second_copy.proof import id_in
from homeiot_batch.second_copy.writing import add_version


@dataclass(frozen=True)
class Noted:
    """What the house has noted of a copy: its identity, and the number of its last list."""

    id: str
    last_list: int = 0


def require_own_copy(copy: SecondCopy, layout: Layout) -> None:
    """CopyError if the place holds the copy of another house, or lost the one that was begun.

    The lists that this house wrote there are then expected.
    """
    noted = noted_copy(layout, copy.place)
    if copy.is_empty:
        if noted:
            raise CopyError(
                f"{copy.place.url} holds no copy, but one was begun there; mount it, or to begin "
                f"a new one remove {layout.copy_note}"
            )
        return
    identity = copy_identity(copy)
    if noted is None or noted.id != identity:
        is_another = bool(noted and identity)
        _refuse_another_house(copy, layout, is_another=is_another)
    if noted:
        copy.expect_lists(noted.last_list)


def _refuse_another_house(copy: SecondCopy, layout: Layout, *, is_another: bool) -> None:
    """CopyError unless a day shows that the copy is this house's, or it has no day yet."""
    days = list(each_known_day(layout))
    if not days:
        return
    if not any(marker_of(layout, dataset, dt) for dataset, dt in days):
        raise CopyError(
            f"no day here has a marker, so nothing shows that {copy.place.url} holds the copy of "
            "this house; run `homeiot run` first"
        )
    if is_another or not _shares_a_day(copy, layout):
        raise CopyError(
            f"{copy.place.url} holds the copy of another house; give this one a place of its own"
        )


def begin(copy: SecondCopy, layout: Layout) -> None:
    """Give a new copy its identity, or one that lost it the former one, and note it.

    ArchiveError where there is nothing to copy.
    """
    if next(each_known_day(layout), None) is None:
        raise ArchiveError(f"there is nothing to copy: {layout.parquet} holds no archived day")
    if copy_identity(copy) is None:
        noted = noted_copy(layout, copy.place) or Noted(uuid.uuid4().hex)
        add_version(copy, IDENTITY, json.dumps({"id": noted.id}).encode(), ".json")
    note(copy, layout)


def note(copy: SecondCopy, layout: Layout) -> None:
    """Note beside the markers that this house has its copy there, under each name of the place.

    Nothing where the copy has no identity.
    """
    identity = copy_identity(copy)
    if identity is None:
        return
    entry = asdict(Noted(identity, copy.last_list))
    former = _noted_places(layout)
    places = {**former, **dict.fromkeys(copy.place.names, entry)}
    if places != former:
        write_json(layout.copy_note, {"places": places})


def noted_copy(layout: Layout, place: Place) -> Noted | None:
    """What the house has noted of its copy in the place, or None where it has none there."""
    places = _noted_places(layout)
    for name in place.names:
        found = places.get(name)
        if isinstance(found, Mapping):
            last = found.get("last_list")
            return Noted(str(found.get("id")), last if isinstance(last, int) else 0)
    return None


def _noted_places(layout: Layout) -> dict[str, object]:
    content = read_json(layout.copy_note) or {}
    places = content.get("places")
    if isinstance(places, dict):
        return places
    if "place" in content:  # the note of an earlier program, with one place
        return {str(content["place"]).rstrip("/"): {"id": content.get("id")}}
    return {}


def copy_identity(copy: SecondCopy) -> str | None:
    """The identity of the copy, or None if it is missing or damaged."""
    content = copy.newest_proven(IDENTITY)
    return id_in(content) if content else None


def _shares_a_day(copy: SecondCopy, layout: Layout) -> bool:
    """Whether a day of this house is in the copy just as it was loaded here."""
    for dataset, dt in each_known_day(layout):
        marker = marker_of(layout, dataset, dt)
        if marker and copy.holding(day_item(DAYS, dataset, dt), str(marker.sha256)):
            return True
    return False
