"""A source's part of the page."""

import re
from collections.abc import Iterable
from datetime import date

from homeiot_batch.days import LocalDay
from homeiot_batch.report.bar_charts import days_chart, months_chart
from homeiot_batch.report.costs import cost_chart
from homeiot_batch.report.curve import curve
from homeiot_batch.report.figures import House, Source
from homeiot_batch.report.grids import coverage, heat, years_chart
from homeiot_batch.report.missing import without_empty_days
from homeiot_batch.report.parts import Panel
from homeiot_batch.report.tables import TABLE, csv_of, days_table
from homeiot_batch.report.tiles import tiles
from homeiot_batch.report.words import Words


def panel(source: Source, house: House, w: Words) -> Panel:
    """What the page shows of the source on the house's last day."""
    assert house.last_day is not None
    csv = csv_of(source.days[-TABLE:])  # as the table has it
    source = without_empty_days(source)
    day = LocalDay(house.last_day, house.zone)
    shown = [
        curve(source, day, w),
        days_chart(source, w),
        months_chart(source, day.date, w),
        years_chart(source, w),
    ]
    perhaps = [
        heat(source, house, 1, w),
        heat(source, house, -1, w),
        cost_chart(source, day.date, w),
    ]
    present = {chart.name: chart for chart in [*shown, *perhaps] if chart}
    slug = re.sub(r"[^A-Za-z0-9]+", "-", source.name).strip("-")[:40] or "source"
    return Panel(
        name=source.name,
        short_name=source.name if len(source.name) <= 32 else source.name[:31] + "…",
        about=" · ".join(_about(source, w)),
        notices=_notices(source, house.last_day, w),
        tiles=tiles(source, w),
        charts=present,
        calendar=coverage(source, w),
        days=days_table(source, w),
        csv=csv,
        csv_name=f"{slug}-{house.last_day}.csv",
    )


def _about(source: Source, w: Words) -> Iterable[str]:
    if source.kind:
        yield w("source_kind", kind=source.kind)
    if source.last_reading:
        yield w("source_reading", at=w.instant(source.last_reading))


def _notices(source: Source, last: date, w: Words) -> list[str]:
    silent = (last - source.last_reading.date()).days if source.last_reading else 0
    if not silent or not source.last_reading:
        return []
    return [
        w(
            "source_silent" if silent > 1 else "source_silent_one",
            at=w.instant(source.last_reading),
            n=silent,
        )
    ]
