"""What a second copy holds, and how a file gets into it.

Lists name the files that were proven after they were written. They are files of the copy too, and
none is ever changed: so a file that is deleted there is missed, also where no other machine is
left that has it.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from homeiot_batch.errors import CopyError, CopyUnavailable
from homeiot_batch.second_copy.names import DAYS, LISTS, ZONE, Version, version_of
from homeiot_batch.second_copy.place import Place
from homeiot_batch.second_copy.proof import day_fault, fault_of, files_in, zone_in

NO_LIST = "the copy has no list, so nothing shows that nothing is missing"


@dataclass
class SecondCopy:
    """The files of a copy, by item and ascending.

    `bad` has the reason of each file that is missing, or is not what its name promises, by name.
    `unlisted` are files that no list names: they were written, but not proven yet. `foreign` are
    names of somebody else's files. `zone` is that of the archive, or None where it is not known.
    `last_list` is the number of the last list that is known, there or by a note of the house.
    """

    place: Place
    items: dict[str, list[Version]] = field(default_factory=lambda: defaultdict(list))
    bad: dict[str, str] = field(default_factory=dict)
    unlisted: list[Version] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)
    zone: str | None = None
    last_list: int = 0

    @property
    def has_days(self) -> bool:
        """Whether there is a day in it."""
        return any(item.startswith(f"{DAYS}/") for item in self.items)

    @property
    def has_lists(self) -> bool:
        """Whether there is a list in it."""
        return bool(self.items.get(LISTS))

    @property
    def is_empty(self) -> bool:
        """Whether nothing of a copy is there."""
        return not self.items

    def versions(self) -> Iterator[Version]:
        """All of them, also those that are bad."""
        for item in sorted(self.items):
            yield from self.items[item]

    def newest(self, item: str) -> Version | None:
        """The last version of the item, whole or not, or None where there is none."""
        return max(self.items.get(item, ()), key=lambda version: version.number, default=None)

    def newest_whole(self, item: str) -> Version | None:
        """The last version of the item that nothing is known against."""
        whole = [version for version in self.items.get(item, ()) if version.name not in self.bad]
        return max(whole, key=lambda version: version.number, default=None)

    def holding(self, item: str, sha256: str) -> Version | None:
        """The last version of the item with this content that nothing is known against."""
        same = [version for version in self.items.get(item, ()) if version.sha256 == sha256]
        whole = [version for version in same if version.name not in self.bad]
        return max(whole, key=lambda version: version.number, default=None)

    def read(self, version: Version) -> bytes:
        """The content of the file. CopyError if it is not what its name promises."""
        content = self.place.read(version.name)
        fault = fault_of(version, content) or day_fault(version.item, content, self.zone)
        if fault:
            self.bad[version.name] = fault
            raise CopyError(f"{version.name} in {self.place.url}: {fault}")
        return content

    def newest_proven(self, item: str) -> bytes | None:
        """The content of the item's last whole version, or None. CopyUnavailable as below."""
        while (version := self.newest_whole(item)) is not None:
            try:
                return self.read(version)
            except CopyUnavailable:
                raise
            except CopyError as error:
                self.bad.setdefault(version.name, f"it cannot be read: {error}")
        return None

    def prove(self, versions: Iterable[Version]) -> None:
        """Read the files, and note those that are bad. CopyUnavailable if none can be read now."""
        for version in versions:
            if version.name not in self.bad:
                try:
                    self.read(version)
                except CopyUnavailable:
                    raise
                except CopyError as error:
                    self.bad.setdefault(version.name, f"it cannot be read: {error}")

    def add(self, version: Version, content: bytes) -> None:
        """Write the file, and read it back. CopyError if it is not what was written."""
        self.place.write(version.name, content)
        self.items[version.item].append(version)
        self.read(version)
        self.unlisted.append(version)

    def next_number(self, item: str) -> int:
        """The number of the item's next version: none that was ever given is given again."""
        newest = self.newest(item)
        last = self.last_list if item == LISTS else 0
        if newest is None:
            return last + 1
        return max(newest.number, last) + 1

    def expect_lists(self, last: int) -> None:
        """Note as missing what lacks of the lists up to the last one that is known."""
        numbers = {version.number for version in self.items.get(LISTS, ())}
        self.last_list = max(last, *numbers, 0)
        expected = 1
        for number in sorted({*numbers, self.last_list + 1}):
            if number == expected + 1:
                self.bad[f"{LISTS}/v{expected}-*"] = "it is missing"
            elif number > expected:
                self.bad[f"{LISTS}/v{expected}-* to v{number - 1}-*"] = "they are missing"
            expected = number + 1


def read_copy(place: Place) -> SecondCopy:
    """What the place holds, by one listing and by its lists. CopyError if it cannot be read."""
    copy = SecondCopy(place)
    found: dict[str, Version] = {}
    for name, size in place.sizes().items():
        version = version_of(name)
        if version is None:
            copy.foreign.append(name)
            continue
        found[name] = version
        copy.items[version.item].append(version)
        if size != version.size:
            copy.bad[name] = f"it has {size} bytes of {version.size}"
    listed = _listed(copy)
    for name in sorted(listed.difference(found)):
        _miss(copy, name)
    lists = {version.name for version in copy.items.get(LISTS, ())}
    unproven = sorted(found.keys() - listed - lists)
    copy.unlisted = [found[name] for name in unproven if name not in copy.bad]
    zone = copy.newest_proven(ZONE)
    copy.zone = zone_in(zone) if zone else None
    return copy


def unlisted_line(copy: SecondCopy) -> str:
    """How many files no list names, and what that means."""
    return f"{len(copy.unlisted)} files are in no list, so nothing shows that nothing is missing"


def _miss(copy: SecondCopy, name: str) -> None:
    version = version_of(name)
    if version is not None:
        copy.items[version.item].append(version)
        copy.bad[name] = "it is missing"


def _listed(copy: SecondCopy) -> set[str]:
    """The names in all lists. A list that is missing or damaged is noted as bad."""
    lists = copy.items.get(LISTS, [])
    names: set[str] = set()
    for version in lists:
        if version.name not in copy.bad:
            try:
                names.update(files_in(copy.read(version)) or ())
            except CopyUnavailable:
                raise
            except CopyError as error:
                copy.bad.setdefault(version.name, f"it cannot be read: {error}")
    copy.expect_lists(0)
    return names
