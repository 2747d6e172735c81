"""Rows of one form become the columns that a decoder finds value by value, or are left to it."""

from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from homeiot_batch.sources.influxdb.uniform_rows import FEWEST_ROWS, UniformRows, uniform_rows
from homeiot_batch.sources.influxdb.untrusted_msgpack import _unpacker, unpacked
from tests.sources.influxdb.packing import Row, document

TIME = 1762614000000000000


def values(content: dict[str, Any]) -> Any:
    """The rows of a document of one series."""
    return content["results"][0]["series"][0]["values"]


def plain(content: Any) -> Any:
    """The content with plain lists of rows, to be compared."""
    if isinstance(content, dict):
        return {key: plain(value) for key, value in content.items()}
    if isinstance(content, list | tuple | UniformRows):
        return [plain(value) for value in content]
    return content


def outcome(decode: Callable[[], object]) -> str:
    """What is found, each value as Python writes it; "refused" for a ValueError."""
    try:
        return repr(plain(decode()))
    except ValueError:
        return "refused"


def by_value(content: bytes) -> list[Any]:
    """The documents as a decoder finds them value by value; ValueError if there are others."""
    decoder = _unpacker()
    decoder.feed(content)
    found = []
    end = 0
    for entry in decoder:
        found.append(entry)
        end = decoder.tell()
    if end != len(content) or not all(isinstance(entry, dict) for entry in found):
        raise ValueError("no documents")
    return found


def rows_of(count: int) -> list[Row]:
    """Rows of all types that can have one form."""
    return [
        (TIME + second, second / 7, -second, None, "meter1", f"{second:04}", "é居", "")
        for second in range(count)
    ]


def test_rows_of_one_form_are_columns() -> None:
    """Each type, read as it is: bit by bit, in its order."""
    rows = rows_of(10_000)
    found: Any = next(unpacked([document(rows)]))
    columns = values(found).columns
    assert isinstance(values(found), UniformRows)
    kinds = [pa.int64(), pa.float64(), pa.int64(), pa.null(), *[pa.string()] * 4]
    assert [column.type for column in columns] == kinds
    assert list(zip(*(column.to_pylist() for column in columns), strict=True)) == rows
    assert [len(values(found)), values(found)[-1], values(found)[2:4]] == [
        10_000,
        rows[-1],
        rows[2:4],
    ]
    assert found["results"][0]["series"][0]["partial"] is True


def test_a_row_of_many_values() -> None:
    """Also with a longer header, and texts of more than 31 bytes."""
    rows = [(TIME + second, *[second / 3] * 20, "x" * 200) for second in range(100)]
    [found] = unpacked([document(rows)])
    assert isinstance(values(found), UniformRows)
    assert list(values(found)) == rows


@pytest.mark.parametrize("count", [999, 1_000, 1_001])
def test_meters_that_are_read_in_turn(count: int) -> None:
    """Each has a form of its own; the last turn may be cut off."""
    rows: list[Row] = []
    for turn in range(count):
        rows.append((TIME + turn, turn / 7, 1.5, "main"))
        rows.append((TIME + turn, turn / 3, None, "solar"))
        rows.append((TIME + turn, None, -turn / 9, None))
    rows = rows[:count]
    found: Any = next(unpacked([document(rows)]))
    kinds = [pa.int64(), pa.float64(), pa.float64(), pa.string()]
    assert [column.type for column in values(found).columns] == kinds
    assert list(values(found)) == rows


ODD: dict[str, Callable[[list[Row]], list[Row]]] = {
    "few": lambda rows: rows[: FEWEST_ROWS - 1],
    "a longer text": lambda rows: [*rows[:-1], (*rows[-1][:4], "meter10", *rows[-1][5:])],
    "a number that is missing": lambda rows: [*rows[:-1], (TIME, None, *rows[-1][2:])],
    "a number that is there": lambda rows: [*rows[:-1], (*rows[-1][:3], 1.5, *rows[-1][4:])],
    "an integer for a float": lambda rows: [*rows[:-1], (TIME, 1, *rows[-1][2:])],
    "a row with less": lambda rows: [*rows[:-1], rows[-1][:-1]],
    "a row with more": lambda rows: [*rows[:-1], (*rows[-1], 1.0)],
    "truth": lambda rows: [(*row, True) for row in rows],
    "arrays": lambda rows: [(*row, [1.5]) for row in rows],
    "no values": lambda rows: [() for _ in rows],
}


@pytest.mark.parametrize("kind", ODD)
def test_rows_that_are_left_to_the_decoder(kind: str) -> None:
    """A row of another form, or a value of another type, is found like all others."""
    rows = ODD[kind](rows_of(40))
    [found] = unpacked([document(rows)])
    assert not isinstance(values(found), UniformRows)
    assert plain(values(found)) == plain(rows)


def test_text_that_is_no_utf_8_is_left_to_the_decoder() -> None:
    """Once in a row, and in all rows."""
    content = document([(TIME + second, f"{second:04}", "meter1") for second in range(99)])
    for wrong in (
        content.replace(b"0042", b"00\xff2"),
        content.replace(b"meter", b"m\xed\xa0\x80r"),
    ):
        [found] = unpacked([wrong])
        assert not isinstance(values(found), UniformRows)
        assert plain([found]) == plain(by_value(wrong))


def test_other_documents_are_left_to_the_decoder() -> None:
    """Two series, an error beside rows, a name that looks like rows."""
    content = document(rows_of(50))
    two = content.replace(b"\xa6series\x91", b"\xa6series\x92") + content[content.index(b"\x84") :]
    name = document(rows_of(50), name2=b"\xa6values\xdc\x00\x20")
    for text in (two, name, content.replace(b"\xa7columns", b"\xa7rowrows")):
        assert plain(list(unpacked([text]))) == plain(by_value(text))


KINDS = st.sampled_from(
    [
        st.floats(),
        st.integers(-(2**63), 2**63 - 1),
        st.none(),
        st.text("aé居⚡\x00", min_size=2, max_size=2),
        st.sampled_from([1.5, None, "x", True]),
    ]
)


@given(
    st.integers(1, 4).flatmap(
        lambda width: st.lists(st.lists(KINDS, min_size=width, max_size=width), min_size=1)
    ),
    st.integers(1, 40),
    st.data(),
)
@settings(deadline=None)
def test_any_rows_are_what_the_decoder_finds(
    forms: list[list[st.SearchStrategy[object]]], count: int, data: st.DataObject
) -> None:
    """Whatever the values are, and whichever byte is another: equal, or refused by both."""
    rows = []
    for number in range(count):
        kinds = forms[number % len(forms)]
        rows.append([data.draw(kind) for kind in kinds])
    content = document(rows)
    assert outcome(lambda: list(unpacked([content]))) == outcome(lambda: by_value(content))
    place = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.binary(min_size=1, max_size=1))
    wrong = content[:place] + byte + content[place + 1 :]
    assert outcome(lambda: list(unpacked([wrong]))) == outcome(lambda: by_value(wrong))


@given(st.binary(max_size=400), st.integers(0, 50), st.integers(0, 20))
def test_junk_is_not_rows(content: bytes, count: int, width: int) -> None:
    """Bytes of no form are None, and no error."""
    found = uniform_rows(content, count, width)
    if found is not None:
        rows, size = found
        assert (len(rows), len(rows.columns), size <= len(content)) == (count, width, True)
