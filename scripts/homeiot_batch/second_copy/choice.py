"""Which version of a file a restore takes."""

from collections.abc import Iterator
from dataclasses import dataclass

from homeiot_batch.errors import CopyError, CopyUnavailable
from homeiot_batch.second_copy.contents import SecondCopy
from homeiot_batch.second_copy.names import Version


@dataclass(frozen=True)
class Chosen:
    """A version and its content. `note` says why it is not the newest, or is "" where it is."""

    version: Version
    content: bytes
    note: str = ""


def choose(copy: SecondCopy, item: str, *, takes_older: bool) -> Chosen:
    """The version to restore. CopyError if there is none that may be taken."""
    versions = sorted(copy.items[item], key=lambda version: version.number, reverse=True)
    newest = versions[0]
    reason = ""
    if has_rivals(copy, item):
        reason = f"{item} has two versions {newest.number}: two machines wrote there"
        if not takes_older:
            raise CopyError(
                f"{reason}; put the right one in place yourself, or give --older, which takes one "
                "of them"
            )
    same = [version for version in versions if version.sha256 == newest.sha256]
    for version, content in _whole(copy, same):
        note = f"{reason}; {version.name} is restored" if reason else ""
        return Chosen(version, content, note)
    reason = f"{newest.name}: {copy.bad.get(newest.name, 'it cannot be read')}"
    if takes_older:
        for version, content in _whole(copy, versions):
            return Chosen(version, content, f"{reason}; {version.name} is restored")
    raise CopyError(f"{reason}; nothing of it is restored")


def has_rivals(copy: SecondCopy, item: str) -> bool:
    """Whether the last number was given to two contents."""
    versions = copy.items.get(item, ())
    last = max((version.number for version in versions), default=0)
    return len({version.sha256 for version in versions if version.number == last}) > 1


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
