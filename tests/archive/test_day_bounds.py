"""The bounds of days in an archive that was begun by other zone rules than today's."""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from homeiot_batch.archive.day_bounds import DayBounds, bounded_day
from homeiot_batch.core.days import LocalDay, each_day
from homeiot_batch.core.layout import PART, Layout

DATASET = "raw_meter_readings"
HOUR = timedelta(hours=1)
VANCOUVER = ZoneInfo("America/Vancouver")
TENTH, ELEVENTH = date(2026, 11, 10), date(2026, 11, 11)
Put = Callable[..., Path]


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    """An empty archive."""
    return Layout(
        *(tmp_path / name for name in ("parquet", "markers", "duckdb", "report", "house"))
    )


def write(folder: Path, metadata: object) -> Path:
    """A file without rows that says this of itself."""
    folder.mkdir(parents=True)
    schema = pa.schema([("ts_utc", pa.timestamp("us", "UTC"))])
    with pq.ParquetWriter(folder / PART, schema) as writer:
        writer.add_key_value_metadata({b"homeiot": json.dumps(metadata)})
    return folder / PART


def described(day: LocalDay, **changes: str) -> dict[str, Any]:
    """What the day's file says of itself."""
    return {
        "dt": str(day),
        "tz": day.zone.key,
        "start_utc": day.start.isoformat(),
        "end_utc": day.end.isoformat(),
        **changes,
    }


def put(layout: Layout, *days: LocalDay) -> None:
    """Archive the days."""
    for day in days:
        write(layout.day(DATASET, day), described(day))


def by_former_rules(dt: date, zone: ZoneInfo, shift: timedelta = HOUR) -> LocalDay:
    """The day as it was cut when midnight was later by `shift`."""
    rule = LocalDay(dt, zone)
    return rule.within(rule.start + shift, rule.end + shift)


@pytest.mark.parametrize(
    ("zone", "last", "shift"),
    [
        ("America/Vancouver", "2026-11-10", HOUR),
        ("America/Vancouver", "2027-02-28", HOUR),
        ("America/Edmonton", "2026-12-31", HOUR),
        ("America/Winnipeg", "2028-02-29", HOUR),
        ("Africa/Casablanca", "2026-10-01", -HOUR),
        ("Africa/Casablanca", "2027-02-07", -HOUR),
        ("Africa/Casablanca", "2027-03-14", HOUR),
        ("Europe/Chisinau", "2026-03-29", HOUR),
        ("Australia/Adelaide", "2026-10-04", HOUR),
        ("Australia/Darwin", "2028-02-29", HOUR / 2),
        ("Australia/Lord_Howe", "2026-04-05", -HOUR / 2),
        ("Antarctica/Casey", "2026-12-31", 3 * HOUR),
        ("Asia/Tokyo", "2026-04-30", -HOUR),
    ],
)
def test_an_archive_goes_on_by_other_rules(
    zone: str, last: str, shift: timedelta, layout: Layout
) -> None:
    """Each instant lies in one day: the archived ones keep their bounds, the next one fits."""
    house, seam = ZoneInfo(zone), date.fromisoformat(last)
    old = [by_former_rules(seam - timedelta(days=n), house, shift) for n in (2, 1, 0)]
    put(layout, *old)
    bounds = DayBounds(layout, DATASET, house)
    days = [bounds.day(dt) for dt in each_day(seam - timedelta(days=2), seam + timedelta(days=3))]
    assert days[:3] == old
    assert days[3] == LocalDay(days[3].date, house, old[-1].end, None)
    assert days[4:] == [LocalDay(day.date, house) for day in days[4:]]
    assert all(one.end == other.start for one, other in pairwise(days))
    assert [bounds.hole_before(day.date) + bounds.overlap_before(day.date) for day in days] == (
        [""] * len(days)
    )


def test_days_before_and_between_archived_ones(layout: Layout) -> None:
    """A missed day between two, or before the first, ends where the next archived one begins."""
    put(layout, *(by_former_rules(dt, VANCOUVER) for dt in (TENTH, date(2026, 11, 12))))
    nine, eleven = (bounded_day(layout, DATASET, date(2026, 11, n), VANCOUVER) for n in (9, 11))
    assert (f"{nine.start:%d %H}", f"{nine.end:%d %H}") == ("09 07", "10 08")
    assert eleven == by_former_rules(ELEVENTH, VANCOUVER)


def test_days_by_the_rules_are_as_they_were(layout: Layout) -> None:
    """In an archive whose days are all by the rules, a day is its date and zone, no more."""
    days = [LocalDay(date(2026, 11, n), VANCOUVER) for n in (9, 10, 11)]
    put(layout, *days)
    bounds = DayBounds(layout, DATASET, VANCOUVER)
    assert [bounds.day(date(2026, 11, n)) for n in (9, 10, 11, 12)] == [
        *days,
        LocalDay(date(2026, 11, 12), VANCOUVER),
    ]
    assert bounds.end_of_share(days[0]) == days[0].end


def test_a_step_over_the_date_line(layout: Layout) -> None:
    """Samoa left 30 December 2011 out. Where it was archived all the same, the 31st is empty."""
    apia = ZoneInfo("Pacific/Apia")
    thirtieth = LocalDay(date(2011, 12, 30), apia)
    put(layout, thirtieth.within(thirtieth.start, thirtieth.end + timedelta(days=1)))
    days = [bounded_day(layout, DATASET, date(2011, 12, n), apia) for n in (30, 31)]
    end = datetime(2011, 12, 31, 10, tzinfo=UTC)
    assert [(day.start, day.end) for day in days] == [(thirtieth.start, end), (end, end)]


def test_a_hole_belongs_to_the_day_after_it(layout: Layout) -> None:
    """What no file holds is asked for with the later day, and named."""
    late = LocalDay(ELEVENTH, VANCOUVER)
    put(layout, LocalDay(TENTH, VANCOUVER), late.within(late.start + HOUR, late.end))
    bounds = DayBounds(layout, DATASET, VANCOUVER)
    assert [bounds.day(dt) for dt in (TENTH, ELEVENTH)] == [LocalDay(TENTH, VANCOUVER), late]
    assert (bounds.hole_before(ELEVENTH), bounds.overlap_before(ELEVENTH)) == (
        "no file holds 2026-11-11 07:00 to 2026-11-11 08:00 UTC, between 2026-11-10 and 2026-11-11",
        "",
    )


def test_of_an_overlap_the_later_day_counts(layout: Layout) -> None:
    """Both files keep their bounds. The earlier one's rows are loaded up to the later one's."""
    early, late = by_former_rules(TENTH, VANCOUVER), LocalDay(ELEVENTH, VANCOUVER)
    put(layout, early, late)
    bounds = DayBounds(layout, DATASET, VANCOUVER)
    assert [bounds.day(dt) for dt in (TENTH, ELEVENTH)] == [early, late]
    assert [bounds.end_of_share(day) for day in (early, late)] == [late.start, late.end]
    assert (bounds.hole_before(ELEVENTH), bounds.overlap_before(ELEVENTH)) == (
        "",
        "the files of 2026-11-10 and 2026-11-11 both hold 2026-11-11 07:00 to 2026-11-11 08:00 UTC",
    )


def test_a_day_that_is_just_being_put_in_place(layout: Layout) -> None:
    """While another job replaces the day before, its bounds are those of the staged one."""
    old = by_former_rules(TENTH, VANCOUVER)
    write(layout.staged(DATASET, TENTH), described(old))
    assert bounded_day(layout, DATASET, ELEVENTH, VANCOUVER).start == old.end


OLD = by_former_rules(TENTH, VANCOUVER)


@pytest.mark.parametrize(
    "metadata",
    [
        described(OLD, dt="2026-11-09"),
        described(OLD, tz="America/Los_Angeles"),
        described(OLD, start_utc="2026-11-10T08:00:00"),
        described(OLD, end_utc="2026-11-10T07:59:00+00:00"),
        described(OLD, end_utc="2026-11-12T07:00:01+00:00"),
        described(OLD, start_utc="2026-11-09T06:59:59+00:00"),
        described(OLD, end_utc="soon"),
        {"dt": "2026-11-10", "tz": "America/Vancouver"},
        ["2026-11-10"],
        "text",
    ],
)
def test_bounds_that_cannot_be_the_day_s(metadata: object, layout: Layout) -> None:
    """A file of another day or zone, or one with other values, says nothing: the rules do."""
    write(layout.day(DATASET, TENTH), metadata)
    found = [bounded_day(layout, DATASET, dt, VANCOUVER) for dt in (TENTH, ELEVENTH)]
    assert found == [LocalDay(dt, VANCOUVER) for dt in (TENTH, ELEVENTH)]


def test_a_damaged_file_between_two(layout: Layout) -> None:
    """A day whose file cannot be read is read again between its neighbours' bounds."""
    put(layout, *(by_former_rules(date(2026, 11, n), VANCOUVER) for n in (9, 10, 11)))
    (layout.day(DATASET, TENTH) / PART).write_bytes(b"PAR1")
    assert bounded_day(layout, DATASET, TENTH, VANCOUVER) == OLD
