"""Years and hours as coloured cells."""

import calendar
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
    meter, words = wording.meter, wording.words
    word = "bought" if meter.shows_import else "sold"
    name = NAMES[word]
    first, last = meter.days[0].date_jst, meter.last_day.date_jst
    span = charts.range_of_levels(getattr(day, name) for day in meter.days)
    years = list(range(last.year, first.year - 1, -1))
    grid = _years_grid(_day_looks(meter, name, span), years)
    return Chart(
        "years",
        words("years_chart"),
        words("years_unit", what=words(f"what_{word}")),
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
        looks[day.date_jst] = _look(getattr(day, name), span, day.estimated_kwh > 0)
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
    return (day.replace(year=2000) - date(2000, 1, 1)).days


def _month_labels(words: Words) -> list[Label]:
    labels = []
    for month in range(1, 13):
        at = round(_column(date(2000, month, 1)) / 3.66, 3)
        labels.append(Label(at, words.month_short(month)))
    return labels


def _year_labels(years: Sequence[int]) -> list[Label]:
    height = len(years)
    return [
        Label(round(100 * (row + 0.5) / height, 3), str(year)) for row, year in enumerate(years)
    ]


def _years_table(wording: Wording) -> Table:
    words = wording.words
    rows: list[list[Cell]] = []
    for year in reversed(wording.meter.years):
        rows.append([str(year.year), *energy_cells(year, wording), str(year.complete_days)])
    return Table([*energy_head(words("year"), wording), words("days_of")], rows)


def _look(value: float | None, span: tuple[float, float], is_faint: bool) -> str | None:
    if value is None:
        return None
    level = f"l{charts.level(value, *span)}"
    return f"{level} faint" if is_faint else level


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
    lowest = f"≤ {words.energy(low)}" if low else words.number(0)
    return lowest, f"≥ {words.energy(high)} {words('unit_kwh')}"


def hours_chart(wording: Wording, house: House, word: str) -> Chart | None:
    """Hours of the last days, midnight at the top, `word` is bought or sold.

    None for what the meter does not measure.
    """
    meter, words = wording.meter, wording.words
    if not (meter.shows_import if word == "bought" else meter.has_export):
        return None
    name, what = NAMES[word], words(f"what_{word}")
    days = [day.date_jst for day in meter.days[-BARS:]]
    padding = max(0, FORTNIGHT - len(days))
    span = charts.range_of_levels(getattr(hour, name) for hour in meter.hours)
    grid = _hours_grid(_hour_looks(meter, name, span), days, padding, house.zone)
    means = [(mean.hour, getattr(mean, name)) for mean in meter.hour_means]
    return Chart(
        f"heat-{word}",
        words("heat_chart", n=len(days)),
        words("heat_unit", what=what),
        _heat_words(means, what, len(days), words) if span[1] else words("heat_empty"),
        width=len(grid[0]),
        height=24,
        paths=sorted(charts.cells(grid).items()),
        x_labels=date_labels(days, padding, words, most=4),
        y_labels=[Label(round(hour / 0.24, 3), f"{hour:02}") for hour in (0, 6, 12, 18, 24)],
        legend=_level_legend(grid, words),
        levels=_level_names(span, words),
        look=word,
        table=_means_table(means, word, wording),
    )


def _hour_looks(
    meter: Meter, name: str, span: tuple[float, float]
) -> dict[tuple[date, int], str | None]:
    looks = {}
    for hour in meter.hours:
        looks[hour.date_jst, hour.hour] = _look(getattr(hour, name), span, hour.is_estimated)
    return looks


def _hours_grid(
    looks: Mapping[tuple[date, int], str | None],
    days: Sequence[date],
    padding: int,
    zone: ZoneInfo,
) -> Grid:
    """An hour that the clocks skip is blank, one without data is None."""
    grid: Grid = [[BLANK] * (padding + len(days)) for _ in range(24)]
    for column, day in enumerate(days, padding):
        for hour in _local_hours(LocalDay(day, zone)):
            grid[hour][column] = looks.get((day, hour))
    return grid


def _local_hours(day: LocalDay) -> set[int]:
    count = int((day.end - day.start).total_seconds() // 900)
    quarters = (day.start + k * QUARTER for k in range(count))
    return {quarter.astimezone(day.zone).hour for quarter in quarters}


def _heat_words(
    means: Sequence[tuple[int, float | None]], what: str, days: int, words: Words
) -> str:
    hour, top = max(means, key=lambda pair: pair[1] or 0)
    return words("heat_words", what=what, n=days, hour=hour, top=words.energy(top))


def _means_table(means: Sequence[tuple[int, float | None]], word: str, wording: Wording) -> Table:
    rows: list[list[Cell]] = [[f"{hour:02}:00", energy_cell(mean, wording)] for hour, mean in means]
    return Table([wording.words("hour"), wording.words(f"mean_{word}")], rows)
