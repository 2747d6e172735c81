"""Decodes msgpack that a server sent, document by document: it may be of any form, or none.

InfluxDB 1.x and 2.x write the documents of an answer one after the other, with nothing between.
"""

import codecs
from collections.abc import Iterable, Iterator

import msgpack

CONTENT_TYPE = "application/x-msgpack"
# what a list or a map may say of its length, before its elements have come
MOST_ELEMENTS = 1 << 20
REPLACED = "homeiot_each_byte"


def _replace_each_byte(error: UnicodeError) -> tuple[str, int]:
    """U+FFFD for each byte that is no UTF-8, as InfluxDB writes such a text in JSON."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\ufffd" * (error.end - error.start), error.end


codecs.register_error(REPLACED, _replace_each_byte)


def unpacked(pieces: Iterable[bytes]) -> Iterator[dict[str, object]]:
    """The documents in their order. ValueError if what arrives is not msgpack maps.

    Only the document that is arriving is held. The documents are not framed: the decoder finds the
    end of each, and what arrived must end with one.

    An array is a list if it is in a map, and a tuple if it is in an array, as a row is. Python's
    garbage collector looks at lists again and again, but only once at a tuple of numbers and text.
    """
    unpacker = msgpack.Unpacker(
        use_list=False,
        object_hook=_with_lists,
        unicode_errors=REPLACED,
        ext_hook=_refuse_extension,
        max_array_len=MOST_ELEMENTS,
        max_map_len=MOST_ELEMENTS,
    )
    arrived = 0
    end = 0
    try:
        for piece in pieces:
            arrived += len(piece)
            unpacker.feed(piece)
            for content in unpacker:
                end = unpacker.tell()
                yield _document(content)
    except (msgpack.UnpackException, OverflowError, RecursionError, MemoryError) as error:
        raise ValueError(f"not msgpack: {type(error).__name__}") from None
    if end != arrived:
        raise ValueError("ends in the middle of a document")


def _document(content: object) -> dict[str, object]:
    if not isinstance(content, dict):
        raise ValueError("not a map")
    return content


def _with_lists(content: dict[str, object]) -> dict[str, object]:
    for key, value in content.items():
        if isinstance(value, tuple):
            content[key] = list(value)
    return content


def _refuse_extension(code: int, _: bytes) -> object:
    raise ValueError(f"extension type {code}")
