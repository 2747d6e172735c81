"""The soak's own checks fail when they should."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.house import Checkout
from tests.integration.points import Point, Row, at
from tests.soak.inspector import COLUMNS, DATASET, Inspector
from tests.soak.model import Day, Ledger

DAY = date(2026, 10, 2)


def reading(minute: int, power: float) -> Point:
    """A reading of the main meter in the day's first hour."""
    return Point(
        at(f"{DAY}T00:{minute:02}"),
        {"instant_power_w": power, "energy_import_kwh": 1.0 + minute},
        {"source": "main"},
    )


@pytest.fixture
def day() -> Day:
    """A day with two points, then a late one, then a corrected value."""
    day = Day(DAY, "Asia/Tokyo")
    for points in ([reading(0, 10.0), reading(1, 11.0)], [reading(2, 12.0)], [reading(1, 99.0)]):
        day.write(points)
    return day


def test_a_state_of_the_server_is_known(day: Day) -> None:
    """Each state that the server was in is told by its rows."""
    assert [day.version(version) for version in day.versions] == [0, 1, 2]
    assert [row[3] for row in day.versions[2]] == [10.0, 99.0, 12.0]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda rows: rows[:1], "2 lost, 0 others, 0 doubled"),
        (lambda rows: [*rows, rows[0]], "0 lost, 0 others, 1 doubled"),
        (
            lambda rows: [*rows[:2], (*rows[2][:3], 0.0, *rows[2][4:])],
            "1 lost, 1 others, 0 doubled",
        ),
        (lambda rows: [], "3 lost"),
    ],
    ids=["halved", "doubled", "changed", "empty"],
)
def test_anything_else_is_not(day: Day, spoil: Callable[[list[Row]], list[Row]], said: str) -> None:
    """A day that is halved, doubled, changed or empty is told from every state of the server."""
    with pytest.raises(AssertionError, match=said):
        day.version(sorted(spoil(list(day.versions[2]))))


def test_a_day_does_not_go_back(day: Day) -> None:
    """A whole day of an earlier state is a loss where a later one was."""
    assert day.not_older(day.versions[1], 1, "the archive") == 1
    with pytest.raises(
        AssertionError, match="2026-10-02 in the archive went back from state 1 to 0"
    ):
        day.not_older(day.versions[0], 1, "the archive")


def test_what_was_forgotten_unread_is_counted(day: Day) -> None:
    """A day that nobody has read may be empty.

    Of one that was read before its last points only these count.
    """
    never = Day(DAY, "Asia/Tokyo", list(day.points), list(day.versions))
    day.kept = 1
    assert (day.unread(), never.unread()) == (0, 0)
    day.drop()
    never.drop()
    assert (day.unread(), never.unread(), never.version([])) == (1, 3, 3)


def test_a_lost_day_is_noticed(tmp_path: Path) -> None:
    """A day that was in place, and is now neither there nor in staging, is lost.

    Whole in staging it is not.
    """
    ledger, house = Ledger("Asia/Tokyo"), Checkout(tmp_path)
    inspector = Inspector(house, ledger)
    ledger.write([reading(0, 10.0)])
    place, staged = (
        folder / DATASET / f"dt={DAY}" for folder in (house.parquet, house.parquet / ".staging")
    )
    place.mkdir(parents=True)
    rows = [
        dict(zip(COLUMNS.split(", "), row, strict=True)) for row in ledger.days[DAY].versions[0]
    ]
    pq.write_table(pa.Table.from_pylist(rows), place / "part-0.parquet")
    inspector.check()
    staged.parent.mkdir(parents=True)
    place.rename(staged)
    inspector.check()
    staged.rename(tmp_path / "elsewhere")
    with pytest.raises(AssertionError, match="2026-10-02 is lost"):
        inspector.check()
