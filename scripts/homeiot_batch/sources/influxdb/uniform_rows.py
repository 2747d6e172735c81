"""Rows in msgpack that all have one form, made into columns without an object for each value.

A row of numbers and of texts of one length has the same bytes before each value: they say its type
and length. Where they are equal in all rows, the values are at places that can be computed.
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import overload, override

import pyarrow as pa

NIL = 0xC0
TEXT_8 = 0xD9
SHORT_TEXTS = range(0xA0, 0xC0)
NUMBERS = {0xCB: pa.float64(), 0xD3: pa.int64()}
# fewer are left to the decoder of single values
FEWEST_ROWS = 16
Row = tuple[object, ...]


@dataclass(frozen=True)
class _Value:
    """Where a value is in the bytes of a row. `kind` is the byte that begins it."""

    kind: int
    begin: int
    end: int


class UniformRows(Sequence[Row]):
    """Rows of one form. `columns` are Arrow arrays of int64, double, string or null."""

    def __init__(self, columns: list[pa.Array], count: int) -> None:
        self.columns = columns
        self._count = count

    @override
    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> list[Row]: ...
    @override
    def __getitem__(self, index: int | slice) -> Row | list[Row]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(self._count))]
        return tuple(column[index].as_py() for column in self.columns)


def uniform_rows(content: bytes, count: int, width: int) -> tuple[UniformRows, int] | None:
    """The `count` rows at the beginning of the content, and how many bytes they take.

    None if they are few, if one has another form than the first, or if there are other values than
    doubles, 64-bit integers, text and nil. It is proven that each byte that says a type or a length
    is the same in all rows, and that text is UTF-8: a decoder would find the same values one by
    one.
    """
    values = _values(content, width)
    if not values or count < FEWEST_ROWS:
        return None
    size = values[-1].end
    rows = content[: count * size]
    if len(rows) < count * size or not _have_one_form(rows, values, size):
        return None
    try:
        columns = [_column(rows, value, size) for value in values]
    except (UnicodeDecodeError, pa.ArrowInvalid):
        return None
    return UniformRows(columns, count), len(rows)


def _values(content: bytes, width: int) -> list[_Value]:
    """The values of the first row; none if it has another width, or values of other types."""
    header = _row_header(width)
    if not content.startswith(header):
        return []
    values: list[_Value] = []
    place = len(header)
    for _ in range(width):
        value = _value(content, place)
        if value is None:
            return []
        values.append(value)
        place = value.end
    return values


def _row_header(width: int) -> bytes:
    if width < 16:
        return bytes([0x90 + width])
    return b"\xdc" + width.to_bytes(2, "big")


def _value(content: bytes, place: int) -> _Value | None:
    beginning = content[place : place + 2]
    if len(beginning) < 2:
        return None
    kind, length = beginning
    if kind == NIL:
        return _Value(kind, place + 1, place + 1)
    if kind in NUMBERS:
        return _Value(kind, place + 1, place + 9)
    if kind in SHORT_TEXTS:
        return _Value(kind, place + 1, place + 1 + kind - SHORT_TEXTS.start)
    if kind == TEXT_8:
        return _Value(kind, place + 2, place + 2 + length)
    return None


def _have_one_form(rows: bytes, values: Sequence[_Value], size: int) -> bool:
    """Whether all bytes outside the values are in each row as they are in the first."""
    inside = {place for value in values for place in range(value.begin, value.end)}
    for place in range(size):
        if place not in inside and not _is_same(rows[place::size]):
            return False
    return True


def _is_same(column: bytes) -> bool:
    return column.count(column[:1]) == len(column)


def _column(rows: bytes, value: _Value, size: int) -> pa.Array:
    """The column of a value. UnicodeDecodeError or ArrowInvalid for text that is no UTF-8."""
    count = len(rows) // size
    if value.kind == NIL:
        return pa.nulls(count)
    places = range(value.begin, value.end)
    if value.kind in NUMBERS:
        return _numbers(rows, places, size, NUMBERS[value.kind])
    if all(_is_same(rows[place::size]) for place in places):
        text = rows[value.begin : value.end].decode()
        return pa.repeat(pa.scalar(text, pa.string()), count)
    return _texts(rows, places, size)


def _numbers(rows: bytes, places: range, size: int, kind: pa.DataType) -> pa.Array:
    """Numbers of eight bytes, of which msgpack has the highest first."""
    if sys.byteorder == "little":
        places = places[::-1]
    packed = _gathered(rows, places, size)
    return pa.Array.from_buffers(kind, len(rows) // size, [None, pa.py_buffer(packed)])


def _texts(rows: bytes, places: range, size: int) -> pa.Array:
    packed = _gathered(rows, places, size)
    ends = range(0, len(packed) + 1, len(places))
    offsets = pa.array(ends, pa.int32()).buffers()[1]
    buffers = [None, offsets, pa.py_buffer(packed)]
    texts = pa.Array.from_buffers(pa.string(), len(rows) // size, buffers)
    texts.validate(full=True)
    return texts


def _gathered(rows: bytes, places: Sequence[int], size: int) -> bytearray:
    """The bytes at these places of each row, row after row."""
    packed = bytearray(len(rows) // size * len(places))
    for index, place in enumerate(places):
        packed[index :: len(places)] = rows[place::size]
    return packed
