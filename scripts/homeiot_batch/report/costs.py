"""What the energy cost, by the tariffs: as a headline and as bars."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta

from homeiot_batch.report import charts
from homeiot_batch.report.bar_charts import Bars
from homeiot_batch.report.elements import Cell, Chart, Table, Tile
from homeiot_batch.report.figures import Cost, Day, DayCost
from homeiot_batch.report.labels import date_labels, y_labels
from homeiot_batch.report.tables import DAYS, money_cell
from homeiot_batch.report.wording import Wording, with_caveats


def cost_tile(wording: Wording) -> Iterable[Tile]:
    """The last day's cost and the month's so far; none without prices.

    What limits the trust in the day's energy limits that in its cost.
    """
    day = wording.meter.last_day
    for cost in wording.meter.costs:
        if cost.date_jst == day.date_jst:
            yield Tile(
                wording.words("cost"),
                cost.known_cost,
                wording.cost_amount(cost),
                cost.currency or "",
                notes=_months(wording),
                caveats=wording.cost_caveats(cost, day),
            )


def cost_chart(wording: Wording, last: date) -> Chart | None:
    """What each of the last 31 days cost: up; what it earned: down. None without prices.

    There is no bar for a cost in another currency.
    """
    meter, words = wording.meter, wording.words
    if not meter.costs:
        return None
    days = [day for day in meter.days if day.date_jst > last - timedelta(days=DAYS)]
    costs = _costs_of(days, wording)
    bars = _bars(days, costs, wording)
    paid = [_drawn_cost(cost, wording) for cost in costs]
    earned = [None if value is None else -value for value in paid]
    axis = charts.scale_of(paid, earned)
    months = _months(wording)
    return Chart(
        "cost",
        words("cost_chart"),
        words("cost_unit", currency=meter.currency),
        "; ".join([words("cost_chart"), *months]),
        axis=axis,
        bars=bars.drawn("cost", paid, axis) + bars.drawn("earned", earned, axis, -1),
        x_labels=date_labels([day.date_jst for day in days], 0, words),
        y_labels=y_labels(axis, words),
        gaps=bars.gaps([value is None for value in paid], words),
        marks=bars.marks,
        legend=bars.legend(words),
        notes=months,
        table=_table(wording),
    )


def _months(wording: Wording) -> list[str]:
    """What the month cost so far, a line for each currency."""
    this = wording.meter.month_to_date("this")
    caveats = wording.span_caveats(this, this.complete_days, this.days) if this else []
    lines = []
    for month in wording.meter.cost_to_date:
        cost = _cost_text(month, [*caveats, *wording.unpriced(month)], wording)
        lines.append(f"{wording.words('this_month')}: {cost}")
    return lines


def _costs_of(days: Sequence[Day], wording: Wording) -> list[DayCost | None]:
    by_day = {cost.date_jst: cost for cost in wording.meter.costs}
    return [by_day.get(day.date_jst) for day in days]


def _drawn_cost(cost: Cost | None, wording: Wording) -> float | None:
    if cost is None or wording.meter.is_foreign(cost):
        return None
    return cost.known_cost


def _bars(days: Sequence[Day], costs: Sequence[DayCost | None], wording: Wording) -> Bars:
    """The days' bars; one is faint too where a part has no price."""
    names, titles, faint = [], [], []
    for day, cost in zip(days, costs, strict=True):
        name = wording.words.day(day.date_jst)
        text = _cost_text(cost, wording.cost_caveats(cost, day), wording)
        names.append(name)
        titles.append(f"{name}: {text}")
        faint.append(day.is_partial or _is_partly_unpriced(cost))
    return Bars(days, names, titles, faint, padding=0)


def _is_partly_unpriced(cost: Cost | None) -> bool:
    return cost is not None and cost.unpriced_kwh > 0


def _cost_text(cost: Cost | None, caveats: Sequence[str], wording: Wording) -> str:
    if cost is None:
        return with_caveats(wording.words("no_data"), caveats)
    return with_caveats(wording.money(cost.known_cost, cost), caveats)


def _table(wording: Wording) -> Table:
    days = {day.date_jst: day for day in wording.meter.days}
    newest_first = wording.meter.costs[::-1]
    head = [wording.words(word) for word in ("day", "bought", "sold", "net", "remarks")]
    return Table(head, [_row(cost, days.get(cost.date_jst), wording) for cost in newest_first])


def _row(cost: DayCost, day: Day | None, wording: Wording) -> list[Cell]:
    values = (cost.import_cost, cost.feed_in_revenue, cost.known_cost)
    cells = [money_cell(value, cost, wording) for value in values]
    remarks = ", ".join(wording.cost_caveats(cost, day))
    return [wording.words.day(cost.date_jst), *cells, remarks]
