"""An answer in msgpack is taken apart into its documents, however it arrives, or is refused."""

from typing import Any

import msgpack
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from homeiot_batch.sources.influxdb.untrusted_msgpack import MOST_ELEMENTS, unpacked

ROWS = [
    [1762614000000000001, 1.5, None, True, "居間 \x00"],
    [1762614000000000002, -2, 7, False, ""],
]
DOCUMENTS: list[dict[str, Any]] = [
    {"results": [{"statement_id": 0, "series": [{"columns": ["time"], "values": ROWS}]}]},
    {"results": [{"statement_id": 0, "partial": True}]},
    {"results": []},
    {"error": "query interrupted"},
]
ANSWER = b"".join(map(msgpack.packb, DOCUMENTS))
DOCUMENT = msgpack.packb(DOCUMENTS[0])


def in_pieces(content: bytes, size: int) -> list[bytes]:
    """The content in pieces of so many bytes."""
    return [content[start : start + size] for start in range(0, len(content), size)]


def with_lists(content: Any) -> Any:
    """The content with a list in place of each tuple."""
    if isinstance(content, dict):
        return {key: with_lists(value) for key, value in content.items()}
    if isinstance(content, list | tuple):
        return [with_lists(value) for value in content]
    return content


@pytest.mark.parametrize("size", [1, 2, 7, 64, 100_000])
def test_documents_in_pieces(size: int) -> None:
    """The same documents, in pieces of any size, cut anywhere."""
    found: list[Any] = list(unpacked(in_pieces(ANSWER, size)))
    assert with_lists(found) == DOCUMENTS
    assert type(found[0]["results"][0]["series"][0]["values"]) is list


def test_a_document_is_given_as_soon_as_it_has_ended() -> None:
    """An answer is not gathered before its first documents are used."""
    taken: list[bytes] = []

    def pieces() -> Any:
        for piece in (DOCUMENT, DOCUMENT):
            taken.append(piece)
            yield piece

    next(unpacked(pieces()))
    assert taken == [DOCUMENT]


def test_an_empty_answer() -> None:
    """Nothing is no document."""
    assert list(unpacked([])) == list(unpacked([b""])) == []


@pytest.mark.parametrize("end", range(1, len(DOCUMENT)))
def test_an_answer_that_is_cut(end: int) -> None:
    """After whole documents a part of one is refused, wherever it is cut."""
    arriving = unpacked([DOCUMENT + DOCUMENT[:end]])
    assert with_lists(next(arriving)) == DOCUMENTS[0]
    with pytest.raises(ValueError, match="ends in the middle of a document"):
        next(arriving)


NO_DOCUMENTS = {
    "text": b"<html>",
    "json": b'{"results":[]}',
    "a number": b"\x07",
    "an array": msgpack.packb([DOCUMENTS[0]]),
    "nil": b"\xc0",
    "a reserved byte": b"\xc1",
    "a newline after it": DOCUMENT + b"\n",
    "a timestamp": msgpack.packb({"results": [msgpack.ExtType(5, b"12345678")]}),
    "a wrong timestamp": b"\x81\xa1a\xc7\x03\xff123",
    "a key that is a number": msgpack.packb({7: []}),
    "a key that is an array": b"\x81\x91\x01\x01",
    "deep": b"\x91" * 5_000,
    "deep maps": b"\x81\xa1a" * 5_000,
    "a long array": b"\xdd" + (MOST_ELEMENTS + 1).to_bytes(4, "big"),
    "long arrays in each other": b"\x81\xa1a" + b"\xdd\xff\xff\xff\xff" * 400,
    "a long map": b"\xdf\xff\xff\xff\xff",
    "a long text": b"\x81\xdb\xff\xff\xff\xff",
}


@pytest.mark.parametrize("kind", NO_DOCUMENTS)
@pytest.mark.parametrize("size", [1, 100_000])
def test_what_is_no_document(kind: str, size: int) -> None:
    """Anything but whole maps is refused."""
    with pytest.raises(ValueError, match=r".+"):
        list(unpacked(in_pieces(NO_DOCUMENTS[kind], size)))


@given(st.binary(max_size=60), st.integers(0, len(DOCUMENT)), st.integers(1, 30))
@example(b"\xd6\xff\xff\xff\xff\xff", 0, 1)
def test_junk_is_documents_or_refused(junk: bytes, place: int, size: int) -> None:
    """Whatever bytes stand in an answer, there are maps, or a ValueError."""
    content = DOCUMENT[:place] + junk + DOCUMENT[place:]
    try:
        found = list(unpacked(in_pieces(content, size)))
    except ValueError:
        return
    assert {type(entry) for entry in found} <= {dict}


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        (b"a\xff\xe5\xb1b", "a\ufffd\ufffd\ufffdb"),
        (b"x\xed\xa0\x80\xe5\xb1\x00y", "x\ufffd\ufffd\ufffd\ufffd\ufffd\x00y"),
        (b"\xf0\x9f\x92", "\ufffd\ufffd\ufffd"),
        (b"\xc0\x80\xf5", "\ufffd\ufffd\ufffd"),
    ],
)
def test_text_that_is_no_utf_8(stored: bytes, read: str) -> None:
    """InfluxDB stores any bytes. In JSON it writes U+FFFD for each wrong one, so here too."""
    content = b"\x81\xa5error" + bytes([0xA0 + len(stored)]) + stored
    assert list(unpacked([content])) == [{"error": read}]
