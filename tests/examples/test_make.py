"""The readings of the example houses can be made again, and are what the programs write."""

import gzip

import pytest

from homeiot_batch.commands import demo_house
from tests.examples import simulated
from tests.examples.make import EXAMPLES, lines, readings_file


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_readings_are_made_by_the_generator(name: str) -> None:
    """The file has its lines, each of them. It is small."""
    file = readings_file(name)
    assert gzip.decompress(file.read_bytes()).decode() == "".join(lines(name))
    assert file.stat().st_size < 400_000


def test_the_demo_shows_all_of_their_days() -> None:
    """The command has the dates itself: it does not read the file for them."""
    assert (demo_house.FIRST, demo_house.LAST) == (simulated.FIRST, simulated.LAST)


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_flows_in_is_what_flows_out(name: str) -> None:
    """In every ten seconds. And what the house has does flow."""
    truth = EXAMPLES[name].truth()
    flows = truth.watts
    for number, used in enumerate(flows["used"]):
        given = sum(flows[flow][number] for flow in ("bought", "sun", "discharged"))
        taken = sum(flows[flow][number] for flow in ("sold", "charged"))
        assert given - taken == used
    begin, end = truth.begin_s, truth.end_s
    energies = {flow: truth.kwh(flow, begin, end) for flow in flows}
    assert {flow for flow in flows if energies[flow] == 0} == {
        flow
        for flow, has in (
            ("charged", truth.plan.battery_w),
            ("discharged", truth.plan.battery_w),
            ("heat_pump", truth.plan.heat_pump_w),
            ("car", truth.plan.car_w),
        )
        if not has
    }
