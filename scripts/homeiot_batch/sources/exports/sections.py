"""What the comments in an export say: which database follows, and which span of time it covers.

A section is what stands under one header of `influx_inspect export`, or a file, or the beginning
of one, without such a header. All times here are nanoseconds since the epoch.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from homeiot_batch.core.days import nanoseconds

SECOND_NS = 10**9
# the tool writes its lowest and highest time where it was given no bound
OPEN_BEGIN_YEAR, OPEN_END_YEAR = 1678, 2262
BEFORE_ALL, AFTER_ALL = -(2**63), 2**63
_HEADER = re.compile(r"# INFLUXDB EXPORT: (\S+) - (\S+)")
_PART = re.compile(r"(.*?)(?:[a-z]{2,4}|[0-9]{2,4})")

Span = tuple[int, int]  # [begin, end)


@dataclass(eq=False)
class Section:
    """Lines of one file that one header covers; `begin` and `end` are None where it gives none."""

    file: Path
    written: int
    has_header: bool = False
    begin: int | None = None
    end: int | None = None
    points: int = 0
    contexts: set[tuple[str | None, str | None]] = field(default_factory=set)
    database: str | None = None
    policy: str | None = None

    def is_for(self, database: str, policy: str | None) -> bool:
        """Whether points of the database, and of the policy if it is given, belong in here."""
        return not self.contexts or any(
            found in (database, None) and (policy is None or kept in (policy, None))
            for found, kept in self.contexts
        )

    def is_of_another(self, database: str, policy: str | None) -> bool:
        """Whether the lines that follow are of another database or policy."""
        other_database = self.database is not None and self.database != database
        return other_database or (None not in (policy, self.policy) and policy != self.policy)

    def name(self) -> str:
        """Database and retention policy of the lines that follow."""
        return f"{self.database}.{self.policy}" if self.policy else str(self.database)

    def read_comment(self, line: str) -> "Section":
        """Take in a comment; the section that the lines after it are in: a new one by a header."""
        if header := _HEADER.fullmatch(line):
            return self._under(header[1], header[2])
        if self.points and not (self.contexts or self.has_header):
            # what stood before is of no known database, and stays so
            return Section(self.file, self.written).read_comment(line)
        name, _, value = line.partition(":")
        if name == "# CONTEXT-DATABASE":
            self.database, self.policy = value.strip(), None
        elif name == "# CONTEXT-RETENTION-POLICY":
            self.policy = value.strip()
        if name.startswith("# CONTEXT-"):
            self.contexts.discard((self.database, None))
            self.contexts.add((self.database, self.policy))
        return self

    def _under(self, begin: str, end: str) -> "Section":
        try:
            first, last = datetime.fromisoformat(begin), datetime.fromisoformat(end)
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
        starts = not section.has_header and not section.contexts and before.file != section.file
        if starts and before.is_of_another(database, policy) and _are_parts(before, section):
            yield section


def _are_parts(first: Section, second: Section) -> bool:
    """Whether the files' names differ only in an ending as `split` makes them."""
    stems = [_PART.fullmatch(str(s.file).removesuffix(".gz")) for s in (first, second)]
    return all(stems) and len({stem and stem[1] for stem in stems}) == 1


def union(spans: Iterable[Span]) -> list[Span]:
    """The spans in their order, those that touch or overlap joined."""
    joined: list[Span] = []
    for begin, end in sorted(spans):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        elif begin < end:
            joined.append((begin, end))
    return joined


def holes(spans: Iterable[Span], begin: int, end: int) -> list[Span]:
    """The parts of [begin, end) that no span covers."""
    found, reached = [], begin
    for first, last in union(spans):
        if first >= end:
            break
        if first > reached:
            found.append((reached, first))
        reached = max(reached, last)
    return [*found, (reached, end)] if reached < end else found
