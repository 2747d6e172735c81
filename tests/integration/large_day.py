"""A day of many readings, read twice and loaded; prints the peak of this process's memory in MB.

python -m tests.integration.large_day FOLDER READINGS
"""

import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from homeiot_batch.archive.parquet_writer import rename_durably
from homeiot_batch.archive.shrink_guard import readings_lost
from homeiot_batch.config import load_settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.layout import PART
from homeiot_batch.warehouse.duckdb_writer import load_day
from tests.staging import stage_day

AT_ONCE = 10_000


def batches(dataset: Dataset, day: LocalDay, readings: int, skip: int) -> Iterator[pa.RecordBatch]:
    """Readings of one meter, evenly over the day, without the first `skip`."""
    step = (day.end_ns - day.start_ns) // readings
    numbers = pa.array(range(AT_ONCE))
    source = pa.array(["meter1"] * AT_ONCE)
    for first in range(skip, readings, AT_ONCE):
        here = pc.add(numbers.slice(0, min(AT_ONCE, readings - first)), first)
        times = pc.add(pc.multiply(here, step), day.start_ns)
        values = pc.divide(pc.cast(here, pa.float64()), 1024.0)
        columns = [times, source.slice(0, len(here)), values, values, values]
        yield pa.RecordBatch.from_arrays(columns, schema=dataset.raw_schema())


def main(folder: Path, readings: int) -> None:
    """Stage, load, and compare with a day that lacks the first readings."""
    given = {"parquet_base_dir": folder, "duckdb_path": folder / "home.duckdb", "tz": "Asia/Tokyo"}
    settings = load_settings(given)
    dataset = settings.datasets["raw_meter_readings"]
    day = LocalDay(date(2026, 11, 9), settings.zone)
    place = settings.layout.day(dataset.name, day)
    whole = stage_day(batches(dataset, day, readings, 0), dataset, day, settings, folder)
    rename_durably(whole.folder, place)
    # without the proof: as in a run that did not read the day
    load = load_day(settings.duckdb_path, place, dataset, day, allow_shrink=False)
    assert (load.record.rows, load.duplicates) == (readings, 0)
    less = stage_day(batches(dataset, day, readings, 7), dataset, day, settings, folder / "other")
    assert readings_lost(place / PART, less.folder / PART, dataset) == 7
    status = Path("/proc/self/status").read_text()
    peak = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    print(int(peak.split()[1]) // 1024)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
