"""The read copy: what a generation holds, and how long it stays."""

import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from homeiot_batch.config import Settings
from homeiot_batch.database import open_database
from homeiot_batch.datasets import Dataset
from homeiot_batch.days import LocalDay
from homeiot_batch.duckdb_writer import load_day
from homeiot_batch.files import write_json
from homeiot_batch.layout import Layout
from homeiot_batch.parquet_writer import put_in_place, stage_day
from homeiot_batch.read_copy import publish

START = 1794150000 * 10**9
DAY = 86_400 * 10**9
NAME = "raw_meter_readings"


@pytest.fixture
def layout(settings: Settings) -> Layout:
    """The places of the settings."""
    return Layout.of(settings)


@pytest.fixture
def archive(settings: Settings, layout: Layout, dataset: Dataset, batches: Callable[..., list[pa.RecordBatch]]) -> Callable[[int, float], None]:
    """Archives and loads a day of November 2026 with one reading of so many watts at its first instant, and a mart that counts them."""

    def apply(dt: int, watts: float, of: Dataset = dataset) -> None:
        day = LocalDay(date(2026, 11, dt), settings.zone)
        folder = layout.day(NAME, day)
        points = batches([(START + (dt - 9) * DAY, "a", watts, None, None)])
        staged = stage_day(points, of, day, settings, layout.staging, lambda _: {}).folder
        if folder.exists():
            folder.rename(layout.staging / f"old-{watts}")
        put_in_place(staged, folder)
        load_day(settings.duckdb_path, folder, of, day, allow_shrink=False)
        with open_database(settings.duckdb_path) as connection:
            connection.execute(f"CREATE OR REPLACE TABLE fct_sum AS SELECT sum(instant_power_w) AS watts FROM {NAME}")
            connection.execute("CREATE OR REPLACE TABLE work_in_progress AS SELECT 1 AS one")

    return apply


def published(settings: Settings, layout: Layout) -> dict[str, Any]:
    """Publish, and note it as the workflow does."""
    content = publish(settings, layout, wait_s=0)
    write_json(layout.read_marker, content)
    return content


def query(path: Path, *statements: str) -> list[tuple[Any, ...]]:
    """Rows of the last statement."""
    with duckdb.connect(path, read_only=True) as connection:
        return [connection.execute(sql).fetchall() for sql in statements][-1]


def generations(settings: Settings, layout: Layout) -> tuple[set[str], set[str]]:
    """The generations that have a folder, and those that have a file."""
    return {path.name for path in layout.read_folders.iterdir()}, {path.stem for path in settings.read_generations.iterdir()}


def test_a_generation_holds_marts_views_and_a_word_about_itself(settings: Settings, layout: Layout, archive: Callable[[int, float], None]) -> None:
    """Marts are tables, raw tables are views of the same columns with the local date besides, other tables stay out; nobody can write."""
    archive(9, 10.0)
    archive(10, 20.0)
    content = published(settings, layout)
    read = settings.read_copy
    assert read.name == "home.read.duckdb"
    assert query(read, "SELECT table_name, table_type FROM information_schema.tables ORDER BY ALL") == [
        ("fct_sum", "BASE TABLE"),
        ("raw_meter_readings", "VIEW"),
        ("read_copy", "BASE TABLE"),
    ]
    assert query(read, "FROM fct_sum") == [(30.0,)]
    assert query(read, "SELECT * EXCLUDE (dt) FROM raw_meter_readings ORDER BY ALL") == query(
        settings.duckdb_path, "FROM raw_meter_readings ORDER BY ALL"
    )
    assert query(read, "SELECT ts_jst, dt FROM raw_meter_readings ORDER BY ALL") == [(datetime(2026, 11, n), date(2026, 11, n)) for n in (9, 10)]
    assert query(read, "SELECT * EXCLUDE (published_at) FROM read_copy") == [("Asia/Tokyo", NAME, 2, date(2026, 11, 9), date(2026, 11, 10))]
    assert (content["tables"], read.stat().st_mode & 0o777) == ({"fct_sum": 1}, 0o444)


def test_types_are_those_of_the_raw_table(settings: Settings, layout: Layout, archive: Callable[[int, float], None]) -> None:
    """A query written for the one runs on the other."""
    archive(9, 10.0)
    published(settings, layout)
    columns = f"SELECT column_name, column_type FROM (DESCRIBE {NAME})"
    assert query(settings.read_copy, columns) == [*query(settings.duckdb_path, columns), ("dt", "DATE")]


def test_a_generation_does_not_change(settings: Settings, layout: Layout, archive: Callable[[int, float], None]) -> None:
    """Who has it open sees its day as it was when the day is replaced, and others the new one; the former generation is kept for one more."""
    archive(9, 10.0)
    first = published(settings, layout)["generation"]
    everything = f"SELECT instant_power_w, watts FROM {NAME}, fct_sum"
    with duckdb.connect(settings.read_copy, read_only=True) as reader:
        archive(9, 11.0)
        second = published(settings, layout)["generation"]
        assert reader.execute(everything).fetchall() == [(10.0, 10.0)]
    assert query(settings.read_copy, everything) == [(11.0, 11.0)]
    assert generations(settings, layout) == ({first, second}, {first, second})
    third = published(settings, layout)["generation"]
    assert generations(settings, layout) == ({second, third}, {second, third})


def test_a_generation_stays_as_long_as_somebody_has_it_open(settings: Settings, layout: Layout, archive: Callable[[int, float], None]) -> None:
    """A dashboard keeps its connection for days: its generation outlives later ones, which do not; it goes when the dashboard has let go."""
    archive(9, 10.0)
    first = published(settings, layout)["generation"]
    script = (
        f"import duckdb, sys; c = duckdb.connect({str(settings.read_copy)!r}, read_only=True); print('open', flush=True); sys.stdin.readline();"
        f"print(c.execute('SELECT instant_power_w FROM {NAME}').fetchall(), flush=True)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "open\n"
        later = []
        for watts in (11.0, 12.0, 13.0):
            archive(9, watts)
            later.append(published(settings, layout)["generation"])
        kept = {first, *later[-2:]}
        assert generations(settings, layout) == (kept, kept)
        assert reader.communicate("go\n")[0] == "[(10.0,)]\n"
    last = published(settings, layout)["generation"]
    assert generations(settings, layout) == ({later[-1], last}, {later[-1], last})


def test_an_archive_that_readers_see_elsewhere(settings: Settings, layout: Layout, archive: Callable[[int, float], None], tmp_path: Path) -> None:
    """Another container, or a share: the reader says where, and the views follow."""
    archive(9, 10.0)
    published(settings, layout)
    layout.parquet.rename(tmp_path / "it's elsewhere")
    with pytest.raises(duckdb.IOException, match="No files found"):
        query(settings.read_copy, f"FROM {NAME}")
    elsewhere = str(tmp_path / "it's elsewhere").replace("'", "''")
    assert query(settings.read_copy, f"SET VARIABLE parquet = '{elsewhere}'", f"SELECT instant_power_w FROM {NAME}") == [(10.0,)]


def test_a_dataset_without_days_is_an_empty_view(settings: Settings, layout: Layout, dataset: Dataset, archive: Callable[[int, float], None]) -> None:
    """A dashboard that is made for it does not fail before its first day."""
    archive(9, 10.0)
    settings.datasets["later"] = dataset.named("later")
    published(settings, layout)
    assert query(settings.read_copy, "FROM later") == []
    assert query(settings.read_copy, "SELECT column_name FROM (DESCRIBE later)")[-1] == ("dt",)


def test_a_field_that_was_declared_later(settings: Settings, layout: Layout, dataset: Dataset, archive: Callable[..., None]) -> None:
    """Older files do not have it, newer ones do, or none yet: filled as in the raw table."""
    older = dataset.model_copy(update={"fields": {"instant_power_w": "double", "energy_import_kwh": "double"}})
    declared = dataset.model_copy(update={"fields": {**dataset.fields, "voltage_v": "integer"}})
    archive(9, 10.0, older)
    settings.duckdb_path.unlink()
    archive(10, 20.0)
    settings.datasets[NAME] = declared
    published(settings, layout)
    assert query(settings.read_copy, f"SELECT dt, instant_power_w, energy_export_kwh, voltage_v FROM {NAME} ORDER BY dt") == [
        (date(2026, 11, 9), 10.0, 0.0, 0),
        (date(2026, 11, 10), 20.0, 0.0, 0),
    ]
    assert query(settings.read_copy, f"SELECT column_type FROM (DESCRIBE {NAME}) WHERE column_name = 'voltage_v'") == [("BIGINT",)]


def test_a_file_system_without_hard_links(
    settings: Settings, layout: Layout, archive: Callable[[int, float], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The views read the archive itself, and nothing else changes."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    archive(9, 10.0)
    for watts in (10.0, 11.0):
        archive(9, watts)
        published(settings, layout)
        assert query(settings.read_copy, f"SELECT instant_power_w, watts FROM {NAME}, fct_sum") == [(watts, watts)]
    assert (list(layout.read_folders.glob("*")), list(settings.read_generations.iterdir())) == ([], [])


def test_what_a_killed_publication_left_is_removed(settings: Settings, layout: Layout, archive: Callable[[int, float], None]) -> None:
    """Half a folder, half a file, and a copy that was not yet in place."""
    archive(9, 10.0)
    (layout.read_folders / "half" / NAME).mkdir(parents=True)
    settings.read_generations.mkdir()
    (settings.read_generations / "half.duckdb").write_bytes(b"")
    settings.read_copy.with_name(".home.read.duckdb.new").write_bytes(b"half")
    content = published(settings, layout)
    assert generations(settings, layout) == ({content["generation"]}, {content["generation"]})
    assert sorted(path.name for path in settings.read_copy.parent.iterdir()) == [".home.read", "home.duckdb", "home.read.duckdb"]
    assert datetime.fromisoformat(content["published_at"]).tzinfo == UTC
