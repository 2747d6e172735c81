"""Meters that report on change: their days and hours, and the warning of a device that died."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from homeiot_batch.warehouse.counter_hints import newest_hints
from tests.dbt.declared import DeclaredArchive

pytestmark = [pytest.mark.usefixtures("clean_environment"), pytest.mark.slow]

ENERGY = {"measurement": "kWh", "tags": {"entity_id": "none"}, "fields": {"value": "double"}}
BEGIN = datetime(2026, 11, 8, 15)  # UTC, the first day begins in Japan


def meter(entity: str, reports: str) -> dict[str, Any]:
    """A load of one entity."""
    series = {"dataset": "energy", "where": {"entity_id": entity}}
    return {"kind": "load", "import": series, "reports": reports}


def points(entity: str, dies: float = 99) -> Iterator[tuple[datetime, str, float]]:
    """Three days. 0.1 kWh more every ten minutes, but from 1:00 to 4:00 it stands still.

    It says nothing then, and nothing from the hour on in which it dies.
    """
    value = 100.0
    for number in range(3 * 144):
        if not 6 <= number % 144 < 24:
            value += 0.1
            if number < 6 * dies:
                yield BEGIN + timedelta(minutes=10 * number), entity, round(value, 1)


def test_complete_days_and_a_dead_device(tmp_path: Path) -> None:
    """A day with silence at night is complete. By the usual rule it is not.

    The one that died at 10:00 is incomplete from that day on, and is named.
    """
    meters = {
        "pump": meter("pump", "on_change"),
        "dead": meter("dead", "on_change"),
        "usual": meter("usual", "interval"),
    }
    house = DeclaredArchive(
        tmp_path / "home.duckdb", ZoneInfo("Asia/Tokyo"), {"energy": ENERGY}, meters
    )
    house.points("energy", [*points("pump"), *points("dead", 2 * 24 + 10), *points("usual")])
    house.build()
    days = [date(2026, 11, 9) + timedelta(days=n) for n in range(3)]
    shown = "SELECT date_jst, coverage, longest_gap_s, is_complete FROM fct_daily_energy"
    assert house.query(f"{shown} WHERE source = 'pump' ORDER BY 1") == [
        (day, 1.0, 600.0, True) for day in days
    ]
    assert house.query(f"{shown} WHERE source = 'dead' ORDER BY 1") == [
        (days[0], 1.0, 600.0, True),
        (days[1], 1.0, 600.0, True),
        (days[2], pytest.approx(40 / 96), 600.0, False),
    ]
    usual = house.query(f"{shown} WHERE source = 'usual' ORDER BY 1")
    assert [row[1:] for row in usual] == [(pytest.approx(126 / 144), 11400.0, False)] * 3
    assert house.query("SELECT source, reports FROM dim_source ORDER BY 1") == [
        ("dead", "on_change"),
        ("pump", "on_change"),
        ("usual", "interval"),
    ]
    with duckdb.connect(house.database, read_only=True) as connection:
        _, hints = newest_hints(connection)
    assert hints == [
        (
            "dead: the import counter has no readings after 2026-11-11 10:00:00, for longer than "
            "it may stand still, while other series go on; check whether the device works"
        )
    ]


def test_the_load_curve_of_a_counter_that_stands_still(tmp_path: Path) -> None:
    """A car is charged for an hour of the last day but one. Both days are known, in every quarter.

    Its last reading is at the begin of a quarter, in which it used nothing.
    """
    house = DeclaredArchive(
        tmp_path / "home.duckdb",
        ZoneInfo("Asia/Tokyo"),
        {"energy": ENERGY},
        {"pump": meter("pump", "on_change"), "car": meter("car", "on_change")},
    )
    noon = BEGIN + timedelta(hours=36)
    charged = [(noon + timedelta(minutes=n), "car", 7 + 0.05 * n) for n in range(61)]
    house.points("energy", [*points("pump"), (BEGIN, "car", 7.0), *charged])
    house.build()
    curve = (
        "SELECT quarter_utc, import_w, is_measured FROM fct_load_curve "
        "WHERE source = 'car' AND date_jst >= '2026-11-10' ORDER BY 1"
    )
    times = [BEGIN + timedelta(days=1, minutes=15 * n) for n in range(192)]
    while_charged = {noon + timedelta(minutes=15 * n) for n in range(4)}
    # the writer's last point is at 23:50
    assert house.query(curve) == [
        (at, pytest.approx(3000 if at in while_charged else 0), True) for at in times
    ]
