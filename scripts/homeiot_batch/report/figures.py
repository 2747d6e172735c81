"""The report's figures: rows of the marts in the read copy, as they are. All times are the house's local wall time unless named UTC."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import duckdb

from homeiot_batch.errors import DatabaseError

BARS = 90  # days in the bar chart and the heat map

# a day of which one of two counters is not known leaves the span's net unknown, as in fct_monthly_energy
NET = "if(bool_or(net_kwh IS NULL AND coalesce(import_kwh, export_kwh) IS NOT NULL), NULL, sum(net_kwh)) AS net_kwh"

SOURCES = """
SELECT * FROM dim_source ORDER BY kind IS DISTINCT FROM 'grid', coalesce(has_export, false) DESC, source
"""
DAYS = """
WITH calendar AS (
    SELECT source, unnest(generate_series(min(date_jst), $last::DATE, INTERVAL 1 DAY))::DATE AS date_jst FROM fct_daily_energy GROUP BY source)
SELECT source, date_jst, import_kwh, export_kwh, net_kwh, coalesce(estimated_kwh, 0) AS estimated_kwh, coalesce(reset_count, 0) AS reset_count,
    coalesce(glitch_count, 0) AS glitch_count, coverage, longest_gap_s, coalesce(is_complete, false) AS is_complete, peak_w, peak_at_jst,
    coalesce(readings, 0) AS readings
FROM calendar LEFT JOIN fct_daily_energy USING (source, date_jst) ORDER BY source, date_jst
"""
MONTHS = """
SELECT source, month_jst, import_kwh, export_kwh, net_kwh, coalesce(estimated_kwh, 0) AS estimated_kwh, peak_w, reset_count, glitch_count,
    complete_days
FROM fct_monthly_energy ORDER BY source, month_jst
"""
YEARS = f"""
SELECT source, year(date_jst) AS year, sum(import_kwh) AS import_kwh, sum(export_kwh) AS export_kwh, {NET},
    coalesce(sum(estimated_kwh), 0) AS estimated_kwh, count_if(is_complete) AS complete_days
FROM fct_daily_energy GROUP BY ALL ORDER BY ALL
"""
# a day that has neither a reading nor an estimate has hours of 0 that nobody measured
IS_KNOWN = "(source, date_jst) NOT IN (SELECT (source, date_jst) FROM fct_daily_energy WHERE readings = 0 AND coalesce(estimated_kwh, 0) = 0)"
HOURS = f"""
SELECT source, date_jst, hour(hour_jst) AS hour, avg(import_kwh) AS import_kwh, avg(export_kwh) AS export_kwh, sum(estimated_kwh) > 0 AS is_estimated
FROM fct_hourly_energy WHERE date_jst > $last::DATE - {BARS} AND date_jst <= $last AND {IS_KNOWN} GROUP BY ALL ORDER BY ALL
"""
DAY_HOURS = """
SELECT source, date_jst, hour(hour_jst) AS hour, import_kwh, export_kwh, estimated_kwh > 0 AS is_estimated
FROM fct_hourly_energy WHERE date_jst = $last ORDER BY source, hour_start_utc
"""
HOUR_MEANS = f"""
SELECT source, hour(hour_jst) AS hour, avg(import_kwh) AS import_kwh, avg(export_kwh) AS export_kwh
FROM fct_hourly_energy WHERE date_jst > $last::DATE - {BARS} AND date_jst <= $last AND {IS_KNOWN} GROUP BY ALL ORDER BY ALL
"""
CURVE = """
SELECT source, quarter_utc, import_w, export_w FROM fct_load_curve WHERE date_jst = $last AND is_measured ORDER BY ALL
"""
USUAL = """
SELECT source, time_jst, import_w, export_w, days FROM fct_daily_profile
WHERE day_kind = if(isodow($last::DATE) > 5, 'weekend', 'workday') ORDER BY source, time_jst
"""
TO_DATE = f"""
WITH spans AS (
    SELECT 'this' AS month, date_trunc('month', $last::DATE)::DATE AS first_day, $last::DATE AS last_day
    UNION ALL
    SELECT 'former', former, least(first_day - 1, former + day($last::DATE)::INT - 1)
    FROM (SELECT date_trunc('month', $last::DATE)::DATE AS first_day, (date_trunc('month', $last::DATE) - INTERVAL 1 MONTH)::DATE AS former))
SELECT source, month, first_day, last_day, sum(import_kwh) AS import_kwh, sum(export_kwh) AS export_kwh, {NET},
    coalesce(sum(estimated_kwh), 0) AS estimated_kwh, count_if(is_complete) AS complete_days, sum(reset_count) AS reset_count
FROM spans JOIN fct_daily_energy ON date_jst BETWEEN first_day AND last_day GROUP BY ALL
"""
COSTS = """
SELECT source, date_jst, currency, import_cost, feed_in_revenue, net_cost, unpriced_kwh
FROM fct_daily_cost WHERE date_jst > $last::DATE - 31 AND date_jst <= $last ORDER BY source, date_jst
"""
COST_TO_DATE = """
SELECT source, currency, sum(import_cost) AS import_cost, sum(feed_in_revenue) AS feed_in_revenue,
    if(bool_or(net_cost IS NULL), NULL, sum(net_cost)) AS net_cost, sum(unpriced_kwh) AS unpriced_kwh
FROM fct_daily_cost WHERE date_jst BETWEEN date_trunc('month', $last::DATE) AND $last GROUP BY ALL ORDER BY ALL
"""


@dataclass(frozen=True)
class Energy:
    """Energy of any span in kWh: None where unknown. `estimated_kwh` is the part whose place in time is estimated."""

    import_kwh: float | None
    export_kwh: float | None
    net_kwh: float | None
    estimated_kwh: float

    @property
    def is_known(self) -> bool:
        """Whether any energy of it is; the net may be unknown all the same."""
        return self.import_kwh is not None or self.export_kwh is not None


@dataclass(frozen=True)
class Day(Energy):
    """A local day of a source, with or without readings."""

    date_jst: date
    reset_count: int
    glitch_count: int
    coverage: float | None
    longest_gap_s: float | None
    is_complete: bool
    peak_w: float | None
    peak_at_jst: datetime | None
    readings: int

    @property
    def is_partial(self) -> bool:
        """Whether it is incomplete or partly estimated."""
        return not self.is_complete or self.estimated_kwh > 0

    @property
    def is_doubtful(self) -> bool:
        """Whether a bare number would say too much."""
        return self.is_partial or self.reset_count > 0 or self.glitch_count > 0


@dataclass(frozen=True)
class Month(Energy):
    """A local month of a source."""

    month_jst: date
    peak_w: float | None
    reset_count: int
    glitch_count: int
    complete_days: int


@dataclass(frozen=True)
class Year(Energy):
    """A local year of a source."""

    year: int
    complete_days: int


@dataclass(frozen=True)
class ToDate(Energy):
    """The days of a month from its first to the number that the last day of the house has."""

    month: str
    first_day: date
    last_day: date
    complete_days: int
    reset_count: int

    @property
    def days(self) -> int:
        """Days in the span."""
        return (self.last_day - self.first_day).days + 1


@dataclass(frozen=True)
class Hour:
    """A local hour, in kWh. In `Source.hours` an hour that the clocks repeat is the mean of both, in `day_hours` it comes twice."""

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
class Usual:
    """A quarter of an hour of the usual day, average W of so many days."""

    time_jst: time
    import_w: float | None
    export_w: float | None
    days: int


@dataclass(frozen=True)
class Cost:
    """What a span cost; None where it has no price. `unpriced_kwh` is in none of it."""

    currency: str | None
    import_cost: float | None
    feed_in_revenue: float | None
    net_cost: float | None
    unpriced_kwh: float

    @property
    def known_cost(self) -> float | None:
        """The cost, None where it is not known, or where nothing of it has a price: the mart has 0 there."""
        return self.net_cost if self.has_price else None

    @property
    def has_price(self) -> bool:
        """Whether anything of it has a price."""
        return self.import_cost is not None or self.feed_in_revenue is not None


@dataclass(frozen=True)
class DayCost(Cost):
    """The cost of a local day."""

    date_jst: date


@dataclass
class Source:
    """All that the page shows of a source; `days` runs without a gap from its first day to the house's last one."""

    name: str
    kind: str | None
    last_reading: datetime | None
    has_import: bool
    has_export: bool
    has_power: bool
    interval_s: float | None
    days: list[Day] = field(default_factory=list)
    months: list[Month] = field(default_factory=list)
    years: list[Year] = field(default_factory=list)
    hours: list[Hour] = field(default_factory=list)
    day_hours: list[Hour] = field(default_factory=list)
    hour_means: list[HourMean] = field(default_factory=list)
    curve: list[Quarter] = field(default_factory=list)
    usual: list[Usual] = field(default_factory=list)
    to_date: list[ToDate] = field(default_factory=list)
    costs: list[DayCost] = field(default_factory=list)
    cost_to_date: list[Cost] = field(default_factory=list)

    @property
    def currency(self) -> str:
        """The newest of its prices' currencies."""
        return next((cost.currency for cost in reversed(self.costs) if cost.currency), "")

    def is_foreign(self, cost: Cost) -> bool:
        """Whether the cost is in another currency than the newest, so that it may not stand under its name."""
        return cost.has_price and (cost.currency or "") != self.currency

    def month_to_date(self, which: str) -> ToDate | None:
        """The days of `this` or the `former` month, if it has any."""
        return next((span for span in self.to_date if span.month == which), None)


@dataclass(frozen=True)
class House:
    """The sources, the last day that any of them has (None without data), and when (UTC) the tables were published."""

    zone: ZoneInfo
    published_at: datetime
    last_day: date | None
    sources: list[Source]


def read_figures(read_copy: Path) -> House:
    """What the read copy holds. DatabaseError if there is none, if it may not be read, or if it lacks what is asked for."""
    _refuse_closed(read_copy)
    try:
        with duckdb.connect(read_copy, read_only=True) as connection:
            return _house(connection, _zone(connection, read_copy))
    except (duckdb.CatalogException, duckdb.BinderException) as error:
        said = f"{read_copy} lacks a table or column ({_first_line(error)})"
        raise DatabaseError(
            f"{said}; run `snakemake --forcerun dbt`, which builds and publishes it anew"
        ) from None
    except duckdb.Error as error:
        said = f"{read_copy} cannot be read ({_first_line(error)})"
        raise DatabaseError(
            f"{said}; run `snakemake --forcerun dbt`, which builds and publishes it anew"
        ) from None


def _refuse_closed(read_copy: Path) -> None:
    try:
        with read_copy.open("rb"):
            """It may be read."""
    except (FileNotFoundError, NotADirectoryError):
        raise DatabaseError(
            f"there is no read copy at {read_copy}; run the workflow, which publishes it"
        ) from None
    except OSError as error:
        said = f"{read_copy} cannot be read ({error.strerror})"
        raise DatabaseError(
            f"{said}; see to its permissions and those of its folders, or run as the user of the batch"
        ) from None


def _zone(connection: duckdb.DuckDBPyConnection, read_copy: Path) -> ZoneInfo:
    [(tz,)] = connection.execute("SELECT max(tz) FROM read_copy").fetchall()
    try:
        return ZoneInfo(tz or "")
    except (ValueError, OSError, ZoneInfoNotFoundError):
        said = f"{read_copy} names no time zone that is known (read_copy.tz is {tz!r})"
        raise DatabaseError(
            f"{said}; run `snakemake --forcerun dbt`, which builds and publishes it anew"
        ) from None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _house(connection: duckdb.DuckDBPyConnection, zone: ZoneInfo) -> House:
    [(published_at,)] = connection.execute("SELECT max(published_at) FROM read_copy").fetchall()
    has_marts = connection.execute(
        "SELECT count(*) FROM duckdb_tables() WHERE table_name = 'fct_daily_energy'"
    ).fetchall() != [(0,)]
    last = (
        connection.execute("SELECT max(date_jst) FROM fct_daily_energy").fetchall()[0][0]
        if has_marts
        else None
    )
    return House(zone, published_at, last, _sources(connection, last) if last else [])


def _sources(connection: duckdb.DuckDBPyConnection, last: date) -> list[Source]:
    sources = [_source(row) for row in _rows(connection, SOURCES)]
    for sql, kind, name in (
        (DAYS, Day, "days"),
        (MONTHS, Month, "months"),
        (YEARS, Year, "years"),
        (HOURS, Hour, "hours"),
        (DAY_HOURS, Hour, "day_hours"),
        (HOUR_MEANS, HourMean, "hour_means"),
        (CURVE, Quarter, "curve"),
        (USUAL, Usual, "usual"),
        (COSTS, DayCost, "costs"),
        (COST_TO_DATE, Cost, "cost_to_date"),
        (TO_DATE, ToDate, "to_date"),
    ):
        found = defaultdict(list)
        for row in _rows(connection, sql, last):
            found[row.pop("source")].append(kind(**row))
        for source in sources:
            setattr(source, name, found[source.name])
    return sources


def _source(row: Mapping[str, Any]) -> Source:
    intervals = [
        seconds for seconds in (row["import_interval_s"], row["export_interval_s"]) if seconds
    ]
    has_import, has_export, has_power = (
        bool(row[name]) for name in ("has_import", "has_export", "has_power")
    )
    return Source(
        row["source"],
        row["kind"],
        row["last_reading_jst"],
        has_import,
        has_export,
        has_power,
        max(intervals, default=None),
    )


def _rows(
    connection: duckdb.DuckDBPyConnection, sql: str, last: date | None = None
) -> list[dict[str, Any]]:
    cursor = connection.execute(sql, {"last": last} if "$last" in sql else {})
    names = [column[0] for column in cursor.description or []]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
