"""Tables, and their cells: text, or an exact value with what is shown of it."""

import base64
import csv
import io
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date

from homeiot_batch.report.elements import Cell, Table
from homeiot_batch.report.figures import UNKNOWN, Cost, Day, DayCost, Energy
from homeiot_batch.report.wording import Wording
from homeiot_batch.report.words import Words

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
    meter = wording.meter
    costs = {cost.date_jst: cost for cost in meter.costs}
    newest_first = reversed(meter.days[-DAYS:])
    rows = [day_row(day, costs, wording) for day in newest_first]
    return Table(days_head(wording), rows)


def days_head(wording: Wording) -> list[str]:
    """The names of the columns that day_row fills."""
    words = wording.words
    meter = wording.meter
    head = energy_head(words("day"), wording)
    head.append(words("with_unit", label=words("peak"), unit=words("unit_w")))
    head.append(words("with_unit", label=words("coverage"), unit="%"))
    if meter.costs:
        currency = words.currency(meter.currency)
        head.append(words("with_unit", label=words("cost"), unit=currency))
    head.append(words("remarks"))
    return head


def day_row(
    day: Day, costs: Mapping[date, DayCost], wording: Wording, remarks: Sequence[str] = ()
) -> list[Cell]:
    """A day's energy, peak, coverage and cost, and why not to take them bare.

    `remarks` stand before the others.
    """
    words = wording.words
    name = words.day(day.date_jst, "date_short")
    row = [name, *energy_cells(day, wording)]
    row.append(_cell(day.peak_w, words.number, words))
    row.append(_cell(day.coverage, words.share, words))
    cost = costs.get(day.date_jst)
    if cost:
        row.append(money_cell(cost.known_cost, cost, wording))
    elif costs:
        row.append(words("no_data"))
    row.append(words.listed([*remarks, *wording.cost_caveats(cost, day)]))
    return row


def _cell(value: float | None, shown: Callable[[float], str], words: Words) -> Cell:
    if value is None:
        return words("no_data")
    return value, shown(value)


def csv_of(days: Sequence[Day]) -> str:
    """The days as a data: link, UTF-8, exact values in kWh, as bought and sold at the meter.

    What is unknown is empty, also where the marts have 0: see Meter.without_unmeasured_days.
    """
    rows = [[day.date_jst, *(getattr(day, name) for name in CSV)] for day in days]
    return csv_of_rows(["date_jst", *CSV], rows)


def csv_of_rows(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """The rows as a data: link, UTF-8. What is None is empty."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(head)
    writer.writerows(rows)
    encoded = base64.b64encode(text.getvalue().encode())
    return f"data:text/csv;charset=utf-8;base64,{encoded.decode()}"


def energy_head(first: str, wording: Wording) -> list[str]:
    """The name of the first column, and those of the columns that energy_cells fills."""
    names = [wording.label(word) for word, _ in wording.measured(UNKNOWN)]
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
    return _cell(value, wording.words.energy, wording.words)


def money_cell(value: float | None, cost: Cost, wording: Wording) -> Cell:
    """Money of the cost, exact and as shown.

    It has its currency where that is not the meter's newest, which the heading names.
    """
    if value is None:
        return wording.words("no_data")
    if wording.meter.is_foreign(cost):
        return value, wording.money(value, cost)
    return value, wording.words.amount(value, cost.currency)
