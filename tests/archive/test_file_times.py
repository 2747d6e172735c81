"""Times of files that lie ahead: which are set to now, and when the tables are built again."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from homeiot_batch.archive.file_times import recover_file_times
from homeiot_batch.config import Settings
from homeiot_batch.core.layout import Layout
from homeiot_batch.workflow.snakemake_failures import explained

DAY = ("raw_meter_readings", "2026-11-09")
PAST = 1_700_000_000.0
FORTY_DAYS = 40 * 86400


@pytest.fixture
def layout(settings: Settings) -> Layout:
    """An archive of a day with all its records, made in the past."""
    layout = settings.layout
    layout.day(*DAY).mkdir(parents=True)
    layout.marker(*DAY).parent.mkdir(parents=True)
    part, timestamp = (layout.day(*DAY) / n for n in ("part-0.parquet", ".snakemake_timestamp"))
    records = [layout.last_load, layout.models, layout.read_marker, layout.report_marker]
    for path in [part, timestamp, layout.marker(*DAY), *records]:
        path.write_text(path.name)
    for path in [part, timestamp, layout.day(*DAY), layout.marker(*DAY), *records]:
        os.utime(path, (PAST, PAST))
    return layout


Places = Callable[[Layout], list[Path]]
PLACES: dict[str, tuple[Places, bool]] = {
    "a day": (lambda at: [at.day(*DAY), at.day(*DAY) / ".snakemake_timestamp"], True),
    "a marker": (lambda at: [at.marker(*DAY)], False),
    "the last load": (lambda at: [at.last_load], False),
    "the tables": (lambda at: [at.models], False),
    "the read copy": (lambda at: [at.read_marker, at.report_marker], False),
}


@pytest.mark.parametrize("ahead", PLACES)
def test_times_ahead_are_set_to_now(ahead: str, layout: Layout) -> None:
    """Only those. The tables are built again where it cannot be told any more what they hold."""
    places, tables_stay = PLACES[ahead]
    paths = places(layout)
    before = {path: path.stat().st_mtime for path in [*layout.markers.rglob("*.json")]}
    began = time.time()
    for path in paths:
        os.utime(path, (began + FORTY_DAYS, began + FORTY_DAYS))
    recover_file_times(layout, [DAY[0]])
    for path in paths:
        if path.exists():
            assert began - 1 <= path.stat().st_mtime <= time.time()
    assert layout.models.exists() == tables_stay
    untouched = {path: mtime for path, mtime in before.items() if path not in paths}
    untouched.pop(layout.models, None)
    assert {path: path.stat().st_mtime for path in untouched} == untouched
    assert (layout.day(*DAY) / "part-0.parquet").stat().st_mtime == PAST


def test_times_of_the_past_are_left_alone(layout: Layout) -> None:
    """Nothing is changed where nothing lies ahead, nor where nothing is there."""
    recover_file_times(layout, [DAY[0], "room_climate"])
    paths = [*layout.markers.rglob("*"), *layout.parquet.rglob("*")]
    times = {path.stat().st_mtime for path in paths if path.is_file()}
    assert (times, layout.models.exists()) == ({PAST}, True)


def test_snakemake_s_errors_are_one_line() -> None:
    """What can be told gets what to do. The rest is named as Snakemake's."""
    skew = (
        'WorkflowError in rule load in file "/srv/homeiot/workflow/rules/load.smk", line 9:\n'
        "Output data/markers/a/dt=2026-11-09.json has older modification time (2026-11-25 21:06) "
        "than input data/parquet/a/dt=2026-11-09 (2027-01-15 00:00:00). This could indicate a clock"
    )
    assert explained(skew) == (
        "data/markers/a/dt=2026-11-09.json became older than data/parquet/a/dt=2026-11-09, which "
        "it is made from: the machine's clock was set back during the run; check the clock and "
        "run the same command again"
    )
    assert explained("MissingRuleException:\nNo rule to produce x") == (
        "Snakemake: MissingRuleException: No rule to produce x"
    )
