"""Whether the content of a copy's file is what its name says, and what the small files hold."""

import json

from homeiot_batch.archive.day_file import metadata_of
from homeiot_batch.second_copy.names import DAYS, IDENTITY, LISTS, ZONE, Version, day_of

OTHER_CONTENT = "its content is not that of its checksum"


def fault_of(version: Version, content: bytes) -> str:
    """Why the content is not that of the file's name, or "" where it is."""
    if not version.is_of(content):
        return OTHER_CONTENT
    if version.item == LISTS and files_in(content) is None:
        return "it is not a list of this program"
    if version.item == IDENTITY and id_in(content) is None:
        return "it is not an identity of this program"
    if version.item == ZONE and zone_in(content) is None:
        return "it does not name the zone of an archive"
    return ""


def day_fault(item: str, content: bytes, zone: str | None) -> str:
    """Why the content is not that of the item's day, or "" where it is, or the item is no day.

    What a file of an earlier program does not say is not compared.
    """
    found = day_of(item)
    if found is None or found[0] != DAYS:
        return ""
    metadata = metadata_of(content)
    if metadata.record is None:
        return "it is no file of an archived day"
    says = (metadata.dataset, metadata.dt, metadata.tz)
    wanted = (found[1], found[2], zone)
    pairs = list(zip(says, wanted, strict=True))
    if any(said and place and said != place for said, place in pairs):
        said = " ".join(said or place or "" for said, place in pairs)
        return f"it says that it is {said}; its place is that of {' '.join(filter(None, wanted))}"
    return ""


def files_in(content: bytes) -> list[str] | None:
    """The names in a list, or None for what is no list of this program."""
    names = _value(content, "files")
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        return None
    return names


def id_in(content: bytes) -> str | None:
    """The identity of a copy, or None for what is no identity of this program."""
    return _text(content, "id")


def zone_in(content: bytes) -> str | None:
    """The zone in the note of an archive, or None for what is no such note."""
    return _text(content, "tz")


def _text(content: bytes, key: str) -> str | None:
    found = _value(content, key)
    return found if isinstance(found, str) and found else None


def _value(content: bytes, key: str) -> object:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return None
    return found.get(key) if isinstance(found, dict) else None
