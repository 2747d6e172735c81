"""Meters that are declared in config.yaml: from their series to the tables, by the real dbt."""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from homeiot_batch.core.days import LocalDay
from tests.dbt.declared import DeclaredArchive
from tests.dbt.meters import Archive, readings_of
from tests.dbt.test_incremental import assert_as_if_built_anew

pytestmark = pytest.mark.usefixtures("clean_environment")

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
FIRST = date(2026, 10, 24)  # on the 25th the clocks go back
DAYS = 4
BORN = datetime(2026, 10, 24, 10)  # UTC
DEAD = datetime(2026, 10, 25, 9)  # UTC, 10:00 in Amsterdam
DATASETS: dict[str, Any] = {
    # a smart meter with two tariffs, in Wh, and the power of three phases
    "p1": {
        "measurement": "dsmr",
        "fields": {
            "day_wh": "integer",
            "night_wh": "integer",
            "back_wh": "integer",
            "l1": "double",
            "l2": "double",
            "l3": "double",
        },
    },
    # pulses, of which 50 are a kWh, of two devices
    "pulses": {
        "measurement": "count",
        "tags": {"device": "none"},
        "fields": {"value": "double", "note": "string"},
    },
}
METERS: dict[str, Any] = {
    "house": {
        "kind": "grid",
        "name": "The house",
        "import": [
            {"dataset": "p1", "field": "day_wh", "unit": "Wh"},
            {"dataset": "p1", "field": "night_wh", "unit": "Wh"},
        ],
        "export": {"dataset": "p1", "field": "back_wh", "unit": "Wh"},
        "power": [{"dataset": "p1", "field": f"l{phase}"} for phase in (1, 2, 3)],
    },
    "pump": {
        "kind": "load",
        "import": {"dataset": "pulses", "where": {"device": "pump"}, "factor": 0.02},
        "max_power_kw": 8,
    },
}


def quarters(first: date, days: int) -> Iterator[datetime]:
    """The begins of the quarters of an hour of local days, UTC without zone."""
    start = LocalDay(first, AMSTERDAM).start
    end = LocalDay(first + timedelta(days=days - 1), AMSTERDAM).end
    at = start.astimezone(UTC).replace(tzinfo=None)
    while at < end.astimezone(UTC).replace(tzinfo=None):
        yield at
        at += timedelta(minutes=15)


def is_night(at: datetime) -> bool:
    """Whether the low tariff holds: from 23:00 to 7:00 local time."""
    return (at.replace(tzinfo=UTC).astimezone(AMSTERDAM).hour + 1) % 24 < 8


def wh(at: datetime) -> int:
    """What is bought in the quarter that begins there: another value in each hour."""
    return 100 + 4 * at.hour + at.day


def smart_meter(*, dies: bool = False) -> Iterator[tuple[Any, ...]]:
    """Four days, a point every quarter of an hour. Nothing is sold but at noon UTC.

    With `dies`, what it bought at night is told from `BORN` on, and from `DEAD` on no more.
    """
    day, night, back = 5_000_000, 7_000_000, 1_000_000
    for at in quarters(FIRST, DAYS):
        has_night = BORN <= at < DEAD or not dies
        yield at, day, night if has_night else None, back, 100.0, 200.0, 300.0 + at.hour
        day += 0 if is_night(at) else wh(at)
        night += wh(at) if is_night(at) else 0
        back += 50 if at.hour == 12 else 0


def pulses() -> Iterator[tuple[Any, ...]]:
    """The pump's points, 25 pulses a quarter of an hour, and those of another device."""
    for number, at in enumerate(quarters(FIRST, DAYS)):
        yield at, "pump", 1000.0 + 25 * number, "on"
        yield at, "other", 9000.0 - number, None


def archive(tmp_path: Path, *, dies: bool = False) -> DeclaredArchive:
    """The house with its points, not built yet."""
    found = DeclaredArchive(tmp_path / "home.duckdb", AMSTERDAM, DATASETS, METERS)
    found.points("p1", smart_meter(dies=dies))
    found.points("pulses", pulses())
    return found


def true_hours() -> dict[datetime, tuple[float, float]]:
    """What is bought and sold by hour in kWh, computed without the program.

    The last hour is not over.
    """
    found: dict[datetime, tuple[float, float]] = {}
    *known, _ = quarters(FIRST, DAYS)
    for at in known:
        hour = at.replace(minute=0)
        bought, sold = found.get(hour, (0.0, 0.0))
        found[hour] = (bought + wh(at) / 1000, sold + 0.05 * (at.hour == 12))
    return found


HOURS = """
SELECT hour_start_utc, import_kwh, export_kwh, net_kwh FROM fct_hourly_energy
WHERE source = ? ORDER BY 1
"""
DAILY = """
SELECT date_jst, daily_energy_kwh, import_kwh, export_kwh, peak_w, coverage, longest_gap_s,
    is_complete
FROM fct_daily_energy WHERE source = ? ORDER BY 1
"""


@pytest.mark.slow
def test_two_tariffs_wh_phases_and_a_factor(tmp_path: Path) -> None:
    """Every hour and day is what flowed. The last hour is NULL: a quarter of it is not known."""
    house = archive(tmp_path)
    house.build()
    hours = true_hours()
    *known, last = hours.items()
    expected = [
        (hour, pytest.approx(bought), pytest.approx(sold), pytest.approx(bought - sold))
        for hour, (bought, sold) in known
    ]
    assert house.query(HOURS, "house") == [*expected, (last[0], None, None, None)]
    days = house.query(DAILY, "house")
    first = [bought for hour, (bought, _) in known if hour < datetime(2026, 10, 24, 22)]
    assert days[0] == (
        FIRST,
        pytest.approx(sum(first) - wh(datetime(2026, 10, 24, 21, 45)) / 1000),
        pytest.approx(sum(first)),
        pytest.approx(0.2),
        623.0,
        1.0,
        900.0,
        True,
    )
    assert [(day[0], day[-1]) for day in days] == [
        (FIRST + timedelta(days=number), True) for number in range(DAYS)
    ]
    pump = "SELECT sum(import_kwh), max(peak_w) FROM fct_daily_energy WHERE source = 'pump'"
    assert house.query(pump) == [
        (pytest.approx(0.5 * (len(list(quarters(FIRST, DAYS))) - 1)), None)
    ]
    assert house.query(
        "SELECT source, display_name, kind, max_power_kw, unit, has_power FROM dim_source "
        "ORDER BY source"
    ) == [
        ("house", "The house", "grid", 50.0, "kWh", True),
        ("pump", None, "load", 8.0, "kWh", False),
    ]


@pytest.mark.slow
def test_a_register_that_dies_leaves_the_sum_unknown(tmp_path: Path) -> None:
    """Before its first and from its last reading on no hour has an import. None is too small.

    The days on which it began and died are incomplete, and so are those after it.
    """
    house = archive(tmp_path, dies=True)
    house.build()
    hours = true_hours()
    found = {hour: bought for hour, bought, _, _ in house.query(HOURS, "house")}
    last = DEAD - timedelta(hours=1)
    assert found == {
        hour: pytest.approx(bought) if BORN <= hour < last else None
        for hour, (bought, _) in hours.items()
    }
    midnight = datetime(2026, 10, 24, 22)
    begun = sum(hours[hour][0] for hour in hours if BORN <= hour < midnight)
    whole = sum(hours[hour][0] for hour in hours if midnight <= hour < last)
    days = house.query(
        "SELECT date_jst, import_kwh, net_kwh, is_complete FROM fct_daily_energy "
        "WHERE source = 'house' ORDER BY 1"
    )
    assert [(day, bought, complete) for day, bought, _, complete in days] == [
        (date(2026, 10, 24), pytest.approx(begun), False),
        (date(2026, 10, 25), pytest.approx(whole), False),
        (date(2026, 10, 26), None, False),
        (date(2026, 10, 27), None, False),
    ]
    assert [net for _, _, net, _ in days[2:]] == [None, None]


@pytest.mark.slow
def test_a_changed_declaration_is_in_the_next_build(tmp_path: Path) -> None:
    """A factor and a register less, as if built anew. Then a meter less, whose rows go."""
    house = archive(tmp_path)
    house.dbt("run")
    pump = "SELECT sum(import_kwh) FROM fct_daily_energy WHERE source = 'pump'"
    [(before,)] = house.query(pump)
    pulse = METERS["pump"]["import"]
    house.meters = METERS | {
        "house": METERS["house"] | {"import": METERS["house"]["import"][:1]},
        "pump": METERS["pump"] | {"import": pulse | {"factor": 0.01}},
    }
    assert_as_if_built_anew(house)
    assert house.query(pump) == [(pytest.approx(before / 2),)]
    assert house.query("SELECT max(register) FROM int_counter_quarters") == [(1,)]
    del house.meters["pump"]
    house.dbt("run")
    for table in ("int_counter_judged", "int_counter_quarters", "fct_hourly_energy", "dim_source"):
        assert house.query(f"SELECT DISTINCT source FROM {table}") == [("house",)]


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1])
def test_nights_make_the_tables_of_a_full_build(seed: int, tmp_path: Path) -> None:
    """Days of two datasets come in any order, come again with other points, or go."""
    chance = random.Random(seed)
    house = archive(tmp_path)
    smart, pumped = list(smart_meter()), list(pulses())
    for day in range(DAYS):
        for dataset in ("p1", "pulses"):
            house.drop_points(dataset, FIRST + timedelta(days=day))
    for _ in range(3):
        for _ in range(4):
            day = FIRST + timedelta(days=chance.randrange(DAYS))
            times = set(quarters(day, 1))
            dataset, points = chance.choice([("p1", smart), ("pulses", pumped)])
            shown = [point for point in points if point[0] in times and chance.random() < 0.9]
            if chance.random() < 0.2:
                house.drop_points(dataset, day)
            else:
                house.points(dataset, shown)
        house.dbt("run")
    assert_as_if_built_anew(house)


@pytest.mark.slow
def test_tables_of_an_older_program_go_on(tmp_path: Path) -> None:
    """Its counters had no register. What was judged stays, and the next night adds its day."""
    house = Archive(tmp_path / "home.duckdb")
    house.load(readings_of("a", "2026-11-09T10:00 100\n2026-11-09T11:00 101", house.zone))
    house.dbt("run")
    built = "SELECT dt, load_id FROM rebuilt_days ORDER BY dt"
    before = house.query(built)
    with duckdb.connect(house.database) as connection:
        for table in ("int_counter_judged", "int_counter_quarters", "int_counter_days"):
            connection.execute(f"ALTER TABLE {table} DROP COLUMN register")
    house.dbt("run")
    assert house.query(built) == before
    house.load(readings_of("a", "2026-11-10T10:00 103\n2026-11-10T11:00 104", house.zone))
    house.dbt("run")
    days = "SELECT date_jst, import_kwh FROM fct_daily_energy ORDER BY 1"
    night = house.query(days)
    house.dbt("run", "--full-refresh")
    assert (night, len(night)) == (house.query(days), 2)
