"""The last day by quarter of an hour."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from homeiot_batch.days import LocalDay
from homeiot_batch.report import charts
from homeiot_batch.report.axes import energy_legend, y_labels
from homeiot_batch.report.charts import Slot
from homeiot_batch.report.doubts import measured
from homeiot_batch.report.figures import Energy, Hour, Source
from homeiot_batch.report.parts import Chart, Label, Span, Table
from homeiot_batch.report.tables import energy_cell
from homeiot_batch.report.words import Words

QUARTER = timedelta(minutes=15)


@dataclass(frozen=True)
class Loads:
    """What flows up (bought) and down (sold), in kW by part of the day."""

    bought: Sequence[Slot]
    sold: Sequence[Slot]

    def highest(self, name: str) -> float:
        """The highest of `bought` or `sold`, at least 0."""
        return max([0.0, *(value or 0.0 for _, _, value in getattr(self, name))])


def curve(source: Source, day: LocalDay, w: Words) -> Chart:
    """The last day's load by quarter of an hour against the usual day; the axis has as many hours as the day."""
    loads, usual = _measured_loads(source, day), _usual_loads(source, day)
    up, down = (max(loads.highest(name), usual.highest(name)) for name in ("bought", "sold"))
    axis = charts.scale(up, -down)
    gaps = _gaps(source, day, w)
    return Chart(
        "curve",
        w("curve"),
        w("curve_unit"),
        _curve_words(source, loads.bought, day, w),
        axis=axis,
        paths=[
            ("bought", charts.area(loads.bought, axis)),
            ("sold", charts.area(loads.sold, axis, -1)),
            (
                "usual",
                charts.line(usual.bought, axis)
                + charts.line(usual.sold if source.has_export else [], axis, -1),
            ),
        ],
        x_labels=[Label(at, text) for at, text in _hours(day)],
        y_labels=y_labels(axis, w),
        holes=gaps,
        legend=energy_legend(
            source,
            w,
            [("usual", _usual_name(day.date, w))] if source.usual else [],
            gaps,
            w("legend_no_data"),
        ),
        notes=_clock_change(day, w),
        table=_curve_table(source, w),
    )


def _measured_loads(source: Source, day: LocalDay) -> Loads:
    return Loads(
        *(
            [_at(day, q.quarter_utc, getattr(q, name)) for q in source.curve]
            for name in ("import_w", "export_w")
        )
    )


def _usual_loads(source: Source, day: LocalDay) -> Loads:
    usual = {quarter.time_jst: quarter for quarter in source.usual}
    quarters = [day.start + k * QUARTER for k in range((day.end - day.start) // QUARTER)]
    found = [(at, usual.get(at.astimezone(day.zone).time())) for at in quarters]
    return Loads(
        *(
            [_at(day, at, getattr(quarter, name, None)) for at, quarter in found]
            for name in ("import_w", "export_w")
        )
    )


def _gaps(source: Source, day: LocalDay, w: Words) -> list[Span]:
    """What no measured quarter covers, if it is longer than the usual interval."""
    least = (source.interval_s or 0) / (day.end - day.start).total_seconds()
    return [
        Span(at, width, w("no_data"))
        for at, width in charts.holes([_at(day, q.quarter_utc, 0.0) for q in source.curve], least)
    ]


def _at(day: LocalDay, instant: datetime, watts: float | None) -> Slot:
    length = day.end - day.start
    start = instant.replace(tzinfo=UTC) - day.start
    return (
        max(0.0, start / length),
        min(1.0, (start + QUARTER) / length),
        None if watts is None else watts / 1000,
    )


def _hours(day: LocalDay) -> list[tuple[float, str]]:
    """A label at every third hour of the clock, and 24:00 at the end."""
    length = day.end - day.start
    instants = [
        day.start + timedelta(hours=k)
        for k in range(1, int(length.total_seconds() // 3600) + 1)
        if day.start + timedelta(hours=k) < day.end
    ]
    walls = [(at, at.astimezone(day.zone)) for at in instants]
    labels = [
        ((at - day.start) / length, f"{wall:%H:%M}") for at, wall in walls if wall.hour % 3 == 0
    ]
    inner = [(round(100 * at, 3), text) for at, text in labels if 0.04 < at < 0.96]
    return [(0.0, f"{day.start.astimezone(day.zone):%H:%M}"), *inner, (100.0, "24:00")]


def _clock_change(day: LocalDay, w: Words) -> list[str]:
    hours = (day.end - day.start).total_seconds() / 3600
    return [] if hours == 24 else [w("day_23" if hours < 24 else "day_25", h=f"{hours:g}")]


def _usual_name(day: date, w: Words) -> str:
    return w("usual_weekend" if day.isoweekday() > 5 else "usual_workday")


def _curve_words(source: Source, bought: Sequence[Slot], day: LocalDay, w: Words) -> str:
    date_, last = w.day(day.date), source.days[-1]
    known = [slot for slot in bought if slot[2] is not None]
    if not known:
        return w("curve_empty", date=date_)
    highest = max(known, key=lambda slot: slot[2] or 0)
    at = (day.start + highest[0] * (day.end - day.start) + timedelta(seconds=1)).astimezone(
        day.zone
    )
    sold = w("curve_sold", sold=w.energy(last.export_kwh)) if source.has_export else ""
    return w(
        "curve_words",
        date=date_,
        bought=w.energy(last.import_kwh),
        sold=sold,
        top=w.number(highest[2] or 0, 2),
        time=w.time(at),
    )


def _curve_table(source: Source, w: Words) -> Table:
    head = [
        w("hour"),
        *(f"{w(word)}, {w('unit_kwh')}" for word, _ in measured(source.days[-1], source)),
        w("remarks"),
    ]
    return Table(head, [_hour_row(hour, source, w) for hour in source.day_hours])


def _hour_row(hour: Hour, source: Source, w: Words) -> list[object]:
    span = Energy(hour.import_kwh, hour.export_kwh, None, 0.0)
    said = w("estimated").lower() if hour.is_estimated else ""
    return [
        f"{hour.hour:02}:00",
        *(energy_cell(value, w) for _, value in measured(span, source)),
        said,
    ]
