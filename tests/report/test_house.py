"""The house's part of the page: who feeds whom."""

import base64
import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from homeiot_batch.report.balances import (
    FLOWS,
    DayBalance,
    HouseBalance,
    MonthBalance,
    SubMeter,
)
from homeiot_batch.report.figures import House
from homeiot_batch.report.page import render
from homeiot_batch.report.words import Words
from homeiot_batch.words.languages import Language
from tests.report.conftest import Built, rows
from tests.report.japanese import other_figures, words_left_in_english
from tests.report.reading import Cell, Part, Reader

BERLIN = ZoneInfo("Europe/Berlin")
LAST = date(2026, 10, 4)
SILENT = date(2026, 9, 10)
W = Words("en")
USED = ["consumed_kwh", "solar_to_house_kwh", "battery_to_house_kwh", "grid_to_house_kwh"]


@pytest.fixture(scope="module")
def parts(sunny_page: str) -> dict[str, Part]:
    """The parts of the page, by name."""
    return {part.name: part for part in Reader(sunny_page).parts}


def shown(kwh: float | None) -> Cell:
    """An energy as the page must have it."""
    return kwh, W.energy(kwh)


def test_the_house_comes_first_and_then_its_meters(parts: dict[str, Part]) -> None:
    """Grid, solar, battery, and then what uses the energy."""
    assert list(parts) == ["House", "main", "roof", "powerwall", "car", "heat pump"]


def test_the_headline_is_the_last_day_of_the_balance(sunny: Built, parts: dict[str, Part]) -> None:
    """What was used, produced, bought, sold, charged and discharged, and the two shares."""
    names = ["consumed", "produced", "imported", "exported", "charged", "discharged"]
    columns = ", ".join(f"{name}_kwh" for name in names)
    sql = f"SELECT {columns}, self_sufficiency, self_consumption FROM fct_daily_balance"
    [[*energies, sufficiency, consumption]] = rows(sunny, f"{sql} WHERE date_jst = ?", LAST)
    tiles = parts["House"].tiles
    labels = ["Used", "Produced", "Bought", "Sold", "Charged", "Discharged"]
    assert [tiles[label] for label in labels] == [[shown(kwh)] for kwh in energies]
    assert tiles["Self-sufficiency"] == [(sufficiency, W.share(sufficiency))]
    assert tiles["Self-consumption"] == [(consumption, W.share(consumption))]


def test_the_picture_has_the_flows_of_the_day(sunny: Built, parts: dict[str, Part]) -> None:
    """A band for each, with its figure as its title and in the table. None for what is 0."""
    columns = [column for _, _, column in FLOWS]
    [flows] = rows(
        sunny, f"SELECT {', '.join(columns)} FROM fct_daily_balance WHERE date_jst = ?", LAST
    )
    names = {"solar": "Sun", "battery": "Battery", "grid": "Grid", "house": "House"}
    expected = {}
    for (giver, taker, _), kwh in zip(FLOWS, flows, strict=True):
        if kwh > 0.0005:
            expected[f"{names[giver]} to {names[taker]}"] = shown(kwh)
    found = {row[0][1]: row[1] for row in parts["House"].tables["flows"][1:]}
    assert len(expected) >= 4
    assert found == expected
    titles = [f"{name}: {text} kWh" for name, (_, text) in expected.items()]
    assert sorted(parts["House"].titles["flows"]) == sorted(titles)
    used = sum(kwh for column, kwh in zip(columns, flows, strict=True) if "house" in column)
    said = parts["House"].pictures["flows"]
    assert said.startswith(f"The house used {W.energy(used)} kWh: ")


def test_days_and_months_are_those_of_the_tables(sunny: Built, parts: dict[str, Part]) -> None:
    """Each day with what was used and where it came from. Months also with their known days."""
    sql = f"SELECT date_jst, {', '.join(USED)} FROM fct_daily_balance ORDER BY 1 DESC"
    expected = [[(None, W.day(day)), *map(shown, energies)] for day, *energies in rows(sunny, sql)]
    assert len(expected) == 40
    assert [row[:5] for row in parts["House"].tables["house-days"][1:]] == expected
    sql = f"SELECT month_jst, {', '.join(USED)}, self_sufficiency, known_days"
    months = rows(sunny, f"{sql} FROM fct_monthly_balance ORDER BY 1 DESC")
    assert [row[:7] for row in parts["House"].tables["sufficiency"][1:]] == [
        [
            (None, W.month(month)),
            *map(shown, energies),
            (share, W.share(share)),
            (None, str(days)),
        ]
        for month, *energies, share, days in months
    ]


def test_an_incomplete_day_is_marked(parts: dict[str, Part], sunny_page: str) -> None:
    """Its bars are faint. Title and remark say why."""
    house = parts["House"]
    remarks = {row[0][1]: row[-1][1] for row in house.tables["house-days"][1:]}
    reason = remarks[W.day(SILENT)]
    assert reason.startswith("5 of 24 hours incomplete, ")
    assert reason.endswith(" kWh estimated")
    titles = [title for title in house.titles["house-days"] if title.endswith(reason)]
    assert len(titles) == 3
    assert all(title.startswith(f"{W.day(SILENT)}: used ") for title in titles)
    panel = sunny_page[sunny_page.index('class="panel house"') :]
    chart = panel[panel.index("card house-days") : panel.index("card sufficiency")]
    assert chart.count(' doubtful" x=') == 3


def test_sub_meters_are_shares_of_what_was_used(sunny: Built, sunny_page: str) -> None:
    """Of the last 31 days, with the rest of the house. A meter that was silent is marked."""
    first = LAST - timedelta(days=30)
    [[used]] = rows(
        sunny, "SELECT sum(consumed_kwh) FROM fct_daily_balance WHERE date_jst >= ?", first
    )
    sql = "SELECT source, sum(import_kwh) FROM fct_daily_energy WHERE date_jst >= ?"
    loads = dict(rows(sunny, f"{sql} AND source IN ('car', 'heat pump') GROUP BY source", first))
    loads["Rest of the house"] = used - sum(loads.values())
    text = Reader(sunny_page).text
    for name, kwh in loads.items():
        figure = f"{W.energy(kwh)} kWh · {W.number(100 * kwh / used)} %"
        assert text.index(figure) > text.index(name)
    at = text.index(f"of {W.energy(used)} kWh, in the last 31 days of which all is known")
    [caveat] = [line for line in text[at : at + 12] if "incomplete or missing" in line]
    assert caveat == "3 of 31 days incomplete or missing"


def test_each_meter_has_the_words_of_its_kind(sunny: Built, parts: dict[str, Part]) -> None:
    """A roof produces, a battery is charged, a heat pump uses. The CSV is the table."""
    labels = {name: list(part.tiles)[:2] for name, part in parts.items()}
    assert labels["main"] == ["Bought", "Sold"]
    assert labels["roof"] == ["Produced", "Produced this month"]
    assert labels["powerwall"] == ["Charged", "Discharged"]
    assert labels["heat pump"] == ["Used", "Used this month"]
    sql = "SELECT import_kwh, export_kwh FROM fct_daily_energy WHERE date_jst = ? AND source = ?"
    [[imported, exported]] = rows(sunny, sql, LAST, "roof")
    assert parts["roof"].tiles["Produced"] == [shown(exported)]
    assert parts["roof"].pictures["heat-bought"].startswith("Energy produced by hour")
    [link] = parts["roof"].links
    found = list(csv.DictReader(io.StringIO(base64.b64decode(link.split(",")[1]).decode())))
    assert (found[-1]["import_kwh"], found[-1]["export_kwh"]) == ("", str(exported))
    assert imported is None
    assert "charged less discharged" in parts["powerwall"].notes


# a day by hand: 2 kWh of the sun for the house, 1 sold, 1 out of the battery, 3 bought
DAY = DayBalance(
    imported_kwh=3.0,
    exported_kwh=1.0,
    produced_kwh=3.0,
    charged_kwh=0.0,
    discharged_kwh=1.0,
    consumed_kwh=6.0,
    solar_to_house_kwh=2.0,
    solar_to_battery_kwh=0.0,
    solar_to_grid_kwh=1.0,
    battery_to_house_kwh=1.0,
    battery_to_grid_kwh=0.0,
    grid_to_house_kwh=3.0,
    grid_to_battery_kwh=0.0,
    unexplained_kwh=0.0,
    estimated_kwh=0.0,
    self_consumption=2 / 3,
    self_sufficiency=0.5,
    is_complete=True,
    date_jst=date(2026, 11, 22),
    hours=24,
    complete_hours=24,
)
UNKNOWN = replace(
    DAY,
    discharged_kwh=None,
    **dict.fromkeys(
        [
            "consumed_kwh",
            "unexplained_kwh",
            "self_consumption",
            "self_sufficiency",
            *(column for _, _, column in FLOWS),
        ]
    ),
    is_complete=False,
    date_jst=date(2026, 11, 23),
    complete_hours=0,
)


def house_part(
    days: Sequence[DayBalance],
    months: Sequence[MonthBalance] = (),
    sub_meters: Sequence[SubMeter] = (),
    language: Language = "en",
) -> tuple[Part, str]:
    """The house's part of a page without meters, and the page."""
    last = days[-1].date_jst
    balance = HouseBalance(list(days), list(months), list(sub_meters))
    now = datetime(last.year, last.month, last.day, tzinfo=UTC) + timedelta(days=1)
    page = render(House(BERLIN, now.replace(tzinfo=None), last, [], balance), now, language)
    [part] = Reader(page).parts
    return part, page


def test_a_day_that_is_not_known_gives_way_to_the_one_before() -> None:
    """The page says so, and why. Its bar is a hole, and no smaller one."""
    part, page = house_part([DAY, UNKNOWN])
    assert (
        "The balance of 23 November 2026 is not known: there is no data of the battery for all of "
        "it. The page shows 22 November 2026." in Reader(page).text
    )
    assert part.tiles["Used"] == [(6.0, "6.00")]
    assert "kWh on 22 November 2026" in Reader(page).text
    assert part.titles["house-days"][-1] == (
        "23 November 2026: no data; no data of the battery for all of it"
    )
    assert len(part.titles["house-days"]) == 4


def test_the_house_in_japanese() -> None:
    """Its notice, tiles, picture, bars and shares: whole texts."""
    meter = SubMeter("heat pump", 4.5, 2)
    part, page = house_part([DAY, UNKNOWN], sub_meters=[meter], language="ja")
    text = Reader(page).text
    assert (
        "2026年11月23日は蓄電池のデータが1日分そろっていないため、収支を計算できません。"
        "2026年11月22日の収支を表示しています。"
    ) in text
    assert part.tiles["消費"] == [(6.0, "6.00")]
    assert part.pictures["flows"] == (
        "家全体で6.00kWhを使いました。内訳は太陽光から2.00kWh、蓄電池から1.00kWh、"
        "電力会社から3.00kWhです。"
    )
    assert "収支の分かる直近1日、計6.00kWh" in text
    assert "4.50kWh · 75%" in text
    assert part.titles["house-days"][-1] == (
        "2026年11月23日: データなし(蓄電池のデータが1日分そろっていません)"
    )
    assert "その他" in text


def test_a_balance_that_was_never_known() -> None:
    """No picture, no zero: what is not known has no data."""
    part, page = house_part([UNKNOWN])
    assert (
        "No day's balance is known. On 23 November 2026 there is no data of the battery for all "
        "of it." in Reader(page).text
    )
    assert part.tiles["Used"] == part.tiles["Self-sufficiency"] == [(None, "no data")]
    assert part.tiles["Bought"] == [(3.0, "3.00")]
    assert "flows" not in part.pictures
    assert part.pictures["house-days"] == "Energy of the last 1 days: no data."
    assert part.pictures["sufficiency"] == "Self-sufficiency by month: no data."


def test_energy_that_came_from_nowhere_is_said() -> None:
    """Beside the figure, under the picture and on the bars."""
    day = replace(DAY, unexplained_kwh=0.5, is_complete=False, complete_hours=23)
    part, _ = house_part([day])
    said = "1 of 24 hours incomplete, 0.50 kWh came from nowhere: a meter is late or missing"
    # the tile, the picture, and the row of the table
    assert part.notes.count(said) == 3
    assert {title.partition("; ")[2] for title in part.titles["house-days"]} == {said}


def test_sub_meters_that_measure_more_than_the_house_used() -> None:
    """There is no rest then, and no negative one."""
    meters = [SubMeter("house behind", 5.0, 1), SubMeter("pump", 2.0, 1), SubMeter("new", None, 0)]
    _, page = house_part([DAY], sub_meters=meters)
    text = Reader(page).text
    assert [line for line in text if " kWh · " in line] == ["5.00 kWh · 83 %", "2.00 kWh · 33 %"]
    over = "The sub-meters measured 1.00 kWh more than the house used."
    assert f"{over} Is one of them behind another?" in text
    assert "Rest of the house" not in text
    assert "1 of 1 days incomplete or missing" in text


def test_months_are_marked_by_the_days_of_the_calendar() -> None:
    """Of the running month up to the house's last day. A month without a balance is a hole."""
    values = {name: getattr(DAY, name) for name in vars(DAY) if name not in vars_of_a_day()}
    whole = MonthBalance(
        **values | {"is_complete": False},
        month_jst=date(2026, 11, 1),
        known_days=22,
        complete_days=22,
    )
    partly = replace(whole, month_jst=date(2026, 9, 1), complete_days=29, estimated_kwh=2.0)
    part, _ = house_part([DAY], [partly, whole])
    half = "50.0 % of 6.00 kWh"
    assert part.titles["sufficiency"] == [
        f"September 2026: {half}; 1 of 30 days incomplete or missing, 2.00 kWh estimated",
        f"November 2026: {half}",
        "October 2026: no data",
    ]


def vars_of_a_day() -> set[str]:
    """The fields that a day has and a month has not."""
    return {"date_jst", "hours", "complete_hours"}


def test_the_house_of_ten_years_is_small() -> None:
    """A bar a day for ninety days and a bar a month for ten years."""
    days = [replace(DAY, date_jst=DAY.date_jst - timedelta(days=n)) for n in range(90)][::-1]
    values = {name: getattr(DAY, name) for name in vars(DAY) if name not in vars_of_a_day()}
    months = [
        MonthBalance(**values, month_jst=date(year, month, 1), known_days=28, complete_days=28)
        for year in range(2006, 2027)
        for month in range(1, 13 if year < 2026 else 12)
    ]
    part, page = house_part(days, months)
    assert len(part.titles["sufficiency"]) == 120
    assert len(page) < 200_000


@pytest.mark.slow
def test_the_japanese_page_has_the_same_figures(sunny: Built, tmp_path: Path) -> None:
    """Of a house with the sun, a battery and sub-meters.

    Neither it nor its months have an English word.
    """
    assert other_figures(sunny) == []
    assert words_left_in_english(sunny, tmp_path) == set()
