"""What the page says is what the tables say."""

import base64
import csv
import io
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from homeiot_batch.report.words import Words
from tests.report.conftest import GRID, LAST, LONG, QUOTES, SCRIPT, Built, rows
from tests.report.japanese import other_figures, words_left_in_english
from tests.report.reading import Cell, Part, Reader

W = Words("en")


@pytest.fixture(scope="module")
def parts(page: str) -> dict[str, Part]:
    """The parts by source."""
    return {part.name: part for part in Reader(page).parts}


def shown(value: float | None, digits: int | None = None) -> Cell:
    """A figure as the page must have it. Energies without `digits`."""
    if value is None:
        return None, "no data"
    return value, W.energy(value) if digits is None else W.number(value, digits)


def test_every_source_has_a_part_the_main_meter_first(parts: dict[str, Part]) -> None:
    """The one that also sells leads, the others by name. Names are whole."""
    assert list(parts) == [GRID, *sorted([SCRIPT, QUOTES, LONG])]


def test_the_headline_is_the_last_day_of_the_table(troubled: Built, parts: dict[str, Part]) -> None:
    """Bought, sold, net, peak with its time, completeness, cost: of each source, or no data."""
    sql = (
        "SELECT import_kwh, export_kwh, net_kwh, peak_w, coverage FROM fct_daily_energy WHERE "
        "date_jst = ? AND source = ?"
    )
    [[bought, sold, net, peak, coverage]] = rows(troubled, sql, LAST, GRID)
    tiles = parts[GRID].tiles
    assert [tiles[name] for name in ("Bought", "Sold", "Net", "Peak")] == [
        [shown(bought)],
        [shown(sold)],
        [shown(net)],
        [shown(peak, 0)],
    ]
    assert tiles["Completeness"] == [(coverage, W.share(coverage))]
    assert tiles["Cost"] == [
        shown(
            rows(troubled, "SELECT net_cost FROM fct_daily_cost WHERE date_jst = ?", LAST)[0][0], 2
        )
    ]
    assert parts[QUOTES].tiles["Bought"] == [(None, "no data")]
    assert "Sold" not in parts[SCRIPT].tiles


def test_this_month_is_compared_with_the_same_days_of_the_last(
    troubled: Built, parts: dict[str, Part]
) -> None:
    """Sums of the daily table from the first to the day.

    The percentage follows from both, and caveats of both are named.
    """
    sums = (
        "SELECT sum(import_kwh), count_if(is_complete) FROM fct_daily_energy WHERE source = ? AND "
        "date_jst BETWEEN ? AND ?"
    )
    [[this, whole]] = rows(troubled, sums, GRID, date(2026, 11, 1), LAST)
    [[former, before]] = rows(troubled, sums, GRID, date(2026, 10, 1), date(2026, 10, 23))
    assert parts[GRID].tiles["Bought this month"] == [shown(this)]
    percent = round(100 * (this / former - 1))
    compared = (
        f"{abs(percent)} % {'more' if percent > 0 else 'less'} than 1 to 23 Oct"
        if percent
        else "as much as 1 to 23 Oct"
    )
    assert compared in parts[GRID].notes
    [doubt] = [
        note
        for note in parts[GRID].notes
        if "days incomplete or missing" in note and "1 to 23 Oct" in note
    ]
    assert f"{23 - whole} of 23 days incomplete or missing" in doubt
    assert f"1 to 23 Oct: {23 - before} of 23 days incomplete or missing" in doubt


@pytest.mark.parametrize("source", [GRID, SCRIPT, QUOTES, LONG])
def test_the_table_of_days_is_the_daily_table(
    troubled: Built, parts: dict[str, Part], source: str
) -> None:
    """31 days at most, newest first, none left out: a day without a row is no data, never 0."""
    sql = (
        "SELECT date_jst, import_kwh, export_kwh, net_kwh, peak_w, coverage FROM fct_daily_energy "
        "WHERE source = ?"
    )
    there = {row[0]: row[1:] for row in rows(troubled, sql, source)}
    days = [LAST - timedelta(days=k) for k in range(31) if LAST - timedelta(days=k) >= min(there)]
    found = [row for row in parts[source].tables["table"] if row[0][1] != "Day"]
    assert [row[0][1] for row in found] == [W.day(day, "date_short") for day in days]
    for row, day in zip(found, days, strict=True):
        bought, sold, net, peak, coverage = there.get(day, (None,) * 5)
        expected = [
            shown(bought),
            *([shown(sold), shown(net)] if source == GRID else []),
            shown(peak, 0),
        ]
        assert row[1 : len(expected) + 1] == expected
        assert row[len(expected) + 1] == (
            (coverage, W.share(coverage)) if coverage is not None else (None, "no data")
        )


def test_months_and_years_are_those_of_the_tables(troubled: Built, parts: dict[str, Part]) -> None:
    """Every month of fct_monthly_energy and every year of it, newest first."""
    months = rows(
        troubled,
        "SELECT import_kwh, export_kwh, net_kwh FROM fct_monthly_energy WHERE source = ? ORDER BY "
        "month_jst DESC",
        GRID,
    )
    assert [row[1:4] for row in parts[GRID].tables["months"][1:]] == [
        [shown(value) for value in row] for row in months
    ]
    years = rows(
        troubled,
        "SELECT sum(import_kwh), sum(export_kwh), sum(net_kwh) FROM fct_daily_energy WHERE source "
        "= ?",
        GRID,
    )
    assert [[cell[1] for cell in row[1:4]] for row in parts[GRID].tables["years"][1:]] == [
        [W.energy(value) for value in row] for row in years
    ]


def test_the_hours_of_the_day_are_those_of_the_hourly_table(
    troubled: Built, parts: dict[str, Part]
) -> None:
    """Beside the load curve stands its table."""
    sql = (
        "SELECT hour(hour_jst), import_kwh, export_kwh FROM fct_hourly_energy WHERE source = ? AND "
        "date_jst = ? ORDER BY 1"
    )
    expected = [
        [(None, f"{hour:02}:00"), shown(bought), shown(sold)]
        for hour, bought, sold in rows(troubled, sql, GRID, LAST)
    ]
    assert [row[:3] for row in parts[GRID].tables["curve"][1:]] == expected


def test_every_known_day_has_its_bar_with_its_figures(
    troubled: Built, parts: dict[str, Part]
) -> None:
    """The title of a bar says the day's figures. A day without any is a gap, not a bar."""
    sql = (
        "SELECT date_jst, import_kwh, export_kwh FROM fct_daily_energy WHERE source = ? AND "
        "import_kwh > 0"
    )
    titles = [title.split(";")[0] for title in parts[GRID].titles["days"]]
    for day, bought, sold in rows(troubled, sql, GRID):
        assert (
            titles.count(f"{W.day(day)}: Bought {W.energy(bought)} kWh, Sold {W.energy(sold)} kWh")
            == 2
        )
    assert parts[QUOTES].titles["days"][-1] == "11 November 2026 … 23 November 2026: no data"


def test_caveats_stand_in_words_beside_the_figures(parts: dict[str, Part]) -> None:
    """Gap, estimate, swap and glitch: on the day itself, in the table and on the bar."""
    remarks = {row[0][1]: row[-1][1] for row in parts[GRID].tables["days"][1:] if len(row) > 4}
    assert "no readings" in remarks["20 October 2026"]
    assert "kWh estimated" in remarks["20 October 2026"]
    assert "1 counter reset or swap" in remarks["6 November 2026"]
    assert remarks["12 November 2026"].endswith("1 wrong value left out")
    assert any(
        "longest gap 4 h 30 min" in note and "kWh estimated" in note for note in parts[GRID].notes
    )
    squares = {title.split(":")[0]: title for title in parts[GRID].titles["calendar"]}
    assert "no readings" in squares["21 October 2026"]
    assert squares["22 November 2026"].endswith("complete")


def test_costs_are_those_of_the_tariffs(troubled: Built, parts: dict[str, Part]) -> None:
    """Bought, sold and net of each day, and the month's sum.

    A day without prices is said, and is no 0.
    """
    sql = (
        "SELECT date_jst, import_cost, feed_in_revenue, net_cost, unpriced_kwh FROM fct_daily_cost "
        "WHERE date_jst > ? ORDER BY 1 DESC"
    )
    costs = rows(troubled, sql, LAST - timedelta(days=31))
    nothing = (None, "no data")
    expected = [
        [
            (None, W.day(day)),
            *([nothing] * 3 if kwh else [(value, W.number(value, 2)) for value in values]),
        ]
        for day, *values, kwh in costs
    ]
    assert [row[:4] for row in parts[GRID].tables["cost"][1:]] == expected
    [(kwh, net)] = [(kwh, net) for day, _, _, net, kwh in costs if day == date(2026, 11, 20)]
    assert (net, kwh > 0) == (0.0, True)
    unpriced = f"{W.energy(kwh)} kWh have no price and are in no cost"
    assert [
        title for title in parts[GRID].titles["cost"] if title.startswith("20 November 2026")
    ] == [f"20 November 2026: no price; {unpriced}"]
    assert {row[0][1]: row[-2][1] for row in parts[GRID].tables["table"]}["20 Nov"] == "no data"
    month = sum(net for day, _, _, net, _ in costs if day.month == 11)
    notes = parts[GRID].notes
    assert [
        note for note in notes if note.startswith(f"This month: {W.number(month, 2)} <EUR>; ")
    ] != []
    assert [
        note
        for note in notes
        if note.startswith("This month: no price; ") and note.endswith(f", {unpriced}")
    ] != []
    assert "Cost" not in parts[SCRIPT].tiles


def test_the_cost_of_doubtful_energy_is_doubtful(troubled: Built, parts: dict[str, Part]) -> None:
    """The month's cost has the caveats of the month's energy, wherever it stands.

    Bars and rows of days have those of the days.
    """
    sums = (
        "SELECT count_if(is_complete), sum(estimated_kwh), sum(reset_count) FROM fct_daily_energy "
        "WHERE source = ? AND month(date_jst) = 11"
    )
    [[whole, estimated, resets]] = rows(troubled, sums, GRID)
    assert (whole < 23, estimated > 0, resets) == (True, True, 1)
    doubt = (
        f"{23 - whole} of 23 days incomplete or missing, {W.energy(estimated)} kWh estimated, 1 "
        "counter reset or swap"
    )
    # priced and not, tile and chart
    assert [note.count(doubt) for note in parts[GRID].notes if note.startswith("This month: ")] == [
        1
    ] * 4
    energy = {
        row[0][1]: row[-1][1] if row[-1][0] is None else ""
        for row in parts[GRID].tables["days"][1:]
    }
    remarks = {
        row[0][1]: row[-1][1] if row[-1][0] is None else ""
        for row in parts[GRID].tables["cost"][1:]
    }
    titles = {
        title.partition(": ")[0]: title.partition("; ")[2] for title in parts[GRID].titles["cost"]
    }
    for day in ("23 November 2026", "22 November 2026", "12 November 2026", "6 November 2026"):
        assert (remarks[day], titles[day]) == (energy[day], energy[day])
    assert [bool(energy[day]) for day in ("23 November 2026", "22 November 2026")] == [True, False]


def test_a_gap_in_the_day_is_a_gap(parts: dict[str, Part]) -> None:
    """Four hours without readings are marked as such. A source without the day has no curve."""
    assert parts[GRID].titles["curve"] == ["no data"]
    assert parts[QUOTES].pictures["curve"] == "No load curve for 23 November 2026: no data."
    assert parts[SCRIPT].titles.get("curve") is None


def test_the_download_is_the_daily_table(troubled: Built, parts: dict[str, Part]) -> None:
    """CSV of the 31 days, exact values, empty where unknown."""
    [link] = parts[GRID].links
    found = list(csv.DictReader(io.StringIO(base64.b64decode(link.split(",")[1]).decode())))
    names = [
        "date_jst",
        "import_kwh",
        "export_kwh",
        "net_kwh",
        "estimated_kwh",
        "reset_count",
        "step_back_count",
        "backwards_count",
        "glitch_count",
        "coverage",
        "longest_gap_s",
    ]
    sql = (
        f"SELECT {', '.join(names)} FROM fct_daily_energy WHERE source = ? AND date_jst > ? ORDER "
        "BY 1"
    )
    expected: list[tuple[Any, ...]] = rows(troubled, sql, GRID, LAST - timedelta(days=31))
    assert [tuple(row[name] for name in names) for row in found] == [
        tuple("" if value is None else str(value) for value in row) for row in expected
    ]


def test_a_silent_source_and_one_without_power_say_so(parts: dict[str, Part], page: str) -> None:
    """The newest day of the house is missing in one. Another has no power."""
    assert (
        "No reading since 10 November 2026, 23:30: this source has delivered nothing for 13 days."
        in Reader(page).text
    )
    assert parts[QUOTES].tiles["Peak"] == [(None, "no data")]
    assert "this meter does not measure power" in parts[QUOTES].notes


@pytest.mark.slow
def test_the_japanese_page_has_the_same_figures(troubled: Built, tmp_path: Path) -> None:
    """Of a house with gaps, costs and silent meters.

    Neither it nor its months have an English word.
    """
    assert other_figures(troubled) == []
    assert words_left_in_english(troubled, tmp_path) == set()
