"""Days that were read before they were over.

What finds them, and what status, verify and doctor say.
"""

import json
from collections.abc import Callable
from datetime import UTC, date, datetime

import pytest

from homeiot_batch.archive.day_file import read_metadata
from homeiot_batch.archive.early_reads import (
    EarlyRead,
    days_to_read_again,
    drop_old_notes,
    early_reads,
    note_early_reads,
)
from homeiot_batch.commands.status import archive_status
from homeiot_batch.commands.verify import judge_days
from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.files import write_json
from homeiot_batch.core.inventory import noted_days
from homeiot_batch.core.layout import PART, Layout
from homeiot_batch.core.marker_cache import MarkerCache
from homeiot_batch.doctor.archive import check_archive
from homeiot_batch.doctor.finding import Finding, problem, warning
from homeiot_batch.warehouse.duckdb_writer import load_day
from homeiot_batch.workflow.rereads import find_early_reads
from homeiot_batch.workflow.scope import open_scope

DATASET = "raw_meter_readings"
Archive = Callable[..., str]
# the settings' now is 24 November 2026, 0:10 in Japan
AHEAD = datetime(2099, 1, 3, 15, 10, tzinfo=UTC)


@pytest.fixture
def archive(
    settings: Settings,
    layout: Layout,
    dataset: Dataset,
    put_day: Callable[..., None],
) -> Archive:
    """Archives and loads a day, read at `read_at`, with `rows` readings a minute apart.

    Gives its write_id.
    """

    def make(dt: str, read_at: datetime, rows: int = 0, *, load: bool = True) -> str:
        day = LocalDay(date.fromisoformat(dt), settings.zone)
        times = [day.start_ns + n * 60 * 10**9 for n in range(rows)]
        points = [(time, "a", 1.0, None, None) for time in times]
        then = settings.model_copy(update={"now": read_at})
        folder = layout.day(DATASET, dt)
        put_day(points, day, then, folder)
        if load:
            loaded = load_day(settings.duckdb_path, folder, dataset, day, False)
            # the clock of then is the clock that loads too
            marker = loaded.marker.to_json() | {"loaded_at": read_at.isoformat()}
            write_json(layout.marker(DATASET, dt), marker)
        metadata = read_metadata(folder)
        return str(metadata and metadata.write_id)

    return make


def at(text: str) -> datetime:
    """An instant of the house, UTC."""
    return datetime.fromisoformat(f"{text}+09:00").astimezone(UTC)


def early(settings: Settings, dt: str, read_at: datetime, write_id: str, over: bool) -> EarlyRead:
    """What is found of the day."""
    return EarlyRead(
        DATASET, LocalDay(date.fromisoformat(dt), settings.zone), read_at, write_id, over
    )


@pytest.mark.parametrize("marker", ["of today", "of an earlier commit", "none"])
def test_a_day_tells_when_it_was_read(
    settings: Settings, layout: Layout, archive: Archive, marker: str
) -> None:
    """Before its end, or by a clock that was ahead: early. At its end or later: not, to the second.

    By marker or file alone.
    """
    archive("2026-11-18", at("2026-11-19T00:00:00"))
    before = archive("2026-11-19", at("2026-11-19T23:59:59"))
    archive("2026-11-20", at("2026-11-23T12:00:00"))
    ahead = archive("2026-11-21", AHEAD, 10)
    archive("2026-11-22", at("2026-11-24T00:10:00"))  # just now
    not_over = archive("2026-11-24", AHEAD)
    for path in (layout.markers / DATASET).glob("*.json"):
        if marker == "none":
            path.unlink()
        elif marker == "of an earlier commit":
            write_json(
                path, {k: v for k, v in json.loads(path.read_text()).items() if k != "read_at"}
            )
    found = early_reads(MarkerCache(layout), settings, DATASET)
    assert found == [
        early(settings, "2026-11-19", at("2026-11-19T23:59:59"), before, True),
        early(settings, "2026-11-21", AHEAD, ahead, True),
        early(settings, "2026-11-24", AHEAD, not_over, False),
    ]
    assert [str(read) for read in found[:2]] == [
        "it was read at 2026-11-19 23:59:59, before it was over",
        "it was read by a clock that was ahead and said 2099-01-04 00:10:00",
    ]
    assert days_to_read_again(MarkerCache(layout), settings, DATASET) == {
        date(2026, 11, 19),
        date(2026, 11, 21),
    }


def test_a_note_outlives_the_time_that_the_file_tells(
    settings: Settings, layout: Layout, archive: Archive
) -> None:
    """When the wrong clock's time has come the file looks right, and the note still holds.

    It goes when the day was read again.
    """
    archive("2026-11-20", AHEAD)
    archive("2026-12-01", AHEAD)
    find_early_reads(settings, MarkerCache(layout))
    later = settings.model_copy(update={"now": at("2099-02-01T00:10:00")})
    assert days_to_read_again(MarkerCache(layout), later, DATASET) == {
        date(2026, 11, 20),
        date(2026, 12, 1),
    }
    layout.day(DATASET, "2026-11-20").rename(layout.parquet / "backup")
    archive("2026-11-20", at("2099-01-31T23:00:00"), 5)
    assert days_to_read_again(MarkerCache(layout), later, DATASET) == {date(2026, 12, 1)}
    drop_old_notes(layout, [DATASET])
    assert noted_days(layout, DATASET) == [date(2026, 12, 1)]
    assert days_to_read_again(MarkerCache(layout), later, DATASET) == {date(2026, 12, 1)}


def test_a_note_leaves_the_archived_file_as_it_is(
    settings: Settings, layout: Layout, archive: Archive
) -> None:
    """Byte for byte, with its times. Only the folder's time is set back."""
    archive("2026-11-20", AHEAD, 3)
    folder = layout.day(DATASET, "2026-11-20")
    part = folder / PART
    before = (part.read_bytes(), part.stat().st_mtime_ns)
    note_early_reads(layout, early_reads(MarkerCache(layout), settings, DATASET))
    assert (part.read_bytes(), part.stat().st_mtime_ns) == before
    assert folder.stat().st_mtime == 1


def test_an_archive_that_begins_with_a_day_ahead(
    settings: Settings, layout: Layout, archive: Archive
) -> None:
    """The first night of all had the wrong clock.

    A run takes yesterday, and is not refused until that day has come.
    """
    archive("2099-01-03", AHEAD)
    assert open_scope(settings, layout).range == {DATASET: [date(2026, 11, 23)]}


def test_status_verify_and_doctor_say_so(
    settings: Settings, layout: Layout, archive: Archive
) -> None:
    """A day that is over is missing, one that is not over yet is named.

    Whole rows, and neither is changed.
    """
    archive("2026-11-22", at("2026-11-23T00:10:00"), 1440)
    archive("2026-11-23", AHEAD, 10)
    for dt in ("2026-11-24", "2026-11-25"):
        archive(dt, AHEAD)
    kinds = [(str(day.dt), day.kind, day.is_missing) for day in archive_status(settings, layout)]
    assert kinds == [
        ("2026-11-22", "whole", False),
        ("2026-11-23", "read early", True),
        ("2026-11-24", "not over", False),
        ("2026-11-25", "not over", False),
    ]
    clock = "it was read by a clock that was ahead and said 2099-01-04 00:10:00"
    export = settings.model_copy(update={"influx_url": "/no/export"})
    verdicts = [(str(v.dt), v.problems, v.notes) for v in judge_days(export, layout, None, None)]
    assert verdicts == [
        ("2026-11-22", [], []),
        ("2026-11-23", [f"{clock}; the nightly run reads it again"], []),
        ("2026-11-24", [], [f"the day is not over yet: {clock}"]),
        ("2026-11-25", [], [f"the day is not over yet: {clock}"]),
    ]
    found = [f for f in check_archive(settings, layout) if f.name.startswith(f"{DATASET} clock")]
    assert found == [
        problem(
            f"{DATASET} clock",
            "read before they were over, by a wrong clock (1): 2026-11-23",
            "python -m homeiot_batch.run_archive reads them again",
        ),
        warning(
            f"{DATASET} clock ahead",
            "archived, but not over yet (2): 2026-11-24 to 2026-11-25",
            "see whether this machine's clock is behind. If it was ahead when they were read, "
            "each is read again when it is over",
        ),
    ]
    days = next(f for f in check_archive(settings, layout) if f.name == DATASET)
    assert days == Finding(DATASET, "ok", "4 days, 2026-11-22 to 2026-11-25")
