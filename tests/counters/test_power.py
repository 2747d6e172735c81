"""Energy from power: what it is by quarter of an hour, and what stays unknown."""

import math
import random
from dataclasses import replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import duckdb
import pytest

from homeiot_batch.counters.archive import EPOCH, Key, judge_archive
from homeiot_batch.counters.energy import Quarter
from homeiot_batch.counters.limits import DAY, HOUR, MINUTE, QUARTER, SECOND, Limits
from homeiot_batch.counters.power import PowerState, Silence, judge_power_day, judge_power_end
from tests.dbt.meters import insert, prepare

LIMITS = Limits(is_power=True, max_power_kw=50, max_gap_s=3600)


def judge(readings: list[tuple[int, float]]) -> dict[int, Quarter]:
    """The quarters of readings (µs, W) of one day, with what is open at its end."""
    state = PowerState()
    times = [at for at, _ in readings]
    values = [watts for _, watts in readings]
    found = judge_power_day(state, times, values, LIMITS).energy.quarters
    assert PowerState.from_json(state.to_json()) == state
    for number, quarter in judge_power_end(state, LIMITS).energy.quarters.items():
        found.setdefault(number, Quarter()).kwh = quarter.kwh
        found[number].back_kwh = quarter.back_kwh
    return found


def kwh(quarters: dict[int, Quarter]) -> dict[int, tuple[float | None, float | None]]:
    """Energy in the direction of positive power and against it, by quarter."""
    return {number: (q.kwh, q.back_kwh) for number, q in sorted(quarters.items())}


def test_each_reading_holds_until_the_next() -> None:
    """1200 W for ten minutes, then -600 W: 0.2 kWh, and 0.05 kWh the other way."""
    found = judge([(0, 1200.0), (10 * MINUTE, -600.0), (15 * MINUTE, 0.0)])
    assert kwh(found) == {
        0: (pytest.approx(0.2), pytest.approx(0.05)),
        1: (0.0, 0.0),
    }
    assert (found[0].readings, found[0].accepted, found[1].readings) == (2, 2, 1)
    assert (found[0].longest_step_s, found[0].steps_s) == (600, 600)


def test_what_is_in_a_gap_is_unknown() -> None:
    """A reading holds for an hour. The quarters that are not known whole are NULL, not 0."""
    found = judge([(0, 1000.0), (5 * MINUTE, 1000.0), (3 * HOUR + 5 * MINUTE, 2000.0)])
    known = dict.fromkeys(range(4), (pytest.approx(0.25), 0.0))
    unknown = dict.fromkeys(range(4, 13), (None, None))
    assert kwh(found) == known | unknown
    assert {found[number].longest_step_s for number in range(1, 13)} == {3 * 3600}


ON_CHANGE = Limits(is_power=True, max_gap_s=3600, on_change=True, writer="power")


@pytest.mark.parametrize(
    ("watts", "hours", "silences", "is_known"),
    [
        (0.0, 10, [], True),
        (0.0, 10, [(12, 14), (-9, 0)], True),
        (0.0, 10, [(3, 5)], False),
        (0.0, 10, [(9, 12)], False),
        (0.0, 10, [(-5, 1)], False),
        (0.0, 36, [], True),
        (0.0, 37, [], False),
        (5.0, 10, [], False),
    ],
    ids=["alive", "around", "dead", "dead to its end", "from its begin", "36", "37", "not 0 W"],
)
def test_power_on_change_stands_at_zero(
    watts: float, hours: int, silences: list[tuple[int, int]], is_known: bool
) -> None:
    """While its dataset goes on, up to a day and a night. No other power holds for so long."""
    given = [Silence(begin * HOUR, end * HOUR) for begin, end in silences]
    times = [0, hours * HOUR, hours * HOUR + 15 * MINUTE]
    state = PowerState()
    found = judge_power_day(state, times, [watts, 1000.0, 0.0], ON_CHANGE, given).energy.quarters
    known = [number for number, quarter in found.items() if quarter.kwh is not None]
    assert sorted(known) == [*range(4 * hours if is_known else 4), 4 * hours]
    assert found[4 * hours].kwh == pytest.approx(0.25)
    longest = 0 if is_known else hours * 3600
    assert {found[number].longest_step_s for number in range(4 * hours)} == {longest}
    unlike = judge_power_day(PowerState(), times, [watts, 1000.0, 0.0], LIMITS).energy.quarters
    assert unlike[8].kwh is None


@pytest.mark.parametrize(("writer_hour", "known_h"), [(10, 10.25), (36, 0.25), (0.1, 0.25)])
def test_power_on_change_at_the_end(writer_hour: float, known_h: float) -> None:
    """It stands at 0 W to the dataset's last reading, if that is no longer than 36 hours."""
    state = PowerState(at=0, watts=0.0)
    limits = replace(ON_CHANGE, writer_at=int(writer_hour * HOUR))
    found = judge_power_end(state, limits).energy.quarters
    assert max(found) == known_h * 4 - 1
    assert {quarter.kwh for quarter in found.values()} == {0.0}
    dead = [Silence(2 * HOUR, 4 * HOUR)]
    assert max(judge_power_end(state, limits, dead).energy.quarters) == 0


def test_days_of_power_on_change_are_judged_as_if_all_were() -> None:
    """Also where only other series of the dataset changed, up to two days before a reading."""
    connection = duckdb.connect()
    prepare(connection, ZoneInfo("Asia/Tokyo"))
    connection.execute(
        "CREATE VIEW stg_meter_readings AS SELECT *, 1 AS register FROM raw_meter_readings "
        "WHERE source = 'car'"
    )
    begin = datetime(2026, 3, 1)
    # at 0 W from 13:00 to half past midnight on the next day but one, both UTC
    charged = [begin + timedelta(hours=12.5 + 36 * n) for n in range(6)]
    car = [(at, "car", 3000.0, None, None) for at in charged]
    car += [(at + timedelta(minutes=30), "car", 0.0, None, None) for at, *_ in car]
    others = [(begin + timedelta(minutes=n), "x", 1.0, None, None) for n in range(0, 14400, 30)]
    zone = ZoneInfo("Asia/Tokyo")
    insert(connection, [*car, *others], zone)
    writer_at = int((others[-1][0] - datetime(1970, 1, 1)).total_seconds()) * SECOND
    limits = {
        Key("car", "import"): replace(ON_CHANGE, writer="raw_meter_readings", writer_at=writer_at)
    }
    judge_archive(connection, limits, None, "")
    connection.execute("CREATE TABLE judged AS FROM judged_anew")
    for day in range(1, 9):
        lost = date(2026, 3, day)
        connection.execute(
            "DELETE FROM raw_meter_readings WHERE source = 'x' AND ts_jst::DATE = ?", [lost]
        )
        _, spans = judge_archive(connection, limits, [lost], "judged")
        for span in spans:
            connection.execute(
                "DELETE FROM judged WHERE if(is_open, ?, "
                "date_diff('day', ?::DATE, judged_utc) BETWEEN ? AND ?)",
                [span.replaces_open, EPOCH, span.first, span.last],
            )
        connection.execute("INSERT INTO judged FROM judged_anew")
        found = connection.execute("FROM judged ORDER BY ALL").fetchall()
        judge_archive(connection, limits, None, "")
        assert found == connection.execute("FROM judged_anew ORDER BY ALL").fetchall()


@pytest.mark.parametrize("wrong", [[51_000.0], [1.0, 2.0]], ids=["too high", "two values"])
def test_after_a_wrong_reading_the_power_is_unknown(wrong: list[float]) -> None:
    """Above max_power_kw, and different values of one time, up to the next reading.

    The reading before does not hold on in their place: it may be much lower.
    """
    before = [(n * 5 * MINUTE, 1000.0) for n in range(3)]
    between = [(20 * MINUTE, watts) for watts in wrong]
    found = judge([*before, *between, (30 * MINUTE, 1000.0), (45 * MINUTE, 0.0)])
    assert [found[number].kwh for number in range(3)] == [pytest.approx(0.25), None, 0.25]
    assert (found[1].glitches, found[1].accepted) == (len(wrong), 0)


def sun(at: int) -> float:
    """Watts of a house with a roof on a day with clouds, at a time in µs: both signs."""
    hours = at / HOUR
    clouds = 1 + 0.5 * math.sin(hours * 9) * math.sin(hours * 31)
    return 450 - 4000 * max(0.0, math.sin((hours - 6) / 12 * math.pi)) * clouds


def test_a_reading_a_minute_is_right_to_half_a_per_cent() -> None:
    """As evcc writes it, some seconds off. The true integral is that of every second."""
    chance = random.Random(1)
    readings = [(n * MINUTE + chance.randrange(9 * SECOND), 0.0) for n in range(DAY // MINUTE)]
    readings = [(0, sun(0)), *[(at, sun(at)) for at, _ in readings[1:]]]
    found = judge(readings)
    seconds = [sun(at) / 3.6e6 for at in range(0, DAY, SECOND)]
    bought = sum(value for value in seconds if value > 0)
    sold = -sum(value for value in seconds if value < 0)
    assert sum(q.kwh or 0 for q in found.values()) == pytest.approx(bought, rel=0.005)
    assert sum(q.back_kwh or 0 for q in found.values()) == pytest.approx(sold, rel=0.005)
    assert sorted(found) == list(range(DAY // QUARTER))


@pytest.mark.parametrize("seed", [1, 2])
def test_days_that_change_are_judged_as_if_all_were(seed: int) -> None:
    """Days in any order, with gaps over midnight, and days that go: the same rows."""
    chance = random.Random(seed)
    connection = duckdb.connect()
    prepare(connection, ZoneInfo("Asia/Tokyo"))
    view = "CREATE VIEW stg_meter_readings AS SELECT *, 1 AS register FROM raw_meter_readings"
    connection.execute(view)
    limits = {Key("a", "import"): LIMITS, Key("b", "export"): Limits()}
    days = [date(2026, 3, 28) + timedelta(days=number) for number in range(8)]

    def replace(day: date) -> None:
        begin = datetime(day.year, day.month, day.day) - timedelta(hours=9)
        connection.execute("DELETE FROM raw_meter_readings WHERE ts_jst::DATE = ?", [day])
        rows = [
            (begin + timedelta(minutes=5 * n), "a", chance.uniform(-2e3, 3e3), None, None)
            for n in range(288)
            if not 100 < n < chance.choice([0, 130, 288])
        ]
        insert(connection, [row for row in rows if chance.random() < 0.9], ZoneInfo("Asia/Tokyo"))

    def rows(table: str) -> list[tuple]:
        return connection.execute(f"FROM {table} ORDER BY ALL").fetchall()

    for day in days[:6]:
        replace(day)
    judge_archive(connection, limits, None, "")
    connection.execute("CREATE TABLE judged AS FROM judged_anew")
    assert rows("judged")
    for changed in ([days[6]], [days[2], days[7]], [days[4]]):
        for day in changed:
            replace(day)
        gone = chance.choice(days)
        connection.execute("DELETE FROM raw_meter_readings WHERE ts_jst::DATE = ?", [gone])
        _, spans = judge_archive(connection, limits, [*changed, gone], "judged")
        for span in spans:
            connection.execute(
                "DELETE FROM judged WHERE source = ? AND counter = ? "
                "AND if(is_open, ?, date_diff('day', ?::DATE, judged_utc) BETWEEN ? AND ?)",
                [span.source, span.counter, span.replaces_open, EPOCH, span.first, span.last],
            )
        connection.execute("INSERT INTO judged FROM judged_anew")
        judge_archive(connection, limits, None, "")
        assert rows("judged") == rows("judged_anew")
