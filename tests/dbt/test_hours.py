"""Hours are pieces of real time, in every zone and whenever its clocks change."""

from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import duckdb
import pytest

from tests.dbt.meters import Archive, compiled_models, prepare, wall

BEGIN = datetime(2026, 1, 1)
QUARTER = timedelta(minutes=15)
A_WEEK = 7 * 96
# DuckDB has older rules for it than the locked tzdata: such days are not loaded
OTHER_RULES = {"America/Havana", "Cuba"}


def offset(zone: ZoneInfo, at: datetime) -> timedelta:
    """The zone's distance from UTC."""
    return wall(at, zone) - at


def changes(zone: ZoneInfo) -> Iterator[datetime]:
    """The quarters of an hour (UTC) of 2026 with which the clocks change, at most one a week."""
    for week in (BEGIN + 7 * timedelta(days=n) for n in range(52)):
        before = offset(zone, week)
        if offset(zone, week + A_WEEK * QUARTER) != before:
            yield week + QUARTER * bisect_left(
                range(A_WEEK), True, key=lambda n: offset(zone, week + n * QUARTER) != before
            )


def rules() -> dict[str, tuple[datetime, ...]]:
    """One zone for each set of changes that any zone has."""
    found: dict[tuple, str] = {}
    for name in sorted(available_timezones() - {"localtime", "Factory"} - OTHER_RULES):
        zone = ZoneInfo(name)
        times = tuple(changes(zone))
        found.setdefault(tuple((at, offset(zone, at)) for at in times), name)
    return {name: tuple(at for at, _ in key) for key, name in found.items() if key}


@pytest.fixture(scope="module")
def hourly_sql(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The model of the hours, compiled."""
    archive = Archive(tmp_path_factory.mktemp("compiled") / "house.duckdb")
    return compiled_models(archive, {})["fct_hourly_energy"]


def hours_around(sql: str, zone: ZoneInfo, at: datetime) -> list[tuple]:
    """The hours of the eight hours around a change, of a house that uses 1 kW."""
    with duckdb.connect() as connection:
        connection.execute("ATTACH ':memory:' AS house; USE house")
        prepare(connection, zone)
        connection.execute(
            """
            CREATE TABLE int_counter_begins AS
            SELECT 'a' AS source, DATE '2000-01-01' AS import_begin_jst,
              NULL::DATE AS export_begin_jst;
            CREATE TABLE int_quarter_energy (
                source VARCHAR, counter VARCHAR, quarter_utc TIMESTAMP, quarter_jst TIMESTAMP,
                kwh DOUBLE, estimated_kwh DOUBLE)
            """
        )
        quarters = [at + n * QUARTER for n in range(-16, 16)]
        rows = [("a", "import", quarter, wall(quarter, zone), 0.25, 0.0) for quarter in quarters]
        connection.executemany("INSERT INTO int_quarter_energy VALUES (?, ?, ?, ?, ?, ?)", rows)
        return connection.execute(
            f"SELECT hour_start_utc, hour_jst, date_jst, import_kwh FROM ({sql}) ORDER BY 1"
        ).fetchall()


@pytest.mark.parametrize(("name", "times"), rules().items())
def test_hours_are_pieces_of_real_time(
    name: str, times: tuple[datetime, ...], hourly_sql: str
) -> None:
    """1 kWh an hour: each row is as long as it is to the next one, and named by its own begin."""
    zone = ZoneInfo(name)
    for at in times:
        rows = hours_around(hourly_sql, zone, at)[1:-1]
        starts = [row[0] for row in rows]
        assert len(set(starts)) == len(starts)
        assert at in starts
        for (start, local, date, energy), following in zip(rows, starts[1:], strict=False):
            assert (local, date) == (wall(start, zone), wall(start, zone).date())
            assert timedelta(hours=energy) == following - start <= timedelta(hours=1)


@pytest.mark.parametrize(
    ("zone", "change", "expected"),
    [
        ("Pacific/Chatham", "2026-04-04 14:00", ["03:00 0.75", "02:45 0.25", "03:00 1.0"]),
        ("Australia/Lord_Howe", "2026-04-04 15:00", ["01:00 1.0", "01:30 0.5", "02:00 1.0"]),
        ("Antarctica/Troll", "2026-10-25 01:00", ["02:00 1.0", "01:00 1.0", "02:00 1.0"]),
        ("Atlantic/Azores", "2026-10-25 01:00", ["00:00 1.0", "00:00 1.0", "01:00 1.0"]),
        ("Asia/Tokyo", "2026-04-04 15:00", ["23:00 1.0", "00:00 1.0", "01:00 1.0"]),
    ],
)
def test_the_hours_around_a_change(
    zone: str, change: str, expected: list[str], hourly_sql: str
) -> None:
    """The row before the change and two from it on, by local begin, with the energy of 1 kW."""
    at = datetime.fromisoformat(change)
    rows = hours_around(hourly_sql, ZoneInfo(zone), at)
    first = [row[0] for row in rows].index(at) - 1
    assert [f"{row[1]:%H:%M} {row[3]}" for row in rows[first : first + 3]] == expected


def test_changes_are_found() -> None:
    """The zones of the tests above have those changes, and there are many rules."""
    assert datetime(2026, 4, 4, 14) in changes(ZoneInfo("Pacific/Chatham"))
    assert len(rules()) > 20
