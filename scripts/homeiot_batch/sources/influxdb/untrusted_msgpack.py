"""Decodes msgpack that a server sent, document by document: it may be of any form, or none.

InfluxDB 1.x and 2.x write the documents of an answer one after the other, with nothing between.
"""

import codecs
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgpack

from homeiot_batch.sources.influxdb.uniform_rows import UniformRows, uniform_rows

CONTENT_TYPE = "application/x-msgpack"
# what a list or a map may say of its length, before its elements have come
MOST_ELEMENTS = 1 << 24
LARGEST_DOCUMENT = 1 << 28
REPLACED = "homeiot_each_byte"
EMPTY_ARRAY = b"\x90"


def _replace_each_byte(error: UnicodeError) -> tuple[str, int]:
    """U+FFFD for each byte that is no UTF-8, as InfluxDB writes such a text in JSON."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\ufffd" * (error.end - error.start), error.end


codecs.register_error(REPLACED, _replace_each_byte)


def unpacked(pieces: Iterable[bytes]) -> Iterator[dict[str, object]]:
    """The documents in their order. ValueError if what arrives is not msgpack maps.

    Only the document that is arriving is held. The documents are not framed: a decoder that skips
    values finds the end of each, and what arrived must end with one.
    """
    skipping = _unpacker()
    arriving = bytearray()
    skipped = 0
    try:
        for piece in pieces:
            arriving += piece
            skipping.feed(piece)
            while _skips(skipping):
                length = skipping.tell() - skipped
                skipped += length
                yield _document(bytes(arriving[:length]))
                del arriving[:length]
            if len(arriving) > LARGEST_DOCUMENT:
                raise ValueError("a document is too large")
    except (msgpack.UnpackException, OverflowError, RecursionError, MemoryError) as error:
        raise ValueError(f"not msgpack: {type(error).__name__}") from None
    if arriving:
        raise ValueError("ends in the middle of a document")


def _skips(skipping: msgpack.Unpacker) -> bool:
    """Whether one more value has arrived whole."""
    try:
        skipping.skip()
    except msgpack.OutOfData:
        return False
    return True


def _unpacker() -> msgpack.Unpacker:
    return msgpack.Unpacker(
        use_list=False,
        object_hook=_with_lists,
        unicode_errors=REPLACED,
        ext_hook=_refuse_extension,
        max_array_len=MOST_ELEMENTS,
        max_map_len=MOST_ELEMENTS,
        max_buffer_size=LARGEST_DOCUMENT,
    )


def _document(content: bytes) -> dict[str, object]:
    """The document, its rows column by column if they all have one form."""
    place = _place_of_rows(content)
    if place is not None:
        found = uniform_rows(content[place.begin :], place.count, place.width)
        if found is not None:
            rows, size = found
            others = content[: place.header] + EMPTY_ARRAY + content[place.begin + size :]
            document = _decoded(others)
            if _puts(rows, document):
                return document
    return _decoded(content)


def _decoded(content: bytes) -> dict[str, object]:
    """The document, value by value.

    An array is a list if it is in a map, and a tuple if it is in an array, as a row is. Python's
    garbage collector looks at lists again and again, but only once at a tuple of numbers and text.
    """
    unpacker = _unpacker()
    unpacker.feed(content)
    document = unpacker.unpack()
    if not isinstance(document, dict):
        raise ValueError("not a map")
    return document


@dataclass(frozen=True)
class _Place:
    """Where the rows of a document are: their array's header, and the first of them."""

    header: int
    begin: int
    count: int
    width: int


def _place_of_rows(content: bytes) -> _Place | None:
    """The place of the rows if the document is of one result with one series."""
    head = _unpacker()
    head.feed(content)
    try:
        _go_to(head, "results")
        _go_to(head, "series")
        return _go_to_rows(head)
    except (ValueError, TypeError, msgpack.UnpackException):
        return None


def _go_to(head: msgpack.Unpacker, name: str) -> None:
    """Go to the one element of the array under `name` in the map; ValueError if it has others."""
    for _ in range(head.read_map_header()):
        if head.unpack() == name:
            if head.read_array_header() != 1:
                raise ValueError("not one element")
            return
        head.skip()
    raise ValueError(f"no {name}")


def _go_to_rows(head: msgpack.Unpacker) -> _Place | None:
    width = 0
    for _ in range(head.read_map_header()):
        key = head.unpack()
        header = head.tell()
        if key == "values":
            count = head.read_array_header()
            return _Place(header, head.tell(), count, width)
        value = head.unpack()
        if key == "columns":
            width = len(value)
    return None


def _puts(rows: UniformRows, document: dict[str, Any]) -> bool:
    """Put the rows into the document; False if they have no place in it."""
    try:
        series = document["results"][0]["series"][0]
        is_empty = series["values"] == []
    except (LookupError, TypeError):
        return False
    if is_empty:
        series["values"] = rows
    return is_empty


def _with_lists(content: dict[str, object]) -> dict[str, object]:
    for key, value in content.items():
        if isinstance(value, tuple):
            content[key] = list(value)
    return content


def _refuse_extension(code: int, _: bytes) -> object:
    raise ValueError(f"extension type {code}")
