"""Years and hours as coloured cells."""

import calendar
import functools
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from homeiot_batch.core.days import LocalDay
from homeiot_batch.report import charts
from homeiot_batch.report.elements import Cell, Chart, Label, Table
from homeiot_batch.report.figures import House, Meter
from homeiot_batch.report.labels import Legend, date_labels
from homeiot_batch.report.queries import BARS
from homeiot_batch.report.tables import energy_cell, energy_cells, energy_head
from homeiot_batch.report.wording import Wording
from homeiot_batch.report.words import Words

LEAP_YEAR = 366  # days
FORTNIGHT = 14  # days
QUARTER = timedelta(minutes=15)
NAMES = {"bought": "import_kwh", "sold": "export_kwh"}
BLANK = "blank"

# the look of each cell by row and column, None without data
Grid = list[list[str | None]]


def years_chart(wording: Wording) -> Chart:
    """A row for each year, a column for each day of it.

    What lies before the first day and after the last one is blank.
    """
    meter = wording.meter
    words = wording.words
    word = "sold"
    if meter.shows_import:
        word = "bought"
    name = NAMES[word]
    first = meter.days[0].date_jst
    last = meter.last_day.date_jst
    span = charts.range_of_levels(getattr(day, name) for day in meter.days)
    looks = _day_looks(meter, name, span)
    years = list(range(last.year, first.year - 1, -1))
    grid = _years_grid(looks, years)
    return Chart(
        "years",
        words("years_chart"),
        words("years_unit", what=wording.what(word)),
        words("years_words", first=words.day(first), last=words.day(last)),
        width=LEAP_YEAR,
        height=len(years),
        paths=sorted(charts.cells(grid).items()),
        x_labels=_month_labels(words),
        y_labels=_year_labels(years),
        legend=_level_legend(grid, words),
        levels=_level_names(span, words),
        look=word,
        table=_years_table(wording),
    )


def _day_looks(meter: Meter, name: str, span: tuple[float, float]) -> dict[date, str | None]:
    looks = {}
    for day in meter.days:
        is_estimated = day.estimated_kwh > 0
        energy = getattr(day, name)
        looks[day.date_jst] = _look(energy, span, is_estimated)
    return looks


def _years_grid(looks: Mapping[date, str | None], years: Sequence[int]) -> Grid:
    """Months lie below each other.

    In a year without 29 February the day before it is two columns wide.
    """
    grid: Grid = [[BLANK] * LEAP_YEAR for _ in years]
    for day, look in looks.items():
        row = grid[years.index(day.year)]
        column = _column(day)
        row[column] = look
        if (day.month, day.day) == (2, 28) and not calendar.isleap(day.year):
            row[column + 1] = look
    return grid


def _column(day: date) -> int:
    in_leap_year = day.replace(year=2000)
    return (in_leap_year - date(2000, 1, 1)).days


def _month_labels(words: Words) -> list[Label]:
    labels = []
    for month in range(1, 13):
        column = _column(date(2000, month, 1))
        at = round(column / 3.66, 3)
        name = words.month_short(month)
        labels.append(Label(at, name))
    return labels


def _year_labels(years: Sequence[int]) -> list[Label]:
    labels = []
    for row, year in enumerate(years):
        at = round(100 * (row + 0.5) / len(years), 3)
        labels.append(Label(at, str(year)))
    return labels


def _years_table(wording: Wording) -> Table:
    words = wording.words
    rows: list[list[Cell]] = []
    for year in reversed(wording.meter.years):
        energy = energy_cells(year, wording)
        rows.append([words.year(year.year), *energy, str(year.complete_days)])
    head = energy_head(words("year"), wording)
    return Table([*head, words("days_of")], rows)


def _look(value: float | None, span: tuple[float, float], is_faint: bool) -> str | None:
    if value is None:
        return None
    look = f"l{charts.level(value, *span)}"
    if is_faint:
        look += " faint"
    return look


def _level_legend(grid: Grid, words: Words) -> Legend:
    looks = {look for row in grid for look in row}
    legend = []
    if any(look and look.endswith("faint") for look in looks):
        legend.append(("faint-swatch", words("legend_estimated")))
    if None in looks:
        legend.append(("hole", words("legend_no_data")))
    return legend


def _level_names(span: tuple[float, float], words: Words) -> tuple[str, str] | None:
    low, high = span
    if not high:
        return None
    lowest = words.number(0)
    if low:
        lowest = f"≤ {words.energy(low)}"
    highest = words("kwh", kwh=words.energy(high))
    return lowest, f"≥ {highest}"


def hours_chart(wording: Wording, house: House, word: str) -> Chart | None:
    """Hours of the last days, midnight at the top, `word` is bought or sold.

    None for what the meter does not measure.
    """
    meter = wording.meter
    words = wording.words
    if not _measures(meter, word):
        return None
    name = NAMES[word]
    what = wording.what(word)
    days = [day.date_jst for day in meter.days[-BARS:]]
    padding = max(0, FORTNIGHT - len(days))
    span = charts.range_of_levels(getattr(hour, name) for hour in meter.hours)
    looks = _hour_looks(meter, name, span)
    grid = _hours_grid(looks, days, padding, house.zone)
    means = [(mean.hour, getattr(mean, name)) for mean in meter.hour_means]
    summary = words("heat_empty")
    _, highest = span
    if highest:
        summary = _heat_words(means, what, len(days), words)
    return Chart(
        f"heat-{word}",
        words("heat_chart", n=len(days)),
        words("heat_unit", what=what),
        summary,
        width=len(grid[0]),
        height=24,
        paths=sorted(charts.cells(grid).items()),
        x_labels=date_labels(days, padding, words, most=4),
        y_labels=_hour_labels(),
        legend=_level_legend(grid, words),
        levels=_level_names(span, words),
        look=word,
        table=_means_table(means, word, wording),
    )


def _measures(meter: Meter, word: str) -> bool:
    if word == "bought":
        return meter.shows_import
    return meter.has_export


def _hour_labels() -> list[Label]:
    """Every six hours, midnight at the top."""
    labels = []
    for hour in range(0, 25, 6):
        at = round(hour / 0.24, 3)
        labels.append(Label(at, f"{hour:02}"))
    return labels


def _hour_looks(
    meter: Meter, name: str, span: tuple[float, float]
) -> dict[tuple[date, int], str | None]:
    looks = {}
    for hour in meter.hours:
        energy = getattr(hour, name)
        looks[hour.date_jst, hour.hour] = _look(energy, span, hour.is_estimated)
    return looks


def _hours_grid(
    looks: Mapping[tuple[date, int], str | None],
    days: Sequence[date],
    padding: int,
    zone: ZoneInfo,
) -> Grid:
    """An hour that the clocks skip is blank, one without data is None."""
    columns = padding + len(days)
    grid: Grid = [[BLANK] * columns for _ in range(24)]
    for column, day in enumerate(days, padding):
        for hour in _local_hours(LocalDay(day, zone)):
            grid[hour][column] = looks.get((day, hour))
    return grid


@functools.lru_cache(maxsize=2 * BARS)  # each meter asks for the same days
def _local_hours(day: LocalDay) -> set[int]:
    hours = set()
    quarter = day.start
    end = day.end
    while quarter < end:
        hours.add(quarter.astimezone(day.zone).hour)
        quarter += QUARTER
    return hours


def _heat_words(
    means: Sequence[tuple[int, float | None]], what: str, days: int, words: Words
) -> str:
    hour, top = max(means, key=lambda pair: pair[1] or 0)
    energy = words.energy(top)
    return words("heat_words", what=what, n=days, hour=hour, top=energy)


def _means_table(means: Sequence[tuple[int, float | None]], word: str, wording: Wording) -> Table:
    rows: list[list[Cell]] = []
    for hour, mean in means:
        energy = energy_cell(mean, wording)
        rows.append([f"{hour:02}:00", energy])
    head = [wording.words("hour"), wording.words("mean", label=wording.label(word))]
    return Table(head, rows)
