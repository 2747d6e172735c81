"""Text of others cannot leave its line, nor steer a terminal."""

import pytest

from homeiot_batch.errors import SourceBusy, SourceError, printable


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("居間\u3000⚡️ naïve\xa0é", "居間\u3000⚡️ naïve\xa0é"),
        ("a\nb\r\tc", "a b  c"),
        ("a\u2028b", "a b"),
        ("\x1b[31mred\x07\x00", r"\x1b[31mred\x07\x00"),
        ("half \ud800", r"half \ud800"),
    ],
)
def test_printable(text: str, line: str) -> None:
    """Letters and blanks of any language stay, control characters become escapes."""
    assert printable(text) == line
    assert str(SourceError(text)) == str(SourceBusy(text)) == line
    assert line.encode()
