"""The headline figures."""

from collections.abc import Iterable, Sequence

from homeiot_batch.report.costs import cost_tile
from homeiot_batch.report.elements import Tile
from homeiot_batch.report.figures import Energy, MonthToDate
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
    day = wording.meter.last_day
    hint = wording.words("net_hint", bought=wording.what("bought"), sold=wording.what("sold"))
    return energy_tiles(wording, day, wording.shown_caveats(day), [hint])


def energy_tiles(
    wording: Wording, energy: Energy, caveats: Sequence[str], net_notes: Sequence[str] = ()
) -> Iterable[Tile]:
    """What was bought and sold in a day or a month, and the difference of both, in kWh."""
    words = wording.words
    unit = words("unit_kwh")
    for word, value in wording.measured(energy):
        label = wording.label(word)
        text = words.energy(value)
        yield Tile(label, value, text, unit, caveats=caveats, look=word)
    if wording.meter.has_both:
        text = words.energy(energy.net_kwh)
        net = energy.net_kwh
        yield Tile(words("net"), net, text, unit, notes=net_notes, caveats=caveats)


def _month_tile(wording: Wording) -> Iterable[Tile]:
    meter = wording.meter
    words = wording.words
    this = meter.month_to_date("this")
    if this is None:
        return
    name = "export_kwh"
    word = "sold"
    if meter.shows_import:
        name = "import_kwh"
        word = "bought"
    label = words("label_this_month", label=wording.label(word))
    value = getattr(this, name)
    former = meter.month_to_date("former")
    notes = _compared(value, former, name, words)
    caveats = _month_caveats(this, former, wording)
    text = words.energy(value)
    unit = words("unit_kwh")
    yield Tile(label, value, text, unit, notes=notes, caveats=caveats)


def _month_caveats(this: MonthToDate, former: MonthToDate | None, wording: Wording) -> list[str]:
    caveats = wording.span_caveats(this, this.complete_days, this.days)
    if former is None:
        return caveats
    former_span = _span(former, wording.words)
    for caveat in wording.span_caveats(former, former.complete_days, former.days):
        caveats.append(wording.words("line", name=former_span, said=caveat))
    return caveats


def _compared(
    value: float | None, former: MonthToDate | None, name: str, words: Words
) -> list[str]:
    """How much more or less than in the former month. Nothing if that cannot be told."""
    before = getattr(former, name, None)
    if former is None or value is None or not before:
        return []
    percent = round(100 * (value / before - 1))
    key = "same"
    if percent > 0:
        key = "more"
    elif percent < 0:
        key = "less"
    shown = words.number(abs(percent))
    span = _span(former, words)
    return [words(key, percent=shown, span=span)]


def _span(span: MonthToDate, words: Words) -> str:
    if span.first_day == span.last_day:
        return words.day(span.last_day, "date_short")
    month = words.month_short(span.last_day.month)
    return words("to_day", first=span.first_day.day, n=span.last_day.day, month=month)


def _peak_tile(wording: Wording) -> Tile:
    words = wording.words
    day = wording.meter.last_day
    label = words("peak")
    if day.peak_w is None:
        return Tile(label, None, words("no_data"), notes=_why_no_peak(wording))
    notes = []
    if day.peak_at_jst:
        notes.append(words("peak_at", time=words.time(day.peak_at_jst)))
    caveats = []
    if not day.is_complete:
        caveats = wording.day_caveats(day)
    text = words.number(day.peak_w)
    unit = words("unit_w")
    return Tile(label, day.peak_w, text, unit, notes=notes, caveats=caveats)


def _why_no_peak(wording: Wording) -> list[str]:
    if wording.meter.has_power:
        return []
    return [wording.words("no_power")]


def _complete_tile(wording: Wording) -> Tile:
    words = wording.words
    day = wording.meter.last_day
    label = words("complete")
    if day.coverage is None or not day.is_measured:
        caveats = wording.day_caveats(day)
        return Tile(label, None, words("no_data"), caveats=caveats)
    notes = []
    if day.longest_gap_s:
        notes.append(wording.longest_gap(day.longest_gap_s))
    caveats = wording.counted(day)
    if not day.is_complete:
        caveats.insert(0, words("is_incomplete"))
    text = words.share(day.coverage)
    return Tile(label, day.coverage, text, "%", notes=notes, caveats=caveats)
