"""The calendar that shows which days are complete."""

from collections import Counter
from datetime import date, timedelta

from homeiot_batch.core.days import each_day
from homeiot_batch.report.elements import Calendar, Square
from homeiot_batch.report.figures import Day
from homeiot_batch.report.wording import Wording
from homeiot_batch.report.words import Words

MOST_WEEKS = 53
LEAST_WEEKS = 26


def completeness(wording: Wording) -> Calendar:
    """The last 53 weeks, a column each: full, half or crossed out.

    A dot stands for resets and wrong values.
    """
    meter = wording.meter
    words = wording.words
    last = meter.last_day.date_jst
    monday = last - timedelta(days=last.weekday())
    measured = monday - meter.days[0].date_jst
    needed = measured.days // 7 + 2
    weeks = min(MOST_WEEKS, max(LEAST_WEEKS, needed))
    first = monday - timedelta(weeks=weeks - 1)
    squares = [_square(day, first, wording) for day in meter.days if day.date_jst >= first]
    looks = Counter(square.look for square in squares)
    summary = words(
        "calendar_words",
        complete=looks["full"],
        partial=looks["half"],
        missing=looks["none"],
        n=len(squares),
    )
    months = _month_columns(first, last, weeks, words)
    weekdays = words.list("weekdays_short")
    return Calendar(summary, weeks, squares, months, weekdays)


def _month_columns(first: date, last: date, weeks: int, words: Words) -> list[tuple[int, str]]:
    """Month names over the column of their first day.

    There is no room for one over the last column.
    """
    names = []
    for day in each_day(first, last):
        column = (day - first).days // 7
        if day.day == 1 and column < weeks - 1:
            names.append((column, words.month_short(day.month)))
    return names


def _square(day: Day, first: date, wording: Wording) -> Square:
    column, row = divmod((day.date_jst - first).days, 7)
    caveats = [wording.words("is_complete")]
    if day.has_caveat:
        caveats = wording.day_caveats(day)
    name = wording.words.day(day.date_jst)
    title = wording.sentence(name, day, caveats)
    look = _look(day)
    return Square(column, row, look, day.has_mark, title)


def _look(day: Day) -> str:
    if day.is_complete:
        return "full"
    if day.is_measured:
        return "half"
    return "none"
