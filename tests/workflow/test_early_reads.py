"""What a night with a wrong clock archived too early is read again, and nothing is lost.

The source is an export that covers all these days and goes on after them, and whose file has a time
that lies ahead too: nothing of it shows that a day is not over.
"""

import os
from collections.abc import Mapping
from datetime import datetime

import pytest

from tests.house import Checkout, House
from tests.workflow import drills
from tests.workflow.drills import DATASET, DAYS, FIRST, LAST, MIDDLE, UNTIL_LOAD, V1, jobs, span

CHRISTMAS = int(datetime.fromisoformat("2026-12-24T12:00:00+09:00").timestamp())
HEADER = (
    "# INFLUXDB EXPORT: 2026-11-01T00:00:00+09:00 - 2026-12-24T12:00:00+09:00",
    "# DML",
    "# CONTEXT-DATABASE:home_energy",
    "# CONTEXT-RETENTION-POLICY:autogen",
)
LATER = [
    f"power,source=b energy_import_kwh=1 {CHRISTMAS - days * 86_400}000000000" for days in range(5)
]
AHEAD = "now=2099-11-20T00:10:00+09:00"
RIGHT = "now=2026-11-12T00:10:00+09:00"


def feed(house: House, versions: Mapping[str, int]) -> None:
    """The days' readings, in an export that ends after all of them."""
    lines = [line for day, version in versions.items() for line in drills.lines(day, version)]
    os.utime(house.export(*HEADER, *lines, *LATER), (CHRISTMAS + 86_400, CHRISTMAS + 86_400))


def test_a_range_reads_again_what_was_read_too_early(house: House) -> None:
    """The days of the range, each once, with all that the source holds now.

    Then there is nothing to do.
    """
    feed(house, {FIRST: 1})
    assert house.snakemake(*UNTIL_LOAD, *span(FIRST, "2026-11-15", AHEAD)).code == 0
    feed(house, V1)
    again = house.snakemake(*UNTIL_LOAD, *span(MIDDLE, LAST, RIGHT))
    assert (again.code, again.jobs) == (0, jobs("fetch extract load", MIDDLE, LAST)), again.stderr
    assert house.snakemake(*UNTIL_LOAD, *span(MIDDLE, LAST, RIGHT)).jobs == []
    assert [drills.parquet_rows(house, day) for day in DAYS] == [drills.rows(d, 1) for d in DAYS]
    # the others still wait: one of them for a run that asks for it, four for their end
    notes = sorted(path.stem for path in (house.parquet / ".early" / DATASET).glob("*.json"))
    assert notes == [f"dt={day}" for day in (FIRST, *(f"2026-11-{n}" for n in range(12, 16)))]


@pytest.mark.slow
def test_what_the_source_no_longer_has_is_kept(house: House) -> None:
    """The day was read too early, and the source has less of it now.

    It is refused by name, and the archived day stays byte for byte.
    """
    feed(house, {FIRST: 3})
    assert house.snakemake(*UNTIL_LOAD, *span(FIRST, FIRST, AHEAD)).code == 0
    before = house.snapshot()
    feed(house, {FIRST: 1})
    outcome = house.snakemake(*UNTIL_LOAD, *span(FIRST, FIRST, RIGHT))
    assert "would shrink from 5 rows" in drills.said(outcome)
    assert house.snapshot() == before
    assert [row[:1] for row in house.rows()] == [row[:1] for row in drills.rows(FIRST, 3)]


@pytest.mark.slow
def test_a_killed_run_reads_again_only_what_is_left(house: House) -> None:
    """Killed with one day in place and not loaded.

    The next run loads it, and reads only the other one.
    """
    feed(house, {FIRST: 1})
    assert house.snakemake(*UNTIL_LOAD, *span(FIRST, MIDDLE, AHEAD)).code == 0
    feed(house, V1)
    drills.die(house, "extract.renamed", *UNTIL_LOAD, *span(FIRST, FIRST, RIGHT))
    outcome = house.snakemake(*UNTIL_LOAD, *span(FIRST, MIDDLE, RIGHT))
    expected = sorted([*jobs("load", FIRST), *jobs("fetch extract load", MIDDLE)])
    assert (outcome.code, outcome.jobs) == (0, expected), outcome.stderr


@pytest.mark.slow
def test_nights_read_again_what_was_read_too_early(checkout: Checkout) -> None:
    """Each night reads the day that ended.

    A night long after all days that ended since, also when the wrong clock's time has come.
    """
    feed(checkout, {FIRST: 1})
    assert checkout.night("2099-11-20", "--from", FIRST, "--to", "2026-11-15").code == 0
    feed(checkout, V1)
    night = checkout.night("2026-11-10")
    assert (night.code, night.jobs) == (0, jobs("fetch extract load", FIRST, tables=True))
    assert checkout.energy() == drills.energy_rows({FIRST: 1})
    feed(checkout, V1 | {"2026-11-14": 2})
    night = checkout.night("2026-11-30")
    read = [job.split()[-1] for job in night.jobs if job.startswith("fetch")]
    assert (night.code, read) == (0, [f"2026-11-{n}" for n in range(10, 30)])
    energy = [row for row in checkout.energy() if row[-1]]  # without the days that have no readings
    assert energy == drills.energy_rows(V1 | {"2026-11-14": 2})
