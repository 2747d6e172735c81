"""A meter's part of the page."""

import re
from collections.abc import Iterable
from datetime import date, datetime

from homeiot_batch.core.days import LocalDay
from homeiot_batch.report.bar_charts import days_chart, months_chart
from homeiot_batch.report.completeness import completeness
from homeiot_batch.report.costs import cost_chart
from homeiot_batch.report.elements import Chart, Panel
from homeiot_batch.report.figures import House, Meter
from homeiot_batch.report.heat_maps import hours_chart, years_chart
from homeiot_batch.report.load_curve import load_curve
from homeiot_batch.report.tables import DAYS, csv_of, days_table
from homeiot_batch.report.tiles import tiles
from homeiot_batch.report.wording import Wording
from homeiot_batch.report.words import Words

LONG_NAME = 32
COLOURED = ("solar", "battery")


def panel(meter: Meter, house: House, words: Words) -> Panel:
    """What the page shows of the meter on the house's last day."""
    assert house.last_day is not None
    measured = meter.without_unmeasured_days()
    wording = Wording(measured.as_shown(), words)
    charts = {chart.name: chart for chart in _charts(wording, house, house.last_day)}
    return Panel(
        name=meter.shown_name,
        short_name=short(meter.shown_name),
        look=look_of(meter),
        about=" · ".join(_about(meter, words)),
        notices=_notices(meter, house.last_day, words),
        tiles=tiles(wording),
        charts=charts,
        calendar=completeness(wording),
        days=days_table(wording),
        csv=csv_of(measured.days[-DAYS:]),
        csv_name=f"{slug(meter.name)}-{house.last_day}.csv",
    )


def _charts(wording: Wording, house: House, last: date) -> Iterable[Chart]:
    charts = [
        load_curve(wording, LocalDay(last, house.zone)),
        days_chart(wording),
        months_chart(wording, last),
        years_chart(wording),
        hours_chart(wording, house, "bought"),
        hours_chart(wording, house, "sold"),
        cost_chart(wording, last),
    ]
    return filter(None, charts)


def look_of(meter: Meter) -> str:
    """What colours the part has."""
    if meter.kind in COLOURED:
        return meter.kind
    return ""


def short(name: str) -> str:
    """A name that fits in a tab."""
    if len(name) <= LONG_NAME:
        return name
    return f"{name[: LONG_NAME - 1]}…"


def slug(name: str) -> str:
    """A name for a file."""
    words = re.sub(r"[^A-Za-z0-9]+", "-", name)
    return words.strip("-")[:40] or "source"


def _about(meter: Meter, words: Words) -> Iterable[str]:
    if meter.kind:
        yield words("source_kind", kind=words.name("kinds", meter.kind))
    if meter.energy_from == "power":
        yield words("source_from_power")
    if meter.last_reading:
        yield words("source_reading", at=words.instant(meter.last_reading))
    if meter.until:
        yield words("source_until", at=words.day(meter.until))


def _notices(meter: Meter, last: date, words: Words) -> list[str]:
    since = silent_since(meter, last)
    if not since:
        return []
    days = (last - since.date()).days
    key = {0: "source_silent_today", 1: "source_silent_one"}.get(days, "source_silent")
    return [words(key, at=words.instant(since), n=days)]


def silent_since(meter: Meter, last: date) -> datetime | None:
    """When it fell silent. One that reports on change may stand still for longer than a day.

    One that was taken out is not silent.
    """
    if meter.until and meter.until < last:
        return None
    if meter.silent_since or meter.reports != "interval":
        return meter.silent_since
    if not meter.last_reading or meter.last_reading.date() == last:
        return None
    return meter.last_reading
