"""Houses of small days, archived and marked as a run does it, without a run."""

from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa

from homeiot_batch.archive.day_file import open_day
from homeiot_batch.archive.parquet_writer import rename_durably
from homeiot_batch.archive.shrink_guard import ShrinkGuard
from homeiot_batch.archive.zone_record import record_zone
from homeiot_batch.config import Settings
from homeiot_batch.core.day_record import DayRecord, Marker
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.files import file_stamp, write_json
from homeiot_batch.second_copy.names import Version, checksum
from homeiot_batch.workflow.fetch import fetch_day
from tests.staging import GivenPoints

DATASET = "raw_meter_readings"


def dates(first: date, number: int) -> list[date]:
    """So many days from the first one on."""
    return [first + timedelta(days=k) for k in range(number)]


def archive(
    settings: Settings,
    days: Iterable[date],
    readings: int = 2,
    may_shrink_from: DayRecord | None = None,
) -> None:
    """Archive the days and write their markers. A day that is there is replaced."""
    record_zone(settings.layout, settings.tz)
    for dt in days:
        archive_day(settings, dt, readings, may_shrink_from)
        mark(settings, dt)


def archive_day(
    settings: Settings, dt: date, readings: int, may_shrink_from: DayRecord | None = None
) -> Path:
    """Archive the day with so many readings, the first at its start, the last in its last minute.

    Its folder.
    """
    dataset = settings.datasets[DATASET]
    day = LocalDay(dt, settings.zone)
    step = (day.end - day.start - timedelta(minutes=1)) / max(readings - 1, 1)
    times = [day.start + k * step for k in range(readings)]
    names: list[Any] = dataset.raw_schema().names
    rows = [(int(at.timestamp()) * 10**9, "a", 10.0, 1.0, 0.0) for at in times]
    points = [dict(zip(names, row, strict=True)) for row in rows]
    batch = pa.RecordBatch.from_pylist(points, schema=dataset.raw_schema())
    folder = settings.layout.day(DATASET, dt)
    if folder.exists():
        folder.rename(settings.layout.parquet.parent / f"replaced-{dt}-{readings}")
    known = [may_shrink_from] if may_shrink_from else []
    guard = ShrinkGuard(f"{DATASET} {dt}", known, allow_shrink=True)
    staged = fetch_day(GivenPoints([batch]), dataset, day, guard, settings)
    rename_durably(staged.folder, folder)
    return folder


def mark(settings: Settings, dt: date) -> None:
    """Write the marker of a load of the day."""
    file = open_day(settings.layout.day(DATASET, dt))
    marker = Marker(
        dataset=DATASET,
        dt=str(dt),
        rows=file.record.rows,
        values=file.record.values,
        sha256=file.sha256,
        write_id=file.metadata.write_id,
        file=file_stamp(file.part),
    )
    path = settings.layout.marker(DATASET, dt)
    write_json(path, marker.to_json(), flush=False)


def part(settings: Settings, dt: date) -> Path:
    """The day's archived file."""
    return Path(settings.layout.part_text(DATASET, dt))


def contents(folder: Path, pattern: str = "*/dt=*/*.parquet") -> dict[str, bytes]:
    """Every file of an archive, byte for byte."""
    files = [path for path in sorted(folder.glob(pattern)) if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def files_of(place: Path, dt: date) -> list[Path]:
    """The versions of the day in a copy, ascending."""
    return sorted((place / "days" / DATASET / f"dt={dt}").glob("v*"))


def flip(file: Path, at: int = 100) -> None:
    """Flip a bit of the file. Size and times stay as they are."""
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(content)


def put(place: Path, item: str, number: int, content: bytes, suffix: str = ".json") -> Path:
    """Write a file into a copy whose name has the right size and checksum of any content."""
    name = Version(item, number, len(content), checksum(content), suffix).name
    file = place / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return file
