"""The headline figures."""

from collections.abc import Iterable

from homeiot_batch.report.costs import cost_tile
from homeiot_batch.report.doubts import counted, doubts, measured, short_of
from homeiot_batch.report.figures import Day, Source, ToDate
from homeiot_batch.report.parts import Tile
from homeiot_batch.report.words import Words


def tiles(source: Source, w: Words) -> list[Tile]:
    """The headline: the day's energy, the month so far, peak, completeness, cost."""
    day = source.days[-1]
    why = doubts(day, w) if day.is_doubtful else []
    energy = [
        Tile(w(word), value, w.energy(value), w("unit_kwh"), doubts=why, look=word)
        for word, value in measured(day, source)
    ]
    if source.has_export and source.has_import:
        energy.append(
            Tile(
                w("net"),
                day.net_kwh,
                w.energy(day.net_kwh),
                w("unit_kwh"),
                notes=[w("net_hint")],
                doubts=why,
            )
        )
    return [
        *energy,
        *_month_tile(source, w),
        _peak_tile(source, day, w),
        _complete_tile(day, w),
        *cost_tile(source, w),
    ]


def _month_tile(source: Source, w: Words) -> Iterable[Tile]:
    this, former = source.month_to_date("this"), source.month_to_date("former")
    if this is None:
        return
    name = "import_kwh" if source.has_import or not source.has_export else "export_kwh"
    value = getattr(this, name)
    why = short_of(this, this.complete_days, this.days, w)
    why += (
        [
            f"{_span(former, w)}: {reason}"
            for reason in short_of(former, former.complete_days, former.days, w)
        ]
        if former
        else []
    )
    notes = [_compared(value, getattr(former, name) if former else None, former, w)]
    label = w("bought_this_month" if name == "import_kwh" else "sold_this_month")
    yield Tile(
        label,
        value,
        w.energy(value),
        w("unit_kwh"),
        notes=[note for note in notes if note],
        doubts=why,
    )


def _compared(value: float | None, before: float | None, former: ToDate | None, w: Words) -> str:
    if former is None or value is None or not before:
        return ""
    percent = round(100 * (value / before - 1))
    return w(
        "more" if percent > 0 else "less" if percent < 0 else "same",
        percent=w.number(abs(percent)),
        span=_span(former, w),
    )


def _span(span: ToDate, w: Words) -> str:
    if span.first_day == span.last_day:
        return w.day(span.first_day, "date_short")
    return w("to_day", first=span.first_day.day, last=w.day(span.last_day, "date_short"))


def _peak_tile(source: Source, day: Day, w: Words) -> Tile:
    if day.peak_w is None:
        return Tile(
            w("peak"), None, w("no_data"), notes=[] if source.has_power else [w("no_power")]
        )
    notes = [w("peak_at", time=w.time(day.peak_at_jst))] if day.peak_at_jst else []
    return Tile(
        w("peak"),
        day.peak_w,
        w.number(day.peak_w),
        w("unit_w"),
        notes=notes,
        doubts=[] if day.is_complete else doubts(day, w),
    )


def _complete_tile(day: Day, w: Words) -> Tile:
    if day.coverage is None or not day.readings:
        return Tile(w("complete"), None, w("no_data"), doubts=doubts(day, w))
    notes = [w("doubt_gap", gap=w.duration(day.longest_gap_s))] if day.longest_gap_s else []
    why = [w("is_incomplete")] if not day.is_complete else []
    return Tile(
        w("complete"),
        day.coverage,
        w.share(day.coverage),
        "%",
        notes=notes,
        doubts=why + counted(day, w),
    )
