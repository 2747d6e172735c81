"""Headers and spans of an export."""

from pathlib import Path

import pytest

from homeiot_batch.sources.exports.sections import SECOND_NS, Section, holes, union


def test_spans_that_touch_or_overlap_are_one() -> None:
    """In any order. Empty ones count for nothing."""
    assert union([(5, 9), (0, 2), (2, 4), (6, 7), (8, 12), (20, 20)]) == [(0, 4), (5, 12)]


@pytest.mark.parametrize(
    ("spans", "missing"),
    [
        ([], [(10, 20)]),
        ([(0, 30)], []),
        ([(0, 10), (20, 30)], [(10, 20)]),
        ([(0, 12), (18, 30)], [(12, 18)]),
        ([(12, 14), (15, 20)], [(10, 12), (14, 15)]),
        ([(0, 5), (25, 30)], [(10, 20)]),
        ([(10, 19)], [(19, 20)]),
    ],
)
def test_holes_are_what_no_span_covers(
    spans: list[tuple[int, int]], missing: list[tuple[int, int]]
) -> None:
    """Of the range 10 to 20, whatever lies before and after it."""
    assert holes(spans, 10, 20) == missing


def test_bounds_are_read_in_the_zone_that_they_name() -> None:
    """An end reaches to the end of its second. The tool's lowest and highest time are no bounds."""
    section = Section(Path("a"), 0)
    found = section.read_comment(
        "# INFLUXDB EXPORT: 2026-11-09T00:00:00+09:00 - 2026-11-09T15:00:00Z"
    )
    assert (found.has_header, found.begin, found.end) == (
        True,
        1794150000 * SECOND_NS,
        1794236401 * SECOND_NS,
    )
    for open_bounds in (
        "1677-09-21T00:12:43Z - 2262-04-11T23:47:16Z",
        "1677-09-21T09:31:42+09:18 - 2262-04-12T08:47:16+09:00",
    ):
        found = section.read_comment(f"# INFLUXDB EXPORT: {open_bounds}")
        assert (found.has_header, found.begin, found.end) == (True, None, None)


@pytest.mark.parametrize("bounds", ["2026 - 2027", "2026-11-09 - 2026-11-10", "now - later"])
def test_a_header_that_says_no_times_is_none(bounds: str) -> None:
    """Written by hand."""
    found = Section(Path("a"), 0).read_comment(f"# INFLUXDB EXPORT: {bounds}")
    assert (found.has_header, found.begin, found.end) == (False, None, None)
