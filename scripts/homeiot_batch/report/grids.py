"""Years, hours and completeness as coloured cells."""

import calendar
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from homeiot_batch.days import LocalDay, each_day
from homeiot_batch.report import charts
from homeiot_batch.report.axes import date_labels
from homeiot_batch.report.doubts import doubts, sentence
from homeiot_batch.report.figures import BARS, Day, House, Source
from homeiot_batch.report.parts import Calendar, Chart, Label, Square, Table
from homeiot_batch.report.tables import energy_cell, energy_cells, energy_head
from homeiot_batch.report.words import Words

WEEKS = 53
LEAP_YEAR = 366  # days
QUARTER = timedelta(minutes=15)


Grid = list[list[str | None]]


def years_chart(source: Source, w: Words) -> Chart:
    """A row for each year, a column for each day of it; what lies before the first and after the last day is blank."""
    word, name = (
        ("bought", "import_kwh")
        if source.has_import or not source.has_export
        else ("sold", "export_kwh")
    )
    span = charts.range_of_levels(getattr(day, name) for day in source.days)
    years = list(range(source.days[-1].date_jst.year, source.days[0].date_jst.year - 1, -1))
    levels = {
        day.date_jst: _level(getattr(day, name), span, is_faint=day.estimated_kwh > 0)
        for day in source.days
    }
    grid = _years_grid(levels, years)
    return Chart(
        "years",
        w("years_chart"),
        w("years_unit", what=w(f"what_{word}")),
        w(
            "years_words",
            first=w.day(source.days[0].date_jst),
            last=w.day(source.days[-1].date_jst),
        ),
        width=LEAP_YEAR,
        height=len(years),
        paths=sorted(charts.cells(grid).items()),
        x_labels=[
            Label(round(_column(date(2000, month, 1)) / 3.66, 3), w.list("months_short")[month - 1])
            for month in range(1, 13)
        ],
        y_labels=[
            Label(round(100 * (row + 0.5) / len(years), 3), str(year))
            for row, year in enumerate(years)
        ],
        legend=_level_legend(grid, w),
        levels=_levels(span, w),
        look=word,
        table=_years_table(source, w),
    )


def _years_grid(days: Mapping[date, str | None], years: Sequence[int]) -> Grid:
    """Months lie below each other: in a year without 29 February the day before it is two columns wide."""
    grid: Grid = [["blank"] * LEAP_YEAR for _ in years]
    for day, level in days.items():
        row, column = grid[years.index(day.year)], _column(day)
        row[column] = level
        if (day.month, day.day) == (2, 28) and not calendar.isleap(day.year):
            row[column + 1] = level
    return grid


def _column(day: date) -> int:
    return (day.replace(year=2000) - date(2000, 1, 1)).days


def _years_table(source: Source, w: Words) -> Table:
    head = [*energy_head(w("year"), source, w)[:-1], w("days_of")]
    return Table(
        head,
        [
            [str(year.year), *energy_cells(year, source, w), str(year.complete_days)]
            for year in reversed(source.years)
        ],
    )


def _level(value: float | None, span: tuple[float, float], *, is_faint: bool) -> str | None:
    return None if value is None else f"l{charts.level(value, *span)}{' faint' if is_faint else ''}"


def _level_legend(grid: Sequence[Sequence[str | None]], w: Words) -> list[tuple[str, str]]:
    keys = {key for row in grid for key in row}
    legend = (
        [("faint-swatch", w("legend_estimated"))]
        if any(key and key.endswith("faint") for key in keys)
        else []
    )
    return legend + ([("hole", w("legend_no_data"))] if None in keys else [])


def _levels(span: tuple[float, float], w: Words) -> tuple[str, str] | None:
    low, high = span
    if not high:
        return None
    return (f"≤ {w.energy(low)}" if low else w.number(0)), f"≥ {w.energy(high)} {w('unit_kwh')}"


def heat(source: Source, house: House, sign: int, w: Words) -> Chart | None:
    """Hours of the last days, midnight at the top; of what the source does not measure there is none."""
    word, name = ("bought", "import_kwh") if sign > 0 else ("sold", "export_kwh")
    if not (source.has_export if sign < 0 else source.has_import or not source.has_export):
        return None
    days = [day.date_jst for day in source.days[-BARS:]]
    padding = max(0, 14 - len(days))
    span = charts.range_of_levels(getattr(hour, name) for hour in source.hours)
    levels = {
        (hour.date_jst, hour.hour): _level(getattr(hour, name), span, is_faint=hour.is_estimated)
        for hour in source.hours
    }
    grid = _hours_grid(levels, days, padding, house.zone)
    means = [(mean.hour, getattr(mean, name)) for mean in source.hour_means]
    return Chart(
        f"heat-{word}",
        w("heat_chart", n=len(days)),
        w("heat_unit", what=w(f"what_{word}")),
        _heat_words(means, w(f"what_{word}"), len(days), w) if span[1] else w("heat_empty"),
        width=len(grid[0]),
        height=24,
        paths=sorted(charts.cells(grid).items()),
        x_labels=date_labels(days, padding, w, most=4),
        y_labels=[Label(round(hour / 0.24, 3), f"{hour:02}") for hour in (0, 6, 12, 18, 24)],
        legend=_level_legend(grid, w),
        levels=_levels(span, w),
        look=word,
        table=Table(
            [w("hour"), w(f"mean_{word}")],
            [[f"{hour:02}:00", energy_cell(mean, w)] for hour, mean in means],
        ),
    )


def _hours_grid(
    levels: Mapping[tuple[date, int], str | None],
    days: Sequence[date],
    padding: int,
    zone: ZoneInfo,
) -> Grid:
    """An hour that the clocks skip is blank, one without data is None."""
    grid: Grid = [["blank"] * (padding + len(days)) for _ in range(24)]
    for column, day in enumerate(days, padding):
        for hour in _local_hours(LocalDay(day, zone)):
            grid[hour][column] = levels.get((day, hour))
    return grid


def _heat_words(means: Sequence[tuple[int, float | None]], what: str, days: int, w: Words) -> str:
    hour, top = max(means, key=lambda pair: pair[1] or 0)
    return w("heat_words", what=what, n=days, hour=hour, top=w.energy(top))


def _local_hours(day: LocalDay) -> list[int]:
    count = int((day.end - day.start).total_seconds() // 900)
    return sorted({(day.start + k * QUARTER).astimezone(day.zone).hour for k in range(count)})


def coverage(source: Source, w: Words) -> Calendar:
    """The last 53 weeks, a column each: full, half or crossed out, and a dot for resets and wrong values."""
    last = source.days[-1].date_jst
    monday = last - timedelta(days=last.weekday())
    weeks = min(WEEKS, max(26, (monday - source.days[0].date_jst).days // 7 + 2))
    first = monday - timedelta(weeks=weeks - 1)
    squares = [
        _square(day, (day.date_jst - first).days, source, w)
        for day in source.days
        if day.date_jst >= first
    ]
    looks = [square.look for square in squares]
    said = {
        "complete": looks.count("full"),
        "partial": looks.count("half"),
        "missing": looks.count("none"),
        "n": len(looks),
    }
    return Calendar(
        w("calendar_words", **said),
        weeks,
        squares,
        _month_columns(first, last, weeks, w),
        w.list("weekdays_short"),
    )


def _month_columns(first: date, last: date, weeks: int, w: Words) -> list[tuple[int, str]]:
    """Month names over the column of their first day; not over the last column, where there is no room for one."""
    firsts = [
        ((day - first).days // 7, w.list("months_short")[day.month - 1])
        for day in each_day(first, last)
        if day.day == 1
    ]
    return [(column, name) for column, name in firsts if column < weeks - 1]


def _square(day: Day, offset: int, source: Source, w: Words) -> Square:
    look = "full" if day.is_complete else "half" if day.readings else "none"
    title = sentence(
        w.day(day.date_jst),
        day,
        source,
        doubts(day, w) if day.is_doubtful else [w("is_complete")],
        w,
    )
    return Square(offset // 7, offset % 7, look, day.reset_count + day.glitch_count > 0, title)
