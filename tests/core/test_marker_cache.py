"""A run reads each marker once, and sees what it has set aside itself."""

from datetime import date
from pathlib import Path

from homeiot_batch.core.day_record import Marker
from homeiot_batch.core.files import write_json
from homeiot_batch.core.layout import Layout
from homeiot_batch.core.marker_cache import MarkerCache

NAME = "raw_meter_readings"
LEAP_DAY = date(2024, 2, 29)


def layout_in(folder: Path) -> Layout:
    names = ("parquet", "markers", "duckdb", "report", "house")
    return Layout(*(folder / name for name in names))


def test_a_marker_is_read_once(tmp_path: Path) -> None:
    """It stays as it was when it was asked for first. A day without one is asked for once too."""
    layout = layout_in(tmp_path)
    write_json(layout.marker(NAME, LEAP_DAY), {"rows": 5})
    markers = MarkerCache(layout)
    assert markers.of(NAME, LEAP_DAY) == Marker(rows=5)
    assert markers.of(NAME, date(2024, 3, 1)) is None
    write_json(layout.marker(NAME, LEAP_DAY), {"rows": 6})
    write_json(layout.marker(NAME, date(2024, 3, 1)), {"rows": 7})
    assert markers.of(NAME, LEAP_DAY) == Marker(rows=5)
    assert markers.of(NAME, date(2024, 3, 1)) is None


def test_a_marker_that_is_set_aside_counts_no_more(tmp_path: Path) -> None:
    """Its file becomes the former one, whole, in place of any before it."""
    layout = layout_in(tmp_path)
    write_json(layout.former_marker(NAME, LEAP_DAY), {"rows": 4})
    write_json(layout.marker(NAME, LEAP_DAY), {"rows": 5})
    content = layout.marker(NAME, LEAP_DAY).read_bytes()
    markers = MarkerCache(layout)
    markers.of(NAME, LEAP_DAY)
    markers.set_aside(NAME, LEAP_DAY)
    assert markers.of(NAME, LEAP_DAY) is None
    assert not layout.marker(NAME, LEAP_DAY).exists()
    assert layout.former_marker(NAME, LEAP_DAY).read_bytes() == content
