"""The read copy: what a generation holds, and how long it stays."""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from homeiot_batch.archive.parquet_writer import rename_durably
from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.files import read_json, write_json
from homeiot_batch.core.layout import Layout
from homeiot_batch.errors import DatabaseError
from homeiot_batch.warehouse.database import open_database, record_build
from homeiot_batch.warehouse.duckdb_writer import load_day
from homeiot_batch.warehouse.read_copy import STAMP, _raw, is_published, publish
from tests.staging import stage_day

START = 1794150000 * 10**9
DAY = 86_400 * 10**9
NAME = "raw_meter_readings"


@pytest.fixture
def archive(
    settings: Settings,
    layout: Layout,
    dataset: Dataset,
    batches: Callable[..., list[pa.RecordBatch]],
) -> Callable[[int, float], None]:
    """Archives and loads a day of November 2026 with one reading of so many watts.

    It is at the day's first instant. A mart counts the readings.
    """

    def apply(
        dt: int, watts: float, of: Dataset = dataset, exported_kwh: float | None = None
    ) -> None:
        day = LocalDay(date(2026, 11, dt), settings.zone)
        folder = layout.day(NAME, day)
        points = batches([(START + (dt - 9) * DAY, "a", watts, None, exported_kwh)])
        staged = stage_day(points, of, day, settings, layout.staging / "tmp-test").folder
        if folder.exists():
            folder.rename(layout.staging / f"old-{watts}")
        rename_durably(staged, folder)
        load_day(settings.duckdb_path, folder, of, day, allow_shrink=False)
        with open_database(settings.duckdb_path) as connection:
            connection.execute(
                f"CREATE OR REPLACE TABLE fct_sum AS SELECT sum(instant_power_w) AS watts FROM "
                f"{NAME}"
            )
            connection.execute("CREATE OR REPLACE TABLE work_in_progress AS SELECT 1 AS one")
        write_json(layout.models, record_build(settings.duckdb_path))

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
    """The database's generations that have a folder, and those that have a file."""
    [folders] = layout.read_folders.glob(f"{settings.duckdb_path.name}-*")
    return {path.name for path in folders.iterdir()}, {
        path.stem for path in settings.layout.read_generations.iterdir()
    }


def aged(settings: Settings, layout: Layout, generation: str, **age: int) -> str:
    """The name of the generation once it is made so much older than it is."""
    [folder] = layout.read_folders.glob(f"*/{generation}")
    older = f"{datetime.now(UTC) - timedelta(**age):{STAMP}}-{generation.rpartition('-')[2]}"
    folder.rename(folder.with_name(older))
    (settings.layout.read_generations / f"{generation}.duckdb").rename(
        settings.layout.read_generations / f"{older}.duckdb"
    )
    return older


def beside(settings: Settings, path: str) -> Settings:
    """The same settings with another database, and markers of its own. The archive is the same."""
    database = settings.duckdb_path.parent / path
    return settings.model_copy(
        update={
            "duckdb_path": database,
            "marker_dir": database.with_name(f"{database.name}.markers"),
        }
    )


def test_a_generation_holds_marts_views_and_a_word_about_itself(
    settings: Settings, layout: Layout, archive: Callable[[int, float], None]
) -> None:
    """Marts are tables, raw tables are views with the local date, other tables stay out.

    Nobody can write.
    """
    archive(9, 10.0)
    archive(10, 20.0)
    content = published(settings, layout)
    read = settings.layout.read_copy
    assert read.name == "home.read.duckdb"
    assert query(
        read, "SELECT table_name, table_type FROM information_schema.tables ORDER BY ALL"
    ) == [
        ("fct_sum", "BASE TABLE"),
        ("raw_meter_readings", "VIEW"),
        ("read_copy", "BASE TABLE"),
    ]
    assert query(read, "FROM fct_sum") == [(30.0,)]
    assert query(read, "SELECT * EXCLUDE (dt) FROM raw_meter_readings ORDER BY ALL") == query(
        settings.duckdb_path, "FROM raw_meter_readings ORDER BY ALL"
    )
    assert query(read, "SELECT ts_jst, dt FROM raw_meter_readings ORDER BY ALL") == [
        (datetime(2026, 11, n), date(2026, 11, n)) for n in (9, 10)
    ]
    assert query(read, "SELECT * EXCLUDE (published_at) FROM read_copy") == [
        ("Asia/Tokyo", NAME, 2, date(2026, 11, 9), date(2026, 11, 10))
    ]
    assert (content["tables"], read.stat().st_mode & 0o777) == ({"fct_sum": 1}, 0o444)


def test_types_are_those_of_the_raw_table(
    settings: Settings, layout: Layout, archive: Callable[[int, float], None]
) -> None:
    """A query written for the one runs on the other."""
    archive(9, 10.0)
    published(settings, layout)
    columns = f"SELECT column_name, column_type FROM (DESCRIBE {NAME})"
    assert query(settings.layout.read_copy, columns) == [
        *query(settings.duckdb_path, columns),
        ("dt", "DATE"),
    ]


def test_a_generation_does_not_change(
    settings: Settings, layout: Layout, archive: Callable[[int, float], None]
) -> None:
    """Who has it open sees its day as it was when the day is replaced, and others the new one."""
    archive(9, 10.0)
    published(settings, layout)
    everything = f"SELECT instant_power_w, watts FROM {NAME}, fct_sum"
    with duckdb.connect(settings.layout.read_copy, read_only=True) as reader:
        archive(9, 11.0)
        published(settings, layout)
        assert reader.execute(everything).fetchall() == [(10.0, 10.0)]
    assert query(settings.layout.read_copy, everything) == [(11.0, 11.0)]


def test_the_newest_and_the_young_generations_stay(
    settings: Settings, layout: Layout, archive: Callable[[int, float], None]
) -> None:
    """By their names: three, and all of three days.

    Nobody has them open, and Snakemake deletes the marker before it publishes.
    """
    archive(9, 10.0)
    first, second, third = (published(settings, layout)["generation"] for _ in range(3))
    first, second = (
        aged(settings, layout, first, days=3, minutes=1),
        aged(settings, layout, second, days=2, hours=23),
    )
    layout.read_marker.unlink()
    fourth, fifth = (published(settings, layout)["generation"] for _ in range(2))
    kept = {second, third, fourth, fifth}
    assert generations(settings, layout) == (kept, kept)
    second, third, fourth = (
        aged(settings, layout, name, days=10 - n) for n, name in enumerate([second, third, fourth])
    )
    kept = {fourth, fifth, published(settings, layout)["generation"]}
    assert generations(settings, layout) == (kept, kept)


def test_names_that_are_no_generation_are_left_alone(
    settings: Settings, layout: Layout, archive: Callable[[int, float], None]
) -> None:
    """What somebody else put there has no age."""
    archive(9, 10.0)
    published(settings, layout)
    [folders] = layout.read_folders.iterdir()
    for name in ("notes", "20261301T000000000000Z-0", "-"):
        (folders / name).mkdir()
    (settings.layout.read_generations / "mine.duckdb").write_text("")
    assert query(settings.layout.read_copy, f"SELECT instant_power_w FROM {NAME}") == [(10.0,)]
    for _ in range(4):
        published(settings, layout)
    assert {"notes", "20261301T000000000000Z-0", "-"} <= generations(settings, layout)[0]
    assert "mine" in generations(settings, layout)[1]


def test_a_generation_stays_as_long_as_somebody_has_it_open(
    settings: Settings, layout: Layout, archive: Callable[[int, float], None]
) -> None:
    """A dashboard keeps its connection for weeks: its generation outlives later ones, which do not.

    It goes when the dashboard has let go.
    """
    archive(9, 10.0)
    first = published(settings, layout)["generation"]
    script = (
        f"import duckdb, sys; c = duckdb.connect({str(layout.read_copy)!r}, read_only=True); "
        "print('open', flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "open\n"
        second = aged(settings, layout, published(settings, layout)["generation"], days=20)
        first = aged(settings, layout, first, days=30)
        later = {published(settings, layout)["generation"] for _ in range(3)}
        assert second not in later
        assert generations(settings, layout) == ({first, *later}, {first, *later})
        reader.communicate("go\n")
    later.add(published(settings, layout)["generation"])
    assert generations(settings, layout) == (later, later)


@pytest.mark.parametrize("other", ["home.db", "other/home.duckdb", "second.duckdb"])
def test_two_databases_on_one_archive(
    other: str,
    settings: Settings,
    layout: Layout,
    archive: Callable[[int, float], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Neither touches the other's generations, whatever they are called.

    However often one publishes, readers of both see their own.
    """
    monkeypatch.setattr("homeiot_batch.warehouse.read_copy.KEPT_FOR", timedelta(0))
    archive(9, 10.0)
    others = beside(settings, other)
    others.duckdb_path.parent.mkdir(exist_ok=True)
    others.duckdb_path.write_bytes(settings.duckdb_path.read_bytes())
    places = [(settings, layout), (others, others.layout)]
    write_json(places[1][1].models, read_json(layout.models) or {})
    kept = [
        {published(*place)["generation"] for _ in range(times)}
        for place, times in zip(places, (1, 4), strict=True)
    ]
    assert {path.name for path in layout.read_folders.glob("*/*")} == kept[0] | set(
        sorted(kept[1])[-3:]
    )
    assert {path.stem for path in settings.layout.read_generations.iterdir()} == kept[0]
    for place in places:
        assert query(
            place[0].layout.read_copy, f"SELECT instant_power_w, watts FROM {NAME}, fct_sum"
        ) == [(10.0, 10.0)]
        assert is_published(*place, read_json(place[1].read_marker))


def test_an_archive_that_readers_see_elsewhere(
    settings: Settings, layout: Layout, archive: Callable[[int, float], None], tmp_path: Path
) -> None:
    """Another container, or a share: the reader says where, and the views follow."""
    archive(9, 10.0)
    published(settings, layout)
    layout.parquet.rename(tmp_path / "it's elsewhere")
    with pytest.raises(duckdb.IOException, match="No files found"):
        query(settings.layout.read_copy, f"FROM {NAME}")
    elsewhere = str(tmp_path / "it's elsewhere").replace("'", "''")
    assert query(
        settings.layout.read_copy,
        f"SET VARIABLE parquet = '{elsewhere}'",
        f"SELECT instant_power_w FROM {NAME}",
    ) == [(10.0,)]


def test_a_dataset_without_days_is_an_empty_view(
    settings: Settings, layout: Layout, dataset: Dataset, archive: Callable[[int, float], None]
) -> None:
    """A dashboard that is made for it does not fail before its first day."""
    archive(9, 10.0)
    settings.datasets["later"] = dataset.named("later")
    published(settings, layout)
    assert query(settings.layout.read_copy, "FROM later") == []
    assert query(settings.layout.read_copy, "SELECT column_name FROM (DESCRIBE later)")[-1] == (
        "dt",
    )


def test_a_field_that_was_declared_later(
    settings: Settings, layout: Layout, dataset: Dataset, archive: Callable[..., None]
) -> None:
    """Older files do not have it, newer ones do, or none yet: filled as in the raw table."""
    older = dataset.model_copy(
        update={"fields": {"instant_power_w": "double", "energy_import_kwh": "double"}}
    )
    declared = dataset.model_copy(update={"fields": {**dataset.fields, "voltage_v": "integer"}})
    archive(9, 10.0, older)
    settings.duckdb_path.unlink()
    archive(10, 20.0)
    settings.datasets[NAME] = declared
    published(settings, layout)
    assert query(
        settings.layout.read_copy,
        f"SELECT dt, instant_power_w, energy_export_kwh, voltage_v FROM {NAME} ORDER BY dt",
    ) == [
        (date(2026, 11, 9), 10.0, 0.0, 0),
        (date(2026, 11, 10), 20.0, 0.0, 0),
    ]
    assert query(
        settings.layout.read_copy,
        f"SELECT column_type FROM (DESCRIBE {NAME}) WHERE column_name = 'voltage_v'",
    ) == [("BIGINT",)]


def test_a_day_that_is_read_again_with_a_new_column(
    settings: Settings, layout: Layout, dataset: Dataset, archive: Callable[..., None]
) -> None:
    """The second publication opens the day's file again, since it is another one."""
    older = dataset.model_copy(
        update={"fields": {"instant_power_w": "double", "energy_import_kwh": "double"}}
    )
    exported = f"SELECT dt, instant_power_w, energy_export_kwh FROM {NAME} ORDER BY dt"
    archive(9, 10.0, older)
    archive(10, 20.0, older)
    published(settings, layout)
    assert query(settings.layout.read_copy, exported) == [
        (date(2026, 11, 9), 10.0, 0.0),
        (date(2026, 11, 10), 20.0, 0.0),
    ]
    settings.duckdb_path.unlink()
    archive(9, 11.0, dataset, 5.5)
    published(settings, layout)
    assert query(settings.layout.read_copy, exported) == [
        (date(2026, 11, 9), 11.0, 5.5),
        (date(2026, 11, 10), 20.0, 0.0),
    ]


def test_a_field_with_two_types_in_all_files(dataset: Dataset) -> None:
    """No file lacks it, so a reading without a value stays without one."""
    found = [("ts_utc", 2), ("source", 2), ("instant_power_w", 1), ("instant_power_w", 1)]
    query = _raw(dataset, "Asia/Tokyo", Path("/archive"), Path(NAME), found, 2)
    [power] = [part for part in query.split(", ") if part.endswith('AS "instant_power_w"')]
    assert power.startswith("CAST(")
    assert "union_by_name = True" in query


def test_a_note_that_cannot_be_written_fails_no_publication(
    settings: Settings, layout: Layout, archive: Callable[[int, float], None]
) -> None:
    """It only saves time: the generation is current, and its marker is written."""
    archive(9, 10.0)
    layout.file_columns.mkdir(parents=True)
    published(settings, layout)
    assert query(settings.layout.read_copy, f"SELECT instant_power_w FROM {NAME}") == [(10.0,)]
    assert is_published(settings, layout, read_json(layout.read_marker))


def test_a_file_system_without_hard_links(
    settings: Settings,
    layout: Layout,
    archive: Callable[[int, float], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The views read the archive itself, and nothing else changes."""

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    archive(9, 10.0)
    for watts in (10.0, 11.0):
        archive(9, watts)
        published(settings, layout)
        assert query(
            settings.layout.read_copy, f"SELECT instant_power_w, watts FROM {NAME}, fct_sum"
        ) == [(watts, watts)]
    assert is_published(settings, layout, read_json(layout.read_marker))
    assert list(layout.read_folders.glob("*/*")) == []


def test_a_day_is_found_without_opening_the_others(
    settings: Settings, layout: Layout, archive: Callable[[int, float], None]
) -> None:
    """As the README says of `WHERE dt`.

    A file that cannot be read does not matter to who asks for another day.
    """
    archive(9, 10.0)
    archive(10, 20.0)
    archive(11, 30.0)
    published(settings, layout)
    for linked in layout.read_folders.glob(f"*/*/{NAME}/dt=2026-11-1*/part-0.parquet"):
        linked.unlink()
        linked.write_text("no Parquet")
    with pytest.raises(duckdb.InvalidInputException, match="dt=2026-11-1"):
        query(settings.layout.read_copy, f"SELECT instant_power_w FROM {NAME}")
    assert query(
        settings.layout.read_copy, f"SELECT instant_power_w FROM {NAME} WHERE dt = '2026-11-09'"
    ) == [(10.0,)]


# what goes wrong


@pytest.mark.parametrize("point", ["publish.linked", "publish.written"])
@pytest.mark.parametrize("action", ["exception", "disk_full"])
def test_a_failed_publication_gives_its_room_back(
    point: str,
    action: str,
    settings: Settings,
    layout: Layout,
    archive: Callable[[int, float], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The former generation stays current, and nothing of the new one is left."""
    archive(9, 10.0)
    published(settings, layout)
    before = sorted([*layout.parquet.rglob("*"), *settings.duckdb_path.parent.rglob("*")])
    monkeypatch.setenv("HOMEIOT_FAULT", f"{point}:{action}")
    with pytest.raises((RuntimeError, OSError)):
        publish(settings, layout, wait_s=0)
    assert sorted([*layout.parquet.rglob("*"), *settings.duckdb_path.parent.rglob("*")]) == before
    assert query(
        settings.layout.read_copy, f"SELECT instant_power_w, watts FROM {NAME}, fct_sum"
    ) == [(10.0, 10.0)]


def test_a_rename_that_fails_gives_the_room_back_too(
    settings: Settings,
    layout: Layout,
    archive: Callable[[int, float], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The last step: the new file has all of its names by then."""
    archive(9, 10.0)
    before = sorted([*layout.parquet.rglob("*"), *settings.duckdb_path.parent.rglob("*")])

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    with pytest.raises(OSError, match="No space left"):
        publish(settings, layout, wait_s=0)
    kept = {layout.read_folders, settings.layout.read_generations, *layout.read_folders.iterdir()}
    assert {*layout.parquet.rglob("*"), *settings.duckdb_path.parent.rglob("*")} - kept == set(
        before
    )


def test_what_a_killed_publication_left_is_removed(
    settings: Settings, layout: Layout, archive: Callable[[int, float], None]
) -> None:
    """Leftovers of a publication that was killed are removed.

    A part with its log of writes, half a folder of links, a file that had its name already, and a
    copy that was not yet in place.
    """
    archive(9, 10.0)
    kept = published(settings, layout)["generation"]
    [folders] = layout.read_folders.iterdir()
    half = f"{datetime.now(UTC):{STAMP}}-half"
    (folders / half / NAME).mkdir(parents=True)
    (settings.layout.read_generations / f"{half}.part").mkdir()
    for name in (f"{half}.part/part.duckdb", f"{half}.part/part.duckdb.wal", f"{half}.duckdb"):
        (settings.layout.read_generations / name).write_bytes(b"half")
    settings.layout.read_copy.with_name(".home.read.duckdb.new").write_bytes(b"half")
    content = published(settings, layout)
    assert generations(settings, layout) == (
        {kept, content["generation"]},
        {kept, content["generation"]},
    )
    assert sorted(path.name for path in settings.layout.read_copy.parent.iterdir()) == [
        ".home.duckdb.read",
        "home.duckdb",
        "home.read.duckdb",
    ]
    assert datetime.fromisoformat(content["published_at"]).tzinfo == UTC


@pytest.mark.parametrize("loss", ["gone", "begun anew", "another build"])
def test_tables_that_are_not_there_are_not_published(
    loss: str, settings: Settings, layout: Layout, archive: Callable[[int, float], None]
) -> None:
    """The database was deleted or replaced since dbt built the tables.

    Said with what to do, none is made, and the former copy stays.
    """
    archive(9, 10.0)
    published(settings, layout)
    if loss != "another build":
        settings.duckdb_path.unlink()
    if loss != "gone":
        record_build(settings.duckdb_path)
    before = sorted([*layout.parquet.rglob("*"), *settings.duckdb_path.parent.rglob("*")])
    with pytest.raises(
        DatabaseError,
        match=r"home\.duckdb (is gone|does not record the build that .*dbt\.json names); "
        "run again, and ",
    ):
        publish(settings, layout, wait_s=0)
    assert sorted([*layout.parquet.rglob("*"), *settings.duckdb_path.parent.rglob("*")]) == before
    assert query(
        settings.layout.read_copy, f"SELECT instant_power_w, watts FROM {NAME}, fct_sum"
    ) == [(10.0, 10.0)]


def test_a_copy_that_was_written_to_is_published_again(
    settings: Settings, layout: Layout, archive: Callable[[int, float], None]
) -> None:
    """By who may write everything.

    Neither the changed file nor a log of writes passes for what was published, nor is met by the
    next one.
    """
    archive(9, 10.0)
    content = published(settings, layout)
    assert is_published(settings, layout, content)
    log = settings.layout.read_copy.with_name("home.read.duckdb.wal")
    log.write_bytes(b"of a reader that was killed")
    assert not is_published(settings, layout, content)
    content = published(settings, layout)
    assert (is_published(settings, layout, content), log.exists()) == (True, False)
    settings.layout.read_copy.chmod(0o644)
    with duckdb.connect(settings.layout.read_copy) as connection:
        connection.execute("UPDATE fct_sum SET watts = 0")
    assert not is_published(settings, layout, content)
    assert is_published(settings, layout, published(settings, layout))
    assert query(settings.layout.read_copy, "FROM fct_sum") == [(10.0,)]


def test_an_archive_that_moved_is_published_again(
    settings: Settings, layout: Layout, archive: Callable[[int, float], None], tmp_path: Path
) -> None:
    """Its views name the place where it was."""
    archive(9, 10.0)
    content = published(settings, layout)
    moved = settings.model_copy(
        update={"parquet_base_dir": layout.parquet.rename(tmp_path / "moved")}
    )
    assert not is_published(moved, moved.layout, content)
    assert is_published(moved, moved.layout, published(moved, moved.layout))
    assert query(moved.layout.read_copy, f"SELECT instant_power_w FROM {NAME}") == [(10.0,)]


def test_a_copy_for_another_duckdb_is_published_again(
    settings: Settings, layout: Layout, archive: Callable[[int, float], None]
) -> None:
    """Another version is set, or none is noted because an earlier program published the copy."""
    archive(9, 10.0)
    newest = settings.model_copy(update={"read_copy_storage_version": "latest"})
    content = published(newest, layout)
    former = {name: value for name, value in content.items() if name != "storage_version"}
    assert [
        is_published(newest, layout, content),
        is_published(settings, layout, content),
        is_published(newest, layout, former),
    ] == [True, False, False]
    content = published(settings, layout)
    assert (content["storage_version"], is_published(settings, layout, content)) == ("v1.0.0", True)
    assert storage_version(settings.layout.read_copy) == "v1.0.0+"
    assert query(settings.layout.read_copy, "FROM fct_sum") == [(10.0,)]


def storage_version(path: Path) -> str:
    """The oldest DuckDB that can open the file, by DuckDB itself."""
    [(tags,)] = query(path, "SELECT tags FROM duckdb_databases() WHERE NOT internal")
    return tags["storage_version"]


def test_a_mart_that_the_format_cannot_hold_is_named(
    settings: Settings, layout: Layout, archive: Callable[[int, float], None]
) -> None:
    """A model of one's own with a newer type: the former generation stays, and nothing is left."""
    archive(9, 10.0)
    published(settings, layout)
    with open_database(settings.duckdb_path) as connection:
        connection.execute("CREATE TABLE fct_mine AS SELECT 1::VARIANT AS anything")
    before = sorted([*layout.parquet.rglob("*"), *settings.duckdb_path.parent.rglob("*")])
    with pytest.raises(DatabaseError) as caught:
        publish(settings, layout, wait_s=0)
    assert str(caught.value) == (
        "fct_mine cannot be published for DuckDB v1.0.0 (VARIANT columns are not supported in "
        'storage versions prior to v1.5.0 (database "copy" is using storage version v1.0.0+)); '
        "cast the column to another type in its model, or set READ_COPY_STORAGE_VERSION to a "
        "newer version"
    )
    assert sorted([*layout.parquet.rglob("*"), *settings.duckdb_path.parent.rglob("*")]) == before
    newer = settings.model_copy(update={"read_copy_storage_version": "v1.5.0"})
    assert published(newer, layout)["tables"] == {"fct_mine": 1, "fct_sum": 1}


def test_a_dataset_that_cannot_be_read_is_left_out(
    settings: Settings, layout: Layout, dataset: Dataset, archive: Callable[[int, float], None]
) -> None:
    """The tables are published without it: its view is missing, not short."""
    archive(9, 10.0)
    settings.datasets["broken"] = dataset.named("broken")
    layout.day("broken", "2026-11-09").mkdir(parents=True)
    (layout.day("broken", "2026-11-09") / "part-0.parquet").write_text("no Parquet")
    published(settings, layout)
    assert query(
        settings.layout.read_copy, "SELECT table_name FROM information_schema.tables ORDER BY ALL"
    ) == [("fct_sum",), (NAME,), ("read_copy",)]
    assert query(settings.layout.read_copy, "SELECT dataset, days FROM read_copy") == [(NAME, 1)]
