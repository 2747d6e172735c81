"""The page in odd cases: no data, one day, days of 23 and 25 hours, an old read copy.

Its words, and how it is written.
"""

import base64
import csv
import io
import os
import re
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.files import file_stamp
from homeiot_batch.errors import ArchiveError, DatabaseError
from homeiot_batch.report.costs import cost_chart
from homeiot_batch.report.figures import (
    Day,
    DayCost,
    House,
    Meter,
    Quarter,
    TypicalQuarter,
    read_figures,
)
from homeiot_batch.report.heat_maps import years_chart
from homeiot_batch.report.load_curve import load_curve
from homeiot_batch.report.page import render, write_report
from homeiot_batch.report.page_parts import TEMPLATES
from homeiot_batch.report.wording import Wording
from homeiot_batch.report.words import Words
from tests.report.conftest import Build, Built, readings, rows, span
from tests.report.days import a_day
from tests.report.reading import Reader

BERLIN = ZoneInfo("Europe/Berlin")
W = Words("en")


def test_no_data_at_all_is_a_page_that_says_so() -> None:
    """Before the first night: no error, no chart, no zero."""
    page = Reader(
        render(
            House(BERLIN, datetime(2026, 11, 24, 3), None, []),
            datetime(2026, 11, 24, 3, tzinfo=UTC),
            "en",
        )
    )
    assert (page.heading, page.parts) == ("No data yet", [])
    assert (
        "The archive has no reading of any meter. The next nightly run writes this page again."
        in page.text
    )


@pytest.mark.slow
def test_an_archive_without_readings(build: Build) -> None:
    """Marts without a row."""
    assert Reader(build([]).page()).heading == "No data yet"


@pytest.mark.slow
def test_a_single_day(build: Build) -> None:
    """One bar, no month before to compare with, a usual day that is this one, no tabs."""
    one = build(list(readings("a", span(1), BERLIN)), "Europe/Berlin")
    page = one.page()
    [part] = Reader(page).parts
    assert Reader(page).heading == "Monday, 23 November 2026"
    assert len(part.tables["table"]) == 2
    assert [note for note in part.notes if "than" in note] == []
    assert "22 of 23 days incomplete or missing" in part.notes
    assert '<nav class="tabs"' not in page


@pytest.mark.slow
def test_a_source_that_has_power_alone(build: Build) -> None:
    """A meter without counters.

    Its peaks are shown, its energy is no data in every chart and table, and never 0.
    """
    built = build(
        [
            (at, source, watts, None, None)
            for at, source, watts, *_ in readings("plug", span(40), BERLIN)
        ],
        "Europe/Berlin",
    )
    [part] = Reader(built.page()).parts
    assert part.tiles["Bought"] == part.tiles["Bought this month"] == [(None, "no data")]
    assert part.tiles["Peak"] == [(423.0, "423")]
    assert {row[1] for name in ("days", "months", "years") for row in part.tables[name][1:]} == {
        (None, "no data")
    }
    assert [part.pictures[name] for name in ("curve", "days", "months", "heat-bought")] == [
        "No load curve for 23 November 2026: no data.",
        "Energy of the last 40 days: no data.",
        "Energy by month: no data.",
        "Energy by hour and day: no data.",
    ]
    assert [title.split(":")[-1] for title in part.titles["days"]] == [" no data"]


def days_of(day: date, hours: float) -> tuple[LocalDay, Meter]:
    local = LocalDay(day, BERLIN)
    quarters = [
        Quarter((local.start + timedelta(minutes=15 * k)).replace(tzinfo=None), 1000.0 + k, None)
        for k in range(int(hours * 4))
    ]
    usual = [
        TypicalQuarter(
            (datetime(2026, 1, 1) + timedelta(minutes=15 * k)).time(), 100.0 * (k // 4), None, 9
        )
        for k in range(96)
    ]
    return local, Meter(
        "a", None, None, True, False, True, 60, load_curve=quarters, typical_day=usual, days=[EMPTY]
    )


EMPTY: Any = type(
    "Empty",
    (),
    {
        "import_kwh": 1.0,
        "export_kwh": None,
        "net_kwh": 1.0,
        "estimated_kwh": 0.0,
        "date_jst": date(2026, 1, 1),
        "readings": 1,
    },
)()


@pytest.mark.parametrize(
    ("day", "hours", "labels"),
    [
        (
            date(2026, 3, 29),
            23,
            ["00:00", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "24:00"],
        ),
        (
            date(2026, 10, 25),
            25,
            ["00:00", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "24:00"],
        ),
        (
            date(2026, 11, 23),
            24,
            ["00:00", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "24:00"],
        ),
    ],
)
def test_the_axis_has_as_many_hours_as_the_day(day: date, hours: int, labels: list[str]) -> None:
    """Labels are the clock's, at their true place. The curve fills the day.

    The usual day follows the clock. A change is said.
    """
    local, source = days_of(day, hours)
    chart = load_curve(Wording(source, W), local)
    assert [label.text for label in chart.x_labels] == labels
    three = {23: 2 / 23, 25: 4 / 25, 24: 3 / 24}[hours]
    assert chart.x_labels[1].at == pytest.approx(100 * three, abs=0.01)
    assert chart.gaps == []
    assert len(re.findall("H", dict(chart.paths)["bought"])) == 4 * hours
    assert (
        list(chart.notes)
        == {
            23: ["The clocks went forward: the day has 23 hours"],
            25: ["The clocks went back: the day has 25 hours"],
            24: [],
        }[hours]
    )


def test_a_day_of_25_hours_is_whole_in_all_charts(build: Build) -> None:
    """From readings to page.

    No gap at the hour that comes twice, none at the end, and the day is complete. The table has
    that hour twice.
    """
    last = date(2026, 10, 25)
    found = list(readings("a", span(3, last), BERLIN))
    [part] = Reader(build(found, "Europe/Berlin").page()).parts
    assert part.titles.get("curve") is None
    assert [row[0][1] for row in part.tables["curve"][1:]] == [
        f"{hour:02}:00" for hour in (0, 1, 2, *range(2, 24))
    ]
    assert sum(row[1][0] or 0 for row in part.tables["curve"][1:]) == pytest.approx(
        part.tiles["Bought"][0][0]
    )
    assert part.tiles["Completeness"] == [(1.0, "100")]


def test_a_year_without_29_february_has_no_hole_there() -> None:
    """Months lie below each other in all years.

    Without the day, the one before it is drawn over its place. With it, every day has one.
    """
    days = [a_day(date(2023, 2, 27) + timedelta(days=k)) for k in range(370)]
    assert days[-1].date_jst == date(2024, 3, 2)
    chart = years_chart(Wording(Meter("a", None, None, True, False, True, 60, days=days), W))
    assert dict(chart.paths)["l0"] == "M0 0h62v1h-62zM57 1h309v1h-309z"
    ends = [a_day(date(2023, 2, 28)), *days[-2:]]
    assert (
        dict(
            years_chart(Wording(Meter("a", None, None, True, False, True, 60, days=ends), W)).paths
        )["l0"]
        == "M60 0h2v1h-2zM58 1h2v1h-2z"
    )


def test_costs_are_marked_as_the_energy_is() -> None:
    """Bars of incomplete or estimated days are faint, as are those of which a part has no price.

    Resets have a mark. The legend says so.
    """
    whole = [a_day(date(2026, 11, n)) for n in range(19, 24)]
    odd = [
        whole[0],
        replace(whole[1], estimated_kwh=0.5),
        replace(whole[2], is_complete=False, coverage=0.5),
        replace(whole[3], reset_count=1),
        whole[4],
    ]
    costs = [
        DayCost("EUR", cost, None, cost, kwh, day.date_jst)
        for day, cost, kwh in zip(whole, (2, 2, -1, 2, 2), (0, 0, 0, 0, 3), strict=True)
    ]

    def drawn(days: list[Day], costs: list[DayCost]) -> tuple[Any, ...]:
        meter = Meter("a", None, None, True, False, True, 60, days=days, costs=costs)
        chart = cost_chart(Wording(meter, W), date(2026, 11, 23))
        assert chart is not None
        bars = {bar.index: (look, title.partition(": ")[2]) for look, bar, title in chart.bars}
        return (
            [bars[index] for index in range(5)],
            [(mark.at, mark.title) for mark in chart.marks],
            [look for look, _ in chart.legend],
        )

    assert drawn(odd, costs) == (
        [
            ("cost", "2.00 EUR"),
            ("cost doubtful", "2.00 EUR; 0.50 kWh estimated"),
            ("earned doubtful", "\u22121.00 EUR; 50.0 % of the readings, longest gap 1 min"),
            ("cost", "2.00 EUR; 1 counter reset or swap"),
            ("cost doubtful", "2.00 EUR; 3.00 kWh have no price and are in no cost"),
        ],
        [(70.0, "22 November 2026: 2.00 EUR; 1 counter reset or swap")],
        ["doubtful", "dot"],
    )
    bare = [replace(cost, unpriced_kwh=0) for cost in costs]
    assert drawn(whole, bare)[1:] == ([], [])
    assert {look for look, _ in drawn(whole, bare)[0]} == {"cost", "earned"}


@pytest.mark.slow
def test_no_cost_stands_under_another_currency(build: Build) -> None:
    """Days before the currency changed.

    Their amounts have their own in the tables, and are no bar in the chart. Nor are those without
    any.
    """
    days = list(span(4))
    hours = ("1234567", "00:00", "24:00")
    tariffs = [
        ("a", days[0], days[0], *hours, 5.0, None, None),
        ("a", days[1], days[1], *hours, 20.0, None, "BGN"),
        ("a", days[2], None, *hours, 10.0, None, "EUR"),
    ]
    built = build(list(readings("a", span(4), BERLIN)), "Europe/Berlin", tariffs)
    [part] = Reader(built.page()).parts
    by_day = "SELECT import_cost FROM fct_daily_cost ORDER BY date_jst DESC"
    costs = [cost for (cost,) in rows(built, by_day)]
    expected = list(
        zip(
            costs,
            [
                W.number(cost, 2) + unit
                for cost, unit in zip(costs, ("", "", " BGN", " (no currency)"), strict=True)
            ],
            strict=True,
        )
    )
    assert part.tables["table"][0][4][1] == "Cost, EUR"
    assert [row[4] for row in part.tables["table"][1:]] == expected
    assert (
        [row[1] for row in part.tables["cost"][1:]]
        == [row[3] for row in part.tables["cost"][1:]]
        == expected
    )
    assert [title.partition(";")[0] for title in part.titles["cost"]] == [
        f"22 November 2026: {expected[1][1]} EUR",
        f"23 November 2026: {expected[0][1]} EUR",
        "20 November 2026 … 21 November 2026: no data",
    ]
    assert part.tiles["Cost"] == [expected[0]]


@pytest.mark.slow
def test_a_gap_before_another_meter_is_no_data(build: Build) -> None:
    """Its days have energy 0 in the tables, for no counter says more.

    On the page and in its CSV they have no data, no cost, no hours.
    """
    days, october = list(span(60)), date(2026, 10, 1)
    gap = [day for day in days if october <= day < date(2026, 11, 3)]
    old = list(readings("a", iter(day for day in days if day < october), BERLIN))
    new = [
        (at, source, watts, counter and counter + 1e6, sold)
        for at, source, watts, counter, sold in readings("a", iter(days[-21:]), BERLIN)
    ]
    built = build(
        old + new,
        "Europe/Berlin",
        [("a", days[0], None, "1234567", "00:00", "24:00", 0.3, None, "EUR")],
    )
    inside = built.archive.query(
        "SELECT DISTINCT readings, import_kwh, estimated_kwh FROM fct_daily_energy WHERE date_jst "
        "= ANY(?)",
        gap[1:],
    )
    assert inside == [(0, 0.0, 0.0)]
    page = built.page()
    [part] = Reader(page).parts
    shown = {row[0][1]: row[1] for name in ("days", "months") for row in part.tables[name][1:]}
    missing = (None, "no data")
    assert [shown[W.day(day)] for day in gap] == [missing] * len(gap)
    assert shown["October 2026"] == missing
    rows = {row[0][1]: (row[1], row[4]) for row in part.tables["table"][1:]}
    assert [rows[W.day(day, "date_short")] for day in gap if day > days[-32]] == [
        (missing, missing)
    ] * len(gap[-10:])
    assert "1 October 2026 … 2 November 2026: no data" in part.titles["days"]
    assert {
        title.rpartition(": ")[2]
        for title in part.titles["calendar"]
        if title.split(":")[0] in map(W.day, gap)
    } == {"no data; no readings, longest gap 793 h 30 min"}
    heat = next(source for source in built.house.meters if source.name == "a").hours
    assert [hour for hour in heat if hour.date_jst in gap] == []
    [link] = part.links
    text = base64.b64decode(link.split(",")[1]).decode()
    energies = {row["date_jst"]: row["import_kwh"] for row in csv.DictReader(io.StringIO(text))}
    in_it = [energies[str(day)] for day in gap if str(day) in energies]
    assert in_it == [""] * len(gap[-10:])


@pytest.mark.slow
def test_an_hour_that_the_clocks_skip_is_no_missing_data(build: Build) -> None:
    """The heat map leaves it blank: it hatches only what is missing."""
    page = build(list(readings("a", span(3, date(2026, 3, 29)), BERLIN)), "Europe/Berlin").page()
    [part] = Reader(page).parts
    assert part.titles.get("curve") is None
    assert len(part.tables["curve"]) == 24
    heat = page[page.index('<section class="card heat-bought">') :]
    assert "no data" not in heat[: heat.index("</section>")]
    assert 'class="blank"' in heat[: heat.index("</section>")]


def test_a_page_on_old_data_says_how_old(troubled: Built) -> None:
    """Made days after its newest day, because the nightly run failed: in words, with the number.

    One that is current has no such line.
    """
    late = render(troubled.house, datetime(2026, 11, 27, 0, 10, tzinfo=UTC), "en")
    assert (
        "The newest data is 3 days older than yesterday: the nightly run did not bring in what "
        "came since." in Reader(late).text
    )
    assert "older than yesterday" not in troubled.page()


def test_a_name_is_text_wherever_it_stands(page: str) -> None:
    """Quotes and tags of a source's name make no element and no attribute."""
    assert page.count("<script") == 1
    assert "<img" not in page
    assert page.count("</title></style>") == 0
    assert "url(" not in page
    assert not re.search(r'(?:src|href)="(?!data:)', page)


def test_the_words_are_in_one_place() -> None:
    """A translation needs no change of a template.

    Outside of tags and expressions they hold no letter.
    """
    for template in TEMPLATES.glob("*.j2"):
        text = re.sub(r"<style>.*?</style>", "", template.read_text(), flags=re.DOTALL)
        text = re.sub(
            r"\{%.*?%\}|\{\{.*?\}\}|<[^<>]*>",
            "",
            re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "", text, flags=re.DOTALL),
            flags=re.DOTALL,
        )
        assert re.findall(r"[A-Za-z]{2,}", text) == [], template.name


def test_it_is_replaced_whole(troubled: Built, tmp_path: Path) -> None:
    """One rename: a reader who has the old page open keeps it. Nothing else is left in the folder.

    A full disk leaves the old one.
    """
    file = tmp_path / "report/index.html"
    now = datetime(2026, 11, 24, tzinfo=UTC)
    said = write_report(troubled.settings.layout.read_copy, file, now, "en")
    assert (said["bytes"], said["page"]) == (file.stat().st_size, file_stamp(file))
    with file.open() as old:
        write_report(troubled.settings.layout.read_copy, file, now, "en")
        assert os.fstat(old.fileno()).st_nlink == 0
    names = {path.name for path in file.parent.iterdir()}
    assert names == {"index.html", "months"}
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ArchiveError, match="cannot be written"):
        write_report(troubled.settings.layout.read_copy, tmp_path / "file/index.html", now, "en")


def test_without_a_read_copy_it_says_what_to_do(tmp_path: Path) -> None:
    """None there, an older version, one that says nothing of itself, and no database."""
    copy = tmp_path / "home.read.duckdb"
    with pytest.raises(DatabaseError, match="there is no read copy at .*; run the workflow"):
        read_figures(copy)
    with duckdb.connect(copy) as connection:
        connection.execute(
            "CREATE TABLE read_copy AS SELECT 'Asia/Tokyo' AS tz, now()::TIMESTAMP AS published_at"
        )
        connection.execute(
            "CREATE TABLE fct_daily_energy AS SELECT DATE '2026-11-23' AS date_jst, 'a' AS source"
        )
    with pytest.raises(
        DatabaseError, match="lacks a table or column .*; run `snakemake --forcerun dbt`"
    ):
        read_figures(copy)
    for change in (
        "DELETE FROM read_copy",
        "INSERT INTO read_copy VALUES ('Mars/Olympus', now()::TIMESTAMP)",
    ):
        with duckdb.connect(copy) as connection:
            connection.execute(change)
        with pytest.raises(
            DatabaseError,
            match="names no time zone that is known .*; run `snakemake --forcerun dbt`",
        ):
            read_figures(copy)
    copy.write_text("something else")
    with pytest.raises(DatabaseError, match="cannot be read"):
        read_figures(copy)


def test_numbers_and_durations() -> None:
    """Three figures or the unit. No minus before a zero.

    A share is 100 only if nothing is missing.
    """
    assert [W.energy(value) for value in (0.004, -0.004, 9.994, 9.996, 123.45, 1234.5, None)] == [
        "0.00",
        "0.00",
        "9.99",
        "10.0",
        "123.5",
        "1,234",
        "no data",
    ]
    assert W.energy(-5.5) == "\u22125.50"
    assert [W.share(value) for value in (1.0, 0.9999, 0.875, 0.0)] == ["100", "99.9", "87.5", "0"]
    assert [W.duration(value) for value in (5, 60, 3599, 3600, 12_000)] == [
        "5 s",
        "1 min",
        "1 h",
        "1 h",
        "3 h 20 min",
    ]


@pytest.mark.slow
def test_a_counter_that_fell_silent_leaves_the_net_without_data(build: Build) -> None:
    """What was bought is shown, and no hole.

    What was sold, the net and the cost of the day, and the net of its month and year, are no data.
    """
    tariff = ("a", date(2026, 1, 1), None, "1234567", "00:00", "24:00", 0.3, 0.1, "EUR")
    found = [
        (at, source, watts, bought, sold if at < datetime(2026, 11, 20) else None)
        for at, source, watts, bought, sold in readings("a", span(30), BERLIN, sold=True)
    ]
    built = build(found, "Europe/Berlin", [tariff])
    [part] = Reader(built.page()).parts
    day = built.house.meters[0].days[-1]
    assert part.tiles["Bought"] == [(day.import_kwh, W.energy(day.import_kwh))]
    assert part.tiles["Sold"] == part.tiles["Net"] == part.tiles["Cost"] == [(None, "no data")]
    assert [part.tables[name][1][3] for name in ("table", "months", "years")] == [
        (None, "no data")
    ] * 3
    assert [
        f": Bought {W.energy(day.import_kwh)} kWh, Sold no data" in title
        for title in part.titles["days"]
    ].count(True) == 1


def test_a_page_in_japanese() -> None:
    """Before the first night: its language, its date line and its sentences."""
    page = render(
        House(ZoneInfo("Asia/Tokyo"), datetime(2026, 11, 24, 3), None, []),
        datetime(2026, 11, 24, 3, tzinfo=UTC),
        "ja",
    )
    assert '<html lang="ja">' in page
    assert Reader(page).heading == "まだデータがありません"
    assert (
        "保存されている計測値がまだありません。次の夜間の取り込みで、このページは作り直されます。"
        in Reader(page).text
    )


def test_figures_in_japanese() -> None:
    """Dates, times, money and numbers as a Japanese reader writes them. Yen have no decimals."""
    ja = Words("ja")
    at = datetime(2026, 11, 26, 0, 5)
    forms = ("date", "date_long", "date_short", "date_axis", "month_of_year")
    assert [ja.day(at, form) for form in forms] == [
        "2026年11月26日",
        "2026年11月26日(木)",
        "11月26日",
        "11/26",
        "2026年11月",
    ]
    assert ja.instant(at) == "2026年11月26日 00:05"
    assert [ja.money(1234.5, code) for code in ("JPY", "EUR", None)] == [
        "1,234円",
        "1,234 EUR",
        "1,234 (通貨の指定なし)",
    ]
    assert [ja.money(-12.345, code) for code in ("JPY", "EUR")] == ["−12円", "−12.35 EUR"]
    assert W.money(-12.345, "JPY") == "−12 JPY"
    assert ja.energy(1234.5) == "1,234"
    assert [ja.duration(value) for value in (5, 3599, 3600, 12_000)] == [
        "5秒",
        "1時間",
        "1時間",
        "3時間20分",
    ]
    assert ja.all_of(["太陽光", "蓄電池", "買電"]) == "太陽光、蓄電池、買電"
