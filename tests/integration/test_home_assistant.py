"""Home Assistant's schema on real servers, against an independent computation."""

from datetime import date

import pytest

from tests.home_assistant import TrueHouse
from tests.house import House
from tests.integration.servers import Influx1, Influx2
from tests.true_tables import archive, assert_tables


@pytest.mark.parametrize("server", ["1.6", "2.7"], indirect=True)
def test_two_weeks_of_a_server(server: Influx1 | Influx2, house: House) -> None:
    """As of an export: days, hours and balance are the true energy, and a dead sensor is found."""
    true = TrueHouse(date(2026, 10, 18))
    server.create("true_house")
    server.write_lines("true_house", "\n".join(true.lines()).encode())
    house.environment |= server.environment("true_house")
    archive(house, true)
    assert_tables(house, true)
