"""What the comments in an export mean: which database follows, and which span of time it covers.

A section is what stands under one header of `influx_inspect export`, or a file, or the beginning
of one, without such a header. All times here are nanoseconds since the epoch.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from homeiot_batch.core.days import nanoseconds

SECOND_NS = 10**9
# the tool writes its lowest and highest time where it was given no bound
OPEN_BEGIN_YEAR = 1678
OPEN_END_YEAR = 2262
BEFORE_ALL = -(2**63)
AFTER_ALL = 2**63
_HEADER = re.compile(r"# INFLUXDB EXPORT: (\S+) - (\S+)")
_PART = re.compile(r"(.*?)(?:[a-z]{2,4}|[0-9]{2,4})")

Span = tuple[int, int]  # [begin, end)


class Context(NamedTuple):
    """Whose lines follow, or None for what the comments do not name."""

    database: str | None
    policy: str | None

    def is_for(self, database: str, policy: str | None) -> bool:
        """Whether points of the database, and of the policy if it is given, may be among them."""
        if self.database not in (database, None):
            return False
        return policy is None or self.policy in (policy, None)


@dataclass(eq=False)
class Section:
    """Lines of one file that one header covers. `begin` and `end` are None where it gives none."""

    file: Path
    written: int
    has_header: bool = False
    begin: int | None = None
    end: int | None = None
    points: int = 0
    contexts: set[Context] = field(default_factory=set)
    database: str | None = None
    policy: str | None = None

    def is_for(self, database: str, policy: str | None) -> bool:
        """Whether points of the database, and of the policy if it is given, belong in here."""
        if not self.contexts:
            return True
        return any(context.is_for(database, policy) for context in self.contexts)

    def is_of_another(self, database: str, policy: str | None) -> bool:
        """Whether the lines that follow are of another database or policy."""
        if self.database is not None and self.database != database:
            return True
        if policy is None or self.policy is None:
            return False
        return policy != self.policy

    def name(self) -> str:
        """Database and retention policy of the lines that follow."""
        if not self.policy:
            return str(self.database)
        return f"{self.database}.{self.policy}"

    def read_comment(self, line: str) -> "Section":
        """Take in a comment, and return the section of the lines after it.

        A header begins a new one.
        """
        if header := _HEADER.fullmatch(line):
            return self._under(header[1], header[2])
        if self.points and not (self.contexts or self.has_header):
            # what stood before is of no known database, and stays so
            return Section(self.file, self.written).read_comment(line)
        self._read_context(line)
        return self

    def _read_context(self, line: str) -> None:
        name, _, value = line.partition(":")
        if name == "# CONTEXT-DATABASE":
            self.database, self.policy = value.strip(), None
        elif name == "# CONTEXT-RETENTION-POLICY":
            self.policy = value.strip()
        if name.startswith("# CONTEXT-"):
            # a database's comment, and then one for its policy, are one context
            self.contexts.discard(Context(self.database, None))
            self.contexts.add(Context(self.database, self.policy))

    def _under(self, begin: str, end: str) -> "Section":
        try:
            first = datetime.fromisoformat(begin)
            last = datetime.fromisoformat(end)
        except ValueError:
            return Section(self.file, self.written)
        if first.tzinfo is None or last.tzinfo is None:
            return Section(self.file, self.written)
        section = Section(self.file, self.written, has_header=True)
        if first.year >= OPEN_BEGIN_YEAR:
            section.begin = nanoseconds(first)
        if last.year < OPEN_END_YEAR:
            # written in whole seconds: the bound itself lies somewhere in the second
            section.end = nanoseconds(last) + SECOND_NS
        return section


def rest_of_another(
    sections: Iterable[Section], database: str, policy: str | None
) -> Iterator[Section]:
    """Sections that may be the second part of a split export, and then are of another database."""
    for before, section in pairwise(sections):
        is_named = section.has_header or section.contexts
        if is_named or not _are_parts(before, section):
            continue
        if before.is_of_another(database, policy):
            yield section


def _are_parts(first: Section, second: Section) -> bool:
    """Whether they are two files whose names differ only in an ending as `split` makes them."""
    if first.file == second.file:
        return False
    stem = _stem(first.file)
    return stem is not None and stem == _stem(second.file)


def _stem(file: Path) -> str | None:
    """A file's name without the ending that `split` adds, or None if there is no such ending."""
    part = _PART.fullmatch(str(file).removesuffix(".gz"))
    if part is None:
        return None
    return part[1]


def union(spans: Iterable[Span]) -> list[Span]:
    """The spans in their order, those that touch or overlap joined."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            last_begin, last_end = joined[-1]
            joined[-1] = last_begin, max(end, last_end)
        elif begin < end:
            joined.append((begin, end))
    return joined


def holes(spans: Iterable[Span], begin: int, end: int) -> list[Span]:
    """The parts of [begin, end) that no span covers."""
    found = []
    reached = begin
    for first, last in union(spans):
        if first >= end:
            break
        if first > reached:
            found.append((reached, first))
        reached = max(reached, last)
    if reached < end:
        found.append((reached, end))
    return found
