"""Days and months as bars."""

import calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from homeiot_batch.report import charts
from homeiot_batch.report.axes import date_labels, energy_legend, y_labels
from homeiot_batch.report.charts import Bar, Scale
from homeiot_batch.report.doubts import counted, doubts, sentence, short_of
from homeiot_batch.report.figures import BARS, Day, Energy, Month, Source
from homeiot_batch.report.parts import Chart, Label, Span, Table
from homeiot_batch.report.tables import energy_cells, energy_head
from homeiot_batch.report.words import Words


@dataclass(frozen=True)
class Bars:
    """Days or months as bars, with `padding` empty places before them; a faint one is incomplete or partly estimated."""

    spans: Sequence[Day] | Sequence[Month]
    names: Sequence[str]
    titles: Sequence[str]
    faint: Sequence[bool]
    padding: int

    @property
    def slot(self) -> float:
        """Width of a bar's place, in per cent."""
        return 100 / (self.padding + len(self.spans))

    def values(self, name: str) -> list[float | None]:
        """The value of each place."""
        return [None] * self.padding + [getattr(span, name) for span in self.spans]

    @property
    def marks(self) -> list[Span]:
        """Over each bar with resets or wrong values."""
        marked = [
            index
            for index, span in enumerate(self.spans)
            if span.reset_count + span.glitch_count > 0
        ]
        return [
            Span(round((self.padding + index + 0.5) * self.slot, 3), 0, self.titles[index])
            for index in marked
        ]

    def legend(self, w: Words) -> list[tuple[str, str]]:
        """What faint bars and marks mean, if there are any."""
        faint = [("doubtful", w("legend_estimated"))] if any(self.faint) else []
        return faint + ([("dot", w("legend_mark"))] if self.marks else [])

    def drawn(
        self, kind: str, values: Sequence[float | None], axis: Scale, sign: int = 1
    ) -> list[tuple[str, Bar, str]]:
        """The bars of `values`, one for each place, with their look and title."""
        places = [(bar, bar.index - self.padding) for bar in charts.bars(values, axis, sign)]
        return [
            (f"{kind} doubtful" if self.faint[place] else kind, bar, self.titles[place])
            for bar, place in places
        ]


def days_chart(source: Source, w: Words) -> Chart:
    """A bar a day, bought up and sold down, of the last days; never fewer than a fortnight's room."""
    days = source.days[-BARS:]
    names = [w.day(day.date_jst) for day in days]
    titles = [
        sentence(name, day, source, doubts(day, w) if day.is_doubtful else [], w)
        for name, day in zip(names, days, strict=True)
    ]
    faint = [day.is_partial for day in days]
    bars = Bars(days, names, titles, faint, padding=max(0, 14 - len(days)))
    said = w("days_chart", n=len(days)), _unit("days_unit", source, w), _days_words(days, source, w)
    labels = date_labels([day.date_jst for day in days], bars.padding, w)
    return _bar_chart("days", said, bars, labels, _days_table(days, source, w), source, w)


def _days_words(days: Sequence[Day], source: Source, w: Words) -> str:
    if not any(day.is_known for day in days):
        return w("days_empty", n=len(days))
    sold = (
        w("curve_sold", sold=w.energy(total(day.export_kwh for day in days)))
        if source.has_export
        else ""
    )
    doubtful, missing = (
        sum(day.is_doubtful and day.is_known for day in days),
        sum(not day.is_known for day in days),
    )
    return w(
        "days_words",
        n=len(days),
        bought=w.energy(total(day.import_kwh for day in days)),
        sold=sold,
        doubtful=doubtful,
        missing=missing,
    )


def _days_table(days: Sequence[Day], source: Source, w: Words) -> Table:
    rows = [
        [w.day(day.date_jst), *energy_cells(day, source, w), ", ".join(doubts(day, w))]
        for day in reversed(days)
    ]
    return Table(energy_head(w("day"), source, w), rows)


def months_chart(source: Source, last: date, w: Words) -> Chart:
    """A bar a month, from the first to the last; never fewer than a year's room."""
    months = _each_month(source, last)
    names = [w.day(month.month_jst, "month_of_year") for month in months]
    titles = [_month_title(month, source, last, w) for month in months]
    faint = [
        month.complete_days < _days_in(month.month_jst, last) or month.estimated_kwh > 0
        for month in months
    ]
    bars = Bars(months, names, titles, faint, padding=max(0, 12 - len(months)))
    said = w("months_chart"), _unit("months_unit", source, w), _months_words(months, w)
    labels = _month_labels([month.month_jst for month in months], bars.padding, w)
    return _bar_chart(
        "months", said, bars, labels, _months_table(months, source, last, w), source, w
    )


def _each_month(source: Source, last: date) -> list[Month]:
    there = {month.month_jst: month for month in source.months}
    first = source.days[0].date_jst.replace(day=1)
    count = (last.year - first.year) * 12 + last.month - first.month + 1
    firsts = [
        date(first.year + (first.month - 1 + k) // 12, (first.month - 1 + k) % 12 + 1, 1)
        for k in range(count)
    ]
    return [there.get(day) or Month(None, None, None, 0.0, day, None, 0, 0, 0) for day in firsts]


def _month_title(month: Month, source: Source, last: date, w: Words) -> str:
    why = (
        short_of(month, month.complete_days, _days_in(month.month_jst, last), w)
        if month.is_known
        else []
    )
    return sentence(w.day(month.month_jst, "month_of_year"), month, source, why, w)


def _days_in(month: date, last: date) -> int:
    """Days of the month up to the house's last one."""
    days = calendar.monthrange(month.year, month.month)[1]
    return last.day if (month.year, month.month) == (last.year, last.month) else days


def _months_words(months: Sequence[Month], w: Words) -> str:
    if not any(month.is_known for month in months):
        return w("months_empty")
    highest = max(months, key=_larger)
    first, last, month = (
        w.day(shown.month_jst, "month_of_year") for shown in (months[0], months[-1], highest)
    )
    return w("months_words", first=first, last=last, top=w.energy(_larger(highest)), month=month)


def _larger(span: Energy) -> float:
    return max(span.import_kwh or 0.0, span.export_kwh or 0.0)


def _months_table(months: Sequence[Month], source: Source, last: date, w: Words) -> Table:
    head = [*energy_head(w("month"), source, w)[:-1], w("days_of"), w("remarks")]
    return Table(head, [_month_row(month, source, last, w) for month in reversed(months)])


def _month_row(month: Month, source: Source, last: date, w: Words) -> list[object]:
    complete = w("days_complete", n=month.complete_days, of=_days_in(month.month_jst, last))
    return [
        w.day(month.month_jst, "month_of_year"),
        *energy_cells(month, source, w),
        complete,
        ", ".join(counted(month, w)),
    ]


def _month_labels(months: Sequence[date], padding: int, w: Words) -> list[Label]:
    slot = 100 / (len(months) + padding)
    if len(months) > 24:
        return [
            Label(round((padding + index) * slot, 3), str(day.year))
            for index, day in enumerate(months)
            if day.month == 1
        ]
    shown = charts.spread(list(enumerate(months))[::-1], 12)
    names = [
        str(day.year) if day.month == 1 else w.list("months_short")[day.month - 1]
        for _, day in shown
    ]
    return [
        Label(round((padding + index + 0.5) * slot, 3), name)
        for (index, _), name in reversed(list(zip(shown, names, strict=True)))
    ]


def _unit(key: str, source: Source, w: Words) -> str:
    return w(key if source.has_import and source.has_export else f"{key}_plain")


def _bar_chart(
    name: str,
    said: tuple[str, str, str],
    bars: Bars,
    labels: Sequence[Label],
    table: Table,
    source: Source,
    w: Words,
) -> Chart:
    bought, sold = bars.values("import_kwh"), bars.values("export_kwh")
    axis = charts.scale(max(value or 0.0 for value in bought), -max(value or 0.0 for value in sold))
    holes = hole_spans(
        [not span.is_known for span in bars.spans], bars.names, bars.titles, bars.padding, w
    )
    return Chart(
        name,
        *said,
        axis=axis,
        bars=bars.drawn("bought", bought, axis) + bars.drawn("sold", sold, axis, -1),
        x_labels=labels,
        y_labels=y_labels(axis, w),
        holes=holes,
        marks=bars.marks,
        legend=energy_legend(source, w, bars.legend(w), holes, w("legend_no_data")),
        table=table,
    )


def hole_spans(
    missing: Sequence[bool], names: Sequence[str], titles: Sequence[str], padding: int, w: Words
) -> list[Span]:
    """What lies over runs of places without data: a title of its own for each, from the first name to the last for several."""
    slot = 100 / (padding + len(missing))
    runs = charts.blocks(missing)
    said = [
        titles[first] if first == last else f"{names[first]} … {names[last]}: {w('no_data')}"
        for first, last in runs
    ]
    return [
        Span(round((padding + a) * slot, 3), round((b - a + 1) * slot, 3), title)
        for (a, b), title in zip(runs, said, strict=True)
    ]


def total(values: Iterable[float | None]) -> float | None:
    """The sum of what is known; None if nothing is."""
    known = [value for value in values if value is not None]
    return sum(known) if known else None
