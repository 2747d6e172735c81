"""The example houses: `init` finds their meters, and its file makes a run that ends in a report."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from homeiot_batch.config import ROOT, Settings
from homeiot_batch.core.meters import Meter
from homeiot_batch.setup_house.choice import choose
from homeiot_batch.setup_house.config_text import Content, config_text
from homeiot_batch.setup_house.export_survey import ExportSurvey
from homeiot_batch.setup_house.proposal import recognised_in
from tests.doctor.findings import given
from tests.examples.make import EXAMPLES, readings_file
from tests.examples.simulated import FIRST, LAST
from tests.examples.test_houses import GAP
from tests.house import Checkout

# the pulses of its heat pump have no unit that a program could see
NOT_SEEN = {"telegraf": {"heat_pump"}}
# of a meter with registers: the sum of its phases is as good as the phases
NO_MATTER = {("dsmr", "power")}


def series_of(declared: Mapping[str, Any], name: str) -> Iterator[tuple[object, ...]]:
    """Kind, role, measurement and the rest of each series that the settings declare."""
    for title, content in declared["meters"].items():
        meter = Meter.model_validate(content)
        for role, series in meter.series:
            if title in NOT_SEEN.get(name, ()) or (name, role) in NO_MATTER:
                continue
            measurement = declared["datasets"][series.dataset]["measurement"]
            [number, *others] = declared["datasets"][series.dataset]["fields"]
            field = series.field or (number if not others else None)
            way = getattr(series, "positive", None) if meter.counts_power else None
            where = tuple(sorted(series.where.items()))
            settings = meter.reports, meter.max_gap_s
            yield meter.kind, role, measurement, where, field, series.unit, way, settings


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_meters_are_those_that_a_person_declared(settings: Settings, name: str) -> None:
    """Each series with its kind, role, unit and sign, and no series more."""
    changed = given(settings, influx_url=str(readings_file(name)))
    found = recognised_in(ExportSurvey(changed).survey())
    meters = choose(found.candidates).meters
    written = yaml.safe_load(config_text(Content({}, found.datasets, found.schemas, meters)))
    by_hand = yaml.safe_load((ROOT / "examples" / name / "config.yaml").read_text())
    assert sorted(map(repr, series_of(written, name))) == sorted(
        map(repr, series_of(by_hand, name))
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dsmr", "telegraf"])
def test_the_next_command_ends_in_a_report(name: str, checkout: Checkout) -> None:
    """The file as it was written, and the command as it was told."""
    zone = EXAMPLES[name].truth().plan.zone
    checkout.environment |= {"INFLUX_URL": str(readings_file(name)), "TZ": zone}
    said = checkout.python("homeiot_batch", "init").stderr
    command = re.search("next: `homeiot (.*)`", said)
    assert command is not None, said
    assert command[1] == f"run --from {FIRST} --to {LAST}"
    run_and_check(checkout, name, command[1].split())


def run_and_check(checkout: Checkout, name: str, command: list[str], *options: str) -> None:
    """Run it: no failure, the report, and the true energy of the house by day."""
    run = checkout.python("homeiot_batch", *command, *options)
    assert run.code == 0, run.stderr
    assert ", 0 failed" in run.stderr
    assert "House" in (checkout.folder / "data/report/index.html").read_text()
    truth = EXAMPLES[name].truth()
    query = (
        "SELECT import_kwh, export_kwh FROM fct_daily_energy "
        "WHERE source = 'grid' ORDER BY date_jst"
    )
    rows = checkout.query(query)
    for day, (bought, sold) in zip(truth.days, rows, strict=True):
        if day.date == LAST or (name == "evcc" and day.date == GAP):
            continue
        bounds = day.start_ns // 10**9, day.end_ns // 10**9
        for found, flow in ((bought, "bought"), (sold, "sold")):
            true = truth.kwh(flow, *bounds)
            assert found == pytest.approx(true, rel=0.005, abs=0.011), (day, flow)
