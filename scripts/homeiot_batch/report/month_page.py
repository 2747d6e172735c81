"""The page of one month: its sums, and its days. It fits on a sheet of paper."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil
from typing import TYPE_CHECKING

from homeiot_batch.core.days import LocalDay
from homeiot_batch.report.balances import PARTS, HouseBalance, MonthBalance
from homeiot_batch.report.bar_charts import month_days_chart
from homeiot_batch.report.elements import Cell, Chart, Table, Tile
from homeiot_batch.report.figures import Day, Meter, Month, sums_of_costs
from homeiot_batch.report.house_panel import ENERGIES
from homeiot_batch.report.house_wording import HouseWording
from homeiot_batch.report.month_figures import HouseMonth
from homeiot_batch.report.panel import look_of, slug
from homeiot_batch.report.tables import csv_of, csv_of_rows, day_row, days_head, energy_cell
from homeiot_batch.report.tiles import energy_tiles
from homeiot_batch.report.wording import Wording, clock_change
from homeiot_batch.report.words import Words

if TYPE_CHECKING:
    import jinja2


SUMS_CSV = (
    "source",
    "import_kwh",
    "export_kwh",
    "net_kwh",
    "estimated_kwh",
    "peak_w",
    "complete_days",
)
LEAST_COLUMNS, MOST_COLUMNS = 3, 4  # of tiles


@dataclass(frozen=True)
class Section:
    """What a month's page shows of the house, or of a meter."""

    name: str
    look: str
    about: str
    notices: Sequence[str]
    tiles: Sequence[Tile]
    chart: Chart | None = None
    table: Table | None = None
    csv: str = ""
    csv_name: str = ""
    table_heading: str = ""

    @property
    def columns(self) -> int:
        """How many tiles stand beside each other on a desktop, so that no row is nearly empty."""
        lines = max(1, ceil(len(self.tiles) / MOST_COLUMNS))
        return max(LEAST_COLUMNS, ceil(len(self.tiles) / lines))


def month_page(month: HouseMonth, templates: "jinja2.Environment", words: Words, key: str) -> str:
    """The page. It ends with its key, see `HouseMonth.key`."""
    if month.has_days:
        sections = [_meter_section(meter, month, words) for meter in month.meters]
    else:
        sections = [_sources_section(month, words)]
    if month.balance:
        sections.insert(0, _house_section(month.balance, month, words))
    notices = []
    if not month.is_over:
        notices.append(words("month_goes_on", date=words.day(month.until)))
    return templates.get_template("month.html.j2").render(
        words=words,
        month=month,
        file_of=file_of,
        notices=notices,
        sections=sections,
        key=key,
    )


def file_of(month: date) -> str:
    """The name of a month's page."""
    return f"{month:%Y-%m}.html"


def _house_section(balance: MonthBalance, month: HouseMonth, words: Words) -> Section:
    """What the house used, from where, and the shares. The sums are of the known days."""
    house = HouseBalance([], [balance], [])
    wording = HouseWording(house, words)
    parts = [part for part, columns in PARTS.items() if house.has(*columns)]
    notices = []
    if not balance.is_known:
        notices.append(words("month_balance_unknown"))
    elif balance.known_days < month.days:
        notices.append(words("month_known_days", n=balance.known_days, of=month.days))
    caveats = wording.month_caveats(balance, month.days)
    if caveats:
        notices.append(words.listed(caveats))
    about = words("house_about", parts=wording.parts(parts)) if parts else ""
    tiles = list(_house_tiles(balance, wording))
    return Section(words("house"), "house", about, notices, tiles)


def _house_tiles(balance: MonthBalance, wording: HouseWording) -> Iterable[Tile]:
    words = wording.words
    energies = [("used", "consumed_kwh", "house"), *ENERGIES]
    for word, column, colour in energies:
        if word == "used" or wording.balance.has(column):
            kwh = getattr(balance, column)
            text = words.energy(kwh)
            look = f"from-{colour}"
            yield Tile(words(word), kwh, text, words("unit_kwh"), look=look)
    if wording.balance.has(*PARTS["solar"], *PARTS["battery"]):
        for word in ("self_sufficiency", "self_consumption"):
            share = getattr(balance, word)
            if share is not None:
                hints = [words(f"{word}_hint")]
                yield Tile(words(word), share, words.share(share), "%", notes=hints)


def _sources_section(month: HouseMonth, words: Words) -> Section:
    """A line for each of many meters, as bought and sold at the meter."""
    complete = sum(_sums(meter).complete_days >= month.days for meter in month.meters)
    tiles = [
        Tile(words("sources"), len(month.meters), words.number(len(month.meters))),
        Tile(words.name("states", "good"), complete, words.number(complete)),
    ]
    labels = [words("index_import"), words("index_export")]
    head = [words("source"), *labels, words("peak_unit"), words("days_of"), words("remarks")]
    rows = [_source_row(meter, month, words) for meter in month.meters]
    return Section(
        words("sources"),
        "",
        "",
        [],
        tiles,
        table=Table(head, rows),
        csv=csv_of_rows(SUMS_CSV, [_csv_row(meter) for meter in month.meters]),
        csv_name=f"sources-{month.first:%Y-%m}.csv",
        table_heading=words("month_sources"),
    )


def _sums(meter: Meter) -> Month:
    [sums] = meter.months
    return sums


def _source_row(meter: Meter, month: HouseMonth, words: Words) -> list[Cell]:
    sums = _sums(meter)
    wording = Wording(meter, words)
    peak: Cell = words("no_data")
    if sums.peak_w is not None:
        peak = (sums.peak_w, words.number(sums.peak_w))
    complete = words("days_complete", n=sums.complete_days, of=month.days)
    days: Cell = (sums.complete_days, complete)
    remarks = words.listed(wording.counted(sums))
    energies = [energy_cell(value, wording) for value in (sums.import_kwh, sums.export_kwh)]
    return [meter.shown_name, *energies, peak, days, remarks]


def _csv_row(meter: Meter) -> list[object]:
    return [meter.name, *(getattr(_sums(meter), name) for name in SUMS_CSV[1:])]


def _meter_section(meter: Meter, month: HouseMonth, words: Words) -> Section:
    wording = Wording(meter.as_shown(), words)
    about = []
    if meter.kind:
        about.append(words("source_kind", kind=words.name("kinds", meter.kind)))
    if meter.energy_from == "power":
        about.append(words("source_from_power"))
    name = meter.shown_name
    look = look_of(meter)
    about_line = " · ".join(about)
    if not any(day.is_measured or day.is_known for day in meter.days):
        return Section(name, look, about_line, [words("month_no_data")], [])
    return Section(
        name,
        look,
        about_line,
        [],
        list(_tiles(wording, month)),
        month_days_chart(wording, month.first),
        _days_table(wording, month),
        csv_of(meter.days),
        f"{slug(meter.name)}-{month.first:%Y-%m}.csv",
    )


def _tiles(wording: Wording, month: HouseMonth) -> Iterable[Tile]:
    """What was bought and sold, the cost, and the days that stand out."""
    words = wording.words
    [sums] = wording.meter.months
    caveats = wording.span_caveats(sums, sums.complete_days, month.days)
    yield from energy_tiles(wording, sums, caveats)
    for cost in sums_of_costs(wording.meter.costs):
        text = wording.cost_amount(cost)
        in_currency = words.currency(cost.currency) if cost.currency else ""
        doubts = [*caveats, *wording.unpriced(cost)]
        yield Tile(words("cost"), cost.known_cost, text, in_currency, caveats=doubts)
    if sums.peak_w is not None:
        text = words.number(sums.peak_w)
        yield Tile(words("peak"), sums.peak_w, text, words("unit_w"), caveats=caveats)
    yield from _days_that_stand_out(wording)
    complete, of = words.number(sums.complete_days), f"/ {month.days}"
    yield Tile(words("days_of"), sums.complete_days, complete, of)


def _days_that_stand_out(wording: Wording) -> Iterable[Tile]:
    """The complete days with the most and the least energy. None of a single day."""
    words = wording.words
    known = [(value, day) for day in wording.meter.days for value in _whole(day, wording)]
    if len(known) < 2:
        return
    by_energy = sorted(known, key=lambda found: found[0])
    for word, (value, day) in (("highest_day", by_energy[-1]), ("lowest_day", by_energy[0])):
        notes = [words.day(day.date_jst, "date_short")]
        yield Tile(words(word), value, words.energy(value), words("unit_kwh"), notes=notes)


def _whole(day: Day, wording: Wording) -> Iterable[float]:
    """The day's energy of what the meter measures first, if all of it is known."""
    [(_, value), *_] = wording.measured(day)
    if value is not None and not day.is_partial:
        yield value


def _days_table(wording: Wording, month: HouseMonth) -> Table:
    costs = {cost.date_jst: cost for cost in wording.meter.costs}
    rows = []
    for day in wording.meter.days:
        remarks = clock_change(LocalDay(day.date_jst, month.zone), wording.words)
        rows.append(day_row(day, costs, wording, remarks))
    return Table(days_head(wording), rows)
