"""Rows in msgpack whose forms repeat, made into columns without an object for each value.

A row of numbers and of texts of one length has the same bytes before each value: they say its type
and length. Where they are equal in all rows, the values are at places that can be computed. The
rows of several meters that are read in turn have a form for each meter.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload, override

import pyarrow as pa

NIL = 0xC0
TEXT_8 = 0xD9
SHORT_TEXTS = range(0xA0, 0xC0)
NUMBERS = {0xCB: pa.float64(), 0xD3: pa.int64()}
# fewer are left to the decoder of single values
FEWEST_ROWS = 16
# of meters that are read in turn
MOST_FORMS = 8
Row = tuple[object, ...]


@dataclass(frozen=True)
class _Value:
    """Where a value is in the bytes of a row. `kind` is the byte that begins it."""

    kind: int
    begin: int
    end: int


class UniformRows(Sequence[Row]):
    """Rows whose forms repeat. `columns` are Arrow arrays of int64, double, string or null."""

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


@dataclass(frozen=True)
class _Turn:
    """Rows that follow each other, the values of each, and the bytes that they take."""

    forms: tuple[Sequence[_Value], ...]
    size: int

    def rows(self, form: int, count: int) -> int:
        """How many of `count` rows have that form."""
        return (count - form + len(self.forms) - 1) // len(self.forms)

    def bytes_of(self, count: int) -> int:
        """The bytes of `count` rows."""
        turns, others = divmod(count, len(self.forms))
        if not others:
            return turns * self.size
        return turns * self.size + self.forms[others - 1][-1].end


def uniform_rows(content: bytes, count: int, width: int) -> tuple[UniformRows, int] | None:
    """The `count` rows at the beginning of the content, and how many bytes they take.

    None if they are few, if their forms do not repeat, or if there are other values than doubles,
    64-bit integers, text and nil. It is proven that each byte that says a type or a length is the
    same in all rows of a form, and that text is UTF-8: a decoder would find the same values one by
    one.
    """
    if count < FEWEST_ROWS:
        return None
    for turn in _turns(content, width):
        rows = content[: turn.bytes_of(count)]
        if len(rows) == turn.bytes_of(count) and _repeats(rows, turn):
            columns = _columns(rows, turn, count)
            if columns is None:
                return None
            return UniformRows(columns, count), len(rows)
    return None


def _turns(content: bytes, width: int) -> Iterator[_Turn]:
    """The first row, the first two, and so on, while they have values of known types."""
    forms: list[Sequence[_Value]] = []
    place = 0
    while len(forms) < MOST_FORMS:
        values = _values(content, place, width)
        if not values:
            return
        forms.append(values)
        place = values[-1].end
        yield _Turn(tuple(forms), place)


def _values(content: bytes, place: int, width: int) -> list[_Value]:
    """The values of the row there; none if it has another width, or values of other types."""
    header = _row_header(width)
    if not content.startswith(header, place):
        return []
    values: list[_Value] = []
    place += len(header)
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


def _repeats(rows: bytes, turn: _Turn) -> bool:
    """Whether all bytes outside the values are in each turn as they are in the first."""
    inside: set[int] = set()
    for values in turn.forms:
        for value in values:
            inside.update(range(value.begin, value.end))
    for place in range(turn.size):
        if place not in inside and not _is_same(rows[place :: turn.size]):
            return False
    return True


def _is_same(column: bytes) -> bool:
    return column.count(column[:1]) == len(column)


def _columns(rows: bytes, turn: _Turn, count: int) -> list[pa.Array] | None:
    """The columns; None if text is no UTF-8, or if numbers of a column are of two types."""
    parts = []
    try:
        for form, values in enumerate(turn.forms):
            of_form = turn.rows(form, count)
            parts.append([_column(rows, value, turn.size, of_form) for value in values])
    except (UnicodeDecodeError, pa.ArrowInvalid):
        return None
    if len(parts) == 1:
        return parts[0]
    columns = list(zip(*parts, strict=True))
    if any(len(_kinds(column)) > 1 for column in columns):
        return None
    order = _order(turn, count)
    return [_joined(column, order) for column in columns]


def _kinds(arrays: Sequence[pa.Array]) -> set[pa.DataType]:
    """The types of the arrays but for those that hold nothing."""
    return {array.type for array in arrays} - {pa.null()}


def _order(turn: _Turn, count: int) -> pa.Array:
    """Where each row is once those of the first form are followed by those of the second, ..."""
    places = [0] * count
    begin = 0
    for form in range(len(turn.forms)):
        end = begin + turn.rows(form, count)
        places[form :: len(turn.forms)] = range(begin, end)
        begin = end
    return pa.array(places, pa.int64())


def _joined(arrays: Sequence[pa.Array], order: pa.Array) -> pa.Array:
    [kind] = _kinds(arrays) or [pa.null()]
    return pa.concat_arrays([array.cast(kind) for array in arrays]).take(order)


def _column(rows: bytes, value: _Value, size: int, count: int) -> pa.Array:
    """The values of one form. UnicodeDecodeError or ArrowInvalid for text that is no UTF-8."""
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
    return pa.Array.from_buffers(kind, len(packed) // len(places), [None, pa.py_buffer(packed)])


def _texts(rows: bytes, places: range, size: int) -> pa.Array:
    packed = _gathered(rows, places, size)
    ends = range(0, len(packed) + 1, len(places))
    offsets = pa.array(ends, pa.int32()).buffers()[1]
    buffers = [None, offsets, pa.py_buffer(packed)]
    texts = pa.Array.from_buffers(pa.string(), len(packed) // len(places), buffers)
    texts.validate(full=True)
    return texts


def _gathered(rows: bytes, places: Sequence[int], size: int) -> bytearray:
    """The bytes at these places of each row, row after row."""
    count = len(range(places[-1], len(rows), size))
    packed = bytearray(count * len(places))
    for index, place in enumerate(places):
        packed[index :: len(places)] = rows[place::size]
    return packed
