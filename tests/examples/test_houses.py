"""Each house of examples/: its declaration as it is, `homeiot run`, and the energy that is true."""

import shutil
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

import pytest

from homeiot_batch.config import ROOT
from homeiot_batch.report.figures import read_figures
from tests.examples.make import EXAMPLES
from tests.examples.simulated import FIRST, LAST, Truth
from tests.house import Checkout, Outcome

pytestmark = pytest.mark.slow

GAP = date(2026, 10, 23)  # of evcc


class Counted(NamedTuple):
    """A counter of a meter: what it counts, the last digit of its sum in kWh, and how often."""

    source: str
    counter: str
    flow: str
    digit: float = 0.0
    every_s: int = 60


class Run(NamedTuple):
    """A house after its first run."""

    name: str
    house: Checkout
    outcome: Outcome
    truth: Truth


def of_home_assistant() -> Iterator[Counted]:
    for source, counter, flow in (
        ("house", "import", "bought"),
        ("house", "export", "sold"),
        ("roof", "export", "sun"),
        ("battery", "import", "charged"),
        ("battery", "export", "discharged"),
        ("heat_pump", "import", "heat_pump"),
        ("car", "import", "car"),
    ):
        yield Counted(source, counter, flow, 0.01)


COUNTERS = {
    "home_assistant": list(of_home_assistant()),
    "evcc": [
        Counted("grid", "import", "bought"),
        Counted("grid", "export", "sold"),
        Counted("roof", "export", "sun"),
        Counted("battery", "import", "charged"),
        Counted("battery", "export", "discharged"),
        Counted("car", "import", "car"),
    ],
    "dsmr": [
        Counted("house", "import", "bought", 0.002),
        Counted("house", "export", "sold", 0.002),
        Counted("roof", "export", "sun", 0.001, 300),
    ],
    "telegraf": [
        Counted("house", "import", "bought", 0.00001),
        Counted("house", "export", "sold", 0.00001),
        Counted("roof", "export", "sun", 0.001, 300),
        Counted("heat_pump", "import", "heat_pump", 0.00125, 300),
    ],
}


@pytest.fixture(scope="module", params=list(COUNTERS))
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The house's readings and declaration as they are in examples/, and a run of its days."""
    name = request.param
    house = Checkout(tmp_path_factory.mktemp(name))
    house.own.mkdir(parents=True)
    shutil.copy(ROOT / "examples" / name / "config.yaml", house.own)
    truth = EXAMPLES[name].truth()
    house.environment |= {
        "INFLUX_URL": str(ROOT / "examples" / name / "readings.lp.gz"),
        "TZ": truth.plan.zone,
    }
    outcome = house.python("homeiot_batch", "run", "--from", str(FIRST), "--to", str(LAST))
    return Run(name, house, outcome, truth)


def test_the_run_is_good(run: Run) -> None:
    """Exit code 0 without a warning, the report is there, and a second run has nothing to do."""
    assert (run.outcome.code, run.outcome.failures) == (0, []), run.outcome.stderr
    assert "0 warnings, 0 failed" in run.outcome.stderr
    assert "House" in (run.house.folder / "data/report/index.html").read_text()


def expected(run: Run, counted: Counted, day: date) -> tuple[float, float]:
    """The true energy of a day, and by how much the table may differ from it (kWh)."""
    [local] = [local for local in run.truth.days if local.date == day]
    begin, end = local.start_ns // 10**9, local.end_ns // 10**9
    true = run.truth.kwh(counted.flow, begin, end)
    if run.name == "evcc":
        return true, 0.005 * true
    tolerance = 2 * counted.digit + 1e-6  # at the day's begin, and at its end
    if day == LAST:  # what follows the last reading comes with the next day
        tolerance += run.truth.kwh(counted.flow, end - counted.every_s, end)
    return true, tolerance


def test_each_day_has_the_true_energy(run: Run) -> None:
    """Of every meter. Registers to their last digit, energy from power to half a per cent."""
    energy = "SELECT date_jst, source, import_kwh, export_kwh FROM fct_daily_energy"
    rows = {(day, source): row for day, source, *row in run.house.query(energy)}
    sources = {counted.source for counted in COUNTERS[run.name]}
    days = [FIRST + timedelta(days=n) for n in range((LAST - FIRST).days + 1)]
    assert set(rows) == {(day, source) for day in days for source in sources}
    for counted in COUNTERS[run.name]:
        for day in days:
            if run.name == "evcc" and day == GAP:
                continue
            kwh = rows[day, counted.source][counted.counter == "export"]
            true, tolerance = expected(run, counted, day)
            assert kwh == pytest.approx(true, abs=tolerance), (counted, day)


def test_each_day_is_complete(run: Run) -> None:
    """But for the one on which evcc did not run for three hours."""
    incomplete = "SELECT DISTINCT date_jst FROM fct_daily_energy WHERE NOT is_complete"
    assert run.house.query(incomplete) == ([(GAP,)] if run.name == "evcc" else [])


def test_the_balance(run: Run) -> None:
    """What was used is what was used. It is known by the hour, but for hours of a gap."""
    balance = "SELECT date_jst, consumed_kwh, is_complete FROM fct_daily_balance ORDER BY 1"
    rows = run.house.query(balance)
    assert [day for day, *_ in rows] == [local.date for local in run.truth.days]
    for (day, consumed, is_complete), local in zip(rows, run.truth.days, strict=True):
        if day == LAST:
            continue
        if run.name == "evcc" and day == GAP:
            assert not is_complete
            continue
        begin, end = local.start_ns // 10**9, local.end_ns // 10**9
        used = run.truth.kwh("used", begin, end)
        assert (consumed, is_complete) == (pytest.approx(used, rel=0.005), True), day


def test_the_gap_of_evcc_is_unknown(run: Run) -> None:
    """The hours that are not known whole have no energy, and no others. The gap is named."""
    if run.name != "evcc":
        pytest.skip("the other houses have no gap")
    # a reading holds for a quarter of an hour: 9:34 to 9:49, so 9:45 is the first unknown quarter
    unknown = [(datetime(2026, 10, 23, hour),) for hour in (7, 8, 9, 10)]
    for source in ("grid", "roof", "battery", "car"):
        hours = (
            "SELECT hour_start_utc FROM fct_hourly_energy "
            f"WHERE source = '{source}' AND import_kwh IS NULL AND export_kwh IS NULL ORDER BY 1"
        )
        assert run.house.query(hours) == unknown
    gap = f"SELECT DISTINCT longest_gap_s FROM fct_daily_energy WHERE date_jst = '{GAP}'"
    assert run.house.query(gap) == [(10860.0,)]


def test_the_report_knows_a_counter_that_stands_still(run: Run) -> None:
    """A car that was not charged has used nothing on that day, which is not the same as no data."""
    if run.name != "home_assistant":
        pytest.skip("the other houses write at an interval")
    [car] = [meter for meter in read_figures(run.house.read_copy).meters if meter.name == "car"]
    days = {day.date_jst: day for day in car.without_unmeasured_days().days}
    silent = [date(2026, 10, 21), date(2026, 10, 24)]
    assert [(days[day].readings, days[day].import_kwh) for day in silent] == [(0, 0.0)] * 2
    assert len(car.load_curve) == 96
    assert {hour.date_jst for hour in car.hours} == set(days)
