"""The energy of a month of each meter, and its days that are not complete."""

from collections.abc import Collection, Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

import duckdb

from homeiot_batch.config import Settings
from homeiot_batch.core.days import each_day
from homeiot_batch.core.layout import Layout
from homeiot_batch.errors import DatabaseError
from homeiot_batch.messages.words import Words
from homeiot_batch.warehouse.database import open_database

ONE_DAY = timedelta(days=1)

LAST_DAY = "SELECT max(date_jst) FROM fct_daily_energy"
MONTH = """
SELECT
    source, display_name, kind, import_kwh, export_kwh, has_export,
    coalesce(estimated_kwh, 0) AS estimated_kwh,
    dim_source.first_reading_jst::date AS first_day,
    dim_source.until_jst AS until_day
FROM fct_monthly_energy JOIN dim_source USING (source)
WHERE month_jst = $month
ORDER BY
    coalesce(list_position(['grid', 'solar', 'battery', 'load'], kind), 5),
    source
"""
COMPLETE = """
SELECT source, date_jst
FROM fct_daily_energy
WHERE date_trunc('month', date_jst) = $month AND is_complete
"""


class MeterMonth(NamedTuple):
    """The month of a meter. kWh, None where unknown. `until_day` is the last one of the meter."""

    source: str
    display_name: str | None
    kind: str | None
    import_kwh: float | None
    export_kwh: float | None
    has_export: bool
    estimated_kwh: float
    first_day: date | None
    until_day: date | None


class Month(NamedTuple):
    """The first day of a month, and a line for each meter that has a day of it."""

    first: date
    lines: list[str]

    @property
    def name(self) -> str:
        """YYYY-MM."""
        return f"{self.first:%Y-%m}"


def last_month(settings: Settings, layout: Layout, words: Words) -> Month | None:
    """The month before today's, or None as long as the tables do not reach its end.

    None as well if no meter has a day of it, or the tables cannot be read.
    """
    if not layout.read_copy.exists():
        return None
    today = settings.instant().astimezone(settings.zone).date()
    end = today.replace(day=1) - ONE_DAY
    first = end.replace(day=1)
    try:
        with open_database(layout.read_copy, read_only=True) as connection:
            lines = list(month_lines(connection, first, end, words))
    except DatabaseError:
        return None
    if not lines:
        return None
    return Month(first, lines)


def month_lines(
    connection: duckdb.DuckDBPyConnection, first: date, end: date, words: Words
) -> Iterator[str]:
    """A line for each meter of the month from `first` to `end`. None if the tables end before."""
    [(reached,)] = connection.execute(LAST_DAY).fetchall()
    if reached is None or reached < end:
        return
    complete = set(connection.execute(COMPLETE, {"month": first}).fetchall())
    for row in connection.execute(MONTH, {"month": first}).fetchall():
        meter = MeterMonth(*row)
        begin = max(first, meter.first_day or first)
        last = min(end, meter.until_day or end)
        lacking = [day for day in each_day(begin, last) if (meter.source, day) not in complete]
        days = words("all_complete")
        if lacking:
            days = words("incomplete", days=words.listed(_spans(lacking, words)))
        name = meter.display_name or meter.source
        yield words("meter", meter=name, energy=_energy(meter, words), days=days)


def _energy(meter: MeterMonth, words: Words) -> str:
    """What it measured, in the words of its kind."""
    amounts = {"what_bought": meter.import_kwh}
    if meter.has_export:
        amounts["what_sold"] = meter.export_kwh
    parts: list[str] = []
    for word, kwh in amounts.items():
        if kwh is not None:
            what = words.of_kind(meter.kind, word)
            parts.append(words("energy", what=what, kwh=words.energy(kwh)))
    if not parts:
        return words("no_energy")
    energy = words.listed(parts)
    if meter.estimated_kwh > 0:
        return words("estimated", energy=energy, kwh=words.energy(meter.estimated_kwh))
    return energy


def _spans(days: Iterable[date], words: Words) -> list[str]:
    """The days, those in a row as one."""
    spans: list[list[date]] = []
    for day in days:
        if spans and day - spans[-1][-1] == ONE_DAY:
            spans[-1].append(day)
        else:
            spans.append([day])
    return [_span(span, words) for span in spans]


def _span(days: Collection[date], words: Words) -> str:
    first, *_ = days
    *_, last = days
    if first == last:
        return words.day(first, "date_plain")
    begin = words.day(first, "date_plain")
    return words("span", first=begin, last=words.day(last, "date_plain"))
