"""Meters that report on change: their days and hours, and the warning of a device that died."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from homeiot_batch.warehouse.counter_hints import new_hints, newest_hints
from tests.dbt.declared import DeclaredArchive
from tests.dbt.test_incremental import assert_as_if_built_anew

pytestmark = [pytest.mark.usefixtures("clean_environment"), pytest.mark.slow]

ENERGY = {"measurement": "kWh", "tags": {"entity_id": "none"}, "fields": {"value": "double"}}
BEGIN = datetime(2026, 11, 8, 15)  # UTC, the first day begins in Japan


def meter(entity: str, **settings: str) -> dict[str, Any]:
    """A load of one entity."""
    series = {"dataset": "energy", "where": {"entity_id": entity}}
    return {"kind": "load", "import": series} | settings


def points(
    entity: str, *, dies: float = 999, days: tuple[int, int] = (0, 3)
) -> Iterator[tuple[datetime, str, float]]:
    """Some days. 0.1 kWh more every ten minutes, but from 1:00 to 4:00 it stands still.

    It says nothing then, and nothing from the hour on in which it dies.
    """
    value = 100.0
    for number in range(days[1] * 144):
        if not 6 <= number % 144 < 24:
            value += 0.1
            if number < 6 * dies and number >= days[0] * 144:
                yield BEGIN + timedelta(minutes=10 * number), entity, round(value, 1)


def hints(house: DeclaredArchive) -> list[str]:
    """What a run warns of."""
    with duckdb.connect(house.database, read_only=True) as connection:
        return newest_hints(connection)[1]


def load(house: DeclaredArchive, day: date) -> None:
    """Record a day without points."""
    with duckdb.connect(house.database) as connection:
        row = ["energy", day, day.isoformat()]
        sql = "INSERT OR REPLACE INTO archive.loads (dataset, dt, load_id) VALUES (?, ?, ?)"
        connection.execute(sql, row)


DAYS = [date(2026, 11, 9) + timedelta(days=n) for n in range(5)]
DIED = 2 * 24 + 10
SHOWN = "SELECT date_jst, coverage, longest_gap_s, is_complete FROM fct_daily_energy"
NAMED = (
    "dead: its import counter has no readings after 2026-11-11 10:00:00; "
    "check whether the device works, or if it was taken out give its last day as `until`"
)


def test_complete_days_and_a_dead_device(tmp_path: Path) -> None:
    """A day with silence at night is complete, as is learned. By the usual rule it is not.

    The one that died at 10:00 is incomplete from that day on, and is named in each night.
    """
    meters = {"pump": meter("pump"), "dead": meter("dead"), "usual": meter("usual")}
    meters["usual"]["reports"] = "interval"
    house = DeclaredArchive(
        tmp_path / "home.duckdb", ZoneInfo("Asia/Tokyo"), {"energy": ENERGY}, meters
    )
    house.points("energy", [*points("pump"), *points("dead", dies=DIED), *points("usual")])
    house.build()
    assert house.query(f"{SHOWN} WHERE source = 'pump' ORDER BY 1") == [
        (day, 1.0, 600.0, True) for day in DAYS[:3]
    ]
    of_the_dead = [
        (DAYS[0], 1.0, 600.0, True),
        (DAYS[1], 1.0, 600.0, True),
        (DAYS[2], pytest.approx(40 / 96), 600.0, False),
    ]
    assert house.query(f"{SHOWN} WHERE source = 'dead' ORDER BY 1") == of_the_dead
    usual = house.query(f"{SHOWN} WHERE source = 'usual' ORDER BY 1")
    assert [row[1:] for row in usual] == [(pytest.approx(126 / 144), 11400.0, False)] * 3
    died = datetime(2026, 11, 11, 10)
    assert house.query("SELECT source, reports, silent_since_jst FROM dim_source ORDER BY 1") == [
        ("dead", "on_change", died),
        ("pump", "on_change", None),
        ("usual", "interval", None),
    ]
    assert hints(house) == [NAMED]

    span = (3, 4)  # a later night
    house.points("energy", [*points("pump", days=span), *points("usual", days=span)])
    house.build()
    of_the_dead.append((DAYS[3], 0.0, None, False))
    assert house.query(f"{SHOWN} WHERE source = 'dead' ORDER BY 1") == of_the_dead
    assert hints(house) == [NAMED]


def test_a_device_that_is_back_or_gone_is_not_named(tmp_path: Path) -> None:
    """It is back on the next day, is not declared any more, or was taken out.

    That one has no later days.
    """
    meters = {name: meter(name) for name in ("pump", "dead", "gone", "out")}
    house = DeclaredArchive(
        tmp_path / "home.duckdb", ZoneInfo("Asia/Tokyo"), {"energy": ENERGY}, meters
    )
    dying = [point for name in ("dead", "gone", "out") for point in points(name, dies=DIED)]
    house.points("energy", [*points("pump"), *dying])
    house.build()
    assert [line.split(":")[0] for line in hints(house)] == ["dead", "gone", "out"]
    meters["out"]["until"] = "2026-11-11"
    house.meters = {name: meters[name] for name in ("pump", "dead", "out")}
    house.points("energy", [*points("pump", days=(3, 4)), *points("dead", days=(3, 4))])
    house.build()
    assert hints(house) == []
    assert house.query(f"{SHOWN} WHERE source = 'out' ORDER BY 1") == [
        (DAYS[0], 1.0, 600.0, True),
        (DAYS[1], 1.0, 600.0, True),
        (DAYS[2], pytest.approx(40 / 96), 600.0, False),
    ]
    assert house.query("SELECT source, until_jst FROM dim_source WHERE until_jst IS NOT NULL") == [
        ("out", DAYS[2])
    ]


def test_all_are_silent(tmp_path: Path) -> None:
    """Days without a reading of any meter come, and yet each night names those that died."""
    meters = {"dead": meter("dead"), "usual": meter("usual", reports="interval")}
    house = DeclaredArchive(
        tmp_path / "home.duckdb", ZoneInfo("Asia/Tokyo"), {"energy": ENERGY}, meters
    )
    house.points("energy", [*points("dead", dies=60), *points("usual", dies=60)])
    house.build()
    assert hints(house) == []
    load(house, DAYS[3])
    house.build()
    found = [line.split(";")[0] for line in hints(house)]
    assert found == [
        "dead: its import counter has no readings after 2026-11-11 12:00:00",
        "usual: its import counter has no readings after 2026-11-11 12:00:00",
    ]
    record = tmp_path / "hints.json"
    for night in (3, 4):
        load(house, DAYS[night])
        assert len(new_hints(house.database, record, 0)) == 2
        assert new_hints(house.database, record, 0) == []


def test_what_is_learned_later_builds_all_days_again(tmp_path: Path) -> None:
    """After a day nothing is learned yet. What the second one shows holds for both."""
    house = DeclaredArchive(
        tmp_path / "home.duckdb",
        ZoneInfo("Asia/Tokyo"),
        {"energy": ENERGY},
        {"pump": meter("pump")},
    )
    complete = "SELECT count_if(is_complete), count(*) FROM fct_daily_energy"
    house.points("energy", list(points("pump"))[:40])
    house.dbt("run")
    assert house.query(complete) == [(0, 1)]
    house.points("energy", points("pump"))
    assert_as_if_built_anew(house)
    assert house.query(complete) == [(3, 3)]


def test_the_load_curve_of_a_counter_that_stands_still(tmp_path: Path) -> None:
    """A car is charged for an hour of the last day but one. Both days are known, in every quarter.

    Its last reading is at the begin of a quarter, in which it used nothing.
    """
    house = DeclaredArchive(
        tmp_path / "home.duckdb",
        ZoneInfo("Asia/Tokyo"),
        {"energy": ENERGY},
        {"pump": meter("pump"), "car": meter("car", reports="on_change")},
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
