"""The comparison of a day's table with its file: which faults one pass over each side finds."""

from collections.abc import Callable
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest

from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.layout import PART
from homeiot_batch.warehouse.comparison import (
    Digest,
    differences,
    file_digest,
    local_time,
    table_day,
)
from homeiot_batch.warehouse.duckdb_writer import load_day
from tests.staging import stage_day

START = 1794150000 * 10**9
MINUTE = 60 * 10**9
NAN = float("nan")
# with a value that is there twice, a zero, a negative zero and one that is no number
POINTS = [
    (START, "a", 1.0, 5.0, 0.0),
    (START + MINUTE, "a", 2.0, 5.0, -0.0),
    (START + 2 * MINUTE, "a", 3.0, 6.0, 7.0),
    (START + 2 * MINUTE, "b", 4.0, 8.0, NAN),
]
FIRST = "ts_utc = (SELECT min(ts_utc) FROM raw_meter_readings)"
SECOND = "instant_power_w = 2.0"
INSERT = "INSERT INTO raw_meter_readings FROM raw_meter_readings WHERE"
SET = "UPDATE raw_meter_readings SET"

TRADE_LAST = (
    f"{SET} energy_export_kwh = CASE instant_power_w WHEN 1.0 THEN 7.0 ELSE 0.0 END "
    "WHERE instant_power_w IN (1.0, 3.0)"
)

# what happens to the table after the load, and how many rows are then in one side alone
FAULTS = {
    "a row is missing": (f"DELETE FROM raw_meter_readings WHERE {FIRST}", (1, 0)),
    "a row is there twice": (f"{INSERT} {FIRST}", (0, 1)),
    "all rows are there twice": (f"{INSERT} true", (0, 4)),
    "a row is missing and another is there twice": (
        f"{INSERT} {SECOND}; DELETE FROM raw_meter_readings WHERE {FIRST}",
        (1, 1),
    ),
    "two rows have traded a value": (f"{SET} instant_power_w = 5.0 - instant_power_w", (4, 4)),
    "two rows have traded their last values": (TRADE_LAST, (2, 2)),
    "two rows have traded their meters": (
        f"{SET} source = CASE source WHEN 'a' THEN 'b' ELSE 'a' END WHERE instant_power_w >= 3.0",
        (2, 2),
    ),
    "two columns have traded their values": (
        f"{SET} energy_import_kwh = energy_export_kwh, energy_export_kwh = energy_import_kwh",
        (4, 4),
    ),
    "NULL in place of 0": (f"{SET} energy_export_kwh = NULL WHERE {FIRST}", (1, 1)),
    "0 in place of NaN": (f"{SET} energy_export_kwh = 0.0 WHERE source = 'b'", (1, 1)),
    "NULL in place of NaN": (f"{SET} energy_export_kwh = NULL WHERE source = 'b'", (1, 1)),
    "NaN in place of 0": (f"{SET} energy_export_kwh = 'nan' WHERE {FIRST}", (1, 1)),
    "the last bit of a value": (
        f"{SET} energy_import_kwh = 5.000000000000001 WHERE {FIRST}",
        (1, 1),
    ),
    "a time is a microsecond later": (
        f"{SET} ts_utc = ts_utc + to_microseconds(1) WHERE {FIRST}",
        (1, 1),
    ),
    "a local time is an hour later": (f"{SET} ts_jst = ts_jst + INTERVAL 1 HOUR", (4, 4)),
    "an empty name in place of the meter's": (f"{SET} source = '' WHERE {FIRST}", (1, 1)),
    "no row is left": ("DELETE FROM raw_meter_readings", (4, 0)),
}

# what changes nothing that DuckDB takes for another value
NO_FAULTS = {
    "nothing": "SELECT 1",
    "another order of the rows": (
        "CREATE TABLE turned AS FROM raw_meter_readings ORDER BY instant_power_w DESC; "
        "DELETE FROM raw_meter_readings; INSERT INTO raw_meter_readings FROM turned"
    ),
    "another order of the columns": (
        "CREATE TABLE turned AS SELECT ingested_at, energy_export_kwh, energy_import_kwh, source, "
        "ts_jst, instant_power_w, ts_utc FROM raw_meter_readings; "
        "DROP TABLE raw_meter_readings; ALTER TABLE turned RENAME TO raw_meter_readings"
    ),
    "0.0 in place of -0.0": f"{SET} energy_export_kwh = 0.0 WHERE {SECOND}",
    "-0.0 in place of 0.0": f"{SET} energy_export_kwh = -0.0::DOUBLE WHERE {FIRST}",
    "another NaN": f"{SET} energy_export_kwh = -('nan'::DOUBLE) WHERE source = 'b'",
    "a row of another day": (
        "INSERT INTO raw_meter_readings SELECT * REPLACE (ts_utc + INTERVAL 1 DAY AS ts_utc) "
        f"FROM raw_meter_readings WHERE {FIRST}"
    ),
}


@pytest.fixture
def part(
    settings: Settings,
    dataset: Dataset,
    day: LocalDay,
    batches: Callable[..., list[pa.RecordBatch]],
    tmp_path: Path,
) -> Path:
    """The file of a day that is loaded."""
    folder = stage_day(batches(POINTS), dataset, day, settings, tmp_path / "staged").folder
    load_day(settings.duckdb_path, folder, dataset, day, allow_shrink=False)
    return folder / PART


def compared(
    database: Path, change: str, part: Path, dataset: Dataset, day: LocalDay
) -> tuple[bool, tuple[int, int]]:
    """After the change: whether both digests are equal, and the rows that are in one side alone."""
    with duckdb.connect(database) as connection:
        connection.execute(change)
        in_table = table_day(connection, dataset, day).digest
        in_file = file_digest(connection, part, dataset, day)
        return in_table == in_file, differences(connection, part, dataset, day)


@pytest.mark.parametrize(("change", "alone"), FAULTS.values(), ids=FAULTS)
def test_each_fault_has_another_digest(
    settings: Settings,
    dataset: Dataset,
    day: LocalDay,
    part: Path,
    change: str,
    alone: tuple[int, int],
) -> None:
    """One value, row or time that differs is found fast, and then explained by row."""
    assert compared(settings.duckdb_path, change, part, dataset, day) == (False, alone)


@pytest.mark.parametrize("change", NO_FAULTS.values(), ids=NO_FAULTS)
def test_equal_rows_have_one_digest(
    settings: Settings, dataset: Dataset, day: LocalDay, part: Path, change: str
) -> None:
    """Neither the order of rows and columns nor the sign of zero counts, as for EXCEPT ALL."""
    assert compared(settings.duckdb_path, change, part, dataset, day) == (True, (0, 0))


def test_trades_between_rows_do_not_cancel_out(
    settings: Settings, dataset: Dataset, day: LocalDay, part: Path
) -> None:
    """Each of both sums tells a trade of the last value by itself, for a thousand pairs of rows."""
    with duckdb.connect(settings.duckdb_path) as connection:
        connection.execute("DELETE FROM raw_meter_readings")
        connection.execute(
            "INSERT INTO raw_meter_readings SELECT ?::TIMESTAMP + to_seconds(i), NULL, 'a', 0.0, "
            "0.0, i % 2, NULL FROM range(2000) AS numbers (i)",
            [day.start.replace(tzinfo=None)],
        )
        before = table_day(connection, dataset, day).digest
        connection.execute(f"{SET} energy_export_kwh = 1.0 - energy_export_kwh")
        after = table_day(connection, dataset, day).digest
    assert before.rows == after.rows == 2000
    assert before.total != after.total
    assert before.xor != after.xor


def test_an_empty_day_has_a_digest(
    settings: Settings,
    dataset: Dataset,
    day: LocalDay,
    batches: Callable[..., list[pa.RecordBatch]],
    tmp_path: Path,
) -> None:
    """No rows are equal to no rows."""
    folder = stage_day([], dataset, day, settings, tmp_path / "staged").folder
    load_day(settings.duckdb_path, folder, dataset, day, allow_shrink=False)
    with duckdb.connect(settings.duckdb_path) as connection:
        assert table_day(connection, dataset, day) == (Digest(0, None, None), *[None] * 4)
        assert file_digest(connection, folder / PART, dataset, day) == Digest(0, None, None)


ZONES = {
    "Asia/Tokyo": "2026-11-09",
    "Asia/Kolkata": "2028-02-29",
    "Australia/Darwin": "2026-12-31",
    "Australia/Lord_Howe": "2026-10-04",
    "America/St_Johns": "2026-03-08",
    "Europe/Berlin": "2026-10-25",
    "Pacific/Chatham": "2026-04-05",
    "America/Havana": "2026-03-08",
}


@pytest.mark.parametrize(("zone", "dt"), ZONES.items())
def test_times_of_the_table_are_those_of_duckdb(zone: str, dt: str) -> None:
    """Computed from the day's changes of clocks, each second has DuckDB's local time."""
    day = LocalDay(date.fromisoformat(dt), ZoneInfo(zone))
    first = day.start_ns // 1000
    seconds = (day.end_ns - day.start_ns) // 10**9
    with duckdb.connect() as connection:
        others = connection.execute(
            f"SELECT count(*) FILTER ({local_time('utc', day)} IS DISTINCT FROM timezone(?, utc)), "
            "count(*) FILTER (make_timestamp(epoch_us(utc)) <> utc AT TIME ZONE 'UTC'), count(*) "
            "FROM (SELECT make_timestamptz(? + i * 1000000 + 1) AS utc FROM range(?) AS n (i))",
            [zone, first, seconds],
        ).fetchall()
    assert others == [(0, 0, seconds)]
