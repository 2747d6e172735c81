"""Lines that a line break has cut, and what stands between lines by accident."""

import pytest

from homeiot_batch.sources.exports.lines import LogicalLines, may_hold, skipped_files, without_marks


def logical(text: bytes) -> list[tuple[int, bytes]]:
    """The logical lines of a text that ends with a line feed."""
    return list(LogicalLines(enumerate(text.split(b"\n")[:-1], start=1)))


def test_a_text_or_an_escape_holds_a_line_together() -> None:
    """Numbered by its first line. Carriage returns in it stay."""
    text = b'log a="x\r\ny",b="\n\n" 1\np,t=a\\\nb a=1 2\np a=1 3\n'
    assert logical(text) == [
        (1, b'log a="x\r\ny",b="\n\n" 1'),
        (5, b"p,t=a\\\nb a=1 2"),
        (7, b"p a=1 3"),
    ]


def test_a_text_without_end_takes_no_other_lines_with_it() -> None:
    """Only the line in which it begins is lost."""
    assert logical(b'log a="x 1\np a=1 2\np a=1 3\n') == [
        (1, b'log a="x 1'),
        (2, b"p a=1 2"),
        (3, b"p a=1 3"),
    ]


def test_marks_and_messages_at_the_beginning_of_a_line_are_found() -> None:
    """Byte order marks of joined files. What influx_inspect 1.3 to 1.8 writes without line end."""
    assert without_marks(b"\xef\xbb\xbf \xef\xbb\xbf# x") == b"# x"
    said = b"skipped missing file: /var/a.tsmskipped missing file: /var/_00001.wal"
    assert skipped_files(said + b"power,source=a a=1 5") == said
    assert skipped_files(b"power a=1 5") == b""


@pytest.mark.parametrize(
    ("line", "maybe"),
    [
        (b"power,source=a", True),
        (b"power a=x 5", True),
        (b"tail of a linepower,source=a watts=1 5", True),
        (b"\x00\x00\x00=a watts=1 5", True),
        (b"power_factor,source=a watts=x 5", False),
        (b"win,host=b\xfcro watts=1 5", False),
        (b"the power is off", False),
        (b"skipped missing file: /x", False),
    ],
)
def test_a_line_that_may_hold_a_wanted_field_is_told_from_others(line: bytes, maybe: bool) -> None:
    """By the measurement at its beginning, or both names anywhere where it is damaged."""
    assert may_hold(line, [b"power"], [b"watts"]) is maybe
