"""Disks that will be full within a month."""

from collections.abc import Collection

from homeiot_batch.archive.room import MONTH_OF_DAYS, Room, bytes_text, rooms
from homeiot_batch.config import Settings
from homeiot_batch.core.layout import Layout
from homeiot_batch.messages.faults import Fault, Found, of_kind
from homeiot_batch.messages.words import Words

# a fault is over only with so much room, or a disk at the edge would be told of every night
ENOUGH_DAYS = 45


def check_disks(settings: Settings, layout: Layout, told: Collection[str], words: Words) -> Found:
    """Those that will be full within a month, if each day takes what a day took on average."""
    faults: list[Fault] = []
    known = of_kind("disk", told)
    over = {key: words("over_not_checked", name=place) for key, place in known.items()}
    for room in rooms(settings, layout):
        key = f"disk:{room.places[0]}"
        left = room.days_left
        if left is not None and left < MONTH_OF_DAYS:
            line = words("disk", days=MONTH_OF_DAYS, found=_found(room, words))
            faults.append(Fault(key, line))
        if left is None or left < ENOUGH_DAYS:
            over.pop(key, None)
        elif key in over:
            over[key] = words("over_disk", found=_found(room, words))
    return Found(faults, over)


def _found(room: Room, words: Words) -> str:
    """The room on a disk where a day is archived."""
    return words(
        "room",
        free=bytes_text(room.free),
        places=words.listed([str(place) for place in room.places]),
        per_day=bytes_text(room.per_day or 0.0),
        n=room.days_left,
    )
