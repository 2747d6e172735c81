"""Days that are judged again make the same rows as judging everything anew."""

import random
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pytest

from homeiot_batch.counters import archive
from homeiot_batch.counters import readings as counter_readings
from homeiot_batch.counters import rows as counter_rows
from homeiot_batch.counters.archive import EPOCH, Key, Span, judge_archive
from homeiot_batch.counters.limits import Limits
from homeiot_batch.counters.readings import DayReadings, days_of
from tests.counters.houses import EVENTS, House
from tests.dbt.meters import insert, prepare
from tests.fast_set import few

TOKYO = ZoneInfo("Asia/Tokyo")
DAYS = 24
FIRST = date(2026, 3, 28)


def seldom_odd(house: House, chance: random.Random) -> None:
    """Some days of a counter with mishaps."""
    while len(house.values) < 24 * DAYS * 3600 // house.cadence_s:
        house.run(chance.randrange(8, 40))
        EVENTS[chance.choice(list(EVENTS))](house)


class Archive:
    """Counters in a database in memory: with mishaps, with a late begin, always zero.

    Those of `c` have holes of 0.0: one says little, at first contradicting values alone, the other
    falls below zero undeclared.
    """

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.connection = duckdb.connect()
        prepare(self.connection, TOKYO)
        self.connection.execute(
            "CREATE VIEW stg_meter_readings AS SELECT *, 1 AS register FROM raw_meter_readings"
        )
        self.limits = {
            Key(source, counter): Limits(glitch_readings=self.chance.choice([0, 3]))
            for source in ("a", "b", "c")
            for counter in ("import", "export")
        }
        self.limits[Key("b", "export")] = Limits(direction="both")

    def readings(self, day: date) -> list[tuple]:
        """A day's readings, other ones at each call."""
        house = House(self.chance.randrange(10**6))
        house.cadence_s = 1800
        seldom_odd(house, self.chance)
        count = self.chance.choice([0, 5, 48, 48, 48])
        begin = datetime(day.year, day.month, day.day) - timedelta(hours=9)
        late = (day - FIRST).days > 14
        number = (day - FIRST).days
        return [
            (
                begin + timedelta(minutes=30 * n),
                source,
                1.0,
                self._of_day(house, number, n) if source == "a" else 0.0,
                (5000.0 * late + n + 48 * number) * late if source == "b" else None,
            )
            for n in range(count)
            for source in ("a", "b")
        ] + [row for n in range(count) for row in self._with_holes(begin, number, n)]

    def _with_holes(self, begin: datetime, number: int, n: int) -> list[tuple]:
        at = begin + timedelta(minutes=30 * n)
        below_zero = -max(0.0, number - 9 + n / 48)
        seldom = round(700 + 8 * number + n / 6, 2) if n % 9 == number % 9 else 0.0
        if number > 12:
            return [(at, "c", 1.0, seldom, below_zero)]
        if number % 4 and n == 20:
            return [(at, "c", 1.0, shown, below_zero) for shown in (70.5, 70.75)]
        lone = 640.0 if number == 3 and n == 7 else 0.0
        return [(at, "c", 1.0, lone, below_zero)]

    def _of_day(self, house: House, number: int, n: int) -> float:
        if self.chance.random() < 0.04:
            return house.values[n][1]
        return round(900 + 20 * number + 0.4 * n, 2)

    def replace(self, day: date, rows: list[tuple]) -> None:
        """Give the day these readings instead of its own."""
        self.connection.execute("DELETE FROM raw_meter_readings WHERE ts_jst::DATE = ?", [day])
        insert(self.connection, rows, TOKYO)

    def judge_anew(self) -> list[tuple]:
        """The rows, all judged."""
        judge_archive(self.connection, self.limits, None, "")
        self.connection.execute("CREATE OR REPLACE TABLE all_judged AS FROM judged_anew")
        return self.connection.execute("FROM all_judged ORDER BY ALL").fetchall()

    def judge_changed(self, changed: list[date]) -> list[tuple]:
        """The rows, with those of the changed days and what follows from them replaced."""
        _, spans = judge_archive(self.connection, self.limits, changed, "judged")
        for span in spans:
            self._delete(span)
        self.connection.execute("INSERT INTO judged FROM judged_anew")
        return self.connection.execute("FROM judged ORDER BY ALL").fetchall()

    def _delete(self, span: Span) -> None:
        self.connection.execute(
            """
            DELETE FROM judged WHERE source = ? AND counter = ?
            AND if(is_open, ?, date_diff('day', ?::DATE, judged_utc) BETWEEN ? AND ?)
            """,
            [span.source, span.counter, span.replaces_open, EPOCH, span.first, span.last],
        )


@pytest.mark.parametrize("seed", few(range(12), 0, 1, 2))
def test_judged_again_as_if_judged_anew(seed: int) -> None:
    """Days that come in order, late, with other readings, or go."""
    archive = Archive(seed)
    days = [FIRST + timedelta(days=n) for n in range(DAYS)]
    late = archive.chance.sample(days, 5)
    for day in days[:-4]:
        if day not in late:
            archive.replace(day, archive.readings(day))
    rows = archive.judge_anew()
    archive.connection.execute("CREATE TABLE judged AS FROM all_judged")
    assert rows
    for changed in (
        [days[-4]],
        [days[-3], *late[:2]],
        [*late[2:], days[-2]],
        archive.chance.sample(days, 3),
        [days[-1]],
    ):
        gone = archive.chance.sample(days, 1)
        for day in changed:
            archive.replace(day, archive.readings(day))
        for day in gone:
            archive.replace(day, [])
        assert archive.judge_changed([*changed, *gone]) == archive.judge_anew()


def test_a_night_judges_a_few_days(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new day leaves the rows of the days before the one before it as they are."""
    archive = Archive(1)
    days = [FIRST + timedelta(days=n) for n in range(DAYS)]
    for day in days:
        archive.replace(day, archive.readings(day))
    archive.judge_anew()
    archive.connection.execute("CREATE TABLE judged AS FROM all_judged")
    _, spans = judge_archive(archive.connection, archive.limits, [days[-1]], "judged")
    assert min(span.first for span in spans) == (days[-2] - EPOCH).days


def test_many_readings_are_judged_in_shorter_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A house with many meters needs no more memory than one with few. The rows are the same."""
    house = Archive(1)
    days = [FIRST + timedelta(days=n) for n in range(DAYS)]
    for day in days:
        house.replace(day, house.readings(day))
    rows = house.judge_anew()
    house.connection.execute("CREATE TABLE judged AS FROM all_judged")
    read: list[int] = []

    def counted(*given: Any) -> Iterator[DayReadings]:
        found = list(days_of(*given))
        read.append(sum(len(day.times) for day in found))
        return iter(found)

    monkeypatch.setattr(archive, "days_of", counted)
    monkeypatch.setattr(archive, "MOST_READINGS", 600)
    monkeypatch.setattr(counter_readings, "MOST_WITHOUT_ARROW", 100)
    monkeypatch.setattr(counter_rows, "MOST_DAYS", 7)
    monkeypatch.setattr(counter_rows, "MOST_WITHOUT_ARROW", 200)
    assert house.judge_anew() == rows
    assert house.judge_changed(days[3:5]) == rows
    assert max(read) < 3 * 600  # of both counters, in days about alike


def test_a_day_that_goes_shows_that_zeros_before_the_first_value_are_readings() -> None:
    """60 kWh could not flow in half an hour, but in the day and a half without readings."""
    archive = Archive(1)
    days = [FIRST + timedelta(days=n) for n in range(4)]
    for number, day in enumerate(days):
        begin = datetime(day.year, day.month, day.day) - timedelta(hours=9)
        shown = 60.0 if number == 3 else 0.0
        times = [begin + timedelta(minutes=30 * n) for n in range(48)]
        archive.replace(day, [(at, "a", 1.0, shown, None) for at in times])
    archive.judge_anew()
    archive.connection.execute("CREATE TABLE judged AS FROM all_judged")
    archive.replace(days[2], [])
    assert archive.judge_changed([days[2]]) == archive.judge_anew()
    [(kwh,)] = archive.connection.execute("SELECT sum(kwh) FROM judged").fetchall()
    assert kwh == pytest.approx(60)
