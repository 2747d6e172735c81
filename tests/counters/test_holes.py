"""A missing value that is filled with 0.0 is never measured, and hides nothing that was."""

from datetime import date, datetime, timedelta

import pytest

from tests.counters.judging import Counted, Value, judge

DAY = date(2026, 11, 9)
BEGIN = datetime(2026, 11, 8, 15)  # midnight of Japan, in UTC


def at(minute: int) -> datetime:
    """So many minutes after midnight."""
    return BEGIN + timedelta(minutes=minute)


def readings_of(counter: Counted) -> list[tuple[date, int, int]]:
    """Day, readings and glitches."""
    return [(day, own.readings, own.glitches) for day, own in sorted(counter.days.items())]


CONTRADICTION = [(at(600), 70.5), (at(600), 70.75)]


@pytest.mark.parametrize("zeros", [[], [599], [600], [601], [0, 599, 600, 601, 1439]])
def test_nothing_is_measured_where_all_values_contradict_each_other(zeros: list[int]) -> None:
    """Neither value is taken, and filled zeros before, beside and after them are no readings."""
    found = judge([*CONTRADICTION, *((at(minute), 0.0) for minute in zeros)])
    assert readings_of(found) == [(DAY, 0, 2)]
    assert not found.measured
    assert found.kinds == ["glitch", "glitch"]


def test_days_of_contradictions_alone_measure_nothing() -> None:
    """Three such days with filled zeros between them."""
    values: list[Value] = []
    for day in range(3):
        values += [(at(1440 * day + minute), 0.0) for minute in (5, 700, 1300)]
        values += [(at(1440 * day + 600), 70.5 + day), (at(1440 * day + 600), 70.75 + day)]
    found = judge(values)
    assert readings_of(found) == [(DAY + timedelta(days=n), 0, 2) for n in range(3)]
    assert not found.measured


def test_a_counter_that_rises_from_zero_after_a_contradiction() -> None:
    """Its zeros are readings: 0.3 kWh flowed."""
    values = [(at(10 * n), 0.0) for n in range(4)] + [(at(25), 70.5), (at(25), 70.75)]
    found = judge([*values, *((at(40 + 10 * n), round(0.1 + 0.1 * n, 1)) for n in range(3))])
    assert found.kwh == pytest.approx(0.3)
    assert readings_of(found) == [(DAY, 7, 2)]


@pytest.mark.parametrize("every", [2, 5, 10, 60])
@pytest.mark.parametrize("first", [0, 1])
def test_a_counter_that_speaks_less_often_than_the_power(every: int, first: int) -> None:
    """The zeros between its values are holes, also those before the first one."""
    values = [(at(n), round(4000 + n / 100, 2) if n % every == first else 0.0) for n in range(1440)]
    shown = [value for _, value in values if value]
    found = judge(values)
    assert found.kwh == pytest.approx(shown[-1] - shown[0])
    assert readings_of(found) == [(DAY, len(shown), 0)]


def test_a_counter_that_speaks_once_a_day() -> None:
    """302 kWh less 300 kWh flowed in two days, not 302."""
    values = [(at(0), 0.0), (at(1), 300.0), (at(2), 0.0), (at(1500), 0.0), (at(2881), 302.0)]
    assert judge(values).kwh == pytest.approx(2.0)


def test_a_single_value_among_zeros() -> None:
    """It is the only reading."""
    found = judge([(at(n), 300.0 if n == 700 else 0.0) for n in range(1440)])
    assert readings_of(found) == [(DAY, 1, 0)]


def test_a_wrong_value_before_a_counter_rises_from_zero() -> None:
    """It is left out, and the zeros are readings."""
    values = [(at(n), 0.0) for n in range(10)] + [(at(10), 9e5)]
    found = judge([*values, *((at(10 + n), n / 100) for n in range(1, 6))])
    assert found.kwh == pytest.approx(0.05)
    assert readings_of(found) == [(DAY, 15, 1)]


def test_a_counter_that_falls_below_zero_undeclared() -> None:
    """Nothing is energy, and each step is marked: 20 readings, 19 steps."""
    found = judge([(at(60 * n), -0.3 * max(0, n - 3)) for n in range(24)])
    day = found.days[DAY]
    assert (found.kwh, day.readings) == (0, 20)
    assert day.resets + day.step_backs + day.backwards == 19


def test_a_hole_beside_a_value_of_the_same_time() -> None:
    """It contradicts nothing."""
    values = [(at(n), value) for n in range(20) for value in (0.0, 4000 + n / 100)]
    found = judge(values)
    assert found.kwh == pytest.approx(0.19)
    assert readings_of(found) == [(DAY, 20, 0)]
