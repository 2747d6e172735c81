"""Tables, and their cells: text, or an exact value with what is shown of it."""

import base64
import csv
import io
from collections.abc import Sequence
from datetime import date
from typing import Any

from homeiot_batch.report.doubts import amount, cost_doubts, measured, money
from homeiot_batch.report.figures import Cost, Day, Energy, Source
from homeiot_batch.report.parts import Table
from homeiot_batch.report.words import Words

TABLE = 31  # days
CSV = [
    "import_kwh",
    "export_kwh",
    "net_kwh",
    "estimated_kwh",
    "reset_count",
    "glitch_count",
    "coverage",
    "longest_gap_s",
    "is_complete",
    "peak_w",
]


def days_table(source: Source, w: Words) -> Table:
    """The last 31 days, newest first."""
    costs = {cost.date_jst: cost for cost in source.costs}
    head = [
        *energy_head(w("day"), source, w)[:-1],
        f"{w('peak')}, {w('unit_w')}",
        f"{w('coverage')}, %",
        w("remarks"),
    ]
    if costs:
        head.insert(-1, f"{w('cost')}, {source.currency}")
    return Table(head, [_day_row(day, source, costs, w) for day in reversed(source.days[-TABLE:])])


def _day_row(day: Day, source: Source, costs: dict[date, Any], w: Words) -> list[Any]:
    peak = (day.peak_w, w.number(day.peak_w)) if day.peak_w is not None else w("no_data")
    share = (day.coverage, w.share(day.coverage)) if day.coverage is not None else w("no_data")
    cost = costs.get(day.date_jst)
    priced = (
        [money_cell(cost.known_cost, cost, source, w) if cost else w("no_data")] if costs else []
    )
    why = ", ".join(cost_doubts(cost, day, w))
    return [
        w.day(day.date_jst, "date_short"),
        *energy_cells(day, source, w),
        peak,
        share,
        *priced,
        why,
    ]


def csv_of(days: Sequence[Day]) -> str:
    """The days as a data: link, UTF-8, exact values, empty where unknown."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(["date_jst", *CSV])
    for day in days:
        writer.writerow(
            [
                day.date_jst,
                *("" if getattr(day, name) is None else getattr(day, name) for name in CSV),
            ]
        )
    return (
        "data:text/csv;charset=utf-8;base64," + base64.b64encode(text.getvalue().encode()).decode()
    )


def energy_head(first: str, source: Source, w: Words) -> list[str]:
    """Names of the columns that energy_cells fills, between the first one and the remarks."""
    names = [w(word) for word, _ in measured(Energy(None, None, None, 0), source)]
    return [
        first,
        *names,
        *([w("net")] if source.has_import and source.has_export else []),
        w("remarks"),
    ]


def energy_cells(span: Energy, source: Source, w: Words) -> list[Any]:
    """Bought, sold and net, as far as the source measures them."""
    net = [energy_cell(span.net_kwh, w)] if source.has_import and source.has_export else []
    return [*(energy_cell(value, w) for _, value in measured(span, source)), *net]


def energy_cell(value: float | None, w: Words) -> Any:
    """An energy in kWh, exact and as shown."""
    return w("no_data") if value is None else (value, w.energy(value))


def money_cell(value: float | None, cost: Cost, source: Source, w: Words) -> Any:
    """Money of the cost, exact and as shown; with its currency where that is not the source's newest, which the heading names."""
    if value is None:
        return w("no_data")
    return value, (money(value, cost, w) if source.is_foreign(cost) else amount(value, w))
