"""Zeros that nobody measured: the marts have 0 for the days inside a gap that ends with another meter, on the page they are no data."""

from dataclasses import replace

from homeiot_batch.report.figures import Energy, Source


def without_empty_days(source: Source) -> Source:
    """The source without energy and cost of days that have no reading and no estimate, nor of months and years of such days alone."""
    known = {day.date_jst for day in source.days if day.readings or day.estimated_kwh}
    months, years = {day.replace(day=1) for day in known}, {day.year for day in known}
    return replace(
        source,
        days=[_shown(day, is_known=day.date_jst in known) for day in source.days],
        months=[_shown(month, is_known=month.month_jst in months) for month in source.months],
        years=[_shown(year, is_known=year.year in years) for year in source.years],
        costs=[cost for cost in source.costs if cost.date_jst in known],
    )


def _shown[Span: Energy](span: Span, *, is_known: bool) -> Span:
    return span if is_known else replace(span, import_kwh=None, export_kwh=None, net_kwh=None)
