"""Archives the house of Home Assistant, and holds its tables against the true energy."""

from datetime import timedelta
from typing import Any

import pytest
import yaml

from tests.dbt.test_balance import allocated
from tests.home_assistant import BERLIN, DATASETS, DAYS, DIES_AT, METERS, TrueHouse, TrueTables
from tests.house import House, Outcome

EXACT_KWH = 1e-6
HOURS = """
SELECT hour_start_utc, source, import_kwh, export_kwh, estimated_kwh
FROM fct_hourly_energy ORDER BY 1, 2
"""
DAILY = """
SELECT date_jst, source, import_kwh, export_kwh, estimated_kwh, reset_count, is_complete
FROM fct_daily_energy ORDER BY 1, 2
"""
FLOWS = """
    imported_kwh, exported_kwh, produced_kwh, charged_kwh, discharged_kwh, consumed_kwh,
    grid_to_house_kwh, solar_to_house_kwh, battery_to_house_kwh, grid_to_battery_kwh,
    solar_to_battery_kwh, solar_to_grid_kwh, battery_to_grid_kwh, is_complete
"""


def archive(house: House, true: TrueHouse) -> Outcome:
    """Declare the meters, and run a night that asks for all days."""
    house.own.mkdir(parents=True, exist_ok=True)
    content = {"datasets": DATASETS, "meters": METERS}
    (house.own / "config.yaml").write_text(yaml.safe_dump(content, sort_keys=False))
    last = true.first + timedelta(days=DAYS - 1)
    night = (true.times[-1] + timedelta(minutes=20)).isoformat()
    days = (f"start={true.first}", f"end={last}", f"now={night}")
    run = house.snakemake("--config", *days, TZ="Europe/Berlin")
    assert run.code == 0, run.stderr
    return run


def assert_tables(house: House, true: TrueHouse) -> None:
    """All rows of days and hours of the meters and of the balance, and what is silent."""
    tables = TrueTables(true)
    assert house.query(HOURS) == exact(tables.hours())
    assert house.query(DAILY) == exact(tables.days())
    _assert_balance(house, tables)
    silent = true.at(DIES_AT).astimezone(BERLIN).replace(tzinfo=None) + timedelta(minutes=15)
    assert house.query(
        "SELECT source, reports, silent_since_jst FROM dim_source ORDER BY source"
    ) == [
        ("battery", "on_change", None),
        ("car", "on_change", None),
        ("heat_pump", "on_change", silent),
        ("house", "on_change", None),
        ("roof", "on_change", None),
    ]


def _assert_balance(house: House, tables: TrueTables) -> None:
    rows = [
        (hour, *parts, *allocated(parts), is_complete)
        for hour, *parts, is_complete in tables.balance_hours()
    ]
    found = house.query(f"SELECT hour_start_utc, {FLOWS} FROM fct_hourly_balance ORDER BY 1")
    assert found == exact(rows)


def exact(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The same, where a number of kWh may be off by a thousandth of a Wh."""
    return [tuple(map(_exact, row)) for row in rows]


def _exact(value: object) -> object:
    if isinstance(value, float):
        return pytest.approx(value, abs=EXACT_KWH)
    return value
