"""Copies what is new in a house, proves it there, and names what cannot be copied."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from homeiot_batch.archive.day_file import metadata_of
from homeiot_batch.archive.shrink_guard import was_permitted
from homeiot_batch.archive.zone_record import recorded_zone
from homeiot_batch.core.files import file_stamp
from homeiot_batch.core.layout import PART, Layout
from homeiot_batch.errors import ArchiveError, CopyError
from homeiot_batch.second_copy.contents import SecondCopy, read_copy
from homeiot_batch.second_copy.house_files import (
    each_known_day,
    kept_in_copy,
    marker_of,
    small_files,
)
from homeiot_batch.second_copy.identity import begin, note, require_own_copy
from homeiot_batch.second_copy.names import DAYS, LISTS, Version, checksum, day_item
from homeiot_batch.second_copy.place import Place
from homeiot_batch.second_copy.proof import day_fault
from homeiot_batch.second_copy.writing import add_version, list_what_is_proven

RUN_FIRST = "run `homeiot run`, and then `homeiot mirror` again"


@dataclass(frozen=True)
class Rules:
    """Whether a day may follow a damaged version in the copy, and whether it may hold less."""

    repairs: bool = False
    may_shrink: bool = False


@dataclass
class Mirrored:
    """What was copied, how many days the copy has of those that are known, and what is wrong.

    Notes need no action.
    """

    files: int = 0
    size: int = 0  # bytes
    days: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def count(self, version: Version) -> None:
        """Count a file that was copied."""
        self.files += 1
        self.size += version.size


def mirror(
    layout: Layout,
    place: Place,
    *,
    reads_all: bool = False,
    may_shrink: Sequence[date] = (),
) -> Mirrored:
    """Copy all that the place lacks. CopyError if the place cannot be used.

    `reads_all` has every file of the copy read first: what is damaged there is copied again, beside
    the damaged one. Otherwise only files are read that a killed run has left without proving them.
    The days of `may_shrink` may hold less than in the copy.
    """
    copy = read_copy(place)
    require_own_copy(copy, layout)
    refuse_another_zone(copy, layout)
    done = Mirrored()
    done.problems.extend(_lost_lists(copy))
    begin(copy, layout)
    copy.prove(copy.versions() if reads_all else copy.unlisted)
    for dataset, dt in each_known_day(layout):
        rules = Rules(repairs=reads_all, may_shrink=dt in may_shrink)
        _mirror_day(copy, layout, dataset, dt, rules, done)
    for file in small_files(layout):
        _mirror_small(copy, file.item, file.path, file.suffix, done)
    done.notes.extend(kept_in_copy(copy, layout))
    list_what_is_proven(copy)
    note(copy, layout)
    return done


def refuse_another_zone(copy: SecondCopy, layout: Layout) -> None:
    """CopyError if the copy's days are those of another zone than the archive's."""
    here = recorded_zone(layout)
    if here and copy.zone and here != copy.zone:
        raise CopyError(
            f"the archive in {layout.parquet} is of the zone {here}, and the copy in "
            f"{copy.place.url} of {copy.zone}; give this archive a place of its own"
        )


def _lost_lists(copy: SecondCopy) -> Iterator[str]:
    newest = copy.newest(LISTS)
    there = newest.number if newest else 0
    if there < copy.last_list:
        yield (
            f"this house wrote {copy.last_list} lists to {copy.place.url}, and the last one there "
            f"is {there}: files were deleted there, or it was put back. What this house has is "
            "copied again; `homeiot verify --copy` names what is missing"
        )


def _mirror_day(
    copy: SecondCopy, layout: Layout, dataset: str, dt: date, rules: Rules, done: Mirrored
) -> None:
    item = day_item(DAYS, dataset, dt)
    try:
        sha256, content = day_to_copy(copy, layout, dataset, dt)
        if content is not None:
            if not rules.may_shrink:
                refuse_less(copy, item, content)
            done.count(add_version(copy, item, content, ".parquet"))
        refuse_older(copy, item, sha256)
        if is_behind_damage(copy, item, sha256):
            if not rules.repairs:
                raise ArchiveError(_damaged_newest(copy, item))
            content = copy.newest_proven(item) or b""
            done.count(add_version(copy, item, content, ".parquet"))
        done.days += 1
    except ArchiveError as error:
        done.problems.append(f"{dataset} {dt}: {error}")


def is_behind_damage(copy: SecondCopy, item: str, sha256: str) -> bool:
    """Whether the copy has this content, but a later version that is damaged or missing."""
    newest = copy.newest(item)
    whole = copy.newest_whole(item)
    if newest is None or whole is None:
        return False
    return newest.name in copy.bad and newest.sha256 != sha256 == whole.sha256


def _damaged_newest(copy: SecondCopy, item: str) -> str:
    newest = copy.newest(item)
    name = newest.name if newest else item
    return (
        f"the copy's newest version ({name}) is damaged or missing: {copy.bad.get(name)}. The "
        "archived day is the one before it: put back a whole file of the newest, if there is one "
        "elsewhere. Otherwise `homeiot mirror --repair` makes the archived day the newest"
    )


def day_to_copy(
    copy: SecondCopy, layout: Layout, dataset: str, dt: date
) -> tuple[str, bytes | None]:
    """The checksum of the day as archived, and its content, or None where the copy has it.

    ArchiveError if there is no day, or its file is not the one that was loaded.
    """
    item = day_item(DAYS, dataset, dt)
    part = layout.day(dataset, dt) / PART
    marker = marker_of(layout, dataset, dt)
    loaded = str(marker.sha256) if marker else ""
    try:
        if marker and copy.holding(item, loaded) and marker.file == file_stamp(part):
            return loaded, None
        content = part.read_bytes()
    except FileNotFoundError:
        raise ArchiveError(_without_file(copy, item, part)) from None
    except OSError as error:
        raise ArchiveError(
            f"{part} cannot be read ({error.strerror}); see to its permissions and the disk"
        ) from None
    found = checksum(content)
    if copy.holding(item, found):
        return found, None
    refuse_unproven(part, found, loaded)
    if fault := day_fault(item, content, recorded_zone(layout)):
        raise ArchiveError(f"{part}: {fault}; it is not copied, put it back where it belongs")
    return found, content


def refuse_unproven(part: Path, found: str, loaded: str) -> None:
    """ArchiveError for a file of which no load shows that it is as it was written."""
    if not loaded:
        raise ArchiveError(f"{part} is not loaded yet, so nothing proves it; {RUN_FIRST}")
    if found != loaded:
        raise ArchiveError(
            f"{part} is not the file that was loaded: its checksum differs from the marker's. It "
            f"is not copied; if a run is going on, wait for its end, otherwise {RUN_FIRST}"
        )


def refuse_less(copy: SecondCopy, item: str, content: bytes) -> None:
    """ArchiveError for a day that holds less than the copy's, unless it was allowed to shrink.

    Its archive, markers and database may have been lost here, and the source have forgotten a part.
    """
    former = copy.newest_proven(item)
    if former is None:
        return
    new = metadata_of(content)
    old = metadata_of(former)
    if new.record is None or old.record is None or was_permitted(new, old.record):
        return
    if new.record.holds_less_than(old.record):
        newest = copy.newest_whole(item)
        dt = item.rpartition("=")[2]
        raise ArchiveError(
            f"the archived day holds {new.record}, and the copy's {old.record}; it is not copied. "
            f"Put {newest and newest.name} in its place, and run `homeiot run`. If the day may "
            f"hold less: `homeiot mirror --config allow_shrink=true --config start={dt} --config "
            f"end={dt}`"
        )


def refuse_older(copy: SecondCopy, item: str, sha256: str) -> None:
    """ArchiveError if the archived day is one that the copy has a later version of.

    That one is read first: nobody is told to use a damaged file.
    """
    newest = copy.newest_whole(item)
    if newest is None or newest.sha256 == sha256:
        return
    copy.newest_proven(item)
    newest = copy.newest_whole(item)
    if newest and newest.sha256 != sha256:
        raise ArchiveError(
            f"the copy has a later version of the day ({newest.name}); the archive was put back, "
            "or another machine writes there too. Read the day again by `homeiot run --force "
            "--date`, or put that file in its place"
        )


def _without_file(copy: SecondCopy, item: str, part: Path) -> str:
    copy.newest_proven(item)
    newest = copy.newest_whole(item)
    if newest:
        return (
            f"{part} is gone, the copy keeps the day; read it again, or put {newest.name} in its "
            "place"
        )
    return f"{part} is gone, and the copy has none of the day; read it again by `homeiot run`"


def _mirror_small(copy: SecondCopy, item: str, path: Path, suffix: str, done: Mirrored) -> None:
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        done.problems.append(f"{path} cannot be read ({error.strerror}); see to its permissions")
        return
    newest = copy.newest_whole(item)
    if newest is None or newest.sha256 != checksum(content):
        done.count(add_version(copy, item, content, suffix))
