"""The energy of a counter that went silent is unknown.

One that the source never had counts as none.
"""

from collections.abc import Iterator
from datetime import UTC, date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from homeiot_batch.core.days import LocalDay
from tests.dbt.meters import Archive, Reading
from tests.dbt.test_incremental import assert_as_if_built_anew, price

TOKYO = ZoneInfo("Asia/Tokyo")
FIRST, LAST_SOLD, LAST = date(2026, 10, 1), date(2026, 10, 5), date(2026, 11, 5)


def hourly(source: str, day: date, exported_kwh: float | None) -> Iterator[Reading]:
    """0.5 kWh bought and `exported_kwh` sold in every hour of the day, read at its begin.

    None where there is no export counter.
    """
    begin = LocalDay(day, TOKYO).start.astimezone(UTC).replace(tzinfo=None)
    for hour in range(24):
        hours = 24 * (day - FIRST).days + hour
        sold = None if exported_kwh is None else (50 + exported_kwh * hours) * (exported_kwh > 0)
        yield begin + timedelta(hours=hour), source, 500.0, 100 + 0.5 * hours, sold


def days(first: date, last: date) -> list[date]:
    """All from the first to the last."""
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def is_sold(source: str, day: date) -> float | None:
    """What the source sells in an hour.

    The counter of `dead` stops and so does that of `zero`, always 0.0. `bought` has none.
    """
    return {"dead": 0.75, "zero": 0.0}.get(source) if day <= LAST_SOLD else None


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Archive:
    """The sources over 36 days, built, with a tariff for `dead`."""
    found = Archive(tmp_path_factory.mktemp("house") / "home_energy.duckdb", TOKYO)
    found.load(
        row
        for source in ("dead", "zero", "bought")
        for day in days(FIRST, LAST)
        for row in hourly(source, day, is_sold(source, day))
    )
    found.build()
    price(found, "dead", 30.0)
    found.dbt("run")
    return found


@pytest.mark.slow
def test_a_dead_counter_leaves_its_days_incomplete_for_ever(archive: Archive) -> None:
    """Its last day has what it showed.

    From the next one on, also after four weeks and more, no day is complete, and no net is known.
    """
    sql = (
        "SELECT date_jst, import_kwh, export_kwh, net_kwh, coverage, is_complete FROM "
        "fct_daily_energy WHERE source = 'dead' ORDER BY ALL"
    )
    found = archive.query(sql)
    assert found[3] == (
        date(2026, 10, 4),
        pytest.approx(12),
        pytest.approx(18),
        pytest.approx(-6),
        1.0,
        True,
    )
    assert found[4] == (
        LAST_SOLD,
        pytest.approx(12),
        pytest.approx(17.25),
        pytest.approx(-5.25),
        1.0,
        True,
    )
    assert found[5:-1] == [
        (day, pytest.approx(12), None, None, 0.0, False)
        for day in days(LAST_SOLD + timedelta(days=1), LAST)[:-1]
    ]
    assert found[-1] == (LAST, pytest.approx(11.5), None, None, 0.0, False)


@pytest.mark.parametrize("source", ["zero", "bought"])
def test_a_counter_without_energy_is_none(source: str, archive: Archive) -> None:
    """Always 0.0 or never there.

    Four weeks after it was last filled the days are complete, and all along the net is what was
    bought.
    """
    rows = archive.query(
        "SELECT date_jst, net_kwh, is_complete FROM fct_daily_energy WHERE source = ? ORDER BY ALL",
        source,
    )
    filled_lately = (
        days(LAST_SOLD + timedelta(days=1), date(2026, 11, 1)) if source == "zero" else []
    )
    assert rows == [
        (day, pytest.approx(12 if day < LAST else 11.5), day not in filled_lately)
        for day in days(FIRST, LAST)
    ]


def test_the_net_of_hours_months_and_costs_is_not_known_either(archive: Archive) -> None:
    """The hours of the days of silence, the months that have one, and the cost of those days.

    What was bought is known all the same.
    """
    hours = (
        "SELECT date_jst, count(*), count(import_kwh), count(net_kwh) FROM fct_hourly_energy WHERE "
        "source = 'dead' GROUP BY ALL ORDER BY ALL"
    )
    assert archive.query(hours) == [
        (day, n := 23 if day == LAST else 24, n, _hours_known(day)) for day in days(FIRST, LAST)
    ]
    months = "SELECT source, import_kwh, net_kwh FROM fct_monthly_energy ORDER BY source, month_jst"
    known = [
        (source, pytest.approx(kwh), pytest.approx(kwh))
        for source in ("bought", "zero")
        for kwh in (372, 59.5)
    ]
    unknown = [("dead", pytest.approx(372), None), ("dead", pytest.approx(59.5), None)]
    assert archive.query(months) == [*known[:2], *unknown, *known[2:]]
    costs = (
        "SELECT date_jst, import_cost, feed_in_revenue, net_cost FROM fct_daily_cost ORDER BY ALL"
    )
    assert archive.query(costs)[4:6] == [
        (LAST_SOLD, pytest.approx(360), pytest.approx(138), pytest.approx(222)),
        (date(2026, 10, 6), pytest.approx(360), None, None),
    ]


def _hours_known(day: date) -> int:
    # of the hour in which it fell silent nothing is known
    return 24 if day < LAST_SOLD else 23 if day == LAST_SOLD else 0


@pytest.mark.slow
def test_a_day_that_shows_later_that_a_counter_had_spoken(tmp_path: Path) -> None:
    """An early day comes last, or goes.

    The days after it are made anew with it, also those that its steps do not touch.
    """
    archive = Archive(tmp_path / "home_energy.duckdb", TOKYO)
    shown = days(FIRST, FIRST + timedelta(days=4))
    for day in shown[1:]:
        archive.replace_day(day, hourly("dead", day, None))
    archive.build()
    price(archive, "dead", 30.0)
    archive.dbt("run")
    nets = {
        "fct_hourly_energy": "net_kwh",
        "fct_daily_cost": "net_cost",
        "fct_daily_energy": "net_kwh",
    }
    known = (
        f"SELECT {', '.join(f'(SELECT count({net}) FROM {table})' for table, net in nets.items())}"
    )
    assert archive.query(known) == [(95, 4, 4)]
    archive.replace_day(shown[0], hourly("dead", shown[0], 0.75))
    assert_as_if_built_anew(archive)
    assert archive.query(known) == [(24, 1, 1)]
    archive.forget_day(shown[0])
    assert_as_if_built_anew(archive)
    assert archive.query(known) == [(95, 4, 4)]
