"""Counters of real devices become what really flowed, however often they are read."""

from datetime import date, timedelta

import pytest

from tests.counters.devices import BERLIN, CADENCES, DEVICES, Setting
from tests.counters.invented import INVENTED
from tests.counters.invented_from_reports import INVENTED_FROM_REPORTS
from tests.counters.invented_later import INVENTED_LATER
from tests.counters.judging import judge
from tests.fast_set import few

# ordinary days; the clocks go forward on the third, go back on the third
DATES = {
    "ordinary": date(2026, 11, 9),
    "forward": date(2026, 3, 27),
    "back": date(2026, 10, 23),
}


FAST = DEVICES | INVENTED | INVENTED_LATER
ALL = FAST | INVENTED_FROM_REPORTS
# days of a reading every ten seconds take long to judge: only those of the first list have them
CASES = [(name, cadence) for name in ALL for cadence in CADENCES if name in DEVICES or cadence > 10]
FAST_CASES = [(name, cadence) for name, cadence in CASES if name in FAST and cadence > 10]


@pytest.mark.parametrize(("name", "cadence_s"), few(CASES, *FAST_CASES))
@pytest.mark.parametrize("when", DATES)
@pytest.mark.parametrize("has_gap", [False, True])
def test_a_counter_becomes_what_flowed(name: str, cadence_s: int, when: str, has_gap: bool) -> None:
    """Its energy is right, and the day on which it cannot be known is marked."""
    setting = Setting(DATES[when], cadence_s, has_gap)
    expected = ALL[name](setting)
    found = judge(expected.values, expected.limits, BERLIN)
    most = expected.least if expected.most is None else expected.most
    assert expected.least - 1e-6 <= found.kwh <= most + 1e-6
    noise = 2 * expected.limits.noise_kwh if expected.limits.direction == "both" else 1e-6
    assert found.back_kwh == pytest.approx(expected.back_kwh, abs=noise)
    if expected.marked_day is not None:
        assert found.days[setting.first_day + timedelta(days=expected.marked_day)].is_marked
    if expected.is_unmarked:
        assert not any(day.is_marked for day in found.days.values())
