"""Meters without registers: the tables of their power, by the real dbt."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.dbt.declared import DeclaredArchive
from tests.dbt.test_incremental import assert_as_if_built_anew, price

pytestmark = [pytest.mark.usefixtures("clean_environment"), pytest.mark.slow]

DATASETS: dict[str, Any] = {
    "grid_power": {"measurement": "gridPower", "fields": {"value": "double"}},
    "phases": {"measurement": "wallbox", "fields": {"l1": "double", "l2": "double"}},
}
METERS: dict[str, Any] = {
    "grid": {"kind": "grid", "power": {"dataset": "grid_power", "unit": "kW"}},
    "car": {
        "kind": "load",
        "power": [{"dataset": "phases", "field": "l1"}, {"dataset": "phases", "field": "l2"}],
    },
}
BEGIN = datetime(2026, 11, 8, 15)  # UTC, the first day begins in Japan
FIRST, SECOND = date(2026, 11, 9), date(2026, 11, 10)


def points(first: int, last: int) -> Iterator[tuple[datetime, float]]:
    """A point every five minutes of two hours: 1 kW bought, then 0.5 kW sold, and so on.

    `first` and `last` are hours of the first day. From 12:00 to 15:00 of the second day is none.
    """
    for number in range(12 * first, 12 * last):
        hour = number // 12
        if not 36 <= hour < 39:
            yield BEGIN + timedelta(minutes=5 * number), -0.5 if hour % 2 else 1.0


def archive(tmp_path: Path) -> DeclaredArchive:
    """Two days of the grid, and one of the car, loaded."""
    found = DeclaredArchive(tmp_path / "home.duckdb", ZoneInfo("Asia/Tokyo"), DATASETS, METERS)
    found.points("grid_power", points(0, 48))
    found.points("phases", [(at, 1000.0, 500.0) for at, _ in points(0, 24)])
    return found


def test_energy_from_power(tmp_path: Path) -> None:
    """Hours of both directions, a gap that is unknown, and the sum of two phases.

    A day that is loaded later goes on from the night before it.
    """
    house = archive(tmp_path)
    house.drop_points("grid_power", SECOND)
    house.build()
    house.points("grid_power", points(24, 48))
    assert_as_if_built_anew(house)
    hours = house.query(
        "SELECT hour_start_utc, import_kwh, export_kwh, net_kwh FROM fct_hourly_energy "
        "WHERE source = 'grid' ORDER BY 1"
    )
    # the last reading before the gap holds for an hour, to 12:55
    expected: list[tuple[Any, ...]] = [
        (
            BEGIN + timedelta(hours=hour),
            *[pytest.approx(value) for value in ((0, 0.5, -0.5) if hour % 2 else (1, 0, 1))],
        )
        for hour in range(48)
    ]
    for hour in (36, 37, 38):
        expected[hour] = (BEGIN + timedelta(hours=hour), None, None, None)
    assert hours == expected
    assert house.query(
        "SELECT date_jst, daily_energy_kwh, import_kwh, export_kwh, peak_w, longest_gap_s, "
        "is_complete FROM fct_daily_energy WHERE source = 'grid' ORDER BY 1"
    ) == [
        (FIRST, None, pytest.approx(12), pytest.approx(6), 1000.0, 300.0, True),
        (SECOND, None, pytest.approx(10), pytest.approx(5.5), 1000.0, 11100.0, False),
    ]
    assert house.query(
        "SELECT date_jst, import_kwh, export_kwh, peak_w FROM fct_daily_energy WHERE source = 'car'"
    ) == [
        (FIRST, pytest.approx(36), pytest.approx(0), 1500.0),
        # it has no readings any more, while others go on
        (SECOND, None, None, None),
    ]
    assert house.query("SELECT source, energy_from, has_export FROM dim_source ORDER BY 1") == [
        ("car", "power", False),
        ("grid", "power", True),
    ]


def test_what_a_day_with_unknown_hours_costs(tmp_path: Path) -> None:
    """Its known hours have a price, as they have energy. Its net cost is not known."""
    house = archive(tmp_path)
    house.build()
    price(house, "grid", 30.0)
    assert_as_if_built_anew(house)
    costs = "SELECT date_jst, import_cost, net_cost, unpriced_kwh FROM fct_daily_cost ORDER BY 1"
    assert house.query(costs) == [
        (FIRST, pytest.approx(360), pytest.approx(360 - 8 * 6), 0.0),
        (SECOND, pytest.approx(300), None, 0.0),
    ]


def test_power_on_change(tmp_path: Path) -> None:
    """It is charged at noon for an hour, and is at 0 W all the rest. Both days are known.

    A device that died while it was at 0 W is named after 36 hours, and its days are unknown.
    """
    power = {"measurement": "W", "tags": {"entity": "none"}, "fields": {"value": "double"}}

    def meter(entity: str, reports: str) -> dict[str, Any]:
        series = {"dataset": "power", "where": {"entity": entity}}
        return {"kind": "load", "power": series, "reports": reports}

    meters = {name: meter(name, "on_change") for name in ("car", "dead")}
    meters["usual"] = meter("usual", "interval")
    house = DeclaredArchive(
        tmp_path / "home.duckdb", ZoneInfo("Asia/Tokyo"), {"power": power}, meters
    )
    charged = [(BEGIN + timedelta(hours=hour), "car", 2000.0) for hour in (12, 36)]
    idle = [(at + timedelta(hours=1), "car", 0.0) for at, *_ in charged]
    usual = [(BEGIN + timedelta(minutes=15 * n), "usual", 100.0) for n in range(192)]
    dead = [(BEGIN, "dead", 500.0), (BEGIN + timedelta(hours=1), "dead", 0.0)]
    house.points("power", [(BEGIN, "car", 0.0), *charged, *idle, *usual, *dead])
    house.build()
    assert house.query(
        "SELECT source, date_jst, import_kwh, coverage, is_complete FROM fct_daily_energy "
        "ORDER BY 1, 2"
    ) == [
        ("car", FIRST, pytest.approx(2), 1.0, True),
        ("car", SECOND, pytest.approx(2), 1.0, True),
        ("dead", FIRST, pytest.approx(0.5), pytest.approx(5 / 96), False),
        ("dead", SECOND, None, 0.0, False),
        ("usual", FIRST, pytest.approx(2.4), 1.0, True),
        ("usual", SECOND, pytest.approx(2.4), 1.0, True),
    ]
    assert house.query("SELECT source, reports, silent_since_jst FROM dim_source ORDER BY 1") == [
        ("car", "on_change", None),
        ("dead", "on_change", BEGIN + timedelta(hours=9 + 1, minutes=15)),
        ("usual", "interval", None),
    ]
