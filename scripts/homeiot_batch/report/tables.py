"""Tables, and their cells: text, or an exact value with what is shown of it."""

import base64
import csv
import io
from collections.abc import Mapping, Sequence
from datetime import date

from homeiot_batch.report.elements import Cell, Table
from homeiot_batch.report.figures import UNKNOWN, Cost, Day, DayCost, Energy
from homeiot_batch.report.wording import Wording

DAYS = 31  # in the table and its download
CSV = [
    "import_kwh",
    "export_kwh",
    "net_kwh",
    "estimated_kwh",
    "reset_count",
    "step_back_count",
    "backwards_count",
    "glitch_count",
    "coverage",
    "longest_gap_s",
    "is_complete",
    "peak_w",
]


def days_table(wording: Wording) -> Table:
    """The last 31 days, newest first."""
    words, meter = wording.words, wording.meter
    costs = {cost.date_jst: cost for cost in meter.costs}
    head = [
        *energy_head(words("day"), wording),
        f"{words('peak')}, {words('unit_w')}",
        f"{words('coverage')}, %",
    ]
    if costs:
        head.append(f"{words('cost')}, {meter.currency}")
    head.append(words("remarks"))
    return Table(head, [_day_row(day, costs, wording) for day in reversed(meter.days[-DAYS:])])


def _day_row(day: Day, costs: Mapping[date, DayCost], wording: Wording) -> list[Cell]:
    words = wording.words
    cost = costs.get(day.date_jst)
    row = [
        words.day(day.date_jst, "date_short"),
        *energy_cells(day, wording),
        words("no_data") if day.peak_w is None else (day.peak_w, words.number(day.peak_w)),
        words("no_data") if day.coverage is None else (day.coverage, words.share(day.coverage)),
    ]
    if costs:
        row.append(words("no_data") if cost is None else money_cell(cost.known_cost, cost, wording))
    row.append(", ".join(wording.cost_caveats(cost, day)))
    return row


def csv_of(days: Sequence[Day]) -> str:
    """The days as a data: link, UTF-8, exact values, empty where unknown."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["date_jst", *CSV])
    for day in days:
        writer.writerow([day.date_jst, *(getattr(day, name) for name in CSV)])
    encoded = base64.b64encode(text.getvalue().encode())
    return f"data:text/csv;charset=utf-8;base64,{encoded.decode()}"


def energy_head(first: str, wording: Wording) -> list[str]:
    """The name of the first column, and those of the columns that energy_cells fills."""
    names = [wording.words(word) for word, _ in wording.measured(UNKNOWN)]
    if wording.meter.has_both:
        names.append(wording.words("net"))
    return [first, *names]


def energy_cells(span: Energy, wording: Wording) -> list[Cell]:
    """Bought, sold and net, as far as the meter measures them."""
    values = [value for _, value in wording.measured(span)]
    if wording.meter.has_both:
        values.append(span.net_kwh)
    return [energy_cell(value, wording) for value in values]


def energy_cell(value: float | None, wording: Wording) -> Cell:
    """An energy in kWh, exact and as shown."""
    text = wording.words.energy(value)
    return text if value is None else (value, text)


def money_cell(value: float | None, cost: Cost, wording: Wording) -> Cell:
    """Money of the cost, exact and as shown.

    It has its currency where that is not the meter's newest, which the heading names.
    """
    if value is None:
        return wording.words("no_data")
    if wording.meter.is_foreign(cost):
        return value, wording.money(value, cost)
    return value, wording.amount(value)
