"""The headline figures."""

from collections.abc import Iterable

from homeiot_batch.report.costs import cost_tile
from homeiot_batch.report.elements import Tile
from homeiot_batch.report.figures import MonthToDate
from homeiot_batch.report.wording import Wording
from homeiot_batch.report.words import Words


def tiles(wording: Wording) -> list[Tile]:
    """The headline: the day's energy, the month so far, peak, completeness, cost."""
    return [
        *_energy_tiles(wording),
        *_month_tile(wording),
        _peak_tile(wording),
        _complete_tile(wording),
        *cost_tile(wording),
    ]


def _energy_tiles(wording: Wording) -> Iterable[Tile]:
    words, day = wording.words, wording.meter.last_day
    unit, caveats = words("unit_kwh"), wording.shown_caveats(day)
    for word, value in wording.measured(day):
        text = words.energy(value)
        yield Tile(words(word), value, text, unit, caveats=caveats, look=word)
    if wording.meter.has_both:
        text, hint = words.energy(day.net_kwh), words("net_hint")
        yield Tile(words("net"), day.net_kwh, text, unit, notes=[hint], caveats=caveats)


def _month_tile(wording: Wording) -> Iterable[Tile]:
    meter, words = wording.meter, wording.words
    this = meter.month_to_date("this")
    if this is None:
        return
    name = "import_kwh" if meter.shows_import else "export_kwh"
    value = getattr(this, name)
    former = meter.month_to_date("former")
    compared = _compared(value, former, name, words)
    yield Tile(
        words("bought_this_month" if meter.shows_import else "sold_this_month"),
        value,
        words.energy(value),
        words("unit_kwh"),
        notes=[compared] if compared else [],
        caveats=_month_caveats(this, former, wording),
    )


def _month_caveats(this: MonthToDate, former: MonthToDate | None, wording: Wording) -> list[str]:
    caveats = wording.span_caveats(this, this.complete_days, this.days)
    if former is None:
        return caveats
    former_span = _span(former, wording.words)
    for caveat in wording.span_caveats(former, former.complete_days, former.days):
        caveats.append(f"{former_span}: {caveat}")
    return caveats


def _compared(value: float | None, former: MonthToDate | None, name: str, words: Words) -> str:
    before = getattr(former, name, None)
    if former is None or value is None or not before:
        return ""
    percent = round(100 * (value / before - 1))
    if percent == 0:
        key = "same"
    else:
        key = "more" if percent > 0 else "less"
    return words(key, percent=words.number(abs(percent)), span=_span(former, words))


def _span(span: MonthToDate, words: Words) -> str:
    last = words.day(span.last_day, "date_short")
    if span.first_day == span.last_day:
        return last
    return words("to_day", first=span.first_day.day, last=last)


def _peak_tile(wording: Wording) -> Tile:
    words, day = wording.words, wording.meter.last_day
    if day.peak_w is None:
        notes = [] if wording.meter.has_power else [words("no_power")]
        return Tile(words("peak"), None, words("no_data"), notes=notes)
    text, unit = words.number(day.peak_w), words("unit_w")
    notes = [words("peak_at", time=words.time(day.peak_at_jst))] if day.peak_at_jst else []
    caveats = [] if day.is_complete else wording.day_caveats(day)
    return Tile(words("peak"), day.peak_w, text, unit, notes=notes, caveats=caveats)


def _complete_tile(wording: Wording) -> Tile:
    words, day = wording.words, wording.meter.last_day
    label = words("complete")
    if day.coverage is None or not day.readings:
        return Tile(label, None, words("no_data"), caveats=wording.day_caveats(day))
    notes = [wording.longest_gap(day.longest_gap_s)] if day.longest_gap_s else []
    caveats = wording.counted(day)
    if not day.is_complete:
        caveats.insert(0, words("is_incomplete"))
    text = words.share(day.coverage)
    return Tile(label, day.coverage, text, "%", notes=notes, caveats=caveats)
