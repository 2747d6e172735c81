"""A run on InfluxDB 3 Core, whose documented answers are played."""

import pytest

from tests.house import House
from tests.integration.points import energies, in_order, rows, three_days
from tests.sources.influxdb.influx3 import holding
from tests.sources.stub_server import serving

DAYS = ("2025-11-09", "2025-11-11")


@pytest.mark.slow
def test_days_from_influxdb_3(house: House) -> None:
    """Each day in pieces below the server's limit: the readings, the tables, and no failure."""
    points = [point for day in three_days() for point in day]
    with serving(holding(points, "3.10.1")) as (url, asked):
        house.environment |= {"INFLUX_URL": url, "INFLUX_BUCKET": "home_energy"}
        outcome = house.snakemake("--config", f"start={DAYS[0]}", f"end={DAYS[1]}")
    assert (outcome.code, outcome.failures) == (0, []), outcome.stderr
    assert in_order(house.rows()) == in_order(rows(points, *DAYS))
    assert in_order(house.energy()) == in_order(energies(points, *DAYS))
    assert len([question for question in asked if question.query.startswith('SELECT "')]) == 21
