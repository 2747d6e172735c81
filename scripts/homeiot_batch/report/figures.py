"""The report's figures: rows of the marts in the read copy, and what is shown of them.

All times are the house's local wall time unless they are named UTC.
"""

import contextlib
from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import duckdb

from homeiot_batch.core.duckdb_connections import connect
from homeiot_batch.errors import DatabaseError
from homeiot_batch.report import queries
from homeiot_batch.report.balances import DayBalance, HouseBalance, MonthBalance, SubMeter

SOLAR = "solar"
COST_SPAN = timedelta(days=31)  # of the costs that the page shows by day
# what a meter has several of, with import and export
TURNED = (
    "days",
    "months",
    "years",
    "hours",
    "day_hours",
    "hour_means",
    "load_curve",
    "typical_day",
    "months_to_date",
)
# DuckDB adds doubles in any order, so the decimals after these may differ between two builds
DIGITS = 9
REBUILD = "run `snakemake --forcerun dbt`, which builds and publishes it anew"


@dataclass(frozen=True)
class Energy:
    """Energy of any span in kWh, None where unknown.

    `estimated_kwh` is the part whose place in time is estimated.
    """

    import_kwh: float | None
    export_kwh: float | None
    net_kwh: float | None
    estimated_kwh: float

    @property
    def is_known(self) -> bool:
        """Whether any energy of it is known. The net may be unknown all the same."""
        return self.import_kwh is not None or self.export_kwh is not None


UNKNOWN = Energy(None, None, None, 0.0)


@dataclass(frozen=True)
class Day(Energy):
    """A local day of a meter, with or without readings."""

    date_jst: date
    reset_count: int
    step_back_count: int
    backwards_count: int
    glitch_count: int
    coverage: float | None
    longest_gap_s: float | None
    is_complete: bool
    peak_w: float | None
    peak_at_jst: datetime | None
    readings: int

    @property
    def is_measured(self) -> bool:
        """Whether anything of it was measured: a counter may also stand still all day."""
        return self.readings > 0 or (self.coverage or 0) > 0

    @property
    def is_partial(self) -> bool:
        """Whether it is incomplete or partly estimated."""
        return not self.is_complete or self.estimated_kwh > 0

    @property
    def has_mark(self) -> bool:
        """Whether the counter began again, was swapped, fell, or showed wrong values."""
        falls = self.reset_count + self.step_back_count + self.backwards_count
        return falls + self.glitch_count > 0

    @property
    def has_caveat(self) -> bool:
        """Whether a bare number would promise too much."""
        return self.is_partial or self.has_mark


@dataclass(frozen=True)
class Month(Energy):
    """A local month of a meter."""

    month_jst: date
    peak_w: float | None
    reset_count: int
    step_back_count: int
    backwards_count: int
    glitch_count: int
    complete_days: int

    @property
    def has_mark(self) -> bool:
        """Whether the counter began again, was swapped, fell, or showed wrong values."""
        falls = self.reset_count + self.step_back_count + self.backwards_count
        return falls + self.glitch_count > 0


@dataclass(frozen=True)
class Year(Energy):
    """A local year of a meter."""

    year: int
    complete_days: int


@dataclass(frozen=True)
class MonthToDate(Energy):
    """The days of a month from its first to the number that the last day of the house has."""

    month: str
    first_day: date
    last_day: date
    complete_days: int
    reset_count: int
    step_back_count: int
    backwards_count: int

    @property
    def days(self) -> int:
        """Days in the span."""
        return (self.last_day - self.first_day).days + 1


@dataclass(frozen=True)
class Hour:
    """A local hour, in kWh.

    An hour that the clocks repeat is the mean of both in `Meter.hours`. It comes twice in
    `Meter.day_hours`.
    """

    date_jst: date
    hour: int
    import_kwh: float | None
    export_kwh: float | None
    is_estimated: bool


@dataclass(frozen=True)
class HourMean:
    """Mean energy of a local hour over the last days, in kWh."""

    hour: int
    import_kwh: float | None
    export_kwh: float | None


@dataclass(frozen=True)
class Quarter:
    """A quarter of an hour of the last day, average W."""

    quarter_utc: datetime
    import_w: float | None
    export_w: float | None


@dataclass(frozen=True)
class TypicalQuarter:
    """A quarter of an hour of the usual day, average W of so many days."""

    time_jst: time
    import_w: float | None
    export_w: float | None
    days: int


@dataclass(frozen=True)
class Cost:
    """What a span cost, None where it has no price. `unpriced_kwh` is in none of it."""

    currency: str | None
    import_cost: float | None
    feed_in_revenue: float | None
    net_cost: float | None
    unpriced_kwh: float

    @property
    def known_cost(self) -> float | None:
        """The cost, None where it is not known or nothing has a price: the mart has 0 there."""
        if not self.has_price:
            return None
        return self.net_cost

    @property
    def has_price(self) -> bool:
        """Whether anything of it has a price."""
        return self.import_cost is not None or self.feed_in_revenue is not None


@dataclass(frozen=True)
class DayCost(Cost):
    """The cost of a local day."""

    date_jst: date


@dataclass
class Meter:
    """All that the page shows of a meter.

    `days` runs without a gap from the meter's first day to the house's last one. `costs` are those
    of the last 31 days.
    """

    name: str
    kind: str | None
    last_reading: datetime | None
    has_import: bool
    has_export: bool
    has_power: bool
    interval_s: float | None
    display_name: str | None = None
    energy_from: str = "registers"
    reports: str = "interval"
    silent_since: datetime | None = None
    until: date | None = None
    days: list[Day] = field(default_factory=list)
    months: list[Month] = field(default_factory=list)
    years: list[Year] = field(default_factory=list)
    hours: list[Hour] = field(default_factory=list)
    day_hours: list[Hour] = field(default_factory=list)
    hour_means: list[HourMean] = field(default_factory=list)
    load_curve: list[Quarter] = field(default_factory=list)
    typical_day: list[TypicalQuarter] = field(default_factory=list)
    months_to_date: list[MonthToDate] = field(default_factory=list)
    costs: list[DayCost] = field(default_factory=list)
    all_costs: list[DayCost] = field(default_factory=list)
    cost_to_date: list[Cost] = field(default_factory=list)

    @property
    def shown_name(self) -> str:
        """Its name for people: the declared one, or else that of the source."""
        return self.display_name or self.name

    @property
    def last_day(self) -> Day:
        """The house's last day."""
        return self.days[-1]

    @property
    def shows_import(self) -> bool:
        """Whether the page shows its import: also if it has no counter at all."""
        return self.has_import or not self.has_export

    @property
    def has_both(self) -> bool:
        """Whether it measures import and export."""
        return self.has_import and self.has_export

    @property
    def currency(self) -> str:
        """The newest of its prices' currencies."""
        for cost in reversed(self.costs):
            if cost.currency:
                return cost.currency
        return ""

    def is_foreign(self, cost: Cost) -> bool:
        """Whether the cost is in another currency than the newest, which the headings name."""
        return cost.has_price and (cost.currency or "") != self.currency

    def forget(self) -> None:
        """Free the memory of what the meter has several of."""
        for name, _, _ in DETAILS:
            setattr(self, name, [])
        self.costs = []

    def month_to_date(self, which: str) -> MonthToDate | None:
        """The days of `this` or the `former` month, if it has any."""
        for span in self.months_to_date:
            if span.month == which:
                return span
        return None

    def as_shown(self) -> "Meter":
        """The meter as the page shows it: of a solar meter, what it produces takes the first place.

        Elsewhere that is import. Costs stay as they are.
        """
        if self.kind != SOLAR:
            return self
        turned = replace(self, has_import=self.has_export, has_export=self.has_import)
        for name in TURNED:
            spans = getattr(self, name)
            setattr(turned, name, [_turned(span) for span in spans])
        return turned

    def without_unmeasured_days(self) -> "Meter":
        """The meter without the energy and cost of days without a reading or an estimate.

        The marts have 0 for the days inside a gap that ends with another meter. Nobody measured
        them. The same holds for months and years of such days alone.
        """
        known = {day.date_jst for day in self.days if day.is_measured or day.estimated_kwh}
        months = {day.replace(day=1) for day in known}
        years = {day.year for day in known}
        measured = replace(self)
        measured.days = [_known(day, day.date_jst in known) for day in self.days]
        measured.months = [_known(month, month.month_jst in months) for month in self.months]
        measured.years = [_known(year, year.year in years) for year in self.years]
        measured.costs = [cost for cost in self.costs if cost.date_jst in known]
        measured.all_costs = [cost for cost in self.all_costs if cost.date_jst in known]
        return measured


def _turned[Row: Energy | Hour | HourMean | Quarter | TypicalQuarter](span: Row) -> Row:
    """The row with import and export in each other's place, energy or power."""
    names = vars(span)
    turned = {}
    for imported in ("import_kwh", "import_w"):
        if imported in names:
            exported = imported.replace("import", "export")
            turned |= {imported: names[exported], exported: names[imported]}
    net = names.get("net_kwh")
    if net is not None:
        turned["net_kwh"] = -net
    return replace(span, **turned)


@dataclass(frozen=True)
class House:
    """The meters, the last day that any of them has, and when (UTC) the tables were published.

    `last_day` is None without data, `balance` without a meter of grid, solar or battery.
    """

    zone: ZoneInfo
    published_at: datetime
    last_day: date | None
    meters: list[Meter]
    balance: HouseBalance | None = None


def empty_month(month: date) -> Month:
    """A month without data."""
    energy = vars(UNKNOWN)
    return Month(
        **energy,
        month_jst=month,
        peak_w=None,
        reset_count=0,
        step_back_count=0,
        backwards_count=0,
        glitch_count=0,
        complete_days=0,
    )


def next_month(month: date) -> date:
    """The first day of the month after this one."""
    if month.month == 12:
        return date(month.year + 1, 1, 1)
    return month.replace(month=month.month + 1)


def total(values: Iterable[float | None]) -> float | None:
    """The sum of what is known, or None if nothing is."""
    known = [value for value in values if value is not None]
    if not known:
        return None
    return sum(known)


def sums_of_costs(costs: Sequence[DayCost]) -> list[Cost]:
    """The sums of the days, for each currency. The net is unknown where that of one day is."""
    currencies = {cost.currency for cost in costs}
    found = []
    for currency in sorted(currencies, key=_nameless_last):
        days = [cost for cost in costs if cost.currency == currency]
        net = total(cost.net_cost for cost in days)
        if any(cost.net_cost is None for cost in days):
            net = None
        bought = total(cost.import_cost for cost in days)
        sold = total(cost.feed_in_revenue for cost in days)
        unpriced = sum(cost.unpriced_kwh for cost in days)
        found.append(Cost(currency, bought, sold, net, unpriced))
    return found


def _nameless_last(currency: str | None) -> tuple[bool, str]:
    return currency is None, currency or ""


# what a meter has several of: the field of Meter, the query, and the class of a row
DETAILS = (
    ("days", queries.DAYS, Day),
    ("months", queries.MONTHS, Month),
    ("years", queries.YEARS, Year),
    ("hours", queries.HOURS, Hour),
    ("day_hours", queries.DAY_HOURS, Hour),
    ("hour_means", queries.HOUR_MEANS, HourMean),
    ("load_curve", queries.LOAD_CURVE, Quarter),
    ("typical_day", queries.TYPICAL_DAY, TypicalQuarter),
    ("all_costs", queries.COSTS, DayCost),
    ("months_to_date", queries.MONTHS_TO_DATE, MonthToDate),
)


@dataclass(frozen=True)
class Figures:
    """A read copy that is open. `last_day` is None without data."""

    connection: duckdb.DuckDBPyConnection
    zone: ZoneInfo
    published_at: datetime
    last_day: date | None

    def meters(self) -> list[Meter]:
        """The meters without their days, months and the like: see `fill`."""
        if self.last_day is None:
            return []
        return [_meter(row) for row in _rows(self.connection, queries.METERS)]

    def fill(self, meters: Sequence[Meter], *names: str) -> None:
        """Read what there are several of: what the names say, or all of it.

        Only these meters take memory.
        """
        last = self.last_day
        if last is None or not meters:
            return
        only = [meter.name for meter in meters]
        for name, query, kind in DETAILS:
            if names and name not in names:
                continue
            found = defaultdict(list)
            of_meters = f"FROM ({query}) WHERE list_contains($only, source)"
            for row in _rows(self.connection, of_meters, last=last, only=only):
                meter_name = row.pop("source")
                found[meter_name].append(kind(**row))
            for meter in meters:
                setattr(meter, name, found[meter.name])
        for meter in meters:
            _add_costs(meter, last)

    def house(self, meters: Sequence[Meter] = ()) -> House:
        """The house with these meters, as they are."""
        balance = None
        if self.last_day is not None:
            balance = _balance(self.connection, self.last_day)
        return House(self.zone, self.published_at, self.last_day, list(meters), balance)


def read_figures(read_copy: Path) -> House:
    """What the read copy holds, all at once.

    DatabaseError if there is none, if it may not be read, or if it lacks what is asked for.
    """
    with open_figures(read_copy) as figures:
        meters = figures.meters()
        figures.fill(meters)
        return figures.house(meters)


@contextlib.contextmanager
def open_figures(read_copy: Path) -> Generator[Figures]:
    """The read copy, whose figures are read meter by meter. DatabaseError as of read_figures."""
    _refuse_closed(read_copy)
    try:
        with connect(read_copy, read_only=True) as connection:
            zone = _zone(connection, read_copy)
            published_at = _value(connection, "SELECT max(published_at) FROM read_copy")
            yield Figures(connection, zone, published_at, _last_day(connection))
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        found = f"{read_copy} lacks a table or column ({_first_line(error)})"
        raise DatabaseError(f"{found}; {REBUILD}") from None
    except duckdb.Error as error:
        found = f"{read_copy} cannot be read ({_first_line(error)})"
        raise DatabaseError(f"{found}; {REBUILD}") from None


def _known[Span: Energy](span: Span, is_known: bool) -> Span:
    if is_known:
        return span
    return replace(span, import_kwh=None, export_kwh=None, net_kwh=None)


def _refuse_closed(read_copy: Path) -> None:
    try:
        read_copy.open("rb").close()
    except (FileNotFoundError, NotADirectoryError):
        raise DatabaseError(
            f"there is no read copy at {read_copy}; run the workflow, which publishes it"
        ) from None
    except OSError as error:
        raise DatabaseError(
            f"{read_copy} cannot be read ({error.strerror}); see to its permissions and those of "
            "its folders, or run as the user of the batch"
        ) from None


def _zone(connection: duckdb.DuckDBPyConnection, read_copy: Path) -> ZoneInfo:
    tz = _value(connection, "SELECT max(tz) FROM read_copy")
    try:
        return ZoneInfo(tz or "")
    except (ValueError, OSError, ZoneInfoNotFoundError):
        found = f"{read_copy} names no time zone that is known (read_copy.tz is {tz!r})"
        raise DatabaseError(f"{found}; {REBUILD}") from None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _last_day(connection: duckdb.DuckDBPyConnection) -> date | None:
    tables = "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'fct_daily_energy'"
    if not _value(connection, tables):
        return None
    return _value(connection, "SELECT max(date_jst) FROM fct_daily_energy")


def _value(connection: duckdb.DuckDBPyConnection, query: str) -> Any:
    [(value,)] = connection.execute(query).fetchall()
    return value


def _balance(connection: duckdb.DuckDBPyConnection, last: date) -> HouseBalance | None:
    days = [DayBalance(**row) for row in _rows(connection, queries.BALANCE_DAYS, last)]
    if not days:
        return None
    months = [MonthBalance(**row) for row in _rows(connection, queries.BALANCE_MONTHS)]
    sub_meters = [SubMeter(**row) for row in _rows(connection, queries.SUB_METERS, last)]
    return HouseBalance(days, months, sub_meters)


def _add_costs(meter: Meter, last: date) -> None:
    meter.costs = [cost for cost in meter.all_costs if cost.date_jst > last - COST_SPAN]
    this_month = [cost for cost in meter.all_costs if cost.date_jst >= last.replace(day=1)]
    meter.cost_to_date = sums_of_costs(this_month)


def _meter(row: Mapping[str, Any]) -> Meter:
    intervals = (row["import_interval_s"], row["export_interval_s"])
    return Meter(
        name=row["source"],
        kind=row["kind"],
        last_reading=row["last_reading_jst"],
        has_import=bool(row["has_import"]),
        has_export=bool(row["has_export"]),
        has_power=bool(row["has_power"]),
        interval_s=max(filter(None, intervals), default=None),
        display_name=row["display_name"],
        energy_from=row["energy_from"],
        reports=row["reports"],
        silent_since=row["silent_since_jst"],
        until=row["until_jst"],
    )


def _rows(
    connection: duckdb.DuckDBPyConnection, query: str, last: date | None = None, **given: object
) -> list[dict[str, Any]]:
    values = dict(given)
    if "$last" in query:
        values["last"] = last
    cursor = connection.execute(query, values)
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, map(_rounded, row), strict=True)) for row in cursor.fetchall()]


def _rounded(value: object) -> object:
    return round(value, DIGITS) if isinstance(value, float) else value
