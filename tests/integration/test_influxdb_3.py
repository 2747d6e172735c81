"""The played InfluxDB 3 Core beside a real 1.6 that was fed with the same points."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from tests.integration.points import in_order, three_days
from tests.integration.servers import Influx1
from tests.sources.influxdb.influx3 import holding
from tests.sources.influxdb.reading import rows
from tests.sources.stub_server import serving


@pytest.mark.parametrize("version", ["3.6.0", "3.10.1"])
def test_the_same_rows_as_from_1_6(influx16: Influx1, dataset: Dataset, version: str) -> None:
    """Whole days, in one piece from 1.6 and in pieces from 3: equal rows."""
    points = [point for day in three_days() for point in day]
    name = f"as_{version.replace('.', '_')}"
    influx16.create(name)
    influx16.write(name, points)
    with serving(holding(points, version)) as (url, asked):
        for number in (9, 10, 11):
            day = LocalDay(date(2025, 11, number), ZoneInfo("Asia/Tokyo"))
            from_1 = rows(influx16.url, dataset, day, influx_bucket=name)
            from_3 = rows(url, dataset, day)
            assert len(from_1) > 150
            assert in_order(map(tuple, map(dict.values, from_3))) == in_order(
                map(tuple, map(dict.values, from_1))
            )
    assert len([question for question in asked if "count(" in question.query]) > 3 * 5
