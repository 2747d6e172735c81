"""The pages of the months: what they show, and when they are written."""

import base64
import csv
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from homeiot_batch.errors import ArchiveError
from homeiot_batch.report import month_figures
from homeiot_batch.report.balances import HouseBalance, MonthBalance
from homeiot_batch.report.elements import Tile
from homeiot_batch.report.figures import Cost, Day, DayCost, House, Meter, Month, sums_of_costs
from homeiot_batch.report.month_figures import months_of
from homeiot_batch.report.month_files import write_months
from homeiot_batch.report.month_page import Section, month_page
from homeiot_batch.report.page import write_report
from homeiot_batch.report.page_parts import environment
from homeiot_batch.report.panel import panel
from homeiot_batch.report.words import Words
from homeiot_batch.words.languages import LANGUAGES, Language
from tests.report.browser import CHROMIUM, PHONE, Browser
from tests.report.conftest import GRID, LONG, QUOTES, SCRIPT, Built, as_on_a_page
from tests.report.days import a_day
from tests.report.reading import Reader
from tests.report.test_browser import CUT_OFF

NOW = datetime(2026, 11, 24, 0, 20, tzinfo=UTC)
MONTHS = ["2026-09.html", "2026-10.html", "2026-11.html"]
W = Words("en")
# loaded with a page, and without a say in what it shows: its figures are in the key themselves
READS_ALONE = {
    "homeiot_batch.core",
    "homeiot_batch.core.duckdb_connections",
    "homeiot_batch.errors",
}
# a house with a roof and a battery
A_BALANCE = HouseBalance(
    [],
    [
        MonthBalance(
            *(103.5, 189.1, 613.2, 239.1, 240.4, 528.8, 190.0, 239.1, 184.1, 235.1, 5.3, 103.5),
            *(0.0, 0.0, 7.01, 0.69, 0.84, False),
            month_jst=date(2026, 10, 1),
            known_days=29,
            complete_days=28,
        )
    ],
    [],
)


class Written:
    """A copy of a published house, and its report."""

    def __init__(self, built: Built, folder: Path) -> None:
        self.read_copy = folder / "home_energy.read.duckdb"
        shutil.copy(built.settings.layout.read_copy, self.read_copy)
        self.file = folder / "report/index.html"
        self.months = self.file.parent / "months"

    def write(self, language: Language = "en") -> list[str]:
        """Write the report. The months that were written."""
        return write_report(self.read_copy, self.file, NOW, language)["months_written"]

    def change(self, *statements: str) -> None:
        """Let the tables hold something else."""
        with duckdb.connect(self.read_copy) as connection:
            for statement in statements:
                connection.execute(statement)

    def ask(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the tables."""
        with duckdb.connect(self.read_copy, read_only=True) as connection:
            return as_on_a_page(connection.execute(sql).fetchall())

    def kept(self) -> dict[str, tuple[bytes, int]]:
        """Each page of a month, and the time of its last change."""
        files = sorted(self.months.iterdir())
        return {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in files}

    def page(self, name: str) -> str:
        """The text of a month's page."""
        return (self.months / name).read_text()


@pytest.fixture
def written(troubled: Built, tmp_path: Path) -> Written:
    """The troubled house's report with its months, just written."""
    house = Written(troubled, tmp_path)
    assert house.write() == MONTHS
    return house


def test_a_month_that_shows_the_same_is_not_written_again(written: Written) -> None:
    """Its bytes and its time stay, whatever the clock says."""
    before = written.kept()
    assert list(before) == MONTHS
    assert written.write() == []
    assert written.kept() == before


def test_a_repaired_day_is_in_the_page_of_its_month(written: Written) -> None:
    """The other months stay as they are."""
    before = written.kept()
    written.change(
        "UPDATE fct_daily_energy SET import_kwh = 77.25, readings = 48, estimated_kwh = 0 "
        f"WHERE source = '{GRID}' AND date_jst = '2026-10-20'"
    )
    assert written.write() == ["2026-10.html"]
    after = written.kept()
    assert 'value="77.25">77.2</data>' in written.page("2026-10.html")
    assert {name: after[name] for name in MONTHS[::2]} == {
        name: before[name] for name in MONTHS[::2]
    }


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE fct_monthly_energy SET import_kwh = 1 WHERE month_jst = '2026-10-01'",
        "UPDATE fct_daily_cost SET net_cost = 9 WHERE date_jst = '2026-10-02'",
        "UPDATE fct_daily_energy SET coverage = 0.5 WHERE date_jst = '2026-10-03'",
        "UPDATE fct_daily_energy SET glitch_count = 1 WHERE date_jst = '2026-10-04'",
        "DELETE FROM fct_daily_energy WHERE date_jst = '2026-10-05'",
    ],
)
def test_each_figure_of_the_page_counts(written: Written, change: str) -> None:
    """Whatever differs of a month, its page is written again."""
    written.change(change)
    assert written.write() == ["2026-10.html"]


def test_sums_that_differ_by_rounding_alone_are_the_same(written: Written) -> None:
    """A sum may be added up in another order."""
    written.change("UPDATE fct_monthly_energy SET import_kwh = import_kwh + 1e-13")
    assert written.write() == []


def test_another_language_writes_all_months(written: Written) -> None:
    """And only once."""
    assert written.write("ja") == MONTHS
    assert "2026年10月" in written.page("2026-10.html")
    assert written.write("ja") == []


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the package, of which the keys are made."""
    folder = tmp_path / "another place"
    shutil.copytree(month_figures.PACKAGE, folder)
    monkeypatch.setattr(month_figures, "PACKAGE", folder)
    return folder


def test_the_place_of_the_program_does_not_count(written: Written, program: Path) -> None:
    """Nor what Python and others leave beside it."""
    (program / "words/notes.txt").write_text("mine")
    assert written.write() == []


@pytest.mark.parametrize(
    "name",
    ["core/days.py", "report/templates/month.css", "words/en/report.toml", "words/phrases.py"],
)
def test_another_program_writes_all_months(name: str, written: Written, program: Path) -> None:
    """One byte of what makes the pages is enough. They are written only once."""
    file = program / name
    file.write_bytes(file.read_bytes() + b"\n")
    assert written.write() == MONTHS
    assert written.write() == []


def test_the_name_of_a_file_of_the_program_counts(written: Written, program: Path) -> None:
    """Two modules that are renamed to each other hold the same bytes."""
    file = program / "report/charts.py"
    file.rename(file.with_name("diagrams.py"))
    assert written.write() == MONTHS


def test_nothing_that_makes_a_page_is_missing_in_the_key() -> None:
    """Each module that a page loads counts, but those that only read the figures, or fail."""
    code = "import sys, homeiot_batch.report.month_page; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    loaded = {name for name in done.stdout.split() if name.startswith("homeiot_batch.")}
    package = month_figures.PACKAGE
    hashed = {file for pattern in month_figures.PROGRAM for file in package.glob(pattern)}
    files = {name: find_spec(name) for name in loaded}
    others = {
        name for name, found in files.items() if found and Path(str(found.origin)) not in hashed
    }
    assert others == READS_ALONE


def test_what_is_no_page_or_was_cut_is_written_again(written: Written) -> None:
    """A page ends with what it is known by."""
    whole = written.page(MONTHS[0])
    (written.months / MONTHS[0]).write_text(whole[:2000])
    (written.months / MONTHS[1]).unlink()
    assert written.write() == MONTHS[:2]
    assert written.page(MONTHS[0]) == whole


def test_the_sums_are_those_of_the_tables(written: Written) -> None:
    """Bought, sold and net of each meter and month, and the highest power."""
    sql = "SELECT import_kwh, export_kwh, net_kwh, peak_w FROM fct_monthly_energy"
    for name in MONTHS:
        parts = {part.name: part for part in Reader(written.page(name)).parts}
        where = f"WHERE source = '{GRID}' AND month_jst = '{name[:7]}-01'"
        [[bought, sold, net, peak]] = written.ask(f"{sql} {where}")
        tiles = parts[GRID].tiles
        assert tiles["Bought"] == [(bought, W.energy(bought))]
        assert tiles["Sold"] == [(sold, W.energy(sold))]
        assert tiles["Net"] == [(net, W.energy(net))]
        assert tiles["Peak"] == [(peak, W.number(peak))]
        assert tiles["Cost"][0][0] == pytest.approx(
            written.ask(
                f"SELECT sum(net_cost) FROM fct_daily_cost WHERE source = '{GRID}' AND "
                f"date_trunc('month', date_jst) = '{name[:7]}-01'"
            )[0][0]
        )


def test_a_day_without_readings_never_looks_whole(written: Written) -> None:
    """Two days of October were not archived, and one ends in the gap."""
    page = written.page("2026-10.html")
    caveat = "3 of 31 days incomplete or missing, 53.0 kWh estimated"
    assert page.count(f'<p class="note caveat">{caveat}</p>') == 5
    peak = page.partition('<p class="label">Peak</p>')[2].partition("</div>")[0]
    assert f'<p class="note caveat">{caveat}</p>' in peak
    assert '<data value="28">28</data> <span class="unit">/ 31</span>' in page
    row = re.search(r'<tr><th scope="row">20 Oct</th>.*?</tr>', page)
    assert row is not None
    assert 'class="remark">no readings, longest gap 48 h 30 min, 26.2 kWh estimated</td>' in row[0]


def test_a_month_in_progress_says_so(written: Written) -> None:
    """The others do not. A month whose last day is there is over."""
    said = "The month is not over. The figures cover the days up to 23 November 2026."
    pages = {name: said in written.page(name) for name in MONTHS}
    assert pages == dict(zip(MONTHS, (False, False, True), strict=True))
    assert " of 23 days" in written.page("2026-11.html")


def test_the_months_lead_to_each_other_and_to_the_report(written: Written) -> None:
    """And the report leads to each of them. Each address is a file."""
    found = {name: re.findall(r'href="([^"#]+\.html)"', written.page(name)) for name in MONTHS}
    assert found == {
        MONTHS[0]: ["../index.html", MONTHS[1]],
        MONTHS[1]: [MONTHS[0], "../index.html", MONTHS[2]],
        MONTHS[2]: [MONTHS[1], "../index.html"],
    }
    links = re.findall(r'href="(months/[^"]+)"', written.file.read_text())
    assert links == [f"months/{name}" for name in MONTHS]


def test_names_are_text(written: Written) -> None:
    """A meter's name cannot become a part of the page, and is whole."""
    page = written.page("2026-11.html")
    assert "<script" not in page
    assert "<img" not in page
    assert [part.name for part in Reader(page).parts] == [GRID, *sorted([SCRIPT, QUOTES, LONG])]


def test_a_month_without_data_has_a_page_that_says_so(written: Written) -> None:
    """Between months with data."""
    for table, column in (
        ("fct_daily_energy", "date_jst"),
        ("fct_monthly_energy", "month_jst"),
        ("fct_daily_cost", "date_jst"),
    ):
        written.change(f"DELETE FROM {table} WHERE month({column}) = 10")
    assert written.write() == ["2026-10.html"]
    [part, *_] = Reader(written.page("2026-10.html")).parts
    assert (part.name, part.tiles) == (GRID, {})
    assert '<p class="notice">There is no data for this month.</p>' in written.page("2026-10.html")


def test_no_page_stays_of_what_is_no_longer_there(written: Written) -> None:
    """A month before the first day is removed, and a meter that is not declared any more.

    A file of another name stays.
    """
    note = written.months / "notes.html"
    note.write_text("mine")
    written.change(
        "DELETE FROM fct_daily_energy WHERE date_jst < '2026-10-01'",
        f"DELETE FROM dim_source WHERE source = '{SCRIPT}'",
    )
    assert written.write() == MONTHS[1:]
    assert sorted(file.name for file in written.months.iterdir()) == [*MONTHS[1:], "notes.html"]
    assert SCRIPT.replace("<", "&lt;").replace(">", "&gt;") not in written.page("2026-11.html")


def test_a_report_elsewhere_has_no_months(written: Written, tmp_path: Path) -> None:
    """It is one file, without links to others."""
    file = tmp_path / "elsewhere/energy.html"
    write_report(written.read_copy, file, NOW, "en", with_months=False)
    assert [path.name for path in file.parent.iterdir()] == ["energy.html"]
    assert 'href="months/' not in file.read_text()


def test_a_disk_that_refuses_leaves_the_pages_of_before(written: Written) -> None:
    """The message names the file. No part of a page stays."""
    before = written.kept()
    main = written.file.read_bytes()
    written.change("UPDATE fct_monthly_energy SET peak_w = 1 WHERE month(month_jst) = 10")
    part = written.months / ".2026-10.html.part"
    part.mkdir()
    said = f"^{written.months}/2026-10.html cannot be written \\(Is a directory\\); see to disk "
    with pytest.raises(ArchiveError, match=said):
        written.write()
    part.rmdir()
    assert written.kept() == before
    assert written.file.read_bytes() == main


def test_the_house_of_a_month(sunny: Built, tmp_path: Path) -> None:
    """What it used and from where, as fct_monthly_balance has it, with its doubts."""
    house = Written(sunny, tmp_path)
    house.write()
    sql = "SELECT consumed_kwh, produced_kwh, self_sufficiency FROM fct_monthly_balance"
    [[used, produced, share]] = house.ask(f"{sql} WHERE month_jst = '2026-09-01'")
    part, *meters = Reader(house.page("2026-09.html")).parts
    assert part.name == "House"
    assert part.tiles["Used"] == [(used, W.energy(used))]
    assert part.tiles["Produced"] == [(produced, W.energy(produced))]
    assert part.tiles["Self-sufficiency"] == [(share, W.share(share))]
    assert "1 of 30 days incomplete or missing, 7.01 kWh estimated" in house.page("2026-09.html")
    assert [meter.name for meter in meters] == ["main", "roof", "powerwall", "car", "heat pump"]
    [roof] = [meter for meter in meters if meter.name == "roof"]
    assert "Produced" in roof.tiles


def days_of(first: date, last: date) -> Iterator[date]:
    """Each day."""
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def a_house(
    first: date, last: date, zone: str, change: Callable[[Day], Day] = lambda day: day
) -> House:
    """A house with one meter, complete days from the first to the last."""
    days = [change(a_day(day)) for day in days_of(first, last)]
    months = []
    for month in sorted({day.replace(day=1) for day in days_of(first, last)}):
        of_month = [day for day in days if day.date_jst.replace(day=1) == month]
        kwh = sum(day.import_kwh or 0 for day in of_month)
        complete = sum(day.is_complete for day in of_month)
        months.append(Month(kwh, None, None, 0.0, month, 900.0, 0, 0, 0, 0, complete))
    meter = Meter("grid", None, None, True, False, True, 60.0, days=days, months=months)
    return House(ZoneInfo(zone), datetime(2026, 1, 1), last, [meter])


def pages_of(house: House) -> dict[str, str]:
    """The pages by month."""
    templates = environment()
    return {
        f"{month.first:%Y-%m}": month_page(month, templates, W, "key") for month in months_of(house)
    }


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", date(2026, 3, 29), "forward: the day has 23"),
        ("Europe/Berlin", date(2026, 10, 25), "back: the day has 25"),
        ("Australia/Lord_Howe", date(2026, 10, 4), "forward: the day has 23.5"),
    ],
)
def test_a_day_of_a_clock_change_says_how_long_it_was(zone: str, day: date, hours: str) -> None:
    """And no other day of the month does."""
    end = (day.replace(day=1) + timedelta(days=32)).replace(day=1) - timedelta(days=1)
    [page] = pages_of(a_house(day.replace(day=1), end, zone)).values()
    said = f"The clocks went {hours} hours"
    assert re.findall(r'class="remark">([^<]+)<', page) == [said]


def test_years_and_leap_days(tmp_path: Path) -> None:
    """A page for each month over the turn of a year, each with all its days."""
    pages = pages_of(a_house(date(2023, 12, 30), date(2024, 3, 2), "Australia/Adelaide"))
    rows = {month: len(re.findall(r'<tr><th scope="row">', page)) for month, page in pages.items()}
    assert rows == {"2023-12": 2, "2024-01": 31, "2024-02": 29, "2024-03": 2}
    assert "29 of 31 days incomplete or missing" in pages["2023-12"]
    assert '<data value="29">29</data> <span class="unit">/ 29</span>' in pages["2024-02"]
    assert "The month is not over." in pages["2024-03"]


def rows_of(link: str) -> list[dict[str, str]]:
    """The rows of a CSV in a data: link."""
    text = base64.b64decode(link.split(",")[1]).decode()
    return list(csv.DictReader(io.StringIO(text)))


def test_both_downloads_say_the_same_of_a_day_that_nobody_measured() -> None:
    """The marts have 0 kWh for a day inside a gap that ends with another meter: it is empty."""

    def changed(day: Day) -> Day:
        if day.date_jst.day != 10:
            return day
        return replace(day, import_kwh=0.0, readings=0, coverage=0.0, is_complete=False)

    house = a_house(date(2026, 11, 1), date(2026, 11, 30), "Asia/Tokyo", changed)
    [page] = pages_of(house).values()
    [link] = Reader(page).parts[0].links
    of_month = rows_of(link)
    assert of_month == rows_of(panel(house.meters[0], house, W).csv)
    assert [row["import_kwh"] for row in of_month] == ["10.0"] * 9 + [""] + ["10.0"] * 20


def test_tiles_fill_their_rows() -> None:
    """No tile is alone in a row, but the only one."""
    found = [Section("a", "", "", [], [Tile("b", 1.0, "1")] * n).columns for n in range(1, 11)]
    assert found == [3, 3, 3, 4, 3, 3, 4, 4, 3, 4]


def test_the_days_that_stand_out_are_complete_ones() -> None:
    """A day that was cut short is not the lowest one, nor an estimated one the highest."""

    def changed(day: Day) -> Day:
        found = {
            3: replace(day, import_kwh=1.0, is_complete=False, coverage=0.1),
            4: replace(day, import_kwh=99.0, estimated_kwh=50.0),
            5: replace(day, import_kwh=12.5),
            6: replace(day, import_kwh=7.5),
        }
        return found.get(day.date_jst.day, day)

    [page] = pages_of(
        a_house(date(2026, 11, 1), date(2026, 11, 30), "Asia/Tokyo", changed)
    ).values()
    tiles = Reader(page).parts[0].tiles
    assert tiles["Highest day"] == [(12.5, "12.5")]
    assert tiles["Lowest day"] == [(7.5, "7.50")]


def test_a_meter_that_was_taken_out_has_no_later_months() -> None:
    """It is in the month of its last day."""
    house = a_house(date(2026, 9, 1), date(2026, 11, 5), "Asia/Tokyo")
    house.meters[0].until = date(2026, 10, 2)
    found = [(month.first.month, len(month.meters)) for month in months_of(house)]
    assert found == [(9, 1), (10, 1), (11, 0)]


def test_costs_of_a_month_are_kept_apart_by_currency() -> None:
    """A net that is not known on one day is not known of the month."""
    day = date(2026, 11, 1)
    costs = [
        DayCost("EUR", 1.0, 0.25, 0.75, 0.0, day),
        DayCost("EUR", 2.0, None, 2.0, 1.5, day),
        DayCost("JPY", 30.0, None, 30.0, 0.0, day),
        DayCost("JPY", 40.0, None, None, 0.0, day),
    ]
    assert sums_of_costs(costs) == [
        Cost("EUR", 3.0, 0.25, 2.75, 1.5),
        Cost("JPY", 70.0, None, None, 0.0),
    ]


def cut_short(day: Day) -> Day:
    """Each third day with a gap. On one day there is as much to remark as there may be."""
    day = replace(day, export_kwh=123.4, net_kwh=-113.4)
    if day.date_jst.day % 3:
        return day
    is_worst = day.date_jst.day == 9
    return replace(
        day,
        is_complete=False,
        coverage=0.931,
        longest_gap_s=6000.0,
        estimated_kwh=1.2,
        reset_count=2 * is_worst,
        glitch_count=12 * is_worst,
    )


def sheets(browser: Browser) -> int:
    """How many sheets of A4 the page takes, by its own margins."""
    paper = {"paperWidth": 8.27, "paperHeight": 11.69, "preferCSSPageSize": True}
    printed = base64.b64decode(browser.call("Page.printToPDF", **paper)["data"])
    return len(re.findall(rb"/Type\s*/Page\b", printed))


@pytest.mark.skipif(
    CHROMIUM is None and os.environ.get("INTEGRATION_TESTS") != "1",
    reason="needs chromium; .ci/run installs it",
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_month_of_two_meters_is_one_sheet_of_paper(tmp_path: Path, language: Language) -> None:
    """With 31 days, ten of them with remarks. Nothing is cut off on a screen."""
    first, last = date(2026, 10, 1), date(2026, 10, 31)
    house = a_house(first, last, "Europe/Berlin", cut_short)
    [grid] = house.meters
    grid.has_export = True
    grid.all_costs = [DayCost("EUR", 3.1, 0.9, 2.2, 0.0, day) for day in days_of(first, last)]
    other = replace(grid, name="heat pump of the house", all_costs=[], kind="load")
    [month] = months_of(replace(house, meters=[grid, other], balance=A_BALANCE))
    file = tmp_path / "2026-10.html"
    file.write_text(month_page(month, environment(), Words(language), "key"))
    with Browser() as browser:
        browser.open(file.as_uri(), PHONE)
        assert browser.evaluate("document.documentElement.scrollWidth") == PHONE
        assert browser.evaluate(CUT_OFF) == []
        browser.open(file.as_uri())
        assert browser.evaluate(CUT_OFF) == []
        assert sheets(browser) == 1


def test_a_house_without_data_has_no_months(tmp_path: Path) -> None:
    """Pages of before are removed."""
    (tmp_path / "2026-11.html").write_text("before")
    house = House(ZoneInfo("Asia/Tokyo"), datetime(2026, 1, 1), None, [])
    assert write_months(tmp_path, months_of(house), environment(), "en") == []
    assert list(tmp_path.iterdir()) == []
