"""What the energy cost, by the tariffs: as a headline and as bars."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from homeiot_batch.days import each_day
from homeiot_batch.report import charts
from homeiot_batch.report.axes import date_labels, y_labels
from homeiot_batch.report.bar_charts import hole_spans
from homeiot_batch.report.charts import Bar, Scale
from homeiot_batch.report.doubts import amount, doubts, money, unpriced
from homeiot_batch.report.figures import Cost, DayCost, Source
from homeiot_batch.report.parts import Chart, Table, Tile
from homeiot_batch.report.tables import TABLE, money_cell
from homeiot_batch.report.words import Words


def cost_tile(source: Source, w: Words) -> Iterable[Tile]:
    """The last day's cost and the month's so far; none without prices. What makes the day's energy doubtful does so with its cost."""
    day = source.days[-1]
    cost = next((cost for cost in source.costs if cost.date_jst == day.date_jst), None)
    if cost is None:
        return
    why = [*(doubts(day, w) if day.is_doubtful else []), *unpriced(cost, w)]
    yield Tile(w("cost"), cost.known_cost, amount(cost.known_cost, w), cost.currency or "", notes=_months(source, w), doubts=why)


def cost_chart(source: Source, last: date, w: Words) -> Chart | None:
    """What each of the last 31 days cost: up; what it earned: down. None without prices."""
    if not source.costs:
        return None
    by_day = {cost.date_jst: cost for cost in source.costs}
    days = [day for day in each_day(last - timedelta(days=TABLE - 1), last) if day >= source.days[0].date_jst]
    found = [by_day.get(day) for day in days]
    names = [w.day(day) for day in days]
    titles = [_title(name, cost, w) for name, cost in zip(names, found, strict=True)]
    values = [cost.known_cost if cost else None for cost in found]
    axis = charts.scale(max(value or 0.0 for value in values), min(value or 0.0 for value in values))
    return Chart(
        "cost",
        w("cost_chart"),
        w("cost_unit", currency=source.currency),
        "; ".join([w("cost_chart"), *_months(source, w)]),
        axis=axis,
        bars=[(kind, bar, titles[bar.index]) for kind, bar in _bars(values, axis)],
        x_labels=date_labels(days, 0, w),
        y_labels=y_labels(axis, w),
        holes=hole_spans([value is None for value in values], names, titles, 0, w),
        notes=_months(source, w),
        table=_table(source.costs, w),
    )


def _months(source: Source, w: Words) -> list[str]:
    return [f"{w('this_month')}: {_said(month, w)}" for month in source.cost_to_date]


def _title(name: str, cost: DayCost | None, w: Words) -> str:
    return f"{name}: {_said(cost, w) if cost else w('no_data')}"


def _said(cost: Cost, w: Words) -> str:
    return "; ".join([money(cost.known_cost, cost, w), *unpriced(cost, w)])


def _bars(values: Sequence[float | None], axis: Scale) -> list[tuple[str, Bar]]:
    earned = [None if value is None else -value for value in values]
    return [("cost", bar) for bar in charts.bars(values, axis)] + [("earned", bar) for bar in charts.bars(earned, axis, -1)]


def _table(costs: Sequence[DayCost], w: Words) -> Table:
    return Table([w("day"), w("bought"), w("sold"), w("net"), w("remarks")], [_row(cost, w) for cost in reversed(costs)])


def _row(cost: DayCost, w: Words) -> list[object]:
    cells = [money_cell(value, w) for value in (cost.import_cost, cost.feed_in_revenue, cost.known_cost)]
    return [w.day(cost.date_jst), *cells, ", ".join(unpriced(cost, w))]
