"""Geometry: scales, gaps, bars and cells."""

import pytest

from homeiot_batch.report import charts
from homeiot_batch.report.charts import Scale


@pytest.mark.parametrize(
    ("highest", "lowest", "expected"),
    [
        (0.0, 0.0, Scale(1.0, 0.0, 0.5)),
        (8.82, 0.0, Scale(10.0, 0.0, 2.0)),
        (8.82, -23.5, Scale(10.0, 30.0, 10.0)),
        (0.0, -3.0, Scale(0.0, 3.0, 1.0)),
        (0.03, 0.0, Scale(0.03, 0.0, 0.01)),
        (1e-9, 0.0, Scale(1e-9, 0.0, 2e-10)),
        (123456.0, -1.0, Scale(125000.0, 25000.0, 25000.0)),
    ],
)
def test_a_scale_has_round_ticks_and_room_for_all(
    highest: float, lowest: float, expected: Scale
) -> None:
    """One scale up and down, also for nothing at all."""
    found = charts.scale(highest, lowest)
    assert (found.up, found.down, found.step) == pytest.approx(
        (expected.up, expected.down, expected.step)
    )
    assert 2 <= len(found.ticks) <= 8
    assert 0.0 in found.ticks
    assert found.percent(highest) >= 0
    assert found.percent(lowest) <= 100


def test_ticks_are_labelled_apart() -> None:
    """As many decimals as the step needs."""
    assert [
        scale.digits
        for scale in (Scale(10, 0, 2), Scale(10, 0, 2.5), Scale(0.05, 0, 0.01), Scale(1, 0, 0.25))
    ] == [0, 1, 2, 2]


SLOTS: list[charts.Slot] = [(0.0, 0.25, 1.0), (0.25, 0.5, None), (0.5, 0.75, 2.0), (0.75, 1.0, 2.0)]


def test_no_line_crosses_a_gap() -> None:
    """A closed subpath for each contiguous run, down to the zero line.

    Nothing is drawn between 250 and 500.
    """
    axis = Scale(2.0, 0.0, 1.0)
    assert charts.area(SLOTS, axis) == "M0 100V50H250V100ZM500 100V0H750V0H1000V100Z"
    assert charts.line(SLOTS, axis) == "M0 50V50H250M500 0V0H750V0H1000"
    assert (
        charts.area(SLOTS, Scale(0.0, 2.0, 1.0), -1) == "M0 0V50H250V0ZM500 0V100H750V100H1000V0Z"
    )
    assert charts.area([], axis) == ""


def test_holes_are_what_no_slot_covers() -> None:
    """Inside, at both ends, and all of it. Not what is no longer than asked for."""
    assert charts.gaps(SLOTS) == [(25.0, 25.0)]
    assert charts.gaps(SLOTS[1:3]) == [(0.0, 50.0), (75.0, 25.0)]
    assert charts.gaps(SLOTS[:1] + SLOTS[2:], least=0.25) == []
    assert charts.gaps([]) == [(0.0, 100.0)]


def test_a_bar_stands_on_the_line_and_nothing_on_a_missing_day() -> None:
    """Up and down on one scale. Zero and None have no bar."""
    axis = Scale(10.0, 10.0, 5.0)
    assert charts.bars([None, 0.0, 5.0, 10.0], axis) == [
        charts.Bar(2, "535", "180", "25", "25"),
        charts.Bar(3, "785", "180", "0", "50"),
    ]
    assert charts.bars([10.0], axis, -1) == [charts.Bar(0, "140", "720", "50", "50")]


def test_runs_of_days() -> None:
    """First and last of each."""
    assert charts.blocks([True, True, False, True]) == [(0, 1), (3, 3)]
    assert charts.blocks([]) == []


def test_cells_of_a_level_are_one_path_and_neighbours_one_rectangle() -> None:
    """None is left out: what lies behind shows through."""
    assert charts.cells([["a", "a", None], ["b", "a", "a"]]) == {
        "a": "M0 0h2v1h-2zM1 1h2v1h-2z",
        "b": "M0 1h1v1h-1z",
    }


def test_levels_run_from_zero_to_the_top() -> None:
    """An outlier does not make the rest pale. If all values are high, the range is theirs.

    Nothing but zeros is the lowest level.
    """
    values = [*(float(k) for k in range(100)), 1e6]
    assert charts.range_of_levels(values) == (0.0, 99.0)
    assert charts.range_of_levels([0.0, *(80.0 + k for k in range(20))]) == (81.0, 99.0)
    assert [charts.level(value, 0, 99) for value in (0, 16, 17, 99, 1e6)] == [0, 0, 1, 5, 5]
    assert [charts.level(value, 81, 99) for value in (0, 81, 84, 99)] == [0, 0, 1, 5]
    assert (
        charts.range_of_levels([0.0, None]),
        charts.level(0.0, 0.0, 0.0),
        charts.level(5.0, 5.0, 5.0),
    ) == ((0.0, 0.0), 0, 0)


def test_labels_are_spread() -> None:
    """Never more than asked for, the first among them."""
    assert charts.spread(list(range(90)), 7) == [0, 13, 26, 39, 52, 65, 78]
    assert charts.spread([1], 7) == [1]
    assert charts.spread([], 7) == []
