"""What a run says of an export as a whole."""

import json

import pytest

from tests.house import House
from tests.sources.meter_export import DAY, HOUR, at, meter

RANGE = ("--until", "load", "--config", "start=2026-10-01", "end=2026-11-08")


def test_one_bad_line_of_a_long_range_is_one_message(house: House) -> None:
    """The run's log and its summary name the reason once, and nothing is archived."""
    lines = meter(-39 * DAY, 0, step=HOUR)
    export = house.export(*lines, "power,source=a instant_power_w=x 5")
    outcome = house.snakemake(*RANGE)
    reason = (
        f"{export} line {len(lines) + 1} is not line protocol ('x' is no value of a field): "
        "'power,source=a instant_power_w=x 5'; correct or delete the line in a copy of the file "
        "and use that: another export would have it too"
    )
    assert outcome.code == 1
    assert outcome.failures == [
        f"failed: fetch raw_meter_readings 2026-10-01 to 2026-11-08 (39 days): {reason}"
    ]
    assert outcome.stderr.count("is not line protocol") == 3  # log, Snakemake, summary
    assert "39 failed" in outcome.stderr
    assert house.snapshot() == {}
    assert list(house.parquet.glob(".staging/*")) == []
    log = house.markers / "log/raw_meter_readings/dt=2026-10-17.fetch.log"
    assert "is not line protocol" in log.read_text()


@pytest.mark.slow
def test_what_an_export_holds_beside_readings_is_one_warning(house: House) -> None:
    """For all days of the run together, also in the file that a program may read."""
    export = house.export(*meter(-39 * DAY, 2 * DAY, step=HOUR), "win,host=a", f"win v=1 {at(0)}")
    outcome = house.snakemake(*RANGE)
    said = (
        f"{export} line 985 is no line protocol, and none of a wanted measurement: 'win,host=a'; "
        "1 such lines are left out"
    )
    warnings = [line for line in outcome.stderr.splitlines() if line.startswith("warning: ")]
    assert (outcome.code, warnings) == (0, [f"warning: {said}"])
    assert json.loads((house.markers / "last_run.json").read_text())["warnings"] == [said]
    assert len(house.snapshot()) == 39
