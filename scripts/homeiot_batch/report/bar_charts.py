"""Days and months as bars."""

import calendar
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from homeiot_batch.report import charts
from homeiot_batch.report.charts import Scale
from homeiot_batch.report.elements import Cell, Chart, Label, Span, Table
from homeiot_batch.report.figures import Day, Energy, Month, empty_month, next_month, total
from homeiot_batch.report.labels import Legend, date_labels, energy_legend, place, y_labels
from homeiot_batch.report.queries import BARS
from homeiot_batch.report.tables import energy_cells, energy_head
from homeiot_batch.report.wording import Wording
from homeiot_batch.report.words import Words

FORTNIGHT = 14  # days

# a bar with its look and its title
Drawn = tuple[str, charts.Bar, str]


@dataclass(frozen=True)
class Places:
    """Days or months beside each other, with `padding` empty places before them.

    A faint one is incomplete or partly estimated.
    """

    names: Sequence[str]
    titles: Sequence[str]
    faint: Sequence[bool]
    padding: int

    def drawn(
        self, kind: str, values: Sequence[float | None], axis: Scale, sign: int = 1
    ) -> list[Drawn]:
        """The bars of `values`, one for each place, with their look and title."""
        return [self._drawn(kind, bar) for bar in charts.bars(values, axis, sign)]

    def stacked(self, layers: Mapping[str, Sequence[float | None]], axis: Scale) -> list[Drawn]:
        """The bars of several kinds on each other, the first kind at the bottom."""
        found = []
        stacks = charts.stacks(list(layers.values()), axis)
        for kind, bars in zip(layers, stacks, strict=True):
            found += [self._drawn(kind, bar) for bar in bars]
        return found

    def _drawn(self, kind: str, bar: charts.Bar) -> Drawn:
        index = bar.index - self.padding
        look = kind
        if self.faint[index]:
            look += " doubtful"
        return look, bar, self.titles[index]

    def gaps(self, missing: Sequence[bool], words: Words) -> list[Span]:
        """What lies over runs of places without data, each with a title of its own."""
        slot = 100 / (self.padding + len(missing))
        spans = []
        for first, last in charts.blocks(missing):
            at = round((self.padding + first) * slot, 3)
            width = round((last - first + 1) * slot, 3)
            title = self._gap_title(first, last, words)
            spans.append(Span(at, width, title))
        return spans

    def _gap_title(self, first: int, last: int, words: Words) -> str:
        if first == last:
            return self.titles[first]
        days = words("days_in_a_row", first=self.names[first], last=self.names[last])
        return words("line", name=days, said=words("no_data"))


@dataclass(frozen=True)
class Bars(Places):
    """Days or months of a meter."""

    spans: Sequence[Day] | Sequence[Month]

    def values(self, name: str) -> list[float | None]:
        """The value of each place."""
        shown = [getattr(span, name) for span in self.spans]
        return [None] * self.padding + shown

    @property
    def marks(self) -> list[Span]:
        """Over each bar with resets or wrong values."""
        count = len(self.spans)
        marks = []
        for index, span in enumerate(self.spans):
            if span.has_mark:
                at = place(index, self.padding, count)
                marks.append(Span(at, 0, self.titles[index]))
        return marks

    def legend(self, words: Words) -> Legend:
        """What faint bars and marks mean, if there are any."""
        legend = []
        if any(self.faint):
            legend.append(("doubtful", words("legend_estimated")))
        if self.marks:
            legend.append(("dot", words("legend_mark")))
        return legend


@dataclass(frozen=True)
class Heading:
    """What stands over a chart, and what a screen reader says of it."""

    name: str
    heading: str
    unit: str
    words: str


def days_chart(wording: Wording) -> Chart:
    """A bar a day, bought up and sold down, of the last days.

    There is room for a fortnight at least.
    """
    words = wording.words
    days = wording.meter.days[-BARS:]
    padding = max(0, FORTNIGHT - len(days))
    bars = _day_bars(days, padding, wording)
    title = words("days_chart", n=len(days))
    unit = _unit("days_unit", wording)
    summary = _days_words(days, wording)
    heading = Heading("days", title, unit, summary)
    dates = [day.date_jst for day in days]
    labels = date_labels(dates, padding, words)
    table = _days_table(days, wording)
    return _bar_chart(heading, bars, labels, table, wording)


def month_days_chart(wording: Wording, month: date) -> Chart:
    """A bar a day of the meter's days, which are those of the month."""
    words = wording.words
    days = wording.meter.days
    known = [day for day in days if day.is_known]
    summary = words(
        "month_days_words",
        month=words.month(month),
        bought=words.energy(total(day.import_kwh for day in days)),
        what=wording.what("bought"),
        sold=wording.sold(total(day.export_kwh for day in days)),
        doubtful=sum(day.has_caveat for day in known),
        missing=len(days) - len(known),
    )
    heading = Heading("days", words("month_days_chart"), _unit("days_unit", wording), summary)
    labels = date_labels([day.date_jst for day in days], 0, words)
    return _bar_chart(heading, _day_bars(days, 0, wording), labels, Table([], []), wording)


def _day_bars(days: Sequence[Day], padding: int, wording: Wording) -> Bars:
    names = [wording.words.day(day.date_jst) for day in days]
    titles = []
    for name, day in zip(names, days, strict=True):
        caveats = wording.shown_caveats(day)
        titles.append(wording.sentence(name, day, caveats))
    faint = [day.is_partial for day in days]
    return Bars(names, titles, faint, padding, days)


def _days_words(days: Sequence[Day], wording: Wording) -> str:
    words = wording.words
    known = [day for day in days if day.is_known]
    if not known:
        return words("days_empty", n=len(days))
    bought = total(day.import_kwh for day in days)
    sold = total(day.export_kwh for day in days)
    return words(
        "days_words",
        n=len(days),
        bought=words.energy(bought),
        what=wording.what("bought"),
        sold=wording.sold(sold),
        doubtful=sum(day.has_caveat for day in known),
        missing=len(days) - len(known),
    )


def _days_table(days: Sequence[Day], wording: Wording) -> Table:
    rows: list[list[Cell]] = []
    for day in reversed(days):
        name = wording.words.day(day.date_jst)
        remarks = wording.words.listed(wording.day_caveats(day))
        rows.append([name, *energy_cells(day, wording), remarks])
    head = energy_head(wording.words("day"), wording)
    return Table([*head, wording.words("remarks")], rows)


def months_chart(wording: Wording, last: date) -> Chart:
    """A bar a month, from the first to the last. There is room for a year at least."""
    words = wording.words
    months = _each_month(wording, last)
    padding = max(0, 12 - len(months))
    unit = _unit("months_unit", wording)
    summary = _months_words(months, words)
    heading = Heading("months", words("months_chart"), unit, summary)
    bars = _month_bars(months, padding, last, wording)
    firsts = [month.month_jst for month in months]
    labels = month_labels(firsts, padding, words)
    table = _months_table(months, last, wording)
    return _bar_chart(heading, bars, labels, table, wording)


def _month_bars(months: Sequence[Month], padding: int, last: date, wording: Wording) -> Bars:
    names = []
    titles = []
    faint = []
    for month in months:
        days = days_in(month.month_jst, last)
        name = wording.words.month(month.month_jst)
        caveats = []
        if month.is_known:
            caveats = wording.span_caveats(month, month.complete_days, days)
        names.append(name)
        titles.append(wording.sentence(name, month, caveats))
        is_incomplete = month.complete_days < days
        faint.append(is_incomplete or month.estimated_kwh > 0)
    return Bars(names, titles, faint, padding, months)


def _each_month(wording: Wording, last: date) -> list[Month]:
    known = {month.month_jst: month for month in wording.meter.months}
    month = wording.meter.days[0].date_jst.replace(day=1)
    months = []
    while month <= last:
        months.append(known.get(month) or empty_month(month))
        month = next_month(month)
    return months


def days_in(month: date, last: date) -> int:
    """Days of the month up to the house's last one."""
    if (month.year, month.month) == (last.year, last.month):
        return last.day
    return calendar.monthrange(month.year, month.month)[1]


def _months_words(months: Sequence[Month], words: Words) -> str:
    if not any(month.is_known for month in months):
        return words("months_empty")
    highest = max(months, key=_larger)
    first = months[0].month_jst
    last = months[-1].month_jst
    return words(
        "months_words",
        first=words.month(first),
        last=words.month(last),
        top=words.energy(_larger(highest)),
        month=words.month(highest.month_jst),
    )


def _larger(span: Energy) -> float:
    return max(span.import_kwh or 0.0, span.export_kwh or 0.0)


def _months_table(months: Sequence[Month], last: date, wording: Wording) -> Table:
    words = wording.words
    energy = energy_head(words("month"), wording)
    rows = [_month_row(month, last, wording) for month in reversed(months)]
    return Table([*energy, words("days_of"), words("remarks")], rows)


def _month_row(month: Month, last: date, wording: Wording) -> list[Cell]:
    name = wording.words.month(month.month_jst)
    days = days_in(month.month_jst, last)
    complete = wording.words("days_complete", n=month.complete_days, of=days)
    remarks = wording.words.listed(wording.counted(month))
    return [name, *energy_cells(month, wording), complete, remarks]


def month_labels(months: Sequence[date], padding: int, words: Words) -> list[Label]:
    """At most twelve months, or the years of more than two."""
    if len(months) > 24:
        return _year_labels(months, padding, words)
    newest_first = list(enumerate(months))[::-1]
    labels = []
    for index, month in charts.spread(newest_first, 12)[::-1]:
        at = place(index, padding, len(months))
        name = _month_or_year(month, words)
        labels.append(Label(at, name))
    return labels


def _month_or_year(month: date, words: Words) -> str:
    if month.month == 1:
        return words.year(month.year)
    return words.month_short(month.month)


def _year_labels(months: Sequence[date], padding: int, words: Words) -> list[Label]:
    slot = 100 / (len(months) + padding)
    labels = []
    for index, month in enumerate(months):
        if month.month == 1:
            at = round((padding + index) * slot, 3)
            labels.append(Label(at, words.year(month.year)))
    return labels


def _unit(key: str, wording: Wording) -> str:
    if not wording.meter.has_both:
        key += "_plain"
    return wording.words(key, up=wording.what("bought"), down=wording.what("sold"))


def _bar_chart(
    heading: Heading, bars: Bars, labels: Sequence[Label], table: Table, wording: Wording
) -> Chart:
    words = wording.words
    bought = bars.values("import_kwh")
    sold = bars.values("export_kwh")
    axis = charts.scale_of(bought, sold)
    up = bars.drawn("bought", bought, axis)
    down = bars.drawn("sold", sold, axis, -1)
    missing = [not span.is_known for span in bars.spans]
    gaps = bars.gaps(missing, words)
    return Chart(
        **vars(heading),
        axis=axis,
        bars=up + down,
        x_labels=labels,
        y_labels=y_labels(axis, words),
        gaps=gaps,
        marks=bars.marks,
        legend=energy_legend(wording, bars.legend(words), gaps),
        table=table,
    )
