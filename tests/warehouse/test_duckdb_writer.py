"""Loading a day into DuckDB: delete, insert, record, all in one transaction."""

import os
import struct
import subprocess
import sys
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest

from homeiot_batch.archive import day_file
from homeiot_batch.archive.day_file import Proof
from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.day_record import DayRecord
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.layout import PART
from homeiot_batch.errors import (
    ArchiveDamaged,
    ArchiveError,
    DatabaseDamaged,
    DatabaseError,
    SettingsError,
    ShrinkError,
)
from homeiot_batch.warehouse import comparison, duckdb_writer
from homeiot_batch.warehouse.database import reason_to_rebuild, recorded_build, recorded_loads
from homeiot_batch.warehouse.duckdb_writer import load_day
from tests.staging import stage_day

START = 1794150000 * 10**9
HOUR = 3600 * 10**9
POINTS = [(START, "a", 1.0, 5.0, 7.0), (START + HOUR, "a", 2.0, 6.0, 8.0)]
Batches = Callable[..., list[pa.RecordBatch]]


def rows(
    path: Path, sql: str = "SELECT * EXCLUDE (ingested_at) FROM raw_meter_readings ORDER BY ALL"
) -> list[tuple[Any, ...]]:
    """Rows of a query on the file."""
    with duckdb.connect(path) as connection:
        return connection.execute(sql).fetchall()


@pytest.fixture
def staged(
    tmp_path: Path, settings: Settings, dataset: Dataset, day: LocalDay, batches: Batches
) -> Callable[..., Path]:
    """Stages points of the day. The folder."""
    return lambda *points, of=day: (
        stage_day(batches(list(points)), dataset, of, settings, tmp_path / "staged").folder
    )


def test_loading_again_replaces_the_day_and_no_other(
    settings: Settings, dataset: Dataset, day: LocalDay, staged: Callable[..., Path]
) -> None:
    """Delete, then insert.

    Rows of the day before and after stay, the day's own are those of the last load.
    """
    path = settings.duckdb_path
    before, after = (LocalDay(date(2026, 11, n), day.zone) for n in (8, 10))
    load_day(
        path,
        staged((START - 1, "a", 1.0, None, None), of=before),
        dataset,
        before,
        allow_shrink=False,
    )
    load_day(
        path,
        staged((START + 24 * HOUR, "a", 3.0, None, None), of=after),
        dataset,
        after,
        allow_shrink=False,
    )
    load_day(path, staged((START, "a", 2.0, 5.0, None)), dataset, day, allow_shrink=False)
    again = load_day(
        path,
        staged((START, "a", 2.5, 6.0, None), (START + 24 * HOUR - 1, "b", 7.0, None, 8.0)),
        dataset,
        day,
        allow_shrink=False,
    )
    assert rows(path) == [
        (
            datetime(2026, 11, 8, 14, 59, 59, 999999),
            datetime(2026, 11, 8, 23, 59, 59, 999999),
            "a",
            1.0,
            0.0,
            0.0,
        ),
        (datetime(2026, 11, 8, 15), datetime(2026, 11, 9), "a", 2.5, 6.0, 0.0),
        (
            datetime(2026, 11, 9, 14, 59, 59, 999999),
            datetime(2026, 11, 9, 23, 59, 59, 999999),
            "b",
            7.0,
            0.0,
            8.0,
        ),
        (datetime(2026, 11, 9, 15), datetime(2026, 11, 10), "a", 3.0, 0.0, 0.0),
    ]
    assert recorded_loads(path)["raw_meter_readings", "2026-11-09"] == (again.load_id, again.record)
    assert again.record == DayRecord(
        2, {"instant_power_w": 2, "energy_import_kwh": 1, "energy_export_kwh": 1}
    )


@pytest.mark.parametrize("process_zone", ["UTC", "America/New_York", "Asia/Kathmandu"])
def test_wall_time_does_not_follow_the_process(
    settings: Settings,
    dataset: Dataset,
    day: LocalDay,
    staged: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
    process_zone: str,
) -> None:
    """ts_utc and ts_jst are the same whatever TZ the process and so DuckDB's session has."""
    monkeypatch.setenv("TZ", process_zone)
    load_day(
        settings.duckdb_path,
        staged((START, "a", 2.0, None, None)),
        dataset,
        day,
        allow_shrink=False,
    )
    assert rows(settings.duckdb_path)[0][:2] == (datetime(2026, 11, 8, 15), datetime(2026, 11, 9))


@pytest.mark.parametrize(("dt", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_a_day_on_which_the_clock_changes_is_whole(
    settings: Settings, dataset: Dataset, batches: Batches, tmp_path: Path, dt: str, hours: int
) -> None:
    """In Berlin a reading an hour makes 23 or 25 rows, each with the local date.

    02:30 is missing or there twice.
    """
    berlin = LocalDay(date.fromisoformat(dt), ZoneInfo("Europe/Berlin"))
    points = [
        (time + HOUR // 2, "a", 1.0, None, None)
        for time in range(berlin.start_ns, berlin.end_ns, HOUR)
    ]
    folder = stage_day(
        batches(points),
        dataset,
        berlin,
        settings.model_copy(update={"tz": "Europe/Berlin"}),
        tmp_path,
    ).folder
    load_day(settings.duckdb_path, folder, dataset, berlin, allow_shrink=False)
    found = rows(settings.duckdb_path, "SELECT ts_jst FROM raw_meter_readings ORDER BY ts_utc")
    walls = [wall for (wall,) in found]
    assert len(walls) == hours
    assert {wall.date() for wall in walls} == {berlin.date}
    assert (
        walls.count(datetime(berlin.date.year, berlin.date.month, berlin.date.day, 2, 30))
        == hours - 24 + 1
    )


def test_a_smaller_day_is_refused_and_nothing_changes(
    settings: Settings, dataset: Dataset, day: LocalDay, staged: Callable[..., Path]
) -> None:
    """Fewer rows, or fewer values of one field: both counts are named.

    Allowed, it is loaded and recorded.
    """
    path = settings.duckdb_path
    load_day(
        path,
        staged((START, "a", 2.0, 5.0, None), (START + 1000, "a", 3.0, 6.0, None)),
        dataset,
        day,
        allow_shrink=False,
    )
    kept, loads = rows(path), recorded_loads(path)
    fewer_rows = staged((START, "a", 2.0, 5.0, None))
    fewer_values = staged((START, "a", 2.0, None, 1.0), (START + 1000, "a", 3.0, 6.0, None))
    for folder in (fewer_rows, fewer_values):
        with pytest.raises(
            ShrinkError,
            match=r"would shrink from 2 rows \(instant_power_w 2, energy_import_kwh 2, "
            r"energy_export_kwh 0\) to",
        ):
            load_day(path, folder, dataset, day, allow_shrink=False)
        assert (rows(path), recorded_loads(path)) == (kept, loads)
    load = load_day(path, fewer_rows, dataset, day, allow_shrink=True)
    assert load.marker.to_json()["shrunk_from"] == {
        "rows": 2,
        "values": {"instant_power_w": 2, "energy_import_kwh": 2, "energy_export_kwh": 0},
    }
    assert len(rows(path)) == 1


def test_rows_that_do_not_arrive_undo_the_load(
    settings: Settings,
    dataset: Dataset,
    day: LocalDay,
    staged: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """If the table does not hold the file's rows before the commit, the day stays as it was."""
    path = settings.duckdb_path
    load_day(path, staged((START, "a", 2.0, 5.0, None)), dataset, day, allow_shrink=False)
    kept, loads = rows(path), recorded_loads(path)
    whole = comparison.file_rows

    def lossy(
        connection: duckdb.DuckDBPyConnection, part: Path, dataset: Dataset, day: LocalDay
    ) -> None:
        connection.execute("DELETE FROM raw_meter_readings")
        connection.execute(
            f"INSERT INTO raw_meter_readings {whole(part, dataset, day)} LIMIT 1", [str(part)]
        )

    monkeypatch.setattr(duckdb_writer, "_replace_rows", lossy)
    with pytest.raises(
        DatabaseError,
        match="DuckDB holds 1 rows, 1 of the file's 2 are not there, and nothing is changed; run",
    ):
        load_day(
            path,
            staged((START, "a", 9.0, 5.0, None), (START + 1000, "b", 9.0, 5.0, None)),
            dataset,
            day,
            allow_shrink=False,
        )
    assert (rows(path), recorded_loads(path)) == (kept, loads)


def test_what_was_just_proven_is_not_read_through_again(
    settings: Settings,
    dataset: Dataset,
    day: LocalDay,
    batches: Batches,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A load reads a file page by page only where no proof of it is at hand."""
    staged = stage_day(batches(POINTS), dataset, day, settings, tmp_path / "staged")
    read: list[Path] = []
    monkeypatch.setattr(day_file, "_read_through", lambda part, *_: read.append(part))
    path = settings.duckdb_path
    load_day(path, staged.folder, dataset, day, allow_shrink=False, proof=staged.proof)
    assert (read, len(rows(path))) == ([], 2)
    load_day(path, staged.folder, dataset, day, allow_shrink=False)
    assert read == [staged.folder / PART]


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_proof_holds_for_no_shorter_day(day: LocalDay, hours: int) -> None:
    """The rows lie in the day that was proven, so in a longer one too."""
    hour = timedelta(hours=hours)
    proof = Proof("checksum", day)
    assert proof.holds_for("checksum", day)
    assert not proof.holds_for("another", day)
    assert proof.holds_for("checksum", day.within(day.start - hour, day.end)) == (hours > 0)
    assert proof.holds_for("checksum", day.within(day.start, day.end + hour)) == (hours > 0)


def test_a_file_that_is_changed_after_its_proof_is_proven_again(
    settings: Settings, dataset: Dataset, day: LocalDay, batches: Batches, tmp_path: Path
) -> None:
    """By its content: neither its size nor its times tell, and DuckDB would load the value."""
    plain = settings.model_copy(update={"parquet_compression": "none"})
    staged = stage_day(batches(POINTS), dataset, day, plain, tmp_path / "staged")
    part = staged.folder / PART
    before = part.stat()
    content = part.read_bytes()
    place = content.index(struct.pack("<2d", 5.0, 6.0))  # beside each other in the data alone
    part.write_bytes(content[:place] + b"\x01" + content[place + 1 :])
    os.utime(part, ns=(before.st_atime_ns, before.st_mtime_ns))
    path = settings.duckdb_path
    with pytest.raises(ArchiveDamaged, match="part-0.parquet is damaged"):
        load_day(path, staged.folder, dataset, day, allow_shrink=False, proof=staged.proof)
    assert not path.exists()


ASCENDING = "(0, 'a'), (0, 'b'), (60, 'a'), (60, 'b')"
DUPLICATES = {
    "one meter, ascending": ("(0, 'a'), (60, 'a'), (120, 'a')", 0),
    "two meters, ascending": (ASCENDING, 0),
    "two meters, another order": ("(0, 'b'), (0, 'a'), (60, 'b'), (60, 'a')", 0),
    "descending": ("(120, 'a'), (60, 'a'), (0, 'a')", 0),
    "one after the other": ("(0, 'a'), (0, 'a'), (60, 'a')", 1),
    "three of them": ("(0, 'a'), (0, 'a'), (0, 'a')", 2),
    "apart": ("(0, 'a'), (0, 'b'), (0, 'a'), (0, 'b')", 2),
    "a meter without a name": ("(0, NULL), (60, NULL), (60, NULL)", 1),
    "no rows": ("(86400, 'a'), (86400, 'a')", 0),
}


@pytest.mark.parametrize(("values", "duplicates"), DUPLICATES.values(), ids=DUPLICATES)
def test_readings_of_one_time_and_meter_are_counted(
    settings: Settings, dataset: Dataset, day: LocalDay, values: str, duplicates: int
) -> None:
    """In whatever order the rows are, and of the day alone."""
    start = day.start.replace(tzinfo=None)
    with duckdb.connect() as connection:
        connection.execute(dataset.ddl())
        connection.execute(
            "INSERT INTO raw_meter_readings (ts_utc, source) SELECT ?::TIMESTAMP + to_seconds(s), "
            f"meter FROM (VALUES {values}) AS readings (s, meter)",
            [start],
        )
        assert duckdb_writer._count_duplicates(connection, dataset, day) == duplicates


def test_columns_in_another_order_are_the_same_table(
    settings: Settings, dataset: Dataset, day: LocalDay, batches: Batches, tmp_path: Path
) -> None:
    """Each value goes to the column of its name, whatever the order of fields was or is declared.

    Export and import are both numbers: by position one would become the other.
    """
    path = settings.duckdb_path
    turned = dataset.model_copy(update={"fields": dict(reversed(dataset.fields.items()))})
    for declared, folder in ((dataset, "as before"), (turned, "turned")):
        # the points have the columns of the dataset that they are read for
        points = [batch.select(declared.raw_schema().names) for batch in batches(POINTS)]
        staging = tmp_path / folder
        staged = stage_day(points, declared, day, settings, staging).folder
        for reader in (dataset, turned):
            loaded = load_day(path, staged, reader, day, allow_shrink=False)
            assert loaded.record.rows == 2
            assert reason_to_rebuild(path, [reader]) == ""
            named = "SELECT instant_power_w, energy_import_kwh, energy_export_kwh"
            assert rows(path, f"{named} FROM raw_meter_readings ORDER BY ts_utc") == [
                (1.0, 5.0, 7.0),
                (2.0, 6.0, 8.0),
            ]


def test_a_column_of_another_type_is_another_table(
    settings: Settings, dataset: Dataset, day: LocalDay, staged: Callable[..., Path]
) -> None:
    """In whatever order: the load is refused, and nothing changes."""
    path = settings.duckdb_path
    folder = staged((START, "a", 2.0, 5.0, None))
    load_day(path, folder, dataset, day, allow_shrink=False)
    kept = rows(path, "FROM raw_meter_readings")
    fields = {"energy_export_kwh": "integer", "energy_import_kwh": "double"}
    other = dataset.model_copy(update={"fields": {**fields, "instant_power_w": "double"}})
    with pytest.raises((DatabaseError, SettingsError), match="energy_export_kwh"):
        load_day(path, folder, other, day, allow_shrink=False)
    assert rows(path, "FROM raw_meter_readings") == kept


def test_a_table_of_another_shape_is_refused(
    settings: Settings, dataset: Dataset, day: LocalDay, staged: Callable[..., Path]
) -> None:
    """Columns are compared with the declaration before anything is written."""
    settings.duckdb_path.parent.mkdir()
    with duckdb.connect(settings.duckdb_path) as connection:
        connection.execute("CREATE TABLE raw_meter_readings (ts_utc TIMESTAMP, power DOUBLE)")
    with pytest.raises(DatabaseError, match="has the columns .*declared are"):
        load_day(
            settings.duckdb_path,
            staged((START, "a", 2.0, 5.0, None)),
            dataset,
            day,
            allow_shrink=False,
        )


def test_a_folder_without_its_file_is_refused(
    settings: Settings, dataset: Dataset, day: LocalDay, tmp_path: Path
) -> None:
    """An empty dt= folder is not an empty day."""
    (tmp_path / "dt=2026-11-09").mkdir()
    with pytest.raises(ArchiveError, match="holds no part-0.parquet; remove the folder"):
        load_day(settings.duckdb_path, tmp_path / "dt=2026-11-09", dataset, day, allow_shrink=False)
    assert not settings.duckdb_path.exists()


def test_a_database_that_another_process_holds_is_named(settings: Settings) -> None:
    """The message gives the file and the process, so that it can be closed."""
    settings.duckdb_path.parent.mkdir()
    script = (
        f"import duckdb, sys; c = duckdb.connect({str(settings.duckdb_path)!r}); print('open', "
        "flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"open\n"
        with pytest.raises(DatabaseError, match=rf"is open in another process .*PID {holder.pid}"):
            recorded_loads(settings.duckdb_path)
        holder.communicate()


def test_what_is_no_database_is_named(settings: Settings) -> None:
    """A damaged file is left alone, and told from one that is open elsewhere."""
    settings.duckdb_path.parent.mkdir()
    settings.duckdb_path.write_text("no database" * 2000)
    with pytest.raises(DatabaseDamaged, match=r"home.duckdb is damaged .*not a valid DuckDB"):
        recorded_build(settings.duckdb_path)
    assert settings.duckdb_path.read_text().startswith("no database")
