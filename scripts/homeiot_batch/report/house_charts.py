"""The house over time: days by where their energy came from, and self-sufficiency by month."""

from collections.abc import Sequence
from datetime import date

from homeiot_batch.report import charts
from homeiot_batch.report.balances import Balance, DayBalance, MonthBalance
from homeiot_batch.report.bar_charts import FORTNIGHT, Places, days_in, month_labels, next_month
from homeiot_batch.report.charts import Scale
from homeiot_batch.report.elements import Cell, Chart, Table
from homeiot_batch.report.house_wording import HouseWording
from homeiot_batch.report.labels import Legend, date_labels, y_labels
from homeiot_batch.report.wording import with_caveats

YEAR = 12  # months
MOST_MONTHS = 120
PER_CENT = Scale(up=100.0, down=0.0, step=25.0)

# a month with its balance, None without any
Months = list[tuple[date, MonthBalance | None]]


def house_days_chart(wording: HouseWording) -> Chart:
    """A bar a day, by where the energy that was used came from."""
    words = wording.words
    days = wording.balance.days
    padding = max(0, FORTNIGHT - len(days))
    places = _day_places(days, padding, wording)
    layers = _layers(days, padding, wording)
    axis = charts.scale_of([day.consumed_kwh for day in days], [])
    dates = [day.date_jst for day in days]
    gaps = places.gaps([not day.is_known for day in days], words)
    return Chart(
        "house-days",
        words("days_chart", n=len(days)),
        words("house_days_unit"),
        _days_words(days, wording),
        axis=axis,
        bars=places.stacked(layers, axis),
        x_labels=date_labels(dates, padding, words),
        y_labels=y_labels(axis, words),
        gaps=gaps,
        legend=[*_sources_legend(wording), *_doubt_legend(places, bool(gaps), wording)],
        table=_days_table(days, wording),
    )


def _day_places(days: Sequence[DayBalance], padding: int, wording: HouseWording) -> Places:
    names = []
    titles = []
    for day in days:
        name = wording.words.day(day.date_jst)
        names.append(name)
        title = _day_title(name, day, wording)
        titles.append(with_caveats(title, wording.caveats(day), wording.words))
    faint = [not day.is_complete for day in days]
    return Places(names, titles, faint, padding)


def _day_title(name: str, day: DayBalance, wording: HouseWording) -> str:
    words = wording.words
    if not day.is_known:
        return words("line", name=name, said=words("no_data"))
    used = words.energy(day.consumed_kwh)
    return words("house_day", name=name, used=used, sources=wording.fed_by([day]))


def _layers(
    days: Sequence[DayBalance], padding: int, wording: HouseWording
) -> dict[str, list[float | None]]:
    layers: dict[str, list[float | None]] = {}
    for name in wording.sources:
        values = [getattr(day, f"{name}_to_house_kwh") for day in days]
        layers[f"from-{name}"] = [None] * padding + values
    return layers


def _sources_legend(wording: HouseWording) -> Legend:
    words = wording.words
    return [(f"from-{name}", words.name("givers", name)) for name in wording.sources]


def _doubt_legend(places: Places, has_gaps: bool, wording: HouseWording) -> Legend:
    legend = []
    if any(places.faint):
        legend.append(("doubtful", wording.words("legend_incomplete")))
    if has_gaps:
        legend.append(("hole", wording.words("legend_no_data")))
    return legend


def _days_words(days: Sequence[DayBalance], wording: HouseWording) -> str:
    words = wording.words
    known = [day for day in days if day.is_known]
    if not known:
        return words("days_empty", n=len(days))
    used = sum(day.kwh("consumed_kwh") for day in known)
    return words(
        "house_days_words",
        n=len(days),
        used=words.energy(used),
        sources=wording.fed_by(known),
        doubtful=sum(not day.is_complete for day in known),
        missing=len(days) - len(known),
    )


def _days_table(days: Sequence[DayBalance], wording: HouseWording) -> Table:
    words = wording.words
    head = [words("day"), *_energy_head(wording), words("remarks")]
    rows: list[list[Cell]] = []
    for day in reversed(days):
        name = words.day(day.date_jst)
        remarks = words.listed(wording.caveats(day))
        rows.append([name, *_energy_cells(day, wording), remarks])
    return Table(head, rows)


def _energy_head(wording: HouseWording) -> list[str]:
    words = wording.words
    sources = [words.name("givers", name) for name in wording.sources]
    share = words("with_unit", label=words("self_sufficiency"), unit="%")
    return [words("used"), *sources, share]


def _energy_cells(span: Balance, wording: HouseWording) -> list[Cell]:
    names = [f"{name}_to_house_kwh" for name in wording.sources]
    cells = [_cell(getattr(span, name), wording) for name in ("consumed_kwh", *names)]
    share = span.self_sufficiency
    if share is None:
        return [*cells, wording.words("no_data")]
    return [*cells, (share, wording.words.share(share))]


def _cell(kwh: float | None, wording: HouseWording) -> Cell:
    text = wording.words.energy(kwh)
    if kwh is None:
        return text
    return kwh, text


def sufficiency_chart(wording: HouseWording, last: date) -> Chart:
    """A bar a month: the share of what was used that was not bought."""
    words = wording.words
    months = _each_month(wording.balance.months, last)
    padding = max(0, YEAR - len(months))
    places = _month_places(months, padding, last, wording)
    values = [_per_cent(balance) for _, balance in months]
    gaps = places.gaps([value is None for value in values], words)
    firsts = [month for month, _ in months]
    return Chart(
        "sufficiency",
        words("self_sufficiency"),
        words("sufficiency_unit"),
        _months_words(months, wording),
        axis=PER_CENT,
        bars=places.drawn("own", [None] * padding + values, PER_CENT),
        x_labels=month_labels(firsts, padding, words),
        y_labels=y_labels(PER_CENT, words),
        gaps=gaps,
        legend=_doubt_legend(places, bool(gaps), wording),
        table=_months_table(months, last, wording),
    )


def _each_month(known: Sequence[MonthBalance], last: date) -> Months:
    by_month = {balance.month_jst: balance for balance in known}
    month = min(by_month, default=last.replace(day=1))
    months = []
    while month <= last:
        months.append((month, by_month.get(month)))
        month = next_month(month)
    return months[-MOST_MONTHS:]


def _per_cent(balance: MonthBalance | None) -> float | None:
    if balance is None or balance.self_sufficiency is None:
        return None
    return 100 * balance.self_sufficiency


def _month_places(months: Months, padding: int, last: date, wording: HouseWording) -> Places:
    names = []
    titles = []
    faint = []
    for month, balance in months:
        days = days_in(month, last)
        name = wording.words.month(month)
        names.append(name)
        titles.append(_month_title(name, balance, days, wording))
        faint.append(balance is not None and balance.complete_days < days)
    return Places(names, titles, faint, padding)


def _month_title(name: str, balance: MonthBalance | None, days: int, wording: HouseWording) -> str:
    words = wording.words
    if balance is None or balance.self_sufficiency is None:
        return words("line", name=name, said=words("no_data"))
    percent = words.share(balance.self_sufficiency)
    used = words.energy(balance.consumed_kwh)
    title = words("sufficiency_month", name=name, percent=percent, used=used)
    return with_caveats(title, wording.month_caveats(balance, days), words)


def _months_words(months: Months, wording: HouseWording) -> str:
    words = wording.words
    known = [month for month, balance in months if _per_cent(balance) is not None]
    if not known:
        return words("sufficiency_empty")
    first = words.month(known[0])
    last = words.month(known[-1])
    return words("sufficiency_words", first=first, last=last)


def _months_table(months: Months, last: date, wording: HouseWording) -> Table:
    words = wording.words
    head = [words("month"), *_energy_head(wording), words("known_days"), words("remarks")]
    rows: list[list[Cell]] = []
    for month, balance in reversed(months):
        if balance is not None:
            rows.append(_month_row(month, balance, days_in(month, last), wording))
    return Table(head, rows)


def _month_row(month: date, balance: MonthBalance, days: int, wording: HouseWording) -> list[Cell]:
    name = wording.words.month(month)
    remarks = wording.words.listed(wording.month_caveats(balance, days))
    return [name, *_energy_cells(balance, wording), str(balance.known_days), remarks]
