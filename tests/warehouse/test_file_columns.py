"""The columns of archived files are noted, and only files that are new are opened."""

import json
import os
from pathlib import Path

import duckdb
import pytest

from homeiot_batch.warehouse.file_columns import FileColumns

NAME = "raw_meter_readings"
DAYS = ["2024-02-29", "2024-03-01"]


def write(folder: Path, day: str, query: str) -> Path:
    """A day's file with the query's rows."""
    part = folder / f"dt={day}" / "part-0.parquet"
    part.parent.mkdir(parents=True, exist_ok=True)
    duckdb.execute(f"COPY ({query}) TO '{part}'")
    return part


def spoil(part: Path, *, keep_time: bool) -> None:
    """The file with bytes that are no Parquet, of the same size."""
    stat = part.stat()
    part.write_bytes(bytes(stat.st_size))
    later = 0 if keep_time else 1
    os.utime(part, ns=(stat.st_mtime_ns + later, stat.st_mtime_ns + later))


def counted(note: Path, folder: Path) -> list[tuple[str, int]]:
    """What a publication finds, which then notes it."""
    columns = FileColumns.noted(note)
    with duckdb.connect() as connection:
        found = columns.counted(connection, folder, NAME, DAYS)
    columns.write()
    return sorted(found)


def test_each_column_with_the_number_of_its_files(tmp_path: Path) -> None:
    """One name with two types is two columns. A note gives the same as the files."""
    write(tmp_path, DAYS[0], "SELECT 1.5::DOUBLE AS w, 'a' AS source")
    write(tmp_path, DAYS[1], "SELECT 1::BIGINT AS w, 'a' AS source")
    for _ in range(2):
        assert counted(tmp_path / "note.json", tmp_path) == [("source", 2), ("w", 1), ("w", 1)]


def test_a_file_that_was_noted_is_not_opened_again(tmp_path: Path) -> None:
    """Only one of another size or time is: here it can no longer be read."""
    note = tmp_path / "note.json"
    first = write(tmp_path, DAYS[0], "SELECT 1.5 AS w")
    write(tmp_path, DAYS[1], "SELECT 1.5 AS w")
    assert counted(note, tmp_path) == [("w", 2)]
    before = note.read_bytes()
    spoil(first, keep_time=True)
    assert counted(note, tmp_path) == [("w", 2)]
    spoil(first, keep_time=False)
    with pytest.raises(duckdb.Error, match=DAYS[0]):
        counted(note, tmp_path)
    assert note.read_bytes() == before


def test_a_day_that_is_gone_is_noted_no_more(tmp_path: Path) -> None:
    """And a column that only its file had counts no more."""
    note = tmp_path / "note.json"
    write(tmp_path, DAYS[0], "SELECT 1.5 AS w, 2 AS old")
    write(tmp_path, DAYS[1], "SELECT 1.5 AS w")
    assert counted(note, tmp_path) == [("old", 1), ("w", 2)]
    columns = FileColumns.noted(note)
    with duckdb.connect() as connection:
        assert columns.counted(connection, tmp_path, NAME, DAYS[1:]) == [("w", 1)]
    columns.write()
    assert DAYS[0] not in note.read_text()


def test_a_note_of_another_duckdb_counts_no_more(tmp_path: Path) -> None:
    """It may name types otherwise: every file is opened again."""
    note = tmp_path / "note.json"
    for day in DAYS:
        write(tmp_path, day, "SELECT 1.5 AS w")
    assert counted(note, tmp_path) == [("w", 2)]
    content = json.loads(note.read_text())
    columns = content["datasets"][NAME]["columns"]
    content["datasets"][NAME]["columns"] = [[["older", *columns[0][0][1:]]]]
    note.write_text(json.dumps(content))
    assert counted(note, tmp_path) == [("older", 2)]
    note.write_text(json.dumps(content | {"duckdb": "1.4.0"}))
    assert counted(note, tmp_path) == [("w", 2)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        '{"raw_meter_readings": 1}',
        '{"raw_meter_readings": {"columns": [], "files": {"2024-02-29": ["1-1", 0]}}}',
        '{"raw_meter_readings": {"columns": [["w"]], "files": {}}}',
    ],
)
def test_a_note_that_is_none_is_made_again(tmp_path: Path, text: str) -> None:
    """All files are opened then."""
    note = tmp_path / "note.json"
    for day in DAYS:
        write(tmp_path, day, "SELECT 1.5 AS w")
    inside = text if text.startswith('{"') else "{}"
    version = duckdb.__version__
    for content in (text, f'{{"duckdb": "{version}", "datasets": {inside}}}'):
        note.write_text(content)
        assert counted(note, tmp_path) == [("w", 2)]
    assert counted(note, tmp_path) == [("w", 2)]
    assert sorted(FileColumns.noted(note)._found[NAME]) == DAYS
