"""Markers and the metadata of files keep their JSON, and those of earlier programs are read."""

import json
from pathlib import Path

import pytest

from homeiot_batch.core.day_record import DayRecord, FileMetadata, Marker, read_marker

FILE = """{"write_id": "ab", "dt": "2026-11-09", "tz": "Asia/Tokyo", \
"start_utc": "2026-11-08T15:00:00+00:00", "end_utc": "2026-11-09T15:00:00+00:00", \
"columns": {"ts_utc": "timestamp[us, tz=UTC]"}, "rows": 5, "values": {"w": 4}, \
"first_utc": "2026-11-08T15:00:00+00:00", "last_utc": null, \
"read_at": "2026-11-23T15:10:00+00:00", "version": "0.1.0", "dataset": "raw_meter_readings", \
"source": {"kind": "export", "path": "a.lp"}}"""
SHRUNK = FILE[:-1] + ', "shrunk_from": {"rows": 6, "values": {"w": 6}}}'
MARKER = """{
  "dataset": "raw_meter_readings",
  "dt": "2026-11-09",
  "load_id": "cd",
  "rows": 5,
  "values": {
    "w": 4
  },
  "first_utc": "2026-11-08T15:00:00+00:00",
  "last_utc": null,
  "end_utc": "2026-11-09T15:00:00+00:00",
  "sha256": "ef",
  "write_id": "ab",
  "file": {
    "bytes": 7,
    "mtime_ns": 8
  },
  "shrunk_from": null,
  "read_at": "2026-11-23T15:10:00+00:00",
  "loaded_at": "2026-11-23T15:10:01+00:00",
  "database": "data/home.duckdb"
}
"""


@pytest.mark.parametrize("text", [FILE, SHRUNK])
def test_the_metadata_of_a_file_keeps_its_json(text: str) -> None:
    """The same keys in the same order. The permission to shrink only where there is one."""
    metadata = FileMetadata.from_json(json.loads(text))
    assert metadata.record == DayRecord(5, {"w": 4})
    assert json.dumps(metadata.to_json()) == text


def test_a_marker_keeps_its_json() -> None:
    """The same keys in the same order, also those without a value."""
    marker = Marker.from_json(json.loads(MARKER))
    assert marker.record == DayRecord(5, {"w": 4})
    assert json.dumps(marker.to_json(), indent=2) + "\n" == MARKER


def test_what_an_earlier_program_did_not_record_is_none(tmp_path: Path) -> None:
    """Markers without the time of the read, files without their dataset: the rest is read."""
    old = {"dataset": "d", "rows": 5, "values": {"w": 4}, "sha256": "ef"}
    (tmp_path / "marker.json").write_text(json.dumps(old))
    marker = read_marker(tmp_path / "marker.json")
    assert marker == Marker(dataset="d", rows=5, values={"w": 4}, sha256="ef")
    assert marker.record == DayRecord(5, {"w": 4})
    metadata = FileMetadata.from_json({"write_id": "ab", "rows": 5, "values": {"w": 4}})
    assert metadata == FileMetadata(write_id="ab", record=DayRecord(5, {"w": 4}))


@pytest.mark.parametrize("text", ["", "no JSON", "[]", "{}", "null"])
def test_a_file_without_a_marker_in_it_is_none(tmp_path: Path, text: str) -> None:
    """As a file that is not there: the day counts as not loaded."""
    (tmp_path / "marker.json").write_text(text)
    assert read_marker(tmp_path / "marker.json") is None
    assert read_marker(tmp_path / "other.json") is None


@pytest.mark.parametrize(
    "content",
    [{}, [], None, 5, {"rows": 5}, {"rows": "x", "values": {}}, {"rows": 5, "values": [1]}],
)
def test_metadata_without_counts_has_no_record(content: object) -> None:
    """Whatever else is in it: the file says nothing of its content."""
    assert FileMetadata.from_json(content).record is None


def test_a_day_is_empty_only_where_its_marker_says_so() -> None:
    """No rows are recorded, whatever else is not. A marker without rows does not tell."""
    markers = [Marker(rows=0), Marker(rows=0, values={"w": 0}), Marker(rows=1), Marker()]
    assert [marker.is_empty for marker in markers] == [True, True, False, False]
    assert [marker.record for marker in markers] == [None, DayRecord(0, {"w": 0}), None, None]
