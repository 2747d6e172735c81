"""Line protocol. Tests/integration/test_line_protocol.py compares it with real servers."""

import pytest

from homeiot_batch.sources.exports.line_protocol import (
    LineError,
    NoTimeError,
    Series,
    is_open,
    measurement_bytes,
    parse_series,
    parse_time,
    parse_value,
    split_fields,
    split_line,
)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        (b"p,t=1 a=1 5", (b"p,t=1", b"a=1", b"5")),
        (b"p  a=1  -5 ", (b"p", b"a=1", b"-5")),
        (b"p a=1", (b"p", b"a=1", b"")),
        (b"p a=1 5\r", (b"p", b"a=1", b"5")),
        (rb"p\ q,t=a\,\ b a=1 5", (rb"p\ q,t=a\,\ b", b"a=1", b"5")),
        (b'p a="x, y=1 5\r\n",b=t 5', (b"p", b'a="x, y=1 5\r\n",b=t', b"5")),
    ],
)
def test_a_line_is_series_fields_and_time(line: bytes, parts: tuple[bytes, bytes, bytes]) -> None:
    """Separated by blanks that are neither escaped nor in a text."""
    assert split_line(line) == parts


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"p,t a=1  5", "its tags or fields cannot be read"),
        (b"p,t=1", "it has no fields"),
        (b"power meter 5", "its tags or fields cannot be read"),
        (b'p a="x 5', "a quoted text in it has no end"),
        (b"p a=1 2026-11-20T00:00:00Z", "what stands after its fields is no time"),
        (b",t=1 a=1  5", "its measurement or tags cannot be read"),
    ],
)
def test_what_is_wrong_with_a_line_is_said(line: bytes, reason: str) -> None:
    """In a few words, for the message that names file and line."""
    with pytest.raises(LineError) as error:
        split_line(line)
    assert str(error.value) == reason


def test_of_a_field_that_stands_twice_both_values_are_given_in_their_order() -> None:
    """InfluxDB keeps the last one."""
    assert split_fields(b"a=1,b=2,a=3") == [(b"a", b"1"), (b"b", b"2"), (b"a", b"3")]
    assert split_fields(rb'a\"b="x,y",c=2') == [(b'a"b', b'"x,y"'), (b"c", b"2")]


def test_a_series_is_its_measurement_and_its_tags_by_name() -> None:
    """Escapes are undone. Other backslashes stay. A tag that stands twice is an error."""
    assert parse_series(rb"p\,q,u=C:\dir,t\=1=a\ b") == Series(
        "p,q", {"t=1": "a b", "u": r"C:\dir"}
    )
    with pytest.raises(LineError, match="tag 't' twice"):
        parse_series(b"p,t=1,s=2,t=1")
    with pytest.raises(LineError, match=r"is not UTF-8"):
        parse_series("p,t=büro".encode("latin-1"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b"1", 1.0),
        (b"-.5e3", -500.0),
        (b"5.", 5.0),
        (b"18446744073709551615u", 2**64 - 1),
        (b"-9223372036854775808i", -(2**63)),
        (b"T", True),
        (b"false", False),
        (b'"a\r\nb"', "a\r\nb"),
        (rb'"\"x\\\n"', '"x\\\\n'),
    ],
)
def test_values_are_those_of_influxdb(text: bytes, value: object) -> None:
    """Of the same type, and bit for bit."""
    assert (parse_value(text), type(parse_value(text))) == (value, type(value))


@pytest.mark.parametrize(
    "text",
    [
        *(b"nan", b"inf", b"1e999", b"1_0", b"+1", b"0x10", b"1.5i", b"9223372036854775808i"),
        *(b"-1u", b"yes", b"tRUE", b"", b'"', b"'x'", b"1\x00", "\u0661".encode()),
    ],
)
def test_what_influxdb_refuses_is_refused(text: bytes) -> None:
    """Python would take some of these for numbers."""
    with pytest.raises(LineError):
        parse_value(text)


def test_times_are_whole_nanoseconds_of_64_bits() -> None:
    """What InfluxDB does not take is refused, and so is a line without a time."""
    assert parse_time(b"-007") == -7
    for text in (b"9223372036854775807", b"-9223372036854775807", b"9" * 10_000):
        with pytest.raises(LineError, match="outside of what InfluxDB takes"):
            parse_time(text)
    with pytest.raises(NoTimeError):
        parse_time(b"")


@pytest.mark.parametrize(
    ("text", "goes_on"),
    [
        (b'p a="x', True),
        (b'p a="x\\', True),
        (b'p a="x\\"', True),
        (b'p b=1,a="x\ny', True),
        (b"p,t=x\\", True),
        (b'p a="x" 5', False),
        (b'p,t="x a=1 5', False),
        (b'p a"b=1 5', False),
        (b"p,t=x\\\\", False),
        (b'he said "no', False),
    ],
)
def test_a_line_goes_on_in_a_text_and_after_a_backslash(text: bytes, goes_on: bool) -> None:
    """Quotes count in the values of fields only."""
    assert is_open(text) is goes_on


def test_a_measurement_is_found_at_the_beginning_of_a_line() -> None:
    """As it is escaped there."""
    assert measurement_bytes("a b,c=d") == rb"a\ b\,c=d"
