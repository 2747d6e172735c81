"""Home Assistant's schema from the export to the tables, against an independent computation."""

from datetime import date

import pytest

from tests.home_assistant import DIES_AT, TrueHouse
from tests.house import House
from tests.true_tables import archive, assert_tables


@pytest.mark.slow
@pytest.mark.parametrize("first", ["2026-03-22", "2026-10-18"])
def test_two_weeks_of_an_export(first: str, house: House) -> None:
    """With a change of the clocks, a reset, a swap, a gap over midnight and a dead sensor."""
    true = TrueHouse(date.fromisoformat(first))
    house.export(*true.lines())
    run = archive(house, true)
    assert_tables(house, true)
    day = true.at(DIES_AT).date()
    line = f"heat_pump: its import counter has no readings after {day} 05:15:00; check"
    assert line in run.stderr
