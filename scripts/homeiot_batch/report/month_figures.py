"""The figures of each month of a house, and the key of each page.

A meter of a month is a `Meter` whose days, months and costs are those of the month alone.
"""

import calendar
import functools
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from homeiot_batch.report.balances import MonthBalance
from homeiot_batch.report.figures import (
    Day,
    DayCost,
    House,
    Meter,
    Month,
    empty_month,
    next_month,
)
from homeiot_batch.words.languages import Language

PACKAGE = Path(__file__).parents[1]
# what writes the pages, beside the words of their language. The key has the figures themselves
PROGRAM = ("core/days.py", "report/**/*.py", "report/templates/**/*", "words/**/*.py")
# what a page of a month shows of a meter, beside its days, months and costs
OF_METER = ("name", "kind", "display_name", "energy_from", "has_import", "has_export", "has_power")


@dataclass(frozen=True)
class HouseMonth:
    """A month of the house. `until` is its last day, or the last one that there is data of.

    `before` and `after` are the months that have pages too.
    """

    first: date
    until: date
    zone: ZoneInfo
    meters: Sequence[Meter]
    balance: MonthBalance | None
    before: date | None
    after: date | None
    has_days: bool = True  # or else the meters have only their sums

    @property
    def days(self) -> int:
        """How many days of it are over."""
        return self.until.day

    @property
    def is_over(self) -> bool:
        """Whether the days reach to its end."""
        return self.until == _end(self.first)

    def key(self, language: Language) -> str:
        """The same for the same page: all that it shows, and the program that writes it."""
        shown = list(self._shown(language))
        text = repr(shown)
        digest = hashlib.sha256(text.encode())
        return digest.hexdigest()

    def _shown(self, language: Language) -> Iterator[object]:
        yield language
        yield _program(PACKAGE, language)
        yield self.zone.key
        yield self.until
        yield self.before
        yield self.after
        for meter in self.meters:
            yield from _shown_of(meter)
        if self.balance:
            yield from vars(self.balance).values()


def _shown_of(meter: Meter) -> Iterator[object]:
    for name in OF_METER:
        yield getattr(meter, name)
    for span in (*meter.days, *meter.months, *meter.costs):
        yield from vars(span).values()


def months_of(house: House) -> list[HouseMonth]:
    """Each month from the first day of any meter to the house's last one, without a gap."""
    if house.last_day is None or not house.meters:
        return []
    first = min(meter.days[0].date_jst for meter in house.meters)
    return list(_months_from(first, house.last_day, house, [_by_month(m) for m in house.meters]))


def months_of_sums(house: House) -> list[HouseMonth]:
    """The same of a house with many meters, of which only the months were read, not the days."""
    begins = [meter.months[0].month_jst for meter in house.meters if meter.months]
    if house.last_day is None or not begins:
        return []
    meters = [_sums_by_month(meter) for meter in house.meters]
    found = _months_from(min(begins), house.last_day, house, meters)
    return [replace(month, has_days=False) for month in found]


def _months_from(
    first_day: date, last_day: date, house: House, meters: Sequence[Mapping[date, Meter]]
) -> Iterator[HouseMonth]:
    firsts = _months(first_day, last_day)
    balances: dict[date, MonthBalance] = {}
    if house.balance:
        balances = {balance.month_jst: balance for balance in house.balance.months}
    for before, first, after in zip([None, *firsts], firsts, [*firsts[1:], None], strict=False):
        until = min(_end(first), last_day)
        shown = [meter[first] for meter in meters if first in meter]
        balance = balances.get(first)
        yield HouseMonth(first, until, house.zone, shown, balance, before, after)


def _sums_by_month(meter: Meter) -> dict[date, Meter]:
    """The meter of each of its months. One that was taken out has no later months."""
    return {
        month.month_jst: replace(meter, months=[_measured(month)])
        for month in meter.months
        if meter.until is None or meter.until >= month.month_jst
    }


def _measured(month: Month) -> Month:
    """The month, without the 0 kWh of one in which perhaps nothing was measured."""
    if month.complete_days or month.import_kwh or month.export_kwh:
        return month
    return replace(month, import_kwh=None, export_kwh=None, net_kwh=None)


def _months(first: date, last: date) -> list[date]:
    months = []
    month = first.replace(day=1)
    while month <= last:
        months.append(month)
        month = next_month(month)
    return months


def _end(month: date) -> date:
    return month.replace(day=calendar.monthrange(month.year, month.month)[1])


def _by_month(meter: Meter) -> dict[date, Meter]:
    """The meter of each of its months. One that was taken out has no later months."""
    measured = meter.without_unmeasured_days()
    days = _grouped(measured.days, lambda day: day.date_jst)
    costs = _grouped(measured.all_costs, lambda cost: cost.date_jst)
    months = {month.month_jst: month for month in measured.months}
    found = {}
    for first, of_month in days.items():
        if meter.until is None or meter.until >= first:
            sums = [months.get(first) or empty_month(first)]
            found[first] = replace(measured, days=of_month, months=sums, costs=costs[first])
    return found


def _grouped[Row: (Day, DayCost)](
    rows: Iterable[Row], day_of: Callable[[Row], date]
) -> dict[date, list[Row]]:
    grouped: dict[date, list[Row]] = defaultdict(list)
    for row in rows:
        day = day_of(row)
        month = day.replace(day=1)
        grouped[month].append(row)
    return grouped


@functools.cache
def _program(package: Path, language: Language) -> str:
    """What the pages are made with: the names and bytes of its files, in one digest."""
    digest = hashlib.sha256()
    for pattern in (*PROGRAM, f"words/{language}/*.toml"):
        for file in sorted(package.glob(pattern)):
            if file.is_file():
                code = file.read_bytes()
                name = file.relative_to(package).as_posix()
                digest.update(f"{name} {len(code)}\n".encode())
                digest.update(code)
    return digest.hexdigest()
