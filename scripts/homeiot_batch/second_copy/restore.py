"""Puts the newest version of each file of a second copy in place, on an empty machine."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from homeiot_batch.archive.parquet_writer import rename_durably
from homeiot_batch.core.files import is_there, read_json, sha256, sync_file, sync_folder, write_json
from homeiot_batch.core.layout import Layout
from homeiot_batch.errors import ArchiveError, CopyError, CopyUnavailable
from homeiot_batch.second_copy.contents import SecondCopy, read_copy
from homeiot_batch.second_copy.house_files import each_known_day, place_of
from homeiot_batch.second_copy.identity import note, read_identity
from homeiot_batch.second_copy.names import DAYS, HOUSE, IDENTITY, LISTS, ZONE, Version, day_of
from homeiot_batch.second_copy.place import Place

PLACE = "place"


@dataclass
class Restored:
    """How many days are in place, and what is wrong. Notes need no action."""

    days: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def restore(layout: Layout, place: Place, *, takes_older: bool) -> Restored:
    """Restore the house. Only under the run's lock. A killed restore goes on where it was.

    With `takes_older` an older version takes the place of a newest one that is damaged or missing,
    and a day without any is left out. Otherwise these are problems, and the restore is not
    finished.

    ArchiveError if something is there already, CopyError if the place holds no copy.
    """
    refuse_what_is_there(layout, place.url)
    copy = read_copy(place)
    if copy.is_empty:
        raise CopyError(f"{place.url} holds no copy; see to the place and how it is mounted")
    read_identity(copy)
    write_json(layout.restore_note, {PLACE: place.url})
    done = Restored()
    _judge_lists(copy, done, takes_older=takes_older)
    for item in sorted(copy.items, key=_order):
        if item not in (LISTS, IDENTITY):
            _restore_item(copy, item, layout, done, takes_older=takes_older)
    if not done.problems:
        note(copy, layout)
        layout.restore_note.unlink()
        sync_folder(layout.parquet)
    return done


def refuse_what_is_there(layout: Layout, url: str) -> None:
    """ArchiveError on a machine that is not empty, but for what this restore has begun."""
    begun = read_json(layout.restore_note)
    if begun is not None and begun.get(PLACE) != url:
        raise ArchiveError(
            f"{layout.parquet} holds a restore from {begun.get(PLACE)} that is not finished; go on "
            "with that one, or remove the folder first"
        )
    if is_there(layout.database):
        raise ArchiveError(
            f"{layout.database} is there; a restore needs an empty machine: move the database "
            f"away, or set other places"
        )
    known = next(iter(each_known_day(layout)), None)
    if known is not None and begun is None:
        raise ArchiveError(
            f"{layout.parquet} or {layout.markers} has days already, like {known[0]} {known[1]}; "
            "a restore needs an empty machine: move both away, or set other places"
        )


def _order(item: str) -> tuple[bool, bool, str]:
    """First what the user sets, and the zone."""
    return not item.startswith(f"{HOUSE}/"), item != ZONE, item


def _judge_lists(copy: SecondCopy, done: Restored, *, takes_older: bool) -> None:
    """Without a list nothing shows which of its files are missing."""
    for name, reason in sorted(copy.bad.items()):
        if name.startswith(f"{LISTS}/"):
            line = f"{name}: {reason}, so nothing shows whether all files are there that it names"
            _report(done, line, is_problem=not takes_older)


def _restore_item(
    copy: SecondCopy, item: str, layout: Layout, done: Restored, *, takes_older: bool
) -> None:
    target = place_of(item, layout)
    if target is None:
        done.notes.append(f"{item} is no part of a house that this program restores")
        return
    try:
        version, content = _choose(copy, item, done, takes_older=takes_older)
    except CopyUnavailable:
        raise
    except CopyError as error:
        _report(done, str(error), is_problem=not takes_older)
        return
    try:
        is_new = _put(version, content, target, layout)
    except (ArchiveError, OSError) as error:
        done.problems.append(f"{target} cannot be restored ({error}); see to the disk")
        return
    if not is_new:
        done.notes.append(f"{target} is there with another content, and is left as it is")
    done.days += item.startswith(f"{DAYS}/")


def _choose(
    copy: SecondCopy, item: str, done: Restored, *, takes_older: bool
) -> tuple[Version, bytes]:
    """The version to restore and its content. CopyError if there is none that may be taken."""
    versions = sorted(copy.items[item], key=lambda version: version.number, reverse=True)
    newest = versions[0]
    rivals = {one.sha256 for one in versions if one.number == newest.number}
    if len(rivals) > 1 and not takes_older:
        raise CopyError(
            f"{item} has two versions {newest.number}: two machines wrote there; put the right "
            "one in place yourself, or give --older, which takes one of them"
        )
    same = [version for version in versions if version.sha256 == newest.sha256]
    for version, content in _whole(copy, same):
        return version, content
    if takes_older:
        for version, content in _whole(copy, versions):
            done.notes.append(f"{newest.name}: {_reason(copy, newest)}; {version.name} is restored")
            return version, content
    raise CopyError(f"{newest.name}: {_reason(copy, newest)}; nothing of it is restored")


def _whole(copy: SecondCopy, versions: list[Version]) -> Iterator[tuple[Version, bytes]]:
    """The versions whose content is what their names promise, in the same order."""
    for version in versions:
        if version.name not in copy.bad:
            try:
                content = copy.read(version)
            except CopyUnavailable:
                raise
            except CopyError as error:
                copy.bad.setdefault(version.name, f"it cannot be read: {error}")
            else:
                yield version, content


def _reason(copy: SecondCopy, version: Version) -> str:
    return copy.bad.get(version.name, "it cannot be read")


def _report(done: Restored, line: str, *, is_problem: bool) -> None:
    if is_problem:
        done.problems.append(line)
    else:
        done.notes.append(line)


def _put(version: Version, content: bytes, target: Path, layout: Layout) -> bool:
    """Put the file in place, unless it is there. False if another content is there."""
    if is_there(target):
        return sha256(target) == version.sha256
    found = day_of(version.item)
    if found is None or found[0] != DAYS:
        _write_durably(target, content)
        return True
    staged = layout.staging / "tmp-restore"
    shutil.rmtree(staged, ignore_errors=True)
    _write_durably(staged / target.name, content)
    rename_durably(staged, target.parent)
    return True


def _write_durably(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    sync_file(part)
    part.replace(path)
    sync_folder(path.parent)
