"""Puts the newest version of each file of a second copy in place, on an empty machine."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from homeiot_batch.archive.parquet_writer import rename_durably
from homeiot_batch.core.files import is_there, read_json, sha256, sync_file, sync_folder, write_json
from homeiot_batch.core.layout import Layout
from homeiot_batch.errors import ArchiveError, CopyError, CopyUnavailable
from homeiot_batch.second_copy.choice import Chosen, choose, has_rivals
from homeiot_batch.second_copy.contents import NO_LIST, SecondCopy, read_copy, unlisted_line
from homeiot_batch.second_copy.house_files import each_known_day, place_of
from homeiot_batch.second_copy.identity import copy_identity, note
from homeiot_batch.second_copy.names import DAYS, HOUSE, IDENTITY, LISTS, ZONE
from homeiot_batch.second_copy.place import Place

PLACE = "place"
NO_NOTE = (
    "the copy has no identity that is whole; after `homeiot run`, `homeiot mirror` writes a new one"
)


@dataclass
class Restored:
    """How many days are in place, and what is wrong. Notes need no action.

    With --older, `lost` files have no whole version, and `older` ones not the newest. `last_day` is
    the last day in place, and `last_list` the number of the copy's last list.
    """

    days: int = 0
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lost: int = 0
    older: int = 0
    last_day: str = field(default="", compare=False)
    last_list: int = field(default=0, compare=False)

    def report(self, line: str, *, is_problem: bool) -> None:
        """Add a problem, or else a note."""
        if is_problem:
            self.problems.append(line)
        else:
            self.notes.append(line)


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
    if not copy.has_days:
        raise CopyError(f"the copy in {place.url} has no day, so there is nothing to restore")
    refuse_zone_in_place(copy, layout)
    write_json(layout.restore_note, {PLACE: place.url})
    done = Restored(last_list=copy.last_list)
    _judge_lists(copy, done, takes_older=takes_older)
    for item in sorted(copy.items, key=_order):
        if item not in (LISTS, IDENTITY):
            _restore_item(copy, item, layout, done, takes_older=takes_older)
    if not done.problems:
        if copy_identity(copy) is None:
            done.notes.append(NO_NOTE)
        note(copy, layout)
        layout.restore_note.unlink()
        sync_folder(layout.parquet)
    return done


def refuse_zone_in_place(copy: SecondCopy, layout: Layout) -> None:
    """ArchiveError if a file names another zone here than the copy's days have, or none."""
    if is_there(layout.archive_file) and copy.zone:
        here = (read_json(layout.archive_file) or {}).get("tz")
        if here != copy.zone:
            raise ArchiveError(
                f"{layout.archive_file} names the zone {here}, and the copy in {copy.place.url} is "
                f"of {copy.zone}; a restore needs an empty machine: move that file away"
            )


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
    if not copy.has_lists:
        done.report(NO_LIST, is_problem=not takes_older)
    elif copy.unlisted:
        done.notes.append(unlisted_line(copy))
    for name, reason in sorted(copy.bad.items()):
        if name.startswith(f"{LISTS}/"):
            line = f"{name}: {reason}, so nothing shows whether all files are there that it names"
            done.report(line, is_problem=not takes_older)


def _restore_item(
    copy: SecondCopy, item: str, layout: Layout, done: Restored, *, takes_older: bool
) -> None:
    target = place_of(item, layout)
    if target is None:
        done.notes.append(f"{item} is no part of a house that this program restores")
        return
    try:
        if not _is_newest(copy, item, target):
            chosen = choose(copy, item, takes_older=takes_older)
            if chosen.note:
                done.notes.append(chosen.note)
                done.older += 1
            _put(copy, chosen, target, layout)
    except CopyUnavailable:
        raise
    except CopyError as error:
        done.report(str(error), is_problem=not takes_older)
        done.lost += takes_older
        return
    except (ArchiveError, OSError) as error:
        _report_failure(done, item, target, error)
        return
    if item.startswith(f"{DAYS}/"):
        done.days += 1
        done.last_day = max(done.last_day, item.rpartition("=")[2])


def _report_failure(done: Restored, item: str, target: Path, error: Exception) -> None:
    """The user's own settings stay, other files must be those of the copy."""
    if isinstance(error, InPlace) and item.startswith(f"{HOUSE}/"):
        done.notes.append(f"{target} is there with another content, and is left as it is")
    elif isinstance(error, InPlace):
        done.problems.append(str(error))
    else:
        done.problems.append(f"{target} cannot be restored ({error}); see to the disk")


class InPlace(ArchiveError):
    """Something else is where a file is to be restored."""


def _is_newest(copy: SecondCopy, item: str, target: Path) -> bool:
    """Whether the newest content is in place already, as by a restore that was killed."""
    newest = copy.newest(item)
    if newest is None or has_rivals(copy, item) or not is_there(target):
        return False
    return sha256(target) == newest.sha256


def _put(copy: SecondCopy, chosen: Chosen, target: Path, layout: Layout) -> None:
    """Put the file in place. It replaces an older version that a former restore put there.

    InPlace if anything else is there.
    """
    version = chosen.version
    is_day = version.item.startswith(f"{DAYS}/")
    is_replaced = is_there(target)
    if is_replaced:
        found = sha256(target)
        known = [one.number for one in copy.items[version.item] if one.sha256 == found]
        if max(known, default=0) >= version.number:
            return
        if not known or version.item.startswith(f"{HOUSE}/"):
            raise InPlace(
                f"{target} is there with another content than {version.name}, which is not "
                "restored; move it away, and start the restore again"
            )
    if not is_day:
        _write_durably(target, chosen.content)
        return
    staged = layout.staging / "tmp-restore"
    shutil.rmtree(staged, ignore_errors=True)
    _write_durably(staged / target.name, chosen.content)
    if is_replaced:
        (staged / target.name).replace(target)
        sync_folder(target.parent)
    else:
        rename_durably(staged, target.parent)


def _write_durably(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f".{path.name}.part")
    part.write_bytes(content)
    sync_file(part)
    part.replace(path)
    sync_folder(path.parent)
