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

COLUMNS = ("day", "bought", "sold", "net", "remarks")


def cost_tile(wording: Wording) -> Iterable[Tile]:
    """The last day's cost and the month's so far, or None without prices.

    What limits the trust in the day's energy limits that in its cost.
    """
    day = wording.meter.last_day
    label = wording.words("cost")
    for cost in wording.meter.costs:
        if cost.date_jst == day.date_jst:
            text = wording.cost_amount(cost)
            unit = ""
            if cost.currency:
                unit = wording.words.currency(cost.currency)
            months = _months(wording)
            caveats = wording.cost_caveats(cost, day)
            yield Tile(label, cost.known_cost, text, unit, notes=months, caveats=caveats)


def cost_chart(wording: Wording, last: date) -> Chart | None:
    """What each of the last 31 days cost: up. What it earned: down, or None without prices.

    There is no bar for a cost in another currency.
    """
    meter = wording.meter
    words = wording.words
    if not meter.costs:
        return None
    before = last - timedelta(days=DAYS)
    days = [day for day in meter.days if day.date_jst > before]
    dates = [day.date_jst for day in days]
    costs = _costs_of(days, wording)
    bars = _bars(days, costs, wording)
    paid = [_drawn_cost(cost, wording) for cost in costs]
    earned = [_negative(value) for value in paid]
    missing = [value is None for value in paid]
    axis = charts.scale_of(paid, earned)
    up = bars.drawn("cost", paid, axis)
    down = bars.drawn("earned", earned, axis, -1)
    months = _months(wording)
    return Chart(
        "cost",
        words("cost_chart"),
        words("cost_unit", currency=words.currency(meter.currency)),
        words("semicolon").join([words("cost_chart"), *months]),
        axis=axis,
        bars=up + down,
        x_labels=date_labels(dates, 0, words),
        y_labels=y_labels(axis, words),
        gaps=bars.gaps(missing, words),
        marks=bars.marks,
        legend=bars.legend(words),
        notes=months,
        table=_table(wording),
    )


def _negative(value: float | None) -> float | None:
    if value is None:
        return None
    return -value


def _months(wording: Wording) -> list[str]:
    """What the month cost so far, a line for each currency."""
    this = wording.meter.month_to_date("this")
    caveats = []
    if this:
        caveats = wording.span_caveats(this, this.complete_days, this.days)
    name = wording.words("this_month")
    lines = []
    for month in wording.meter.cost_to_date:
        month_caveats = [*caveats, *wording.unpriced(month)]
        text = _cost_text(month, month_caveats, wording)
        lines.append(wording.words("line", name=name, said=text))
    return lines


def _costs_of(days: Sequence[Day], wording: Wording) -> list[DayCost | None]:
    by_day = {cost.date_jst: cost for cost in wording.meter.costs}
    return [by_day.get(day.date_jst) for day in days]


def _drawn_cost(cost: Cost | None, wording: Wording) -> float | None:
    if cost is None or wording.meter.is_foreign(cost):
        return None
    return cost.known_cost


def _bars(days: Sequence[Day], costs: Sequence[DayCost | None], wording: Wording) -> Bars:
    """The days' bars. One is faint too where a part has no price."""
    names = []
    titles = []
    faint = []
    for day, cost in zip(days, costs, strict=True):
        name = wording.words.day(day.date_jst)
        caveats = wording.cost_caveats(cost, day)
        text = _cost_text(cost, caveats, wording)
        names.append(name)
        titles.append(wording.words("line", name=name, said=text))
        faint.append(day.is_partial or _is_partly_unpriced(cost))
    return Bars(names, titles, faint, 0, days)


def _is_partly_unpriced(cost: Cost | None) -> bool:
    return cost is not None and cost.unpriced_kwh > 0


def _cost_text(cost: Cost | None, caveats: Sequence[str], wording: Wording) -> str:
    if cost is None:
        return with_caveats(wording.words("no_data"), caveats, wording.words)
    money = wording.money(cost.known_cost, cost)
    return with_caveats(money, caveats, wording.words)


def _table(wording: Wording) -> Table:
    days = {day.date_jst: day for day in wording.meter.days}
    newest_first = wording.meter.costs[::-1]
    head = [wording.words(word) for word in COLUMNS]
    rows = [_row(cost, days.get(cost.date_jst), wording) for cost in newest_first]
    return Table(head, rows)


def _row(cost: DayCost, day: Day | None, wording: Wording) -> list[Cell]:
    name = wording.words.day(cost.date_jst)
    values = (cost.import_cost, cost.feed_in_revenue, cost.known_cost)
    cells = [money_cell(value, cost, wording) for value in values]
    remarks = wording.words.listed(wording.cost_caveats(cost, day))
    return [name, *cells, remarks]
