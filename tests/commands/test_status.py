"""What the archive holds, day by day."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import date

import pytest

from homeiot_batch.commands.status import DayStatus, archive_status, folded
from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.files import write_json
from homeiot_batch.core.layout import Layout

MINUTE = 60 * 10**9
Archive = Callable[..., int]


@pytest.fixture
def archive(
    settings: Settings,
    layout: Layout,
    dataset: Dataset,
    put_day: Callable[..., None],
) -> Archive:
    """Archives a day of November 2026, and returns its size in bytes.

    Each source has a reading every ten minutes, but for a span of them.
    """

    def make(dt: int, sources: str, skip: range = range(0), *, load: bool = True) -> int:
        day = LocalDay(date(2026, 11, dt), settings.zone)
        slots = [slot for slot in range(144) if slot not in skip]
        points = [
            (day.start_ns + slot * 10 * MINUTE, source, 1.0, None, None)
            for slot in slots
            for source in sources
        ]
        folder = layout.day(dataset.name, day)
        put_day(points, day, settings, folder)
        if load:
            write_json(layout.marker(dataset.name, day), {})
        return (folder / "part-0.parquet").stat().st_size

    return make


def test_every_day_from_the_first_to_yesterday_is_judged(
    settings: Settings, layout: Layout, archive: Archive
) -> None:
    """Whole, partial with its longest gap, without one of its sources, empty, not loaded, missing.

    Whole rows.
    """
    sizes = [
        archive(17, "ab"),
        archive(18, "ab", range(30, 60)),
        archive(19, "a"),
        archive(20, ""),
        archive(21, "ab", load=False),
    ]
    name = "raw_meter_readings"
    assert list(archive_status(settings, layout)) == [
        DayStatus(name, date(2026, 11, 17), True, True, 288, 1.0, 600.0, sizes[0]),
        DayStatus(name, date(2026, 11, 18), True, True, 228, 228 / 288, 31 * 600.0, sizes[1]),
        DayStatus(name, date(2026, 11, 19), True, True, 144, 0.5, 600.0, sizes[2]),
        DayStatus(name, date(2026, 11, 20), True, True, 0, None, None, sizes[3]),
        DayStatus(name, date(2026, 11, 21), True, False, 288, 1.0, 600.0, sizes[4]),
        DayStatus(name, date(2026, 11, 22), False, False),
        DayStatus(name, date(2026, 11, 23), False, False),
    ]
    kinds = [
        (first.dt.day, last.dt.day, first.kind, rows)
        for first, last, rows, _ in folded(archive_status(settings, layout))
    ]
    assert kinds == [
        (17, 17, "whole", 288),
        (18, 18, "partial", 228),
        (19, 19, "partial", 144),
        (20, 20, "empty", 0),
        (21, 21, "not loaded", 288),
        (22, 23, "missing", 0),
    ]


def test_a_new_source_does_not_make_the_days_before_it_partial(
    settings: Settings, layout: Layout, archive: Archive
) -> None:
    """A second meter counts from its first day on."""
    archive(22, "a")
    archive(23, "ab")
    assert [(day.kind, day.share) for day in archive_status(settings, layout)] == [
        ("whole", 1.0),
        ("whole", 1.0),
    ]


def test_the_exit_code_says_whether_a_day_is_missing(settings: Settings, archive: Archive) -> None:
    """0 and JSON for an archive that is complete up to yesterday, 1 if a day is not loaded."""
    archive(23, "a")
    places = {
        "PARQUET_BASE_DIR": str(settings.parquet_base_dir),
        "MARKER_DIR": str(settings.marker_dir),
    }
    command = [
        sys.executable,
        "-m",
        "homeiot_batch",
        "status",
        "--config",
        "now=2026-11-24T08:00:00+09:00",
    ]
    whole = subprocess.run(
        [*command, "--json"], env=os.environ | places, text=True, capture_output=True, check=False
    )
    assert (
        whole.returncode,
        [(day["dt"], day["kind"], day["rows"]) for day in json.loads(whole.stdout)],
    ) == (0, [("2026-11-23", "whole", 144)])
    (settings.marker_dir / "raw_meter_readings/dt=2026-11-23.json").unlink()
    short = subprocess.run(
        command, env=os.environ | places, text=True, capture_output=True, check=False
    )
    assert (short.returncode, short.stdout.splitlines()[-1]) == (
        1,
        "1 days, 1 missing; python -m homeiot_batch.run_archive brings them in",
    )


def test_a_hollow_day_is_missing_and_a_damaged_one_is_named(
    settings: Settings, layout: Layout, archive: Archive
) -> None:
    """A folder without its file, as a kill leaves it, and a file that is cut short.

    Told apart, the other days are measured.
    """
    sizes = [archive(dt, "ab") for dt in (20, 21, 22, 23)]
    (layout.day("raw_meter_readings", "2026-11-21") / "part-0.parquet").unlink()
    part = layout.day("raw_meter_readings", "2026-11-22") / "part-0.parquet"
    part.write_bytes(part.read_bytes()[:-20])
    name = "raw_meter_readings"
    assert list(archive_status(settings, layout)) == [
        DayStatus(name, date(2026, 11, 20), True, True, 288, 1.0, 600.0, sizes[0]),
        DayStatus(name, date(2026, 11, 21), False, True),
        DayStatus(name, date(2026, 11, 22), True, True, 0, None, None, sizes[2] - 20, True),
        DayStatus(name, date(2026, 11, 23), True, True, 288, 1.0, 600.0, sizes[3]),
    ]
    assert [first.kind for first, *_ in folded(archive_status(settings, layout))] == [
        "whole",
        "missing",
        "damaged",
        "whole",
    ]


def test_a_tag_that_was_declared_later(
    settings: Settings, layout: Layout, archive: Archive, dataset: Dataset
) -> None:
    """Older files do not have it: their readings count as those of the points without it."""
    archive(23, "a")
    later = settings.model_copy(
        update={
            "datasets": {
                dataset.name: dataset.model_copy(update={"tags": dataset.tags | {"phase": "L1"}})
            }
        }
    )
    assert [(day.kind, day.rows) for day in archive_status(later, layout)] == [("whole", 144)]


def test_the_first_days_are_missed(settings: Settings, layout: Layout, archive: Archive) -> None:
    """A day that has only a marker, valid or stale, is missing."""
    archive(23, "a")
    for path in (
        layout.marker("raw_meter_readings", "2026-11-22"),
        layout.former_marker("raw_meter_readings", "2026-11-21"),
    ):
        write_json(path, {})
    assert [(day.dt.day, day.kind) for day in archive_status(settings, layout)] == [
        (21, "missing"),
        (22, "missing"),
        (23, "whole"),
    ]
