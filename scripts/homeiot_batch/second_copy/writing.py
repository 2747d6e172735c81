"""Adds new versions to a second copy, and lists what was proven."""

import json

from homeiot_batch.second_copy.contents import SecondCopy
from homeiot_batch.second_copy.names import LISTS, Version, checksum

MOST_UNLISTED = 200  # a kill costs the reading of so many files at most


def add_version(copy: SecondCopy, item: str, content: bytes, suffix: str) -> Version:
    """The new version of the item, written and read back. CopyError if that fails."""
    number = copy.next_number(item)
    version = Version(item, number, len(content), checksum(content), suffix)
    copy.add(version, content)
    if len(copy.unlisted) >= MOST_UNLISTED:
        list_what_is_proven(copy)
    return version


def list_what_is_proven(copy: SecondCopy) -> None:
    """Write a list of the files that were proven and are in none yet."""
    names = [version.name for version in copy.unlisted if version.name not in copy.bad]
    copy.unlisted = []
    if not names:
        return
    content = json.dumps({"files": sorted(names)}, indent=0).encode()
    number = copy.next_number(LISTS)
    copy.add(Version(LISTS, number, len(content), checksum(content), ".json"), content)
    copy.last_list = number
    copy.unlisted = []
