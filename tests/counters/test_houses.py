"""What the tables promise of energy, on random houses with everything that devices do."""

from datetime import date, timedelta

import pytest

from tests.counters.houses import random_house
from tests.counters.judging import Counted, judge


def differing(seed: int) -> list[str]:
    """Days that differ from the known energy of a house and are not marked."""
    house = random_house(seed)
    found = judge(house.values, zone=house.zone)
    known = house.by_day()
    spans = [{day} for day in known.keys() | found.days.keys() if day not in house.stood_still]
    return [
        f"{seed}: {sorted(days)}: {judged:.6f} and not {true:.6f} kWh, {house.done}"
        for days in [*spans, house.stood_still, {*known}]
        if not is_marked(found, days)
        and abs(
            (true := sum(known[day] for day in days))
            - (judged := sum(found.days[day].kwh for day in days))
        )
        > unseen(house.digits)
    ]


def unseen(digits: int) -> float:
    """A fall by a unit of the last digit may be rounding."""
    return max(0.005, 10.0**-digits) + 1e-6


def is_marked(counter: Counted, days: set[date]) -> bool:
    """Whether any of the days is."""
    return any(counter.days[day].is_marked for day in days)


@pytest.mark.parametrize("first", range(0, 300, 30))
def test_days_have_the_known_energy_or_are_marked(first: int) -> None:
    """Of thirty houses each: no day differs without a mark, and neither do all days together."""
    assert [text for seed in range(first, first + 30) for text in differing(seed)] == []


def test_an_unmarked_counter_has_its_last_reading_less_the_first() -> None:
    """Without a mark on any day the days add up to that, but for rounding."""
    unmarked = 0
    for seed in range(300, 400):
        house = random_house(seed)
        found = judge(house.values, zone=house.zone)
        if not is_marked(found, set(found.days)):
            unmarked += 1
            shown = [value for _, value in house.values if value]
            assert found.kwh == pytest.approx(shown[-1] - shown[0], abs=unseen(house.digits))
    assert unmarked > 5


def test_holes_before_and_between_the_first_values_change_nothing() -> None:
    """The energy is that of the same counter without them, if they are far from zero."""
    tried = 0
    for seed in range(400, 430):
        house = random_house(seed)
        first, kwh = house.values[0]
        if kwh < 100:
            continue
        tried += 1
        step = timedelta(seconds=min(house.cadence_s, 900))
        holes = [(first - n * step, 0.0) for n in (1, 2)]
        holes += [(at + step / 2, 0.0) for at, _ in house.values[:10]]
        found = judge([*house.values, *holes], zone=house.zone)
        assert found.kwh == pytest.approx(judge(house.values, zone=house.zone).kwh), seed
    assert tried > 5
