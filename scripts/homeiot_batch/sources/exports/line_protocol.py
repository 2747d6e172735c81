"""Line protocol as InfluxDB reads it: which bytes are a line's series, its fields and its time.

A line is bytes without its line end. Only what is asked for is decoded, so a text that is not UTF-8
harms the line that it stands in and only if it is wanted.
"""

import math
import re
from dataclasses import dataclass

Value = float | int | bool | str

BYTE_ORDER_MARK = b"\xef\xbb\xbf"
BLANKS = b" \t\0"
# InfluxDB's range: int64 without its two lowest values and its highest one
FIRST_TIME = -(2**63) + 2
LAST_TIME = 2**63 - 2
MOST_DIGITS = 20  # of a time, with its sign

# the ranges of its two kinds of integers, [lowest, end)
INT64 = -(2**63), 2**63
UINT64 = 0, 2**64

# A backslash makes a separator part of a name. In tags InfluxDB looks at the byte before only, in
# fields it skips pairs. Possessive repeats (*+) keep a match from giving back what it has taken.
_MEASUREMENT = rb"[^,](?:[^ ,]|(?<=\\)[ ,])*+"
_TAG_KEY = rb"[^ ,=](?:[^ ,=]|(?<=\\)[ ,=])*+"
_TAG_VALUE = rb"[^ ,](?:[^ ,=]|(?<=\\)[ ,=])*+"
_SERIES = rb"%b(?:,%b=%b)*+" % (_MEASUREMENT, _TAG_KEY, _TAG_VALUE)
_FIELD_KEY = rb"(?:\\.|[^\\=, ])++"
_FIELD_VALUE = rb'(?:"(?:[^"\\]|\\.)*+"|[^", ][^, ]*+)'
_FIELD = rb"%b=%b" % (_FIELD_KEY, _FIELD_VALUE)
_FIELDS = rb"%b(?:,%b)*+" % (_FIELD, _FIELD)
_GAP = rb" [ \t\0]*+"

_LINE = re.compile(rb"(%b)%b(%b)(?:%b(-?[0-9]*+) *+)?" % (_SERIES, _GAP, _FIELDS, _GAP), re.DOTALL)
_SERIES_AND_FIELDS = re.compile(rb"%b%b%b" % (_SERIES, _GAP, _FIELDS), re.DOTALL)
_SERIES_ONLY = re.compile(_SERIES, re.DOTALL)
_SERIES_PARTS = re.compile(rb"(%b)|,(%b)=(%b)" % (_MEASUREMENT, _TAG_KEY, _TAG_VALUE), re.DOTALL)
_FIELD_PARTS = re.compile(rb"(%b)=(%b),?" % (_FIELD_KEY, _FIELD_VALUE), re.DOTALL)
_OPEN_STRING = re.compile(
    rb'%b%b(?:%b,)*+%b="(?:[^"\\]|\\.)*+\\?\Z' % (_SERIES, _GAP, _FIELD, _FIELD_KEY), re.DOTALL
)
_STRING_END = re.compile(rb'(?:[^"\\]|\\.)*+"', re.DOTALL)
_ESCAPED_END = re.compile(rb"(?<!\\)(?:\\\\)*\\\Z")

_FLOAT = re.compile(rb"-?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_INTEGER = re.compile(rb"-?[0-9]+i|[0-9]+u")
_TRUE = (b"t", b"T", b"true", b"True", b"TRUE")
_FALSE = (b"f", b"F", b"false", b"False", b"FALSE")
_BOOLEANS = {
    **dict.fromkeys(_TRUE, True),
    **dict.fromkeys(_FALSE, False),
}


class LineError(ValueError):
    """The bytes are not line protocol, as far as they were looked at. The text gives the reason."""

    problem = "is not line protocol"


class NoTimeError(LineError):
    """The line has no time: InfluxDB would give it that of its writing."""

    problem = "has no time"


@dataclass(frozen=True, slots=True)
class Series:
    """What the points of one time have to differ in to be two points."""

    measurement: str
    tags: dict[str, str]


def split_line(line: bytes) -> tuple[bytes, bytes, bytes]:
    """Series, fields and time (empty if there is none) of a line, each as its bytes."""
    if b'"' not in line and b"\\" not in line:
        parts = line.split(b" ")
        if len(parts) == 3 and parts[0] and b"=" in parts[1] and parts[2].isdigit():
            return parts[0], parts[1], parts[2]
    # files from Windows; InfluxDB itself takes no such line
    found = _LINE.fullmatch(line.removesuffix(b"\r"))
    if found is None:
        raise LineError(_what_is_wrong(line))
    series, fields, time = found.groups(b"")
    return series, fields, time


def parse_series(text: bytes) -> Series:
    """Measurement and tags, in the order of the tags' names. LineError also if not UTF-8."""
    if _SERIES_ONLY.fullmatch(text) is None:
        raise LineError("its measurement or tags cannot be read")
    tags: dict[str, str] = {}
    first, *others = _SERIES_PARTS.finditer(text)
    for part in others:
        _, key, value = part.groups()
        name = _decoded(_unescaped(key, b",= "))
        if name in tags:
            raise LineError(f"it has the tag {name!r} twice")
        tags[name] = _decoded(_unescaped(value, b",= "))
    measurement = _decoded(_unescaped(first[1], b", "))
    return Series(measurement, dict(sorted(tags.items())))


def split_fields(text: bytes) -> list[tuple[bytes, bytes]]:
    """Each field's name, and its value as it is written, in their order. A name may come twice."""
    text = text.lstrip(BLANKS)
    name, _, value = text.partition(b"=")
    if b"=" not in value and b'"' not in text and b"\\" not in name and name and value:
        return [(name, value)]
    pairs = _field_pairs(text)
    if not all(key and value for key, value in pairs):
        raise LineError("a field has no name or no value")
    return pairs


def _field_pairs(text: bytes) -> list[tuple[bytes, bytes]]:
    """Each field's name and value, either of which may be empty."""
    pairs = []
    if b'"' in text or b"\\" in text:
        for key, value in _FIELD_PARTS.findall(text):
            pairs.append((_unescaped(key, b',"= '), value))
    else:
        for field in text.split(b","):
            key, _, value = field.partition(b"=")
            pairs.append((key, value))
    return pairs


def parse_float(text: bytes) -> float | None:
    """A field's value if it is a finite float, else None."""
    if _FLOAT.fullmatch(text) is None:
        return None
    number = float(text)
    if math.isinf(number):
        return None
    return number


def parse_value(text: bytes) -> Value:
    """A field's value: float, integer (`1i`, `1u`), boolean, or text in double quotes."""
    if _FLOAT.fullmatch(text):
        number = float(text)
        if math.isinf(number):
            raise LineError(f"{_shown(text)} is too large a number")
        return number
    if len(text) > 1 and text.startswith(b'"') and text.endswith(b'"'):
        return _decoded(_unescaped(text[1:-1], b'"\\'))
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if _INTEGER.fullmatch(text):
        return _integer(text)
    raise LineError(f"{_shown(text)} is no value of a field")


def parse_time(text: bytes) -> int:
    """Nanoseconds since the epoch, if the file has them as InfluxDB exports them."""
    if not text.removeprefix(b"-").isdigit():
        raise NoTimeError("only a server that is sent the line gives it one")
    # int() takes no text of thousands of digits
    if len(text) <= MOST_DIGITS:
        time = int(text)
        if FIRST_TIME <= time <= LAST_TIME:
            return time
    raise LineError(f"its time {_shown(text)} is outside of what InfluxDB takes")


def is_open(text: bytes) -> bool:
    """Whether the line goes on after a line break: in a quoted text, or after a backslash."""
    return _ESCAPED_END.search(text) is not None or is_in_string(text)


def is_in_string(text: bytes) -> bool:
    """Whether a quoted text of the line is not closed."""
    return _OPEN_STRING.match(text) is not None


def closes_string(text: bytes) -> bool:
    """Whether the quoted text that began in a line before ends in this one."""
    return _STRING_END.match(text) is not None


def measurement_bytes(name: str) -> bytes:
    """A measurement as it stands at the beginning of a line."""
    return name.encode().replace(b",", rb"\,").replace(b" ", rb"\ ")


def _integer(text: bytes) -> int:
    number = int(text[:-1])
    lowest, end = INT64
    if text.endswith(b"u"):
        lowest, end = UINT64
    if not lowest <= number < end:
        raise LineError(f"{_shown(text)} is outside of the range of integers")
    return number


def _unescaped(text: bytes, characters: bytes) -> bytes:
    """Without the backslashes before the characters. Every other one is a character itself."""
    if b"\\" not in text:
        return text
    return re.sub(rb"\\([%b])" % re.escape(characters), rb"\1", text)


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        raise LineError(f"{_shown(text)} is not UTF-8") from None


def _what_is_wrong(line: bytes) -> str:
    series = _SERIES_ONLY.match(line)
    if series is None:
        return "its measurement or tags cannot be read"
    if not line[series.end() :].strip(BLANKS):
        return "it has no fields"
    if is_in_string(line):
        return "a quoted text in it has no end"
    if _SERIES_AND_FIELDS.match(line) is None:
        return "its tags or fields cannot be read"
    return "what stands after its fields is no time"


def _shown(text: bytes) -> str:
    """For a message: printable, and not long."""
    return repr(text[:40].decode(errors="backslashreplace"))
