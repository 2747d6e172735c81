"""Nightly builds make the same tables as a full build.

Days are loaded, loaded again or taken away in any order.
"""

import math
import os
import random
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import zip_longest
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from homeiot_batch.core.days import LocalDay
from homeiot_batch.warehouse.tariffs import put_tariffs
from tests.dbt.meters import Archive, Reading, Row, readings_of

TABLES = [
    "int_counter_judged",
    "int_counter_steps",
    "int_counter_quarters",
    "int_counter_days",
    "int_daily_power",
    "fct_daily_energy",
    "fct_hourly_energy",
    "fct_daily_profile",
    "fct_load_curve",
    "fct_monthly_energy",
    "fct_daily_cost",
    "fct_hourly_balance",
    "fct_daily_balance",
    "fct_monthly_balance",
    "dim_source",
]
TABLE_NAMES = "SELECT table_name FROM duckdb_tables() ORDER BY ALL"
DAYS = 60
FIRST = date(2026, 2, 25)  # in Berlin, the clocks go forward on 29 March


def tables(archive: Archive) -> dict[str, list[Row]]:
    """Every row of every table, in the order of its first columns, which are its key."""
    return {table: archive.query(f"FROM {table} ORDER BY ALL") for table in TABLES}


def differing(built: list[Row], anew: list[Row]) -> list[tuple[Row | None, Row | None]]:
    """The rows that are not the same.

    Sums of doubles may differ in their last places by the order of their parts.
    """
    return [
        (one, other)
        for one, other in zip_longest(built, anew)
        if one is None or other is None or not all(map(are_same, one, other))
    ]


def are_same(one: Any, other: Any) -> bool:
    """Whether two values are equal, energies to a microwatt-hour."""
    return one == other or (
        isinstance(one, float)
        and isinstance(other, float)
        and math.isclose(one, other, rel_tol=1e-12, abs_tol=1e-9)
    )


def assert_as_if_built_anew(archive: Archive, *arguments: str) -> None:
    """A nightly build, and a full refresh after it, show the same rows."""
    archive.dbt("run", *arguments)
    built = tables(archive)
    archive.dbt("run", "--full-refresh", *arguments)
    anew = tables(archive)
    assert {table: differing(built[table], anew[table]) for table in TABLES} == {
        table: [] for table in TABLES
    }
    assert built["fct_daily_energy"] != []


def meter(chance: random.Random, day: LocalDay, name: str) -> Iterator[Reading]:
    """A day of a meter, anew at each call.

    Late values, holes, gaps, glitches, and on some days a reset.
    """
    minutes = {"minutes": 5, "hours": 60, "seldom": 1440, "solar": 15, "dead": 30, "idle": 20}[name]
    number = (day.date - FIRST).days
    at, end = (
        day.start.astimezone(UTC).replace(tzinfo=None),
        day.end.astimezone(UTC).replace(tzinfo=None),
    )
    at += timedelta(minutes=chance.randrange(minutes), microseconds=chance.randrange(10**6))
    gap = at + timedelta(minutes=chance.randrange(2000)) if chance.random() < 0.3 else end
    while at < end:
        elapsed = (at - datetime(2026, 2, 24)).total_seconds() / 3600
        counter = {
            "hours": 0.9,
            "minutes": 0.7,
            "seldom": 0.4,
            "solar": 0.5,
            "dead": 0.2,
            "idle": 0,
        }[name] * elapsed + 1000 * (name == "hours")
        if name == "minutes":
            counter -= 0.7 * 24 * (number // 17 * 17)  # it begins again every 17 days, roughly
            counter = max(counter, 0)
        if (name == "solar" and number < 12) or (name == "dead" and number > 20):
            counter = 0  # not yet installed; gone
        luck = chance.random()
        if luck < 0.02:
            counter = 0.0
        elif luck < 0.03:
            counter = chance.choice([9e6, 3.5, counter + 10, max(0.0, counter - 1)])
        if not gap <= at < gap + timedelta(hours=7):
            imported, exported = (0.0, counter) if name == "solar" else (counter, 0.0)
            yield (
                at,
                name,
                chance.choice([0.0, 50.0, 300.0]),
                round(imported, 4),
                round(exported, 4),
            )
        at += timedelta(minutes=minutes)


def house(chance: random.Random, day: LocalDay) -> list[Reading]:
    """A day of every meter, now and then without one."""
    names = ["minutes", "hours", "seldom", "solar", "dead", "idle"]
    return [
        reading for name in names if chance.random() < 0.93 for reading in meter(chance, day, name)
    ]


@pytest.mark.slow
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Europe/Berlin"])
def test_sixty_days_in_any_order(zone: str, tmp_path: Path) -> None:
    """Days that come in order, late, again with other readings, or go.

    Each build equals a full refresh. SEED repeats a series.
    """
    seed = int(os.environ.get("SEED", time.time_ns() % 10**6))
    print(f"SEED={seed}")
    chance = random.Random(f"{seed}-{zone}")
    archive = Archive(tmp_path / "home_energy.duckdb", ZoneInfo(zone))
    days = [LocalDay(FIRST + timedelta(days=n), archive.zone) for n in range(DAYS)]
    late = chance.sample(days, 12)
    for day in days:
        if day not in late and day.date < days[-8].date:
            archive.replace_day(day.date, house(chance, day))
    archive.build()
    price(archive, "minutes", 30.0)
    for changes in (
        [days[-8]],
        [days[-7], *late[:3]],
        [*days[-6:-3], *late[3:]],
        [*chance.sample(days, 4), *days[-3:]],
    ):
        for day in changes:
            archive.replace_day(day.date, house(chance, day))
        for day in chance.sample(days, 1):
            archive.forget_day(day.date)
        if chance.random() < 0.5:
            archive.dbt("run")  # a build upon a build
            archive.replace_day(days[40].date, house(chance, days[40]))
        assert_as_if_built_anew(archive)


def test_only_the_days_that_changed_and_those_they_touch_are_made_anew(tmp_path: Path) -> None:
    """A day loaded again: its quarters, and those of the steps into and out of it.

    Also across a gap of days.
    """
    archive = Archive(tmp_path / "home_energy.duckdb")
    days = [LocalDay(date(2026, 11, 1) + timedelta(days=n), archive.zone) for n in range(20)]
    for n, day in enumerate(days):
        if not 8 <= n <= 10:
            archive.replace_day(day.date, hourly(day, n))
    archive.build()
    before = dict(archive.query("SELECT (quarter_utc, counter), rowid FROM int_counter_quarters"))
    archive.replace_day(days[7].date, hourly(days[7], 7))
    archive.build()
    after = dict(archive.query("SELECT (quarter_utc, counter), rowid FROM int_counter_quarters"))
    anew = sorted(
        {
            quarter
            for (quarter, counter), row in after.items()
            if before[quarter, counter] != row and counter == "import"
        }
    )
    assert (anew[0] + timedelta(hours=9)).date() == days[6].date
    assert (anew[-1] + timedelta(hours=9)).date() == days[11].date


@pytest.mark.slow
def test_a_build_leaves_no_table_of_its_own(tmp_path: Path) -> None:
    """A build drops the table in which dbt puts a Python model's new rows, and older ones.

    A table of somebody else with such a name stays.
    """
    archive = Archive(tmp_path / "home_energy.duckdb")
    days = [LocalDay(date(2026, 11, 1) + timedelta(days=n), archive.zone) for n in range(2)]
    archive.replace_day(days[0].date, hourly(days[0], 0))
    with duckdb.connect(archive.database) as database:
        database.execute("CREATE TABLE room__dbt_tmp1 (note VARCHAR)")
    archive.build()
    tables = archive.query(TABLE_NAMES)
    with duckdb.connect(archive.database) as database:
        left = "int_counter_judged__dbt_tmp20261126001000000000"
        database.execute(f"CREATE TABLE {left} AS FROM int_counter_judged")
    archive.replace_day(days[1].date, hourly(days[1], 1))
    archive.build()
    assert archive.query(TABLE_NAMES) == tables


def hourly(day: LocalDay, number: int) -> list[Reading]:
    """A kWh an hour."""
    lines = [f"{day}T{hour:02}:00 {100 + 24 * number + hour}" for hour in range(24)]
    return readings_of("a", "\n".join(lines), day.zone)


@pytest.mark.slow
def test_other_settings_are_another_archive(tmp_path: Path) -> None:
    """Built with other settings than before, the tables are made anew as a whole."""
    archive = Archive(tmp_path / "home_energy.duckdb")
    archive.load(
        readings_of(
            "a", "2026-11-09T10:00 100\n2026-11-09T11:00 103\n2026-11-09T12:00 107", archive.zone
        )
    )
    archive.build()
    assert archive.query("SELECT import_kwh, reset_count FROM fct_daily_energy") == [(7.0, 0)]
    archive.build("--vars", "{max_power_kw: 1.5}")
    assert archive.query("SELECT import_kwh, reset_count FROM fct_daily_energy") == [(0.0, 2)]


@pytest.mark.slow
def test_killed_between_two_models(tmp_path: Path) -> None:
    """One incremental model was built after a load, the other was not.

    The next build brings the other in.
    """
    archive = Archive(tmp_path / "home_energy.duckdb")
    days = [LocalDay(date(2026, 11, 1) + timedelta(days=n), archive.zone) for n in range(3)]
    archive.replace_day(days[0].date, hourly(days[0], 0))
    archive.build()
    archive.replace_day(days[1].date, hourly(days[1], 1))
    archive.dbt("run", "--select", "int_counter_quarters")
    archive.replace_day(days[2].date, hourly(days[2], 2))
    archive.dbt("run", "--select", "int_daily_power")
    assert_as_if_built_anew(archive)


@pytest.mark.slow
def test_a_reading_after_years_without_any(tmp_path: Path) -> None:
    """No reading within a year of the changed day shows where the counter's path goes on.

    Its steps are judged from further away.
    """
    archive = Archive(tmp_path / "home_energy.duckdb")
    days = [
        LocalDay(day, archive.zone)
        for day in (date(2023, 2, 28), date(2023, 3, 1), date(2026, 11, 8), date(2026, 11, 9))
    ]
    for n in (0, 1, 3):
        archive.replace_day(days[n].date, hourly(days[n], n))
    archive.build()
    archive.replace_day(days[2].date, hourly(days[2], 2))
    assert_as_if_built_anew(archive)
    assert archive.query("SELECT sum(import_kwh), count(*) FROM fct_daily_energy") == [
        (pytest.approx(95), 1351)
    ]


@pytest.mark.slow
def test_a_house_that_gets_solar_panels(tmp_path: Path) -> None:
    """Its balance, when a meter begins, a day is loaded again, and a kind is changed.

    Each night equals a build of everything.
    """
    archive = Archive(tmp_path / "home_energy.duckdb")
    days = [LocalDay(date(2026, 11, 1) + timedelta(days=n), archive.zone) for n in range(6)]
    kinds = ("--vars", "{sources: {a: {kind: grid}, roof: {kind: solar}}}")
    for n, day in enumerate(days[:3]):
        archive.replace_day(day.date, hourly(day, n))
    archive.build(*kinds)
    begun = "SELECT date_jst, produced_kwh FROM fct_daily_balance WHERE produced_kwh <> 0"
    assert archive.query(begun) == []
    archive.replace_day(days[1].date, hourly(days[1], 1)[:13])
    for n, day in enumerate(days[3:], 3):
        archive.replace_day(day.date, [*hourly(day, n), *produced(day, n)])
    assert_as_if_built_anew(archive, *kinds)
    # the last hour of the newest day comes with the next one
    assert archive.query(begun) == [(day.date, pytest.approx(24)) for day in days[3:5]]
    archive.dbt("run", "--vars", "{sources: {a: {kind: grid}}}")
    assert archive.query("SELECT count(*), sum(produced_kwh) FROM fct_daily_balance") == [(6, 0)]


def produced(day: LocalDay, number: int) -> list[Reading]:
    """A kWh an hour on the export counter of another meter."""
    found = hourly(day, number)
    return [(at, "roof", watts, 0.0, bought) for at, _, watts, bought, _ in found]


def price(archive: Archive, source: str, import_price: float) -> None:
    """Give the source this tariff, all day and every day, instead of the one it has."""
    with duckdb.connect(archive.database) as connection:
        connection.execute("DELETE FROM archive.tariffs")
        connection.execute(
            "INSERT INTO archive.tariffs VALUES "
            "(?, '2020-01-01', NULL, '1234567', '00:00', '24:00', ?, 8.0, 'JPY')",
            [source, import_price],
        )


@pytest.mark.slow
def test_other_tariffs_are_other_costs(tmp_path: Path) -> None:
    """A price that came, changed, or went, and a day that was loaded again, with the same price.

    Each day costs what it would if built anew.
    """
    archive = Archive(tmp_path / "home_energy.duckdb")
    days = [LocalDay(date(2026, 11, 9) + timedelta(days=n), archive.zone) for n in range(2)]
    for n, day in enumerate(days):
        archive.replace_day(day.date, hourly(day, n))
    archive.build()
    costs = "SELECT date_jst::VARCHAR, round(import_cost, 6) FROM fct_daily_cost ORDER BY ALL"
    assert archive.query(costs) == []
    price(archive, "a", 30.0)
    archive.dbt("run")
    assert archive.query(costs) == [("2026-11-09", 720.0), ("2026-11-10", 690.0)]
    price(archive, "a", 20.0)
    archive.dbt("run")
    assert archive.query(costs) == [("2026-11-09", 480.0), ("2026-11-10", 460.0)]
    archive.replace_day(days[1].date, hourly(days[1], 1)[:13])
    archive.dbt("run")
    assert archive.query(costs) == [("2026-11-09", 480.0), ("2026-11-10", 240.0)]
    put_tariffs(archive.database, [], wait_s=0)
    archive.dbt("run")
    assert archive.query(costs) == []


@pytest.mark.slow
def test_a_database_that_has_the_tariffs_as_a_seed(tmp_path: Path) -> None:
    """Where they were a table of dbt's, they become the ones that the workflow has loaded."""
    archive = Archive(tmp_path / "home_energy.duckdb")
    day = LocalDay(date(2026, 11, 9), archive.zone)
    archive.replace_day(day.date, hourly(day, 0))
    price(archive, "a", 30.0)
    with duckdb.connect(archive.database) as connection:
        connection.execute("CREATE TABLE tariffs AS FROM archive.tariffs")
        connection.execute("UPDATE tariffs SET import_price = 1")
    archive.build()
    assert archive.query("SELECT import_price FROM tariffs") == [(30.0,)]
    assert archive.query("SELECT round(import_cost, 6) FROM fct_daily_cost") == [(690.0,)]


@pytest.mark.slow
def test_unsound_readings_of_new_days_stop_the_build(tmp_path: Path) -> None:
    """A night judges the days loaded since the last build, a full refresh judges all."""
    archive = Archive(tmp_path / "home_energy.duckdb")
    days = [LocalDay(date(2026, 11, 9) + timedelta(days=n), archive.zone) for n in range(2)]
    archive.replace_day(days[0].date, hourly(days[0], 0))
    archive.build()
    built = archive.query("FROM fct_daily_energy")
    archive.replace_day(
        days[1].date,
        [
            (at, source, math.inf, imported, exported)
            for at, source, _, imported, exported in hourly(days[1], 1)
        ],
    )
    for options in ([], [], ["--full-refresh"]):
        with pytest.raises(AssertionError, match="FAIL 24 source_sound_readings"):
            archive.build(*options)
    assert archive.query("FROM fct_daily_energy") == built


def half_hourly(day: LocalDay, watts: float) -> list[Reading]:
    """A kWh an hour, between the day's own bounds."""
    found, at = [], day.start.replace(tzinfo=None)
    while at < day.end.replace(tzinfo=None):
        counter = (at - datetime(2026, 11, 1)).total_seconds() / 3600
        found.append((at, "a", watts, 1000 + counter, 0.0))
        at += timedelta(minutes=30)
    return found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("zone", "shift", "hours"), [("America/Vancouver", 1, 23), ("Africa/Casablanca", -1, 25)]
)
def test_days_that_were_cut_by_former_zone_rules(
    zone: str, shift: int, hours: int, tmp_path: Path
) -> None:
    """Two days by former rules, one of 23 or 25 hours, and one by the rules of now.

    The tables have local days by the rules of now: each kWh once, and also after a day was loaded
    again whose readings lie in two local days.
    """
    archive = Archive(tmp_path / "home_energy.duckdb", ZoneInfo(zone))
    rules = [LocalDay(date(2026, 11, n), archive.zone) for n in (9, 10, 11, 12)]
    move = timedelta(hours=shift)
    days = [
        *(day.within(day.start + move, day.end + move) for day in rules[:2]),
        rules[2].within(rules[2].start + move, rules[2].end),
        rules[3],
    ]
    assert [(day.end - day.start) / timedelta(hours=1) for day in days] == [24, 24, hours, 24]
    for day in days[:2]:
        archive.replace(day, half_hourly(day, 100.0))
    archive.build()
    archive.replace(days[2], half_hourly(days[2], 100.0))
    archive.replace(days[3], half_hourly(days[3], 100.0))
    archive.build()
    archive.replace(days[1], half_hourly(days[1], 200.0))
    assert_as_if_built_anew(archive)
    begins = [day.start.astimezone(archive.zone).replace(tzinfo=None) for day in days]
    last = datetime(2026, 11, 12, 23, 30)
    span = (last - begins[0]) / timedelta(hours=1)
    assert archive.query("SELECT sum(import_kwh) FROM fct_daily_energy") == [(span,)]
    assert archive.query(
        "SELECT readings, import_kwh, coverage, first_reading_jst, last_reading_jst, is_complete "
        "FROM fct_daily_energy WHERE date_jst BETWEEN '2026-11-10' AND '2026-11-11' ORDER BY ALL"
    ) == [
        (48, 24.0, 1.0, datetime(2026, 11, n), datetime(2026, 11, n, 23, 30), True)
        for n in (10, 11)
    ]
    # an hour of the day that was loaded again lies in the local day after it, or before it
    other = "2026-11-11" if shift > 0 else "2026-11-09"
    watts = "SELECT peak_w FROM int_daily_power WHERE date_jst IN ('2026-11-10', ?)"
    assert archive.query(watts, other) == [(200.0,), (200.0,)]
