"""The last day by quarter of an hour."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from homeiot_batch.core.days import LocalDay
from homeiot_batch.report import charts
from homeiot_batch.report.charts import Scale, Slot
from homeiot_batch.report.elements import Cell, Chart, Label, Span, Table
from homeiot_batch.report.figures import UNKNOWN, Energy, Hour, Quarter, TypicalQuarter
from homeiot_batch.report.labels import energy_legend, y_labels
from homeiot_batch.report.tables import energy_cell
from homeiot_batch.report.wording import Wording
from homeiot_batch.report.words import Words

QUARTER = timedelta(minutes=15)


@dataclass(frozen=True)
class Loads:
    """What flows up (bought) and down (sold), in kW by part of the day."""

    bought: Sequence[Slot]
    sold: Sequence[Slot]


def load_curve(wording: Wording, day: LocalDay) -> Chart:
    """The last day's load by quarter of an hour against the usual day.

    The axis has as many hours as the day.
    """
    meter, words = wording.meter, wording.words
    loads = _loads(day, ((quarter.quarter_utc, quarter) for quarter in meter.load_curve))
    typical = _loads(day, _typical_quarters(wording, day))
    axis = charts.scale_of(
        _watts(loads.bought) + _watts(typical.bought), _watts(loads.sold) + _watts(typical.sold)
    )
    gaps = _gaps(wording, day)
    usual = [("usual", _typical_name(day.date, words))] if meter.typical_day else []
    return Chart(
        "curve",
        words("curve"),
        words("curve_unit"),
        _curve_words(wording, loads.bought, day),
        axis=axis,
        paths=_paths(loads, typical, axis, meter.has_export),
        x_labels=_hour_labels(day),
        y_labels=y_labels(axis, words),
        gaps=gaps,
        legend=energy_legend(wording, usual, gaps),
        notes=_clock_change(day, words),
        table=_hours_table(wording),
    )


def _loads(
    day: LocalDay, quarters: Iterable[tuple[datetime, Quarter | TypicalQuarter | None]]
) -> Loads:
    bought, sold = [], []
    for at, quarter in quarters:
        bought.append(_slot(day, at, getattr(quarter, "import_w", None)))
        sold.append(_slot(day, at, getattr(quarter, "export_w", None)))
    return Loads(bought, sold)


def _typical_quarters(
    wording: Wording, day: LocalDay
) -> Iterable[tuple[datetime, TypicalQuarter | None]]:
    typical = {quarter.time_jst: quarter for quarter in wording.meter.typical_day}
    for k in range((day.end - day.start) // QUARTER):
        at = day.start + k * QUARTER
        yield at, typical.get(at.astimezone(day.zone).time())


def _watts(slots: Sequence[Slot]) -> list[float | None]:
    return [value for _, _, value in slots]


def _paths(loads: Loads, typical: Loads, axis: Scale, has_export: bool) -> list[tuple[str, str]]:
    usual = charts.line(typical.bought, axis)
    if has_export:
        usual += charts.line(typical.sold, axis, -1)
    return [
        ("bought", charts.area(loads.bought, axis)),
        ("sold", charts.area(loads.sold, axis, -1)),
        ("usual", usual),
    ]


def _gaps(wording: Wording, day: LocalDay) -> list[Span]:
    """What no measured quarter covers, if it is longer than the usual interval."""
    meter = wording.meter
    least = (meter.interval_s or 0) / (day.end - day.start).total_seconds()
    measured = [_slot(day, quarter.quarter_utc, 0.0) for quarter in meter.load_curve]
    title = wording.words("no_data")
    return [Span(at, width, title) for at, width in charts.holes(measured, least)]


def _slot(day: LocalDay, instant: datetime, watts: float | None) -> Slot:
    length = day.end - day.start
    start = instant.replace(tzinfo=UTC) - day.start
    end = start + QUARTER
    kilowatts = None if watts is None else watts / 1000
    return max(0.0, start / length), min(1.0, end / length), kilowatts


def _hour_labels(day: LocalDay) -> list[Label]:
    """A label at every third hour of the clock, and 24:00 at the end."""
    labels = [Label(0.0, f"{day.start.astimezone(day.zone):%H:%M}")]
    at = day.start + timedelta(hours=1)
    while at < day.end:
        part = (at - day.start) / (day.end - day.start)
        wall = at.astimezone(day.zone)
        if wall.hour % 3 == 0 and 0.04 < part < 0.96:
            labels.append(Label(round(100 * part, 3), f"{wall:%H:%M}"))
        at += timedelta(hours=1)
    labels.append(Label(100.0, "24:00"))
    return labels


def _clock_change(day: LocalDay, words: Words) -> list[str]:
    hours = (day.end - day.start).total_seconds() / 3600
    if hours == 24:
        return []
    return [words("day_23" if hours < 24 else "day_25", h=f"{hours:g}")]


def _typical_name(day: date, words: Words) -> str:
    return words("usual_weekend" if day.isoweekday() > 5 else "usual_workday")


def _curve_words(wording: Wording, bought: Sequence[Slot], day: LocalDay) -> str:
    words, last = wording.words, wording.meter.last_day
    known = [slot for slot in bought if slot[2] is not None]
    if not known:
        return words("curve_empty", date=words.day(day.date))
    part, _, top = max(known, key=lambda slot: slot[2] or 0)
    # a second more: the part of the day may be a little less than the quarter's begin
    at = day.start + part * (day.end - day.start) + timedelta(seconds=1)
    return words(
        "curve_words",
        date=words.day(day.date),
        bought=words.energy(last.import_kwh),
        sold=wording.sold(last.export_kwh),
        top=words.number(top or 0, 2),
        time=words.time(at.astimezone(day.zone)),
    )


def _hours_table(wording: Wording) -> Table:
    words = wording.words
    unit = words("unit_kwh")
    names = [f"{words(word)}, {unit}" for word, _ in wording.measured(UNKNOWN)]
    head = [words("hour"), *names, words("remarks")]
    return Table(head, [_hour_row(hour, wording) for hour in wording.meter.day_hours])


def _hour_row(hour: Hour, wording: Wording) -> list[Cell]:
    span = Energy(hour.import_kwh, hour.export_kwh, None, 0.0)
    cells = [energy_cell(value, wording) for _, value in wording.measured(span)]
    remark = wording.words("estimated").lower() if hour.is_estimated else ""
    return [f"{hour.hour:02}:00", *cells, remark]
