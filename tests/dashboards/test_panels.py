"""Each panel's SQL on DuckDB 1.5, over the published tables: whole rows against the tables.

Grafana itself cannot be had here. tests/dashboards/grafana.py has what it and its plug-in put into
the SQL.
"""

import shutil
import subprocess
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from homeiot_batch.core.days import LocalDay
from tests.dashboards import house
from tests.dashboards.grafana import BOARDS, INIT, Answer, ask, expanded, panel, statements
from tests.dashboards.house import FIRST, GAP, LAST, QUOTED, SHORT, UNPRICED, midnight
from tests.docs.pages import blocks, page
from tests.readers.environments import needs, older_python
from tests.report.conftest import Built

NAMES = {"main": "House", "roof": "Meter (roof)", QUOTED: f"Meter ({QUOTED})"}
ALL = list(NAMES)
PANELS = [
    pytest.param(board, found["title"], id=found["title"])
    for board, content in BOARDS.items()
    for found in content["panels"]
]
# of a table with a time zone or a date, Grafana would show another day to some of its readers
TYPES = {"TIMESTAMP", "DOUBLE", "BIGINT", "INTEGER", "VARCHAR"}
DUCKDB_15 = older_python("duckdb-1.5")
pytestmark = needs(DUCKDB_15)


def days(first: date, last: date) -> tuple[datetime, datetime]:
    """A time range of whole local days, as Grafana gives it: to the last millisecond."""
    end = midnight(last + timedelta(days=1)) - timedelta(milliseconds=1)
    return midnight(first).replace(tzinfo=UTC), end.replace(tzinfo=UTC)


WHOLE = days(FIRST, LAST)


def answer(
    built: Built,
    board: str,
    title: str,
    span: tuple[datetime, datetime] = WHOLE,
    meters: Sequence[str] = ALL,
) -> Answer:
    """What the panel gets."""
    [sql] = statements(panel(board, title))
    [found] = ask(built.settings.layout.read_copy, [expanded(sql, span, meters)])
    return found


@pytest.fixture(scope="module")
def answers(built: Built) -> dict[str, Answer]:
    """What each panel gets for all days and meters, by its title."""
    titles = [panel["title"] for content in BOARDS.values() for panel in content["panels"]]
    sql = [
        expanded(statement, WHOLE, ALL)
        for content in BOARDS.values()
        for found in content["panels"]
        for statement in statements(found)
    ]
    return dict(zip(titles, ask(built.settings.layout.read_copy, sql), strict=True))


def table_days(built: Built, columns: str) -> list[tuple[Any, ...]]:
    """Day, meter and these columns of all days, as a panel sorts them."""
    sql = f"SELECT date_jst, source, {columns} FROM fct_daily_energy"
    rows = [
        (str(midnight(day)), NAMES[source], *rest)
        for day, source, *rest in built.archive.query(sql)
    ]
    return sorted(rows, key=lambda row: row[:2])


@pytest.mark.parametrize(("board", "title"), PANELS)
def test_a_panel_has_what_grafana_can_show(
    answers: dict[str, Answer], board: str, title: str
) -> None:
    """Types that the plug-in knows, and no date, which it would take for midnight UTC.

    A series has its time first, ascending, and each of its points once.
    """
    found = answers[title]
    assert found.rows
    assert {kind for _, kind in found.columns} <= TYPES
    [target] = panel(board, title)["targets"]
    is_series = panel(board, title)["type"] == "timeseries"
    assert target["format"] == (0 if is_series else 1)
    assert [name for name, kind in found.columns if kind == "TIMESTAMP"] == (["time"] * is_series)
    if is_series:
        keys = [row[: 2 if "meter" in found.names else 1] for row in found.rows]
        assert keys == sorted(set(keys))


@pytest.mark.parametrize("what", ["import", "export"])
def test_energy_by_day_is_that_of_the_table(
    built: Built, answers: dict[str, Answer], what: str
) -> None:
    """Each day begins at its local midnight. A day that is not complete is in its own series."""
    found = answers[f"{what.capitalize()} by day"]
    assert found.names == ["time", "meter", what, f"{what}, incomplete day"]
    assert found.rows == [
        (*key, energy if is_complete else None, None if is_complete else energy)
        for *key, energy, is_complete in table_days(built, f"{what}_kwh, is_complete")
    ]
    marked = [row for row in found.rows if row[3] is not None]
    assert str(midnight(GAP)) in {row[0] for row in marked}


def test_what_is_estimated_and_covered_is_that_of_the_table(
    built: Built, answers: dict[str, Answer]
) -> None:
    """Day by day."""
    estimated = answers["Energy whose place in time is estimated, by day"]
    assert estimated.rows == table_days(built, "estimated_kwh")
    assert answers["Coverage by day"].rows == table_days(built, "coverage, NULL")


def test_the_sum_of_the_days_says_when_it_is_short(
    built: Built, answers: dict[str, Answer]
) -> None:
    """It has what the table has, meter by meter, in the order of the report."""
    totals = built.archive.query(
        "SELECT source, sum(import_kwh), sum(export_kwh), sum(net_kwh), sum(estimated_kwh) "
        "FROM fct_daily_energy GROUP BY source"
    )
    sums = {
        source: [pytest.approx(value) if value is not None else None for value in values]
        for source, *values in totals
    }
    short = "may be short: {} of 14 days are not complete"
    assert answers["Sum of the days"].rows == [
        ("House", "2025-10-20", "2025-11-02", 14, 11, *sums["main"], short.format(3)),
        ("Meter (roof)", "2025-10-20", "2025-11-02", 14, 12, *sums["roof"], short.format(2)),
        (NAMES[QUOTED], "2025-10-24", "2025-11-02", 10, 10, *sums[QUOTED], ""),
    ]


def test_a_range_is_of_whole_local_days(built: Built) -> None:
    """The day of 25 hours alone, a second more, and a range that cuts two days."""
    day = date(2025, 10, 26)
    span = days(day, day)
    [found] = answer(built, "energy", "Import by day", span, ["main"]).rows
    assert found == ("2025-10-25 22:00:00", "House", 28.0, None)
    longer = (span[0] - timedelta(seconds=1), span[1] + timedelta(seconds=1))
    expected = ["2025-10-24 22:00:00", "2025-10-25 22:00:00", "2025-10-26 23:00:00"]
    assert [row[0] for row in answer(built, "energy", "Import by day", longer, ["main"]).rows] == (
        expected
    )
    cut = (span[0] + timedelta(hours=12), span[0] + timedelta(hours=26))
    assert [row[0] for row in answer(built, "energy", "Import by day", cut, ["main"]).rows] == (
        expected[1:]
    )


def in_zone(built: Built, zone: str, copy: Path) -> Path:
    """A copy of the read copy, as if the house were there and had a meter since 2020."""
    shutil.copy(built.settings.layout.read_copy, copy)
    copy.chmod(0o644)
    script = """
import sys, duckdb
with duckdb.connect(sys.argv[1]) as connection:
    connection.execute("UPDATE read_copy SET tz = ?", sys.argv[2:])
    connection.execute("UPDATE dim_source SET first_reading_jst = '2020-01-01'")
"""
    subprocess.run([DUCKDB_15, "-c", script, str(copy), zone], check=True)
    return copy


@pytest.mark.parametrize(
    ("zone", "first"),
    [
        ("Europe/Berlin", date(2025, 3, 29)),
        ("Australia/Darwin", date(2023, 12, 30)),
        ("Australia/Lord_Howe", date(2025, 4, 5)),
        ("America/New_York", date(2024, 2, 28)),
        ("Asia/Beirut", date(2025, 3, 29)),  # the clocks go forward at midnight
        ("America/Havana", date(2025, 11, 1)),  # midnight comes twice
        ("Pacific/Kiritimati", date(2024, 12, 30)),
    ],
)
def test_days_are_those_of_the_zone(built: Built, tmp_path: Path, zone: str, first: date) -> None:
    """Four days around a change of the clocks, a leap day, and the end of a month and a year."""
    copy = in_zone(built, zone, tmp_path / "home_energy.read.duckdb")
    local = [LocalDay(first + timedelta(days=n), ZoneInfo(zone)) for n in range(4)]
    span = (local[0].start, local[-1].end - timedelta(milliseconds=1))
    sql = "SELECT date_jst, day_start AS time FROM house_days($__timeFrom(), $__timeTo()) "
    sql += "WHERE source IN ($meter) ORDER BY 1"
    [found] = ask(copy, [expanded(sql, span, ["main"])])
    assert found.rows == [
        (str(day.date), str(day.start.astimezone(UTC).replace(tzinfo=None))) for day in local
    ]


def test_only_the_chosen_meters_are_shown(built: Built) -> None:
    """One whose name has a quote, too."""
    found = answer(built, "energy", "Sum of the days", meters=[QUOTED])
    assert [row[0] for row in found.rows] == [NAMES[QUOTED]]


def test_the_variable_offers_every_meter(built: Built) -> None:
    """By a name that no other has, with the value that the SQL compares."""
    for content in BOARDS.values():
        [variable] = content["templating"]["list"]
        [found] = ask(built.settings.layout.read_copy, [variable["query"]])
        assert (found.names, found.rows) == (["__value", "__text"], list(NAMES.items()))


def test_days_that_the_tables_do_not_have_are_named(built: Built) -> None:
    """Three nights failed: the days are in the list, in the sums' notes, and as points at 0."""
    span = days(LAST, LAST + timedelta(days=3))
    late = [LAST + timedelta(days=n) for n in (1, 2, 3)]
    listed = answer(built, "quality", "Days that are not complete", span, ["main"])
    assert [row[:3] for row in listed.rows] == [
        (str(day), "House", "not in the tables") for day in reversed(late)
    ]
    [total] = answer(built, "energy", "Sum of the days", span, ["main"]).rows
    assert total[-1] == "may be short: 3 of 4 days are not complete"
    assert answer(built, "quality", "Coverage by day", span, ["main"]).rows == [
        (str(midnight(LAST)), "House", 1.0, None),
        *((str(midnight(day)), "House", None, 0) for day in late),
    ]


def test_the_panel_of_the_page_runs(built: Built) -> None:
    """The example for a panel of one's own."""
    [sql] = [
        block for block in blocks(page("how-to/dashboards.md"), "text") if "house_days" in block
    ]
    [found] = ask(built.settings.layout.read_copy, [expanded(sql, WHOLE, ALL)])
    assert found.rows == table_days(built, "peak_w")


def test_today_is_not_missing(built: Built) -> None:
    """A range until tomorrow ends with yesterday, in the zone of the house."""
    now = datetime.now(UTC)
    span = (now - timedelta(days=3), now + timedelta(days=1))
    rows = answer(built, "quality", "Days that are not complete", span, ["main"]).rows
    later = datetime.now(UTC)
    yesterdays = {
        str((at.astimezone(house.ZONE) - timedelta(days=1)).date()) for at in (now, later)
    }
    assert rows[0][0] in yesterdays


def test_days_that_are_not_complete_are_all_listed(answers: dict[str, Answer]) -> None:
    """With what is wrong with them. The day before a gap is one, as the gap begins in it."""
    before = GAP - timedelta(days=1)
    assert [row[:5] for row in answers["Days that are not complete"].rows] == [
        (str(SHORT), "House", "not complete", 0.5, 45000.0),
        (str(GAP), "House", "no readings", 0.0, 88200.0),
        (str(GAP), "Meter (roof)", "no readings", 0.0, 88200.0),
        (str(before), "House", "not complete", 1.0, 88200.0),
        (str(before), "Meter (roof)", "not complete", 1.0, 88200.0),
    ]


def test_a_month_says_how_many_of_its_days_are_complete(
    built: Built, answers: dict[str, Answer]
) -> None:
    """The rows of fct_monthly_energy, with the days that the calendar has."""
    sql = (
        "SELECT month_jst, source, import_kwh, export_kwh, net_kwh, estimated_kwh, complete_days "
        "FROM fct_monthly_energy"
    )
    found = built.archive.query(sql)
    found.sort(key=lambda row: (-row[0].toordinal(), ALL.index(row[1])))
    length = {"2025-10": 31, "2025-11": 30}
    expected = []
    for month, source, *energy, complete in found:
        name = f"{month:%Y-%m}"
        note = f"may be short: {complete} of {length[name]} days are complete"
        expected.append((name, NAMES[source], *energy, complete, note))
    assert answers["Months"].rows == expected
    assert len(expected) == 6


def test_a_whole_month_needs_no_note(built: Built, tmp_path: Path) -> None:
    """28 complete days of a February."""
    copy = tmp_path / "home_energy.read.duckdb"
    shutil.copy(built.settings.layout.read_copy, copy)
    copy.chmod(0o644)
    script = (
        "import duckdb, sys\nwith duckdb.connect(sys.argv[1]) as connection:\n"
        "    connection.execute(\"UPDATE fct_monthly_energy SET month_jst = '2026-02-01', "
        "complete_days = 28 WHERE source = 'main' AND month_jst = '2025-11-01'\")"
    )
    subprocess.run([DUCKDB_15, "-c", script, str(copy)], check=True)
    span = days(date(2026, 2, 1), date(2026, 2, 2))
    [sql] = statements(panel("energy", "Months"))
    [found] = ask(copy, [expanded(sql, span, ["main"])])
    [(month, *_, complete, note)] = found.rows
    assert (month, complete, note) == ("2026-02", 28, "")


def test_costs_are_those_of_the_table_and_say_when_they_are_short(
    built: Built, answers: dict[str, Answer]
) -> None:
    """Each currency alone. A day without a price is in no bar and in the note of each sum."""
    sql = (
        "SELECT date_jst, currency, net_cost, is_complete FROM fct_daily_cost "
        "INNER JOIN fct_daily_energy USING (source, date_jst) WHERE currency IS NOT NULL "
        "ORDER BY date_jst"
    )
    expected = []
    for day, currency, cost, is_complete in built.archive.query(sql):
        both = (cost, None) if is_complete else (None, cost)
        expected.append((str(midnight(day)), f"House ({currency})", *both))
    assert answers["Net cost by day"].rows == expected
    assert str(midnight(UNPRICED)) not in {row[0] for row in expected}

    sums = built.archive.query(
        "SELECT currency, count(*), sum(import_cost), sum(feed_in_revenue), sum(net_cost), "
        "sum(unpriced_kwh) FROM fct_daily_cost WHERE currency IS NOT NULL GROUP BY currency "
        "ORDER BY currency"
    )
    notes = {"DEM": 4, "EUR": 6}
    assert answers["Cost of the days"].rows == [
        (
            "House",
            currency,
            count,
            *map(pytest.approx, values),
            f"may be short: {notes[currency]} of 14 days have their whole cost",
        )
        for currency, count, *values in sums
    ]


def test_the_balance_is_that_of_the_table(built: Built, answers: dict[str, Answer]) -> None:
    """By day. Of a day that is not complete only what was used, in a series of its own."""
    sql = (
        "SELECT date_jst, grid_to_house_kwh, solar_to_house_kwh, battery_to_house_kwh, "
        "consumed_kwh, self_sufficiency, self_consumption, hours, complete_hours, "
        "unexplained_kwh, is_complete FROM fct_daily_balance ORDER BY date_jst"
    )
    flows, shares, whole = [], [], []
    for day, *parts, used, own, kept, hours, complete, unexplained, good in built.archive.query(
        sql
    ):
        at = str(midnight(day))
        flows.append((at, *parts, None) if good else (at, None, None, None, used))
        shares.append((at, own, kept, None, None) if good else (at, None, None, own, kept))
        whole.append((at, hours - complete, unexplained))
    assert answers["Where the energy of the house came from, by day"].rows == flows
    assert answers["Self-sufficiency and self-consumption by day"].rows == shares
    assert answers["The balance of the house, by day"].rows == whole


def test_the_load_is_that_of_the_table(built: Built, answers: dict[str, Answer]) -> None:
    """Quarter by quarter. What is only spread over a gap is in a series of its own."""
    rows = built.archive.query(
        "SELECT quarter_utc, source, import_w, export_w, is_measured FROM fct_load_curve"
    )
    expected = []
    for at, source, *both, is_measured in rows:
        values = (*both, None, None) if is_measured else (None, None, *both)
        expected.append((str(at), NAMES[source], *values))
    expected.sort(key=lambda row: row[:2])
    assert answers["Load of the last seven days"].rows == expected
    assert [row for row in expected if row[4] is not None]


def test_resets_and_wrong_values_are_counted_by_day(
    built: Built, answers: dict[str, Answer]
) -> None:
    """A day without any has no bar."""
    counts = "reset_count, step_back_count, backwards_count, glitch_count"
    expected = [
        (*row[:2], *(count or None for count in row[2:])) for row in table_days(built, counts)
    ]
    assert answers["What happened to the counters, by day"].rows == expected


def test_a_night_is_seen_by_a_grafana_that_runs(built: Built, tmp_path: Path) -> None:
    """The next query has the tables of the file that was put in the former one's place.

    With the file as the path of a data source, the former tables would be shown for ever.
    """
    folder = tmp_path / "duckdb"
    folder.mkdir()
    copy = folder / "home_energy.read.duckdb"
    shutil.copy(built.settings.layout.read_copy, copy)
    later = folder / "later"
    shutil.copy(copy, later)
    later.chmod(0o644)
    script = """
import os, sys, duckdb
copy, later, init = sys.argv[1:]
with duckdb.connect(later) as connection:
    connection.execute("DELETE FROM fct_daily_energy")
connection = duckdb.connect()
connection.execute(init)
count = "SELECT count(*) FROM fct_daily_energy"
print(connection.execute(count).fetchone())
os.replace(later, copy)
print(connection.execute(count).fetchone())
for other in ("FROM read_text('/etc/hostname')", "FROM read_csv('https://example.net/a.csv')"):
    try:
        print(connection.execute(other).fetchone())
    except duckdb.Error as error:
        print(type(error).__name__)
"""
    init = INIT.replace("/data/duckdb", str(folder))
    command = [str(DUCKDB_15), "-c", script, str(copy), str(later), init]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    before, after, *refused = done.stdout.splitlines()
    assert (before, after) == ("(38,)", "(0,)")
    assert refused == ["PermissionException"] * 2
