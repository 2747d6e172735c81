"""Lines of an export as InfluxDB would take them in, and what stands between them by accident."""

import re
from collections import deque
from collections.abc import Iterable, Iterator

from homeiot_batch.sources.exports.files import LONGEST_LINE_BYTES
from homeiot_batch.sources.exports.line_protocol import (
    BLANKS,
    BYTE_ORDER_MARK,
    closes_string,
    is_in_string,
    is_open,
)

Line = tuple[int, bytes]

# so many NULs in a row are no text, but the place of destroyed data
DESTROYED = bytes(512)

# versions 1.3 to 1.8 of influx_inspect write this into the export, without a line end
_SKIPPED_FILES = re.compile(rb"(?:skipped missing file: .*?\.(?:tsm|wal))+")
_STATEMENT = re.compile(rb"CREATE (?:DATABASE|RETENTION POLICY) ")


class LogicalLines:
    """Numbered lines, each with those after it that a line break inside of it has cut off."""

    def __init__(self, lines: Iterable[Line]) -> None:
        self._lines = iter(lines)
        self._put_back: deque[Line] = deque()

    def __iter__(self) -> Iterator[Line]:
        while (found := self._next()) is not None:
            line = found[1]
            # most lines hold neither, and need no closer look
            may_be_open = b'"' in line or b"\\" in line
            if may_be_open and is_open(line.lstrip(BLANKS)):
                yield found[0], self._joined(line)
            else:
                yield found

    def _next(self) -> Line | None:
        if self._put_back:
            return self._put_back.popleft()
        return next(self._lines, None)

    def _joined(self, line: bytes) -> bytes:
        """The line to its end. The line alone where it has no end, and the others then follow."""
        parts = [line]
        taken = []
        size = len(line)
        in_string = is_in_string(line.lstrip(BLANKS))
        while size < LONGEST_LINE_BYTES and (more := self._next()) is not None:
            taken.append(more)
            parts.append(more[1])
            size += len(more[1])
            if in_string and not closes_string(more[1]):
                continue
            text = b"\n".join(parts)
            if not is_open(text.lstrip(BLANKS)):
                return text
            in_string = is_in_string(text.lstrip(BLANKS))
        self._put_back.extendleft(reversed(taken))
        return line


def without_marks(line: bytes) -> bytes:
    """Without blanks and byte order marks at its beginning, which stand where files were joined."""
    text = line.lstrip(BLANKS)
    while text.startswith(BYTE_ORDER_MARK):
        text = text[len(BYTE_ORDER_MARK) :].lstrip(BLANKS)
    return text


def skipped_files(line: bytes) -> bytes:
    """What influx_inspect wrote at the beginning of the line about files that it skipped."""
    found = _SKIPPED_FILES.match(line)
    if found is None:
        return b""
    return found[0]


def is_statement(line: bytes) -> bool:
    """Whether the line creates a database or a retention policy, as exports do at first."""
    return _STATEMENT.match(line) is not None


def may_hold(line: bytes, measurements: Iterable[bytes], fields: Iterable[bytes]) -> bool:
    """Whether a line that cannot be read may be one of the measurements, with one of the fields."""
    beginnings = [name + end for name in measurements for end in (b",", b" ")]
    if line.startswith(tuple(beginnings)):
        return True
    place = _first_place(line, beginnings)
    if place is None and _has_destroyed_name(line):
        place = 0
    if place is None:
        return False
    rest = line[place:]
    return any(field + b"=" in rest for field in fields)


def _first_place(line: bytes, texts: Iterable[bytes]) -> int | None:
    """Where the first of the texts in the line begins, or None if it holds none."""
    places = [line.find(text) for text in texts]
    found = [place for place in places if place >= 0]
    return min(found, default=None)


def _has_destroyed_name(line: bytes) -> bool:
    """Whether there are NULs where the measurement stands."""
    first_word = line.split(b" ")[0]
    return line.startswith(b"\0") or b"\0" in first_word
