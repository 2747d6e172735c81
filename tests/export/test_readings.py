"""Exports of the archived readings: as they were archived, by time, a day at a time."""

import os
from datetime import UTC, date, datetime
from pathlib import Path

import pyarrow as pa
import pytest

from homeiot_batch.archive.day_file import DayFile
from homeiot_batch.archive.parquet_writer import rename_durably
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay, nanoseconds
from homeiot_batch.core.meters import Meter
from homeiot_batch.errors import ArchiveError, SettingsError
from homeiot_batch.export import readings
from homeiot_batch.export.coverage import find_archived
from homeiot_batch.export.request import Request
from homeiot_batch.export.sheet_size import SHEET_ROWS
from tests.export.conftest import RAW, ExportHouse, day_row
from tests.staging import stage_day

NOV_20 = date(2026, 11, 20)
NOV_21 = date(2026, 11, 21)
NOV_22 = date(2026, 11, 22)
HEADER = (
    "Time (UTC),Time (Asia/Tokyo),Offset from UTC,Meter,Register,Power (W),Import counter (kWh),"
    "Export counter (kWh),Day complete"
)
NO_TABLES = "`day_complete` is empty everywhere: there is no {}: the tables are not built; "
NO_TABLES += "run `homeiot run`, which builds them"


def test_readings_are_as_archived_without_any_tables(export_house: ExportHouse) -> None:
    """By time, then meter. No number is rounded. What a point lacked is as it is archived."""
    export_house.archive(
        NOV_20,
        NOV_21,
        [(0, "b", 0.1 + 0.2, 1.00000001, 0.0), (0, "a", 5.0, None, None), (0.5, "a", 6, 1, 2)],
    )
    assert export_house.csv("readings", NOV_20, NOV_21) == [
        HEADER,
        "2026-11-19 15:00:00,2026-11-20 00:00:00,UTC+09:00,a,1,5.0,0.0,0.0,",
        "2026-11-19 15:00:00,2026-11-20 00:00:00,UTC+09:00,b,1,0.30000000000000004,1.00000001,0.0,",
        "2026-11-19 15:00:00.5,2026-11-20 00:00:00.5,UTC+09:00,a,1,6.0,1.0,2.0,",
        "2026-11-20 15:00:00,2026-11-21 00:00:00,UTC+09:00,a,1,5.0,0.0,0.0,",
        "2026-11-20 15:00:00,2026-11-21 00:00:00,UTC+09:00,b,1,0.30000000000000004,1.00000001,0.0,",
        "2026-11-20 15:00:00.5,2026-11-21 00:00:00.5,UTC+09:00,a,1,6.0,1.0,2.0,",
    ]
    assert export_house.lines == [NO_TABLES.format(export_house.settings.layout.read_copy)]


def test_readings_of_incomplete_days_are_marked(export_house: ExportHouse) -> None:
    """By the tables, of the meter itself. A day that was loaded since has no mark."""
    export_house.archive(NOV_20, NOV_22, [(0, "a", 1.0, None, None), (0, "b", 1.0, None, None)])
    export_house.publish(
        day_row(NOV_20, "a", 1.0),
        day_row(NOV_20, "b", 1.0, is_complete=False),
        day_row(NOV_21, "a", 1.0),
        day_row(NOV_22, "a", 1.0),
    )
    layout = export_house.settings.layout
    built_ns = layout.models.stat().st_mtime_ns
    layout.last_load.write_text("{}")
    for path in (layout.last_load, layout.marker(RAW, NOV_22)):
        os.utime(path, ns=(built_ns + 10**9, built_ns + 10**9))
    marks = [line.split(",") for line in export_house.csv("readings", NOV_20, NOV_22)[1:]]
    assert [(mark[1][:10], mark[3], mark[-1]) for mark in marks] == [
        ("2026-11-20", "a", "true"),
        ("2026-11-20", "b", "false"),
        ("2026-11-21", "a", "true"),
        ("2026-11-21", "b", ""),
        ("2026-11-22", "a", ""),
        ("2026-11-22", "b", ""),
    ]
    assert export_house.lines == ["`day_complete` is empty of 2026-11-22, which the tables lack"]


def test_a_meter_of_readings_is_chosen_and_what_it_lacks_is_said(export_house: ExportHouse) -> None:
    """An unknown one is told the near name. Days without a file or a reading are said."""
    export_house.archive(NOV_20, points=[(0, "main", 1, 1, 1), (0, "it's", 2, 2, 2)])
    export_house.archive(NOV_22, points=[(0, "main", 1, 1, 1)])
    export_house.publish(day_row(NOV_20, "main", 1.0))
    lines = export_house.csv("readings", NOV_20, NOV_22, "it's")
    assert [line.split(",")[3] for line in lines[1:]] == ["it's"]
    assert export_house.lines == [
        "raw_meter_readings: not archived are 2026-11-21",
        "it's: no rows of 2026-11-22",
    ]
    with pytest.raises(SettingsError, match=r"--source='mian' is no meter; did you mean main\?"):
        export_house.csv("readings", NOV_20, NOV_22, "mian")
    export_house.archive(NOV_21)
    with pytest.raises(ArchiveError) as refused:
        export_house.csv("readings", NOV_21, NOV_21)
    assert str(refused.value) == (
        "--from=2026-11-21 --to=2026-11-21: the archived days have no such reading; give other "
        "days or meters"
    )


def test_a_damaged_day_is_no_short_export(export_house: ExportHouse) -> None:
    """It is named with what to do, and the former file stays."""
    export_house.archive(NOV_20, NOV_21, [(second, "a", 1, 1, 1) for second in range(500)])
    former = export_house.export("readings", NOV_20, NOV_20).read_bytes()
    part = export_house.settings.layout.day(RAW, NOV_21) / "part-0.parquet"
    content = bytearray(part.read_bytes())
    content[100] ^= 255
    part.write_bytes(content)
    with pytest.raises(ArchiveError) as refused:
        export_house.csv("readings", NOV_20, NOV_21)
    assert str(refused.value).startswith(f"{part} is damaged or not of this archive (")
    assert [(path.name, path.read_bytes()) for path in export_house.folder.iterdir()] == [
        ("readings.csv", former)
    ]


def test_registers_of_declared_meters_are_in_kwh_and_w(
    export_house: ExportHouse, tmp_path: Path
) -> None:
    """Of several datasets, sorted by time together, until the meter was taken out."""
    settings = export_house.settings
    energy = Dataset(measurement="kWh", tags={"id": "none"}, fields={"value": "double"})
    watts = Dataset(measurement="W", tags={"id": "none"}, fields={"value": "integer"})
    datasets = {"energy": energy.named("energy"), "watts": watts.named("watts")}
    meters = {
        "house": Meter.model_validate(
            {
                "import": [
                    {"dataset": "energy", "where": {"id": "t1"}, "unit": "Wh"},
                    {"dataset": "energy", "where": {"id": "t2"}, "unit": "MWh", "factor": 2.0},
                ],
                "power": [{"dataset": "watts", "where": {"id": "p"}, "unit": "kW"}],
                "until": "2026-11-20",
            }
        )
    }
    export_house.settings = settings.model_copy(update={"datasets": datasets, "meters": meters})
    for day in (LocalDay(NOV_20, settings.zone), LocalDay(NOV_21, settings.zone)):
        for dataset, points in (
            (datasets["energy"], [(0, "t1", 1500.0), (2, "t2", 1.5), (3, "other", 1.0)]),
            (datasets["watts"], [(1, "p", 3), (2, "p", None)]),
        ):
            rows = [
                {"time": day.start_ns + at * 10**9, "id": tag, "value": value}
                for at, tag, value in points
            ]
            batch = pa.RecordBatch.from_pylist(rows, schema=dataset.raw_schema())
            staged = stage_day([batch], dataset, day, export_house.settings, tmp_path)
            rename_durably(staged.folder, settings.layout.day(dataset.name, day))
    assert export_house.csv("readings", NOV_20, NOV_21)[1:] == [
        "2026-11-19 15:00:00,2026-11-20 00:00:00,UTC+09:00,house,1,,1.5,,",
        "2026-11-19 15:00:01,2026-11-20 00:00:01,UTC+09:00,house,1,3000.0,,,",
        "2026-11-19 15:00:02,2026-11-20 00:00:02,UTC+09:00,house,2,,3000.0,,",
    ]
    assert export_house.lines[1:] == ["house: no rows of 2026-11-21"]
    with pytest.raises(SettingsError, match="--source='hose' is no meter; did you mean house?"):
        export_house.csv("readings", NOV_20, NOV_21, "hose")


def test_a_reading_in_two_files_is_exported_once(
    export_house: ExportHouse, dataset: Dataset, tmp_path: Path
) -> None:
    """Where the zone's rules changed, the end of a file may be the begin of the next one."""
    settings = export_house.settings
    twice = nanoseconds(datetime(2026, 11, 20, 15, 30, tzinfo=UTC))
    rule = LocalDay(NOV_20, settings.zone)
    former = rule.within(rule.start, datetime(2026, 11, 20, 16, tzinfo=UTC))
    for day in (former, LocalDay(NOV_21, settings.zone)):
        points = [{"time": twice, "source": "a", "instant_power_w": 1.0}]
        batch = pa.RecordBatch.from_pylist(points, schema=dataset.raw_schema())
        staged = stage_day([batch], dataset, day, settings, tmp_path)
        rename_durably(staged.folder, settings.layout.day(RAW, day))
    lines = export_house.csv("readings", NOV_20, NOV_21)
    assert [line.split(",")[0] for line in lines[1:]] == ["2026-11-20 15:30:00"]


def test_more_readings_than_a_sheet_holds_are_refused_before_it_is_written(
    export_house: ExportHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last sheet that fits is whole, its header included."""
    assert SHEET_ROWS == 2**20
    monkeypatch.setattr("homeiot_batch.export.sheet_size.SHEET_ROWS", 5)
    export_house.archive(NOV_20, NOV_21, [(at, "a", 1, 1, 1) for at in range(4)])
    assert export_house.export("readings", NOV_20, NOV_20, form="xlsx").exists()
    with pytest.raises(SettingsError) as refused:
        export_house.export("readings", NOV_20, NOV_21, form="xlsx")
    assert str(refused.value) == (
        "--format=xlsx: the export has more rows than the 5 of a sheet, of which one is the "
        "header; give a shorter range, or --format csv or parquet"
    )


def test_days_are_read_one_after_the_other(
    export_house: ExportHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No more than a day is in memory: the rows of a day are out before the next one is read."""
    export_house.archive(NOV_20, NOV_22, [(0, "a", 1, 1, 1)])
    opened: list[str] = []
    read = readings.open_day

    def noted(folder: Path) -> DayFile:
        opened.append(folder.name)
        return read(folder)

    monkeypatch.setattr(readings, "open_day", noted)
    archive = begun(export_house)
    seen = [(len(batch), len(opened)) for batch in archive.batches()]
    assert seen == [(1, 1), (1, 2), (1, 3)]


def test_a_day_that_a_run_replaces_meanwhile_is_not_left_out(export_house: ExportHouse) -> None:
    """For a moment it is not there: the export is refused."""
    export_house.archive(NOV_20, NOV_22, [(0, "a", 1, 1, 1)])
    rows = begun(export_house).batches()
    next(rows)
    folder = export_house.settings.layout.day(RAW, NOV_21)
    folder.rename(folder.with_name("away"))
    with pytest.raises(ArchiveError) as refused:
        next(rows)
    assert str(refused.value) == f"{folder} is not there; run again to have the day read"


def begun(house: ExportHouse) -> readings.Readings:
    """An export of the readings of three days that has begun."""
    request = Request("readings", NOV_20, NOV_22)
    archived = find_archived(house.settings, request)
    return readings.Readings(house.settings, request, archived, {})
