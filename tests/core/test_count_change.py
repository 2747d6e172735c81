"""What the source has more or fewer of, as the night, verify and the repeated reads tell it."""

import pytest

from homeiot_batch.core.count_change import CountChange

Told = tuple[bool, bool, str]


@pytest.mark.parametrize(
    ("now", "archived", "told"),
    [
        ({"a": 1, "b": 2}, {"a": 1, "b": 2}, (False, False, "")),
        ({"a": 3, "b": 2}, {"a": 1, "b": 2}, (True, False, "a +2")),
        ({"a": 0, "b": 2}, {"a": 1, "b": 2}, (False, True, "a -1")),
        ({"a": 3, "b": 0}, {"a": 1, "b": 2}, (True, True, "a +2, b -2")),
        # a field that was declared after the day was archived
        ({"a": 1, "b": 2}, {"a": 1}, (True, False, "b +2")),
        ({"a": 1, "b": 0}, {"a": 1}, (False, False, "")),
        # one that is declared no more, of which the source is not asked
        ({"a": 1}, {"a": 1, "b": 2}, (False, False, "")),
        ({}, {}, (False, False, "")),
    ],
)
def test_more_and_fewer(now: dict[str, int], archived: dict[str, int], told: Told) -> None:
    """Each field by itself: more of one does not make up for fewer of another."""
    change = CountChange(now, archived)
    assert (change.has_more, change.has_fewer, change.listed()) == told


def test_counts_beside_the_archived_ones() -> None:
    """Of all fields, or of those that the source has fewer of."""
    change = CountChange({"a": 1, "b": 0, "c": 3}, {"a": 2, "c": 3})
    assert change.beside_archived(change.now) == "a 1 of 2, b 0 of 0, c 3 of 3"
    assert change.beside_archived(change.fewer) == "a 1 of 2"
    assert change.beside_archived([]) == ""
