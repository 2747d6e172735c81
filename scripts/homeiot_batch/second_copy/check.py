"""Proves a second copy: each of its files by its checksum, and the archive's days against it."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from homeiot_batch.core.layout import Layout
from homeiot_batch.errors import ArchiveError, CopyError
from homeiot_batch.second_copy.contents import NO_LIST, SecondCopy, read_copy, unlisted_line
from homeiot_batch.second_copy.house_files import each_known_day, kept_in_copy, small_files
from homeiot_batch.second_copy.identity import copy_identity, require_own_copy
from homeiot_batch.second_copy.mirror import (
    day_to_copy,
    refuse_another_zone,
    refuse_less,
    refuse_older,
)
from homeiot_batch.second_copy.names import DAYS, checksum, day_item, version_of
from homeiot_batch.second_copy.place import Place


@dataclass(frozen=True)
class Checked:
    """How many files were looked at, their bytes, and what is wrong. Notes need no action."""

    files: int
    size: int
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check(layout: Layout, place: Place, *, reads_all: bool) -> Checked:
    """Look at every file of the copy: names and sizes, and with `reads_all` the content.

    CopyError if the place cannot be read, or holds no copy of this house. Nothing is changed.
    """
    copy = read_copy(place)
    if copy.is_empty:
        raise CopyError(f"{place.url} holds no copy; mount it, or make one by `homeiot mirror`")
    require_own_copy(copy, layout)
    refuse_another_zone(copy, layout)
    versions = list(copy.versions())
    if reads_all:
        copy.prove(versions)
    checked = Checked(len(versions), sum(version.size for version in versions))
    _judge_bad(copy, checked)
    _judge_lists(copy, checked)
    if copy_identity(copy) is None:
        checked.problems.append(
            "the copy has no identity that is whole; `homeiot mirror` writes it again"
        )
    checked.problems.extend(_not_copied(copy, layout))
    if next(each_known_day(layout), None):
        checked.notes.extend(kept_in_copy(copy, layout))
    if copy.foreign:
        checked.notes.append(
            f"{len(copy.foreign)} files are not the copy's, like {min(copy.foreign)}"
        )
    return checked


def _judge_bad(copy: SecondCopy, checked: Checked) -> None:
    """A bad file is a problem unless its content lies beside it, in a whole one."""
    for name, reason in sorted(copy.bad.items()):
        version = version_of(name)
        if version and copy.holding(version.item, version.sha256):
            checked.notes.append(f"{name}: {reason}, and was copied again")
        else:
            checked.problems.append(f"{name}: {reason}")


def _judge_lists(copy: SecondCopy, checked: Checked) -> None:
    """Files that no list names could be missing without a trace, as others may be already."""
    if not copy.has_lists and copy.has_days:
        checked.problems.append(f"{NO_LIST}; `homeiot mirror` writes a new one")
    elif copy.unlisted:
        checked.notes.append(unlisted_line(copy))


def _not_copied(copy: SecondCopy, layout: Layout) -> Iterator[str]:
    """What the house has and the copy has not."""
    for dataset, dt in each_known_day(layout):
        item = day_item(DAYS, dataset, dt)
        try:
            sha256, content = day_to_copy(copy, layout, dataset, dt)
            if content is None:
                refuse_older(copy, item, sha256)
            else:
                refuse_less(copy, item, content)
                yield f"{dataset} {dt}: the day is not in the copy; run `homeiot mirror`"
        except ArchiveError as error:
            yield f"{dataset} {dt}: {error}"
    for file in small_files(layout):
        newest = copy.newest_whole(file.item)
        if file.path.is_file():
            content = file.path.read_bytes()
            if newest is None or newest.sha256 != checksum(content):
                yield f"{file.path}: it is not in the copy; run `homeiot mirror`"
