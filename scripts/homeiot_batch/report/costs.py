"""What the energy cost, by the tariffs: as a headline and as bars."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from homeiot_batch.report import charts
from homeiot_batch.report.axes import date_labels, y_labels
from homeiot_batch.report.bar_charts import Bars, hole_spans
from homeiot_batch.report.doubts import cost_amount, cost_doubts, money, short_of, unpriced
from homeiot_batch.report.figures import Cost, Day, DayCost, Source
from homeiot_batch.report.parts import Chart, Table, Tile
from homeiot_batch.report.tables import TABLE, money_cell
from homeiot_batch.report.words import Words


def cost_tile(source: Source, w: Words) -> Iterable[Tile]:
    """The last day's cost and the month's so far; none without prices. What makes the day's energy doubtful does so with its cost."""
    day = source.days[-1]
    cost = next((cost for cost in source.costs if cost.date_jst == day.date_jst), None)
    if cost is None:
        return
    why = cost_doubts(cost, day, w)
    yield Tile(
        w("cost"),
        cost.known_cost,
        cost_amount(cost, w),
        cost.currency or "",
        notes=_months(source, w),
        doubts=why,
    )


def cost_chart(source: Source, last: date, w: Words) -> Chart | None:
    """What each of the last 31 days cost: up; what it earned: down; no bar where that was in another currency. None without prices."""
    if not source.costs:
        return None
    days = [day for day in source.days if day.date_jst > last - timedelta(days=TABLE)]
    bars, values = _bars(days, source, w)
    earned = [None if value is None else -value for value in values]
    axis = charts.scale(
        max(value or 0.0 for value in values), min(value or 0.0 for value in values)
    )
    return Chart(
        "cost",
        w("cost_chart"),
        w("cost_unit", currency=source.currency),
        "; ".join([w("cost_chart"), *_months(source, w)]),
        axis=axis,
        bars=bars.drawn("cost", values, axis) + bars.drawn("earned", earned, axis, -1),
        x_labels=date_labels([day.date_jst for day in days], 0, w),
        y_labels=y_labels(axis, w),
        holes=hole_spans([value is None for value in values], bars.names, bars.titles, 0, w),
        marks=bars.marks,
        legend=bars.legend(w),
        notes=_months(source, w),
        table=_table(source, w),
    )


def _months(source: Source, w: Words) -> list[str]:
    this = source.month_to_date("this")
    why = short_of(this, this.complete_days, this.days, w) if this else []
    return [
        f"{w('this_month')}: {_said(month, [*why, *unpriced(month, w)], w)}"
        for month in source.cost_to_date
    ]


def _bars(days: Sequence[Day], source: Source, w: Words) -> tuple[Bars, list[float | None]]:
    """The days' bars and costs; one is faint too where a part has no price."""
    by_day = {cost.date_jst: cost for cost in source.costs}
    costs = [by_day.get(day.date_jst) for day in days]
    names = [w.day(day.date_jst) for day in days]
    pairs = list(zip(costs, days, strict=True))
    titles = [
        f"{name}: {_said(cost, cost_doubts(cost, day, w), w)}"
        for name, (cost, day) in zip(names, pairs, strict=True)
    ]
    faint = [day.is_partial or (cost is not None and cost.unpriced_kwh > 0) for cost, day in pairs]
    return Bars(days, names, titles, faint, padding=0), [
        None if cost is None or source.is_foreign(cost) else cost.known_cost for cost in costs
    ]


def _said(cost: Cost | None, why: Sequence[str], w: Words) -> str:
    said = money(cost.known_cost, cost, w) if cost else w("no_data")
    return f"{said}{'; ' if why else ''}{', '.join(why)}"


def _table(source: Source, w: Words) -> Table:
    days = {day.date_jst: day for day in source.days}
    rows = [_row(cost, days.get(cost.date_jst), source, w) for cost in reversed(source.costs)]
    return Table([w("day"), w("bought"), w("sold"), w("net"), w("remarks")], rows)


def _row(cost: DayCost, day: Day | None, source: Source, w: Words) -> list[object]:
    cells = [
        money_cell(value, cost, source, w)
        for value in (cost.import_cost, cost.feed_in_revenue, cost.known_cost)
    ]
    return [w.day(cost.date_jst), *cells, ", ".join(cost_doubts(cost, day, w))]
