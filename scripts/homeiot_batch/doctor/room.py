"""Whether the next days find room on the disks."""

from collections.abc import Iterator

from homeiot_batch.archive.room import MONTH_OF_DAYS, WHAT_TO_DO, Room, rooms
from homeiot_batch.config import Settings
from homeiot_batch.core.layout import Layout
from homeiot_batch.doctor.finding import Finding, ok, problem, warning


def check_room(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """Free bytes of each file system against what a day took there on average."""
    for room in rooms(settings, layout):
        yield _room(room)


def _room(room: Room) -> Finding:
    left = room.days_left
    if left is None or left >= MONTH_OF_DAYS:
        return ok("disk", room.found)
    if left:
        return warning("disk", room.found, WHAT_TO_DO)
    return problem("disk", room.found, WHAT_TO_DO)
