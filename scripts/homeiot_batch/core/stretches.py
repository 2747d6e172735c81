"""Cuts a long time into stretches that fit into memory."""

from collections.abc import Iterator

ROWS_OF_A_STRETCH = 500_000


def stretches(first: int, last: int, rows: int) -> Iterator[tuple[int, int]]:
    """Begin and end of stretches with some 500,000 of the `rows` each, ascending.

    `first` and `last` are the times of the first and the last row, in one unit. The end of a
    stretch is not in it.
    """
    width = (last - first) // (rows // ROWS_OF_A_STRETCH + 1) + 1
    for begin in range(first, last + 1, width):
        yield begin, begin + width
