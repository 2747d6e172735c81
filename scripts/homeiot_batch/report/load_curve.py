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
from homeiot_batch.report.wording import Wording, clock_change
from homeiot_batch.report.words import Words

HOUR = timedelta(hours=1)
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
    meter = wording.meter
    words = wording.words
    loads = _loads(day, ((quarter.quarter_utc, quarter) for quarter in meter.load_curve))
    typical = _loads(day, _typical_quarters(wording, day))
    axis = _axis(loads, typical)
    gaps = _gaps(wording, day)
    usual = []
    if meter.typical_day:
        usual.append(("usual", _typical_name(day.date, words)))
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
        notes=clock_change(day, words),
        table=_hours_table(wording),
    )


def _loads(
    day: LocalDay, quarters: Iterable[tuple[datetime, Quarter | TypicalQuarter | None]]
) -> Loads:
    bought = []
    sold = []
    for at, quarter in quarters:
        import_w = getattr(quarter, "import_w", None)
        export_w = getattr(quarter, "export_w", None)
        bought.append(_slot(day, at, import_w))
        sold.append(_slot(day, at, export_w))
    return Loads(bought, sold)


def _axis(loads: Loads, typical: Loads) -> Scale:
    up = _watts(loads.bought) + _watts(typical.bought)
    down = _watts(loads.sold) + _watts(typical.sold)
    return charts.scale_of(up, down)


def _typical_quarters(
    wording: Wording, day: LocalDay
) -> Iterable[tuple[datetime, TypicalQuarter | None]]:
    typical = {quarter.time_jst: quarter for quarter in wording.meter.typical_day}
    for number in range(_length(day) // QUARTER):
        at = day.start + number * QUARTER
        wall = at.astimezone(day.zone)
        yield at, typical.get(wall.time())


def _length(day: LocalDay) -> timedelta:
    return day.end - day.start


def _watts(slots: Sequence[Slot]) -> list[float | None]:
    return [value for _, _, value in slots]


def _paths(loads: Loads, typical: Loads, axis: Scale, has_export: bool) -> list[tuple[str, str]]:
    bought = charts.area(loads.bought, axis)
    sold = charts.area(loads.sold, axis, -1)
    usual = charts.line(typical.bought, axis)
    if has_export:
        usual += charts.line(typical.sold, axis, -1)
    return [("bought", bought), ("sold", sold), ("usual", usual)]


def _gaps(wording: Wording, day: LocalDay) -> list[Span]:
    """What no measured quarter covers, if it is longer than the usual interval."""
    meter = wording.meter
    interval_s = meter.interval_s or 0
    least = interval_s / _length(day).total_seconds()
    measured = [_slot(day, quarter.quarter_utc, 0.0) for quarter in meter.load_curve]
    gaps = charts.gaps(measured, least)
    title = wording.words("no_data")
    return [Span(at, width, title) for at, width in gaps]


def _slot(day: LocalDay, instant: datetime, watts: float | None) -> Slot:
    length = _length(day)
    start = instant.replace(tzinfo=UTC) - day.start
    end = start + QUARTER
    kilowatts = None
    if watts is not None:
        kilowatts = watts / 1000
    return max(0.0, start / length), min(1.0, end / length), kilowatts


def _hour_labels(day: LocalDay) -> list[Label]:
    """A label at every third hour of the clock, and 24:00 at the end."""
    first = day.start.astimezone(day.zone)
    labels = [Label(0.0, f"{first:%H:%M}")]
    at = day.start + HOUR
    while at < day.end:
        part = (at - day.start) / _length(day)
        wall = at.astimezone(day.zone)
        if wall.hour % 3 == 0 and 0.04 < part < 0.96:
            place = round(100 * part, 3)
            labels.append(Label(place, f"{wall:%H:%M}"))
        at += HOUR
    labels.append(Label(100.0, "24:00"))
    return labels


def _typical_name(day: date, words: Words) -> str:
    if day.isoweekday() > 5:
        return words("usual_weekend")
    return words("usual_workday")


def _curve_words(wording: Wording, bought: Sequence[Slot], day: LocalDay) -> str:
    words = wording.words
    last = wording.meter.last_day
    known = [slot for slot in bought if slot[2] is not None]
    if not known:
        return words("curve_empty", date=words.day(day.date))
    part, _, top = max(known, key=lambda slot: slot[2] or 0)
    # a second more: the part of the day may be a little less than the quarter's begin
    at = day.start + part * _length(day) + timedelta(seconds=1)
    wall = at.astimezone(day.zone)
    return words(
        "curve_words",
        date=words.day(day.date),
        bought=words.energy(last.import_kwh),
        what=wording.what("bought"),
        sold=wording.sold(last.export_kwh),
        top=words.number(top or 0, 2),
        time=words.time(wall),
    )


def _hours_table(wording: Wording) -> Table:
    words = wording.words
    unit = words("unit_kwh")
    labels = [wording.label(word) for word, _ in wording.measured(UNKNOWN)]
    names = [words("with_unit", label=label, unit=unit) for label in labels]
    head = [words("hour"), *names, words("remarks")]
    rows = [_hour_row(hour, wording) for hour in wording.meter.day_hours]
    return Table(head, rows)


def _hour_row(hour: Hour, wording: Wording) -> list[Cell]:
    span = Energy(hour.import_kwh, hour.export_kwh, None, 0.0)
    cells = [energy_cell(value, wording) for _, value in wording.measured(span)]
    remark = ""
    if hour.is_estimated:
        remark = wording.words("estimated")
    return [f"{hour.hour:02}:00", *cells, remark]
