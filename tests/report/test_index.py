"""A house with many sources: an index, and a page of each."""

import re
import shutil
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb
import pytest

from homeiot_batch.errors import ArchiveError
from homeiot_batch.report import page
from homeiot_batch.report.figures import Meter, open_figures, read_figures
from homeiot_batch.report.index_rows import in_order, index_row, state_of
from homeiot_batch.report.page import write_report
from homeiot_batch.report.source_files import NAME, file_of_source
from homeiot_batch.report.words import Words
from tests.report.conftest import GRID, LAST, LONG, QUOTES, Built, rows
from tests.report.days import a_day

NOW = datetime(2026, 11, 23, 15, 20, tzinfo=UTC)
W = Words("en")
TABLES = (
    "dim_source",
    "fct_daily_energy",
    "fct_monthly_energy",
    "fct_hourly_energy",
    "fct_load_curve",
    "fct_daily_profile",
    "fct_daily_cost",
)


class ManySources:
    """A copy of a published house, with so many copies of its grid meter."""

    def __init__(self, built: Built, folder: Path, count: int) -> None:
        self.read_copy = folder / "home_energy.read.duckdb"
        shutil.copy(built.settings.layout.read_copy, self.read_copy)
        self.read_copy.chmod(0o644)
        self.index = folder / "report/index.html"
        self.names = [f"flat{number}" for number in range(1, count + 1)]
        for table in TABLES:
            copies = ", ".join(f"('{name}')" for name in self.names)
            self.change(
                f"INSERT INTO {table} SELECT {table}.* REPLACE (name AS source) FROM {table} "
                f"CROSS JOIN (VALUES {copies}) AS copies (name) WHERE source = '{GRID}'"
            )

    def change(self, statement: str) -> None:
        """Let the tables hold something else."""
        with duckdb.connect(self.read_copy) as connection:
            connection.execute(statement)

    def write(self) -> str:
        """Write the report. The index."""
        write_report(self.read_copy, self.index, NOW, "en")
        return self.index.read_text()

    def pages(self) -> dict[str, str]:
        """The pages of the sources, and of the house."""
        files = self.index.with_name("sources").glob("*.html")
        return {file.name: file.read_text() for file in files}


@pytest.mark.parametrize(
    "names",
    [["meter", "Meter", "METER"], ["a/b", "a b", "a:b", "../a.b"], ["", ".", "居間", "居室", LONG]],
)
def test_each_name_has_a_file_of_its_own(names: list[str]) -> None:
    """Also on a disk that knows no case. It is plain ASCII, and short."""
    files = [file_of_source(name) for name in names]
    assert len({file.lower() for file in files}) == len(names)
    assert [file for file in files if not NAME.fullmatch(file) or len(file) > 70] == []


def test_a_file_keeps_its_name() -> None:
    """An address that somebody has kept leads to the same source for ever."""
    assert file_of_source("Meter 1/a") == "meter-1-a-bfd28ffee896e68f.html"


def test_trouble_comes_first() -> None:
    """Silent, incomplete, complete, taken out. Then by name, with numbers as numbers."""
    silent = meter("z", last_reading=datetime(2026, 11, 20, 8))
    out = replace(meter("b"), until=date(2026, 11, 1))
    short = meter("y", is_complete=False)
    meters = [meter("m10"), meter("m2"), out, short, silent]
    rows = [index_row(one, LAST, "", W) for one in meters]
    assert [(row.name, row.state) for row in in_order(rows)] == [
        ("z", "silent"),
        ("y", "short"),
        ("m2", "good"),
        ("m10", "good"),
        ("b", "out"),
    ]


def test_a_day_that_nobody_measured_has_no_energy() -> None:
    """Not 0 kWh, which the tables have."""
    silent = meter("z", readings=0, coverage=0.0, is_complete=False, import_kwh=0.0)
    row = index_row(silent, LAST, "", W)
    assert (state_of(silent, LAST), row.imported, row.line) == ("short", None, "")


def meter(
    name: str, last_reading: datetime = datetime(2026, 11, 23, 23, 59), **day: object
) -> Meter:
    """A meter of import whose last day is the house's."""
    found = Meter(name, "grid", last_reading, True, False, True, 60.0)
    found.days = [a_day(LAST, **day)]
    return found


def test_meters_that_are_read_some_at_a_time_are_as_if_read_together(troubled: Built) -> None:
    """Every row, in its order."""
    read_copy = troubled.settings.layout.read_copy
    with open_figures(read_copy) as figures:
        meters = figures.meters()
        for one in meters:
            figures.fill([one])
    assert meters == read_figures(read_copy).meters
    assert len(meters) > 1


def test_many_sources_are_an_index_and_a_page_each(troubled: Built, tmp_path: Path) -> None:
    """A page shows what it would show on the page of a few. Names are escaped.

    Pages of sources that are gone go, and all of them when few are left.
    """
    few = Built(troubled.archive, troubled.settings).page()
    house = ManySources(troubled, tmp_path, 30)
    index = house.write()
    sources = [one.name for one in read_figures(house.read_copy).meters]
    assert len(sources) > 30
    assert index.count("<tr data-name=") == len(sources)
    links = re.findall(r'href="sources/([^"]+)"', index)
    assert set(links) == set(house.pages())
    assert {file_of_source(name) for name in sources} <= set(links)
    assert ("<img src=x" in index, "&lt;img src=x" in index) == (False, QUOTES in sources)
    shown = parts(house.pages()[file_of_source("flat7")])
    assert [part.replace("flat7", GRID) for part in shown] == [
        part for part in parts(few) if f"<h2>{GRID}</h2>" in part
    ]
    house.change("DELETE FROM dim_source WHERE source = 'flat7'")
    house.write()
    assert set(links) - set(house.pages()) == {file_of_source("flat7")}
    house.change("DELETE FROM dim_source WHERE source LIKE 'flat%'")
    house.change("DELETE FROM fct_monthly_energy WHERE source LIKE 'flat%'")
    assert parts(house.write()) == parts(few)
    assert house.pages() == {}


def parts(text: str) -> list[str]:
    """What the page shows of each source or the house."""
    return re.findall(r'<article class="panel[^>]*>(.*?)</article>', text, re.DOTALL)


def test_an_index_never_stands_before_its_pages(
    troubled: Built, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a page cannot be written, the former page of the house stays as it is."""
    monkeypatch.setattr(page, "MOST_ON_A_PAGE", 1)
    house = ManySources(troubled, tmp_path, 2)
    house.index.parent.mkdir()
    house.index.write_text("former")
    house.index.with_name("sources").write_text("in the way")
    with pytest.raises(ArchiveError, match="sources"):
        house.write()
    assert house.index.read_text() == "former"


def test_a_month_of_many_sources_has_a_line_for_each(troubled: Built, tmp_path: Path) -> None:
    """With the sums of the tables. It is not written again if nothing has changed."""
    house = ManySources(troubled, tmp_path, 30)
    house.write()
    month = house.index.with_name("months") / "2026-10.html"
    sql = "SELECT import_kwh FROM fct_monthly_energy WHERE source = ? AND month_jst = '2026-10-01'"
    [(kwh,)] = rows(troubled, sql, GRID)
    text = month.read_text()
    assert text.count("<article") in {1, 2}
    [line] = re.findall(r'<tr><th scope="row">flat30</th>(.*?)</tr>', text)
    assert f'<td><data value="{kwh}">{W.energy(kwh)}</data></td>' in line
    assert write_report(house.read_copy, house.index, NOW, "en")["months_written"] == []


def test_one_page_of_another_name_stands_alone(troubled: Built, tmp_path: Path) -> None:
    """`homeiot report --output FILE`: the index leads nowhere, and there are no pages beside it."""
    house = ManySources(troubled, tmp_path, 30)
    write_report(house.read_copy, house.index, NOW, "en", with_months=False)
    assert re.findall(r'href="(?!data:)', house.index.read_text()) == []
    assert [file.name for file in house.index.parent.iterdir()] == ["index.html"]
