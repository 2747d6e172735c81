"""Counters that are written when they change: standing still is no gap, a dead device is one."""

from datetime import timedelta

import pytest

from homeiot_batch.counters.energy import Quarter
from homeiot_batch.counters.judge import judge_day, judge_end
from homeiot_batch.counters.limits import HOUR, MINUTE, QUARTER, Limits
from homeiot_batch.counters.state import State
from tests.counters.test_archive import DAYS, FIRST, Archive

Readings = list[tuple[int, float]]


def judge(
    readings: Readings, *, on_change: bool = True, writer_at: int = 0, scale: float = 1.0
) -> dict[int, Quarter]:
    """The quarters of a day's readings (µs, kWh), with what is open at its end."""
    limits = Limits(on_change=on_change, writer_at=writer_at, scale=scale)
    state = State()
    times = [at for at, _ in readings]
    found = judge_day(state, times, [value for _, value in readings], limits).energy.quarters
    assert State.from_json(state.to_json()) == state
    for number, quarter in judge_end(state, limits).energy.quarters.items():
        mine = found.setdefault(number, Quarter())
        mine.kwh = (
            sum(filter(None, (mine.kwh, quarter.kwh))) if quarter.kwh is not None else mine.kwh
        )
        mine.estimated_kwh += quarter.estimated_kwh
        if quarter.longest_step_s is not None:
            mine.is_part_of(int(quarter.longest_step_s * 1e6))
    return found


def rising(first: int, last: int, begin: float) -> Readings:
    """0.1 kWh more every ten minutes, between two hours."""
    count = (last - first) * 6
    return [(first * HOUR + n * 10 * MINUTE, round(begin + n / 10, 1)) for n in range(count)]


def night(rise: float) -> Readings:
    """It rises to two o'clock, is silent to seven, and goes on `rise` higher."""
    evening = rising(0, 2, 100.0)
    return evening + rising(7, 12, round(evening[-1][1] + rise, 1))


def test_standing_still_is_no_gap() -> None:
    """Five hours without a reading, after which it rises by its last digit."""
    found = judge(night(0.1))
    silent = [found[number] for number in range(8, 28)]
    assert [quarter.longest_step_s for quarter in silent[1:-1]] == [0] * 18
    assert sum(quarter.estimated_kwh for quarter in found.values()) == 0
    assert sum(quarter.kwh or 0 for quarter in found.values()) == pytest.approx(4.1)
    assert max(quarter.longest_step_s or 0 for quarter in found.values()) == 600


@pytest.mark.parametrize(("rise", "on_change"), [(1.0, True), (0.1, False), (0.0, False)])
def test_what_moved_in_silence_is_a_gap(rise: float, on_change: bool) -> None:
    """As with all counters that are read at an interval."""
    found = judge(night(rise), on_change=on_change)
    assert found[15].longest_step_s == 5 * 3600 + 600
    assert sum(q.estimated_kwh for q in found.values()) == pytest.approx(rise)


def float_sensor(rise: float) -> Readings:
    """0.0625 kWh every ten minutes, from eleven steps on a silence to seven, and `rise` then."""
    evening = [(n * 10 * MINUTE, 100.00007 + n / 16) for n in range(12)]
    begin = evening[-1][1] + rise
    return evening + [(7 * HOUR + n * 10 * MINUTE, begin + n / 16) for n in range(12)]


def longest_step_s(found: dict[int, Quarter]) -> float:
    """Of all quarters."""
    return max(quarter.longest_step_s or 0 for quarter in found.values())


@pytest.mark.parametrize("rise", [0.006, 0.04, 0.0625, 0.09])
def test_a_silence_that_ends_with_a_usual_step_is_no_gap(rise: float) -> None:
    """A float rises by no last digit. What it rose by flowed in the usual time before."""
    found = judge(float_sensor(rise))
    assert longest_step_s(found) == 600
    assert sum(quarter.estimated_kwh for quarter in found.values()) == 0
    silent = [found[number].kwh or 0 for number in range(8, 27)]
    assert silent == [0] * 19
    assert found[27].kwh == pytest.approx(rise)


@pytest.mark.parametrize("rise", [0.1, 0.125, 1.0, 5 * 6 * 0.0625])
def test_energy_of_a_silence_is_marked(rise: float) -> None:
    """More than a usual step flowed while nothing was written, up to all that it ever uses."""
    found = judge(float_sensor(rise))
    assert longest_step_s(found) == 5 * 3600 + 600
    assert sum(quarter.estimated_kwh for quarter in found.values()) == pytest.approx(rise)


@pytest.mark.parametrize(("rise", "hours"), [(2.0, 5), (0.08, 48)])
def test_a_step_that_may_hide_much_is_marked(rise: float, hours: int) -> None:
    """More than 1.9 kWh, though it is a usual step. After a day and a half, more than a step."""
    size = 32 if rise == 2 else 1
    evening = [(n * 10 * MINUTE, 100.00007 + size * n / 16) for n in range(12)]
    at, value = evening[-1]
    found = judge([*evening, (at + hours * HOUR, value + rise)])
    assert longest_step_s(found) == hours * 3600
    assert sum(quarter.estimated_kwh for quarter in found.values()) == pytest.approx(rise)


def test_nothing_is_usual_before_there_are_some_steps() -> None:
    """Three rises are no habit, and neither are steps that come once in half an hour or more."""
    few = float_sensor(0.04)[9:14]
    assert longest_step_s(judge(few)) == 5 * 3600 + 600
    slow = [(4 * at, value) for at, value in float_sensor(0.04)[:12]]
    slow += [(slow[-1][0] + 5 * HOUR, slow[-1][1] + 0.04)]
    assert longest_step_s(judge(slow)) == 5 * 3600


def test_holes_and_swaps_make_no_habit() -> None:
    """Filled zeros and another counter between rise by far more than it ever does."""
    readings = float_sensor(1.0)
    odd = [(at + MINUTE, 0.0) for at, _ in readings]
    odd += [(at + 2 * MINUTE, value + 5000) for at, value in readings[::3]]
    limits = Limits(on_change=True)
    in_order = sorted([*readings, *odd])
    state = State()
    state.learn([at for at, _ in in_order], [value for _, value in in_order], limits)
    assert all(habit.rise < 0.1 for habit in state.habits)


@pytest.mark.parametrize(("steps", "is_gap"), [(1, False), (2, True)])
@pytest.mark.parametrize("factor", [0.3, 1.5, 40.0])
def test_the_constant_of_a_meter_leaves_its_last_digit(
    factor: float, steps: int, is_gap: bool
) -> None:
    """A register of whole pulses, each of them 1.5 kWh, say, rises by one in a night."""
    pulses = [(n * 50 * MINUTE, 1000 + n) for n in range(3)]
    pulses += [(pulses[-1][0] + (5 + n) * HOUR, 1002 + steps + n) for n in range(3)]
    found = judge([(at, value * factor) for at, value in pulses], scale=factor)
    assert (longest_step_s(found) > 4 * 3600) is is_gap
    assert sum(quarter.kwh or 0 for quarter in found.values()) == pytest.approx(
        (4 + steps) * factor
    )


@pytest.mark.parametrize(
    ("writer_hour", "known_to"),
    [(11, 11.75), (12.5, 12.5), (21.75, 21.75), (22.25, 12)],
    ids=["writer is silent too", "within max_gap_s", "as it stood before", "dead"],
)
def test_after_the_last_reading(writer_hour: float, known_to: float) -> None:
    """It stood still for 5:10 at night. After 11:50 it is silent, and other series go on.

    It stands still for twice as long at most. Beyond that nothing is known, not 0.
    """
    found = judge(night(0.0), writer_at=int(writer_hour * HOUR))
    known = [number for number, quarter in found.items() if quarter.kwh is not None]
    last = max(known)
    assert last * QUARTER < max(known_to, 11.9) * HOUR <= (last + 1) * QUARTER + 14 * MINUTE
    assert sum(q.kwh or 0 for q in found.values()) == pytest.approx(4.0)


@pytest.mark.parametrize(("silent_h", "is_known"), [(36, True), (37, False)])
def test_after_a_holiday_no_silence_is_trusted_for_long(silent_h: int, is_known: bool) -> None:
    """It stood still for a hundred hours once, and yet a day and a night are the most."""
    state = State(stood=100 * HOUR)
    readings = rising(0, 12, 100.0)
    last = readings[-1][0]
    limits = Limits(on_change=True, writer_at=last + silent_h * HOUR)
    judge_day(state, [at for at, _ in readings], [value for _, value in readings], limits)
    found = judge_end(state, limits).energy.quarters
    known = [number for number, quarter in found.items() if quarter.kwh is not None]
    assert (max(known) > 12 * HOUR // QUARTER) is is_known


def test_days_that_change_are_judged_as_if_all_were() -> None:
    """What the state keeps of a counter on change makes no difference to that."""
    archive = Archive(2)
    archive.limits = {
        key: Limits(on_change=True, max_gap_s=1000, writer_at=1_776_000_000_000_000)
        for key in archive.limits
    }
    days = [FIRST + timedelta(days=n) for n in range(DAYS)]
    for day in days[:-1]:
        archive.replace(day, archive.readings(day))
    archive.judge_anew()
    archive.connection.execute("CREATE TABLE judged AS FROM all_judged")
    for changed in ([days[-1]], archive.chance.sample(days, 3)):
        for day in changed:
            archive.replace(day, archive.readings(day))
        assert archive.judge_changed(changed) == archive.judge_anew()
