"""Exports of the tables: whole files, and what is said of days that they lack."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import date

import duckdb
import pytest

from homeiot_batch.config import ROOT
from homeiot_batch.errors import HomeIotError
from tests.export.conftest import QUARTERS, SCHEMA, ExportHouse, day_row, inserted

NOV_20 = date(2026, 11, 20)
NOV_21 = date(2026, 11, 21)
NOV_22 = date(2026, 11, 22)
DAYS_HEADER = (
    "Day (Asia/Tokyo),Meter,Imported (kWh),Exported (kWh),Net (kWh),Estimated part (kWh),"
    "Peak power (W),Readings,Share of the usual readings,Longest gap (s),"
    "Resets and swaps of a counter,Falls to an older value,Steps backwards,"
    "Wrong values left out,Complete"
)
COSTS_HEADER = (
    ",Cost of the import (EUR),Revenue of the export (EUR),Net cost (EUR),"
    "Energy without a price (kWh)"
)
MakeHouse = Callable[..., ExportHouse]


def test_the_tables_by_hand_are_those_of_dbt() -> None:
    """Each column of a mart here is a column of it in the page of tables."""
    page = (ROOT / "docs/reference/tables.md").read_text()
    for name, columns in re.findall(r"TABLE (fct_\w+) \((.*?)\n\);", SCHEMA, re.DOTALL):
        section = page.split(f"\n## {name}\n")[1].split("\n## ")[0]
        described = set(re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE))
        assert set(re.findall(r"(\w+) [A-Z]+", columns)) <= described
    assert "int_quarter_energy" in QUARTERS


def test_days_are_sorted_and_rounded_and_incomplete_ones_are_marked(
    export_house: ExportHouse,
) -> None:
    """ISO dates, units and zone in the header, no noise of the arithmetic, NULL is empty."""
    export_house.archive(NOV_20, NOV_21)
    export_house.publish(
        day_row(NOV_21, "a", 0.1 + 0.2, peak_w=1234.5678),
        day_row(NOV_20, "b", 3.0, is_complete=False, estimated_kwh=0.5, reset_count=1),
        day_row(NOV_20, "a", 0.0004564, export_kwh=None, net_kwh=None),
        day_row(NOV_21, "b", 1.0, is_complete=None),
    )
    assert export_house.csv("days", NOV_20, NOV_21) == [
        DAYS_HEADER,
        "2026-11-20,a,0.0004564,,,0.0,1000.0,1440,1.0,60.0,0,0,0,0,true",
        "2026-11-20,b,3.0,0.0,3.0,0.5,1000.0,1440,1.0,60.0,1,0,0,0,false",
        "2026-11-21,a,0.3,0.0,0.3,0.0,1234.6,1440,1.0,60.0,0,0,0,0,true",
        "2026-11-21,b,1.0,0.0,1.0,0.0,1000.0,1440,1.0,60.0,0,0,0,0,false",
    ]
    assert export_house.lines == []


def test_a_day_that_nobody_measured_is_empty_and_not_zero(export_house: ExportHouse) -> None:
    """The tables have 0.0 inside a gap before another meter. A counter that stood still stays."""
    export_house.archive(NOV_20, NOV_21)
    unmeasured = {"readings": 0, "coverage": 0.0, "peak_w": None, "is_complete": False}
    hour = "TIMESTAMP '2026-11-{day} {hour}:00:00'"
    hours = [
        f"INSERT INTO fct_hourly_energy VALUES (DATE '2026-11-{day}', "
        f"{hour.format(day=day, hour='00')}, {hour.format(day=day - 1, hour=15)}, 'a', 0, 0, 0, 0)"
        for day in (20, 21)
    ]
    quarters = [
        f"INSERT INTO int_quarter_energy VALUES ('a', 'import', "
        f"{hour.format(day=day - 1, hour=15)}, {hour.format(day=day, hour='00')}, 0, 0)"
        for day in (20, 21)
    ]
    export_house.publish(
        day_row(NOV_20, "a", 0.0, **unmeasured),
        day_row(NOV_21, "a", 0.0, **unmeasured | {"coverage": 1.0}),
        *hours,
        *quarters,
    )
    assert export_house.csv("days", NOV_20, NOV_21)[1:] == [
        "2026-11-20,a,,,,0.0,,0,0.0,60.0,0,0,0,0,false",
        "2026-11-21,a,0.0,0.0,0.0,0.0,,0,1.0,60.0,0,0,0,0,false",
    ]
    assert export_house.csv("hours", NOV_20, NOV_21)[1:] == [
        "2026-11-19 15:00:00,2026-11-20 00:00:00,UTC+09:00,a,,,,0.0,false",
        "2026-11-20 15:00:00,2026-11-21 00:00:00,UTC+09:00,a,0.0,0.0,0.0,0.0,false",
    ]
    assert export_house.csv("quarters", NOV_20, NOV_21)[1:] == [
        "2026-11-19 15:00:00,2026-11-20 00:00:00,UTC+09:00,a,,,0.0,false",
        "2026-11-20 15:00:00,2026-11-21 00:00:00,UTC+09:00,a,0.0,,0.0,false",
    ]


def hours_of(day: date, tz: str) -> list[str]:
    """SQL of all hours of the local day, of one meter, and of the two quarters of each."""
    edges = f"timezone('UTC', timezone('{tz}', TIMESTAMP '{day}'))"
    after = f"timezone('UTC', timezone('{tz}', TIMESTAMP '{day}' + INTERVAL 1 DAY))"
    hours = f"FROM range({edges}, {after}, INTERVAL 1 HOUR) AS hours(utc)"
    local = f"timezone('{tz}', timezone('UTC', utc))"
    return [
        day_row(day, "a", 1.0),
        f"INSERT INTO fct_hourly_energy SELECT '{day}', {local}, utc, 'a', 1, 0, 1, 0 {hours}",
        f"INSERT INTO int_quarter_energy SELECT 'a', 'import', utc, {local}, 0.25, 0 {hours}",
        f"INSERT INTO int_quarter_energy SELECT 'a', 'export', utc, {local}, 0.5, 0.5 {hours}",
    ]


@pytest.mark.parametrize(
    ("tz", "day", "count", "around"),
    [
        (
            "Europe/Berlin",
            date(2026, 10, 25),
            25,
            [
                "2026-10-25 00:00:00,2026-10-25 02:00:00,UTC+02:00",
                "2026-10-25 01:00:00,2026-10-25 02:00:00,UTC+01:00",
            ],
        ),
        (
            "Europe/Berlin",
            date(2026, 3, 29),
            23,
            [
                "2026-03-29 00:00:00,2026-03-29 01:00:00,UTC+01:00",
                "2026-03-29 01:00:00,2026-03-29 03:00:00,UTC+02:00",
            ],
        ),
        (
            "Australia/Darwin",
            date(2024, 2, 29),
            24,
            [
                "2024-02-28 14:30:00,2024-02-29 00:00:00,UTC+09:30",
                "2024-02-28 15:30:00,2024-02-29 01:00:00,UTC+09:30",
            ],
        ),
        (
            "America/St_Johns",
            date(2026, 12, 31),
            24,
            [
                "2026-12-31 03:30:00,2026-12-31 00:00:00,UTC-03:30",
                "2026-12-31 04:30:00,2026-12-31 01:00:00,UTC-03:30",
            ],
        ),
    ],
)
def test_each_hour_and_quarter_has_its_instant(
    make_house: MakeHouse, tz: str, day: date, count: int, around: list[str]
) -> None:
    """Days of 25, 23 and 24 hours, half hours from UTC, 29 February: sorted by UTC, none twice."""
    house = make_house(tz)
    house.archive(day)
    house.publish(*hours_of(day, tz))
    header, *hours = house.csv("hours", day, day)
    assert header.startswith(f"Start (UTC),Start ({tz}),Offset from UTC,Meter,")
    assert len(hours) == len(set(hours)) == count
    assert hours == sorted(hours)
    first = hours.index(f"{around[0]},a,1.0,0.0,1.0,0.0,true")
    assert hours[first + 1] == f"{around[1]},a,1.0,0.0,1.0,0.0,true"
    quarters = house.csv("quarters", day, day)[1:]
    assert [line.partition(",a,")[0] for line in hours] == [
        line.removesuffix(",a,0.25,0.5,0.5,true") for line in quarters
    ]


def test_costs_are_there_if_the_house_has_prices(export_house: ExportHouse) -> None:
    """With the currency in the header. A day without a price has no cost, not 0."""
    export_house.archive(NOV_20, NOV_22)
    costs = [
        ("2026-11-20", 1.23456, 0.1, 1.13456, 0.0),
        ("2026-11-21", None, None, 0.0, 5.0),
    ]
    export_house.publish(
        *(day_row(day, "a", 5.0) for day in (NOV_20, NOV_21, NOV_22)),
        *(
            inserted(
                "fct_daily_cost",
                {
                    "date_jst": day,
                    "source": "a",
                    "currency": "EUR",
                    "import_cost": cost,
                    "feed_in_revenue": revenue,
                    "net_cost": net,
                    "unpriced_kwh": unpriced,
                },
            )
            for day, cost, revenue, net, unpriced in costs
        ),
    )
    header, *lines = export_house.csv("days", NOV_20, NOV_22)
    assert header == f"{DAYS_HEADER}{COSTS_HEADER},Currency"
    assert [line.split(",true,")[1] for line in lines] == [
        "1.2346,0.1,1.1346,0.0,EUR",
        ",,,5.0,EUR",
        ",,,,",
    ]


def test_two_currencies_are_in_no_header_and_make_no_sum(export_house: ExportHouse) -> None:
    """A month that begins in one currency and ends in another has no cost."""
    first, last = date(2026, 10, 1), date(2026, 11, 30)
    export_house.archive(NOV_20, NOV_21)
    months = [
        inserted(
            "fct_monthly_energy",
            {
                "month_jst": month,
                "source": "a",
                "import_kwh": 2.0,
                "estimated_kwh": 0.0,
                "peak_w": 10.0,
                "reset_count": 0,
                "step_back_count": 0,
                "backwards_count": 0,
                "glitch_count": 0,
                "days": 30,
                "complete_days": 30,
            },
        )
        for month in ("2026-10-01", "2026-11-01")
    ]
    costs = [
        f"INSERT INTO fct_daily_cost VALUES ('{day}', 'a', '{currency}', 2, 0, 2, 0)"
        for day, currency in (
            ("2026-10-01", "HRK"),
            ("2026-10-02", "HRK"),
            ("2026-11-20", "HRK"),
            ("2026-11-21", "EUR"),
        )
    ]
    export_house.publish(
        day_row(date(2026, 10, 1), "a", 2.0), day_row(NOV_20, "a", 2.0), *months, *costs
    )
    header, *lines = export_house.csv("months", first, last)
    assert header == (
        "First day of the month (Asia/Tokyo),Meter,Imported (kWh),Exported (kWh),Net (kWh),"
        "Estimated part (kWh),Peak power (W),Resets and swaps of a counter,"
        "Falls to an older value,Steps backwards,Wrong values left out,Days with a row,"
        "Complete days,Complete,Cost of the import,Revenue of the export,Net cost,"
        "Energy without a price (kWh),Days with a tariff,Currency"
    )
    assert lines == [
        "2026-10-01,a,2.0,,,0.0,10.0,0,0,0,0,30,30,false,4.0,0.0,4.0,0.0,2,HRK",
        "2026-11-01,a,2.0,,,0.0,10.0,0,0,0,0,30,30,true,,,,0.0,2,",
    ]


def test_the_balance_is_by_day(export_house: ExportHouse) -> None:
    """All flows with their units. A house without such meters is told what to declare."""
    export_house.archive(NOV_20, NOV_21)
    export_house.publish(day_row(NOV_20, "a", 1.0))
    with pytest.raises(HomeIotError) as refused:
        export_house.csv("balance", NOV_20, NOV_20)
    assert str(refused.value) == (
        "there is no balance: no meter is of the kind grid, solar or battery; set the kinds under "
        "`meters` in config.yaml, and run again"
    )
    flows = ", ".join(f"{n}.5" for n in range(15))
    export_house.publish(
        day_row(NOV_20, "a", 1.0),
        f"INSERT INTO fct_daily_balance VALUES ('2026-11-20', {flows}, 0.123456, 1, 24, 23, false)",
    )
    assert export_house.csv("balance", NOV_20, NOV_21) == [
        (
            "Day (Asia/Tokyo),Bought (kWh),Sold (kWh),Produced (kWh),Charged (kWh),"
            "Discharged (kWh),Consumed (kWh),Sun to house (kWh),"
            "Sun to battery (kWh),Sun to grid (kWh),"
            "Battery to house (kWh),Battery to grid (kWh),Grid to house (kWh),"
            "Grid to battery (kWh),Unexplained (kWh),Estimated part (kWh),"
            "Share of the sun's energy used,Share of the consumption not bought,"
            "Hours of the day,Complete hours,Complete"
        ),
        (
            "2026-11-20,0.5,1.5,2.5,3.5,4.5,5.5,6.5,7.5,8.5,9.5,10.5,11.5,12.5,13.5,14.5,0.1235,1.0,"
            "24,23,false"
        ),
    ]
    assert export_house.lines == ["the balance: no rows of 2026-11-21"]


def test_days_that_the_export_lacks_are_said(export_house: ExportHouse) -> None:
    """Those that are not archived, and those of which a meter has no row. The others are there."""
    export_house.archive(NOV_20)
    export_house.archive(NOV_22)
    export_house.publish(
        day_row(NOV_20, "a", 1.0), day_row(NOV_22, "a", 1.0), day_row(NOV_22, "b", 1.0)
    )
    assert len(export_house.csv("days", date(2026, 11, 18), date(2026, 11, 24))) == 4
    assert export_house.lines == [
        (
            "raw_meter_readings: not archived are 2026-11-18 to 2026-11-19, 2026-11-21, "
            "2026-11-23 to 2026-11-24"
        ),
        "b: no rows of 2026-11-20",
    ]
    assert len(export_house.csv("days", NOV_20, NOV_20, "a", "b")) == 2
    assert export_house.lines == ["b: no rows of 2026-11-20"]


def test_a_day_that_was_read_before_it_was_over_is_said(export_house: ExportHouse) -> None:
    """Its rows are of a part of it. The clock of the settings is in the first hour of the day."""
    begun = date(2026, 11, 24)
    export_house.archive(NOV_22)
    export_house.archive(begun)
    export_house.publish(day_row(NOV_22, "a", 1.0), day_row(begun, "a", 0.1, is_complete=False))
    assert len(export_house.csv("days", NOV_22, begun)) == 3
    assert export_house.lines == [
        "raw_meter_readings: not archived are 2026-11-23",
        "raw_meter_readings: read before they were over, and not whole, are 2026-11-24",
    ]


def refusal(house: ExportHouse, what: str, first: date, last: date, *sources: str) -> str:
    """What an export says that is refused, after which the former file is as it was."""
    target = house.folder / f"{what}.csv"
    target.write_text("former")
    with pytest.raises(HomeIotError) as refused:
        house.csv(what, first, last, *sources)
    assert [(path.name, path.read_text()) for path in house.folder.iterdir()] == [
        (target.name, "former")
    ]
    return str(refused.value)


def test_days_that_are_not_archived_at_all_are_refused(export_house: ExportHouse) -> None:
    """Before the first archived day, or without any."""
    parquet = export_house.settings.parquet_base_dir
    assert refusal(export_house, "days", NOV_20, NOV_21) == (
        "--from=2026-11-20 --to=2026-11-21: no day of these is archived, nothing is archived in "
        f"{parquet} yet; give other days, or run `homeiot run --from 2026-11-20 --to 2026-11-21`"
    )
    export_house.archive(NOV_22)
    assert refusal(export_house, "days", NOV_20, NOV_21) == (
        "--from=2026-11-20 --to=2026-11-21: no day of these is archived, archived are days of "
        "2026-11-22 to 2026-11-22; give other days, or run "
        "`homeiot run --from 2026-11-20 --to 2026-11-21`"
    )


def test_tables_that_lack_an_archived_day_are_refused(export_house: ExportHouse) -> None:
    """Never built, loaded since, archived but not loaded, built but not published."""
    layout = export_house.settings.layout
    export_house.archive(NOV_20, NOV_21)
    lacking = "the tables are older than the archive: of raw_meter_readings they lack {}; run "
    lacking += "`homeiot run`, which builds them, and export again"
    assert refusal(export_house, "days", NOV_20, NOV_21) == lacking.format(
        "2026-11-20 to 2026-11-21"
    )
    export_house.publish(day_row(NOV_20, "a", 1.0), day_row(NOV_21, "a", 1.0))
    assert export_house.csv("days", NOV_20, NOV_21)
    built_ns = layout.models.stat().st_mtime_ns
    layout.last_load.write_text("{}")
    for path in (layout.last_load, layout.marker("raw_meter_readings", NOV_21)):
        os.utime(path, ns=(built_ns + 10**9, built_ns + 10**9))
    for what in ("days", "quarters"):
        assert refusal(export_house, what, NOV_20, NOV_21) == lacking.format("2026-11-21")
        (export_house.folder / f"{what}.csv").unlink()
    assert export_house.csv("days", NOV_20, NOV_20)
    layout.marker("raw_meter_readings", NOV_20).unlink()
    assert refusal(export_house, "days", NOV_20, NOV_20) == lacking.format("2026-11-20")
    os.utime(layout.read_marker, ns=(built_ns - 10**9, built_ns - 10**9))
    layout.marker("raw_meter_readings", NOV_20).write_text("{}")
    os.utime(layout.models)
    assert refusal(export_house, "days", NOV_20, NOV_20) == (
        f"{layout.read_copy} is older than the tables; run `homeiot run`, which publishes them, "
        "and export again"
    )


def test_an_unknown_meter_is_told_the_near_name(export_house: ExportHouse) -> None:
    """The former file stays."""
    export_house.archive(NOV_20)
    export_house.publish(day_row(NOV_20, "heatpump", 1.0), day_row(NOV_20, "main", 1.0))
    assert refusal(export_house, "days", NOV_20, NOV_20, "main", "heat pump") == (
        "--source='heat pump' is no meter; did you mean heatpump?"
    )


def test_a_database_in_use_is_refused_for_quarters_alone(export_house: ExportHouse) -> None:
    """The read copy is never in use. Another process writes the database."""
    export_house.archive(NOV_20)
    export_house.publish(*hours_of(NOV_20, "Asia/Tokyo"))
    database = export_house.settings.duckdb_path
    script = f"import duckdb; c = duckdb.connect({str(database)!r}); print(1, flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as night:
        assert night.stdout is not None
        night.stdout.readline()
        said = refusal(export_house, "quarters", NOV_20, NOV_20)
        assert len(export_house.csv("hours", NOV_20, NOV_20)) == 25
        night.communicate(b"\n")
    assert said.startswith(f"{database} is in use (")
    assert said.endswith(
        "), probably by a run, and has the quarters of an hour alone; "
        "wait until the run is over, or export hours"
    )
    assert len(export_house.csv("quarters", NOV_20, NOV_20)) == 25
    with duckdb.connect(database):  # nothing of the export has it open
        pass


def test_tables_that_cannot_be_read_are_refused(export_house: ExportHouse) -> None:
    """Of another zone, without a column that an older program did not make, damaged, gone."""
    copy = export_house.settings.layout.read_copy
    export_house.archive(NOV_20)
    rebuild = "run `snakemake --forcerun dbt`, which builds and publishes it anew"
    export_house.publish(day_row(NOV_20, "a", 1.0), "UPDATE read_copy SET tz = 'UTC'")
    assert refusal(export_house, "days", NOV_20, NOV_20) == (
        f"{copy} has the days of TZ=UTC, but TZ=Asia/Tokyo; set TZ=UTC, or {rebuild}"
    )
    export_house.publish(
        day_row(NOV_20, "a", 1.0), "ALTER TABLE fct_daily_energy DROP COLUMN coverage"
    )
    said = refusal(export_house, "days", NOV_20, NOV_20)
    assert said.startswith(f"{copy} lacks a table or column (Binder Error: ")
    assert said.endswith(rebuild)
    copy.write_text("no database")
    assert refusal(export_house, "days", NOV_20, NOV_20).startswith(f"{copy} cannot be read (")
    copy.unlink()
    assert refusal(export_house, "days", NOV_20, NOV_20) == (
        f"there is no {copy}: the tables are not built; run `homeiot run`, which builds them"
    )
