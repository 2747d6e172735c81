"""Reading days from line protocol."""

import os
from datetime import date
from pathlib import Path

import pytest

from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.errors import SourceError
from homeiot_batch.sources.export_reader import ExportReader
from tests.sources.meter_export import START, Read, at, write


def test_a_field_a_line_becomes_a_row_a_point(folder: Path, read: Read) -> None:
    """Lines of a point stand anywhere, in any file, plain or gzip.

    Rows come by time, then source.
    """
    write(
        folder / "a.lp",
        f"power,source=b instant_power_w=2 {at(5)}",
        f"power,source=a instant_power_w=1 {at(5)}",
    )
    write(
        folder / "b.lp.gz",
        f"power,source=a energy_import_kwh=7i {at(5)}",
        f"power instant_power_w=3 {at(0)}",
    )
    assert read() == [
        (0, None, 3.0, None, None),
        (5, "a", 1.0, 7.0, None),
        (5, "b", 2.0, None, None),
    ]


def test_of_a_repeated_point_the_later_line_wins(folder: Path, read: Read) -> None:
    """By file name, then line, each field for itself, as InfluxDB overwrites points."""
    write(folder / "b", f"power,source=a instant_power_w=3 {at(1)}")
    write(
        folder / "a",
        f"power,source=a instant_power_w=1,energy_import_kwh=8 {at(1)}",
        f"power,source=a instant_power_w=2 {at(1)}",
    )
    assert read() == [(1, "a", 3.0, 8.0, None)]


def test_series_with_other_tags_stay_apart(folder: Path, read: Read) -> None:
    """A tag that is not declared still makes another series, as on the server."""
    write(
        folder / "a",
        f"power,host=x,source=a instant_power_w=1 {at(1)}",
        f"power,host=y,source=a instant_power_w=2 {at(1)}",
    )
    assert read() == [(1, "a", 1.0, None, None), (1, "a", 2.0, None, None)]


def test_the_day_is_half_open_to_the_nanosecond(folder: Path, read: Read, day: LocalDay) -> None:
    """The first instant belongs to the day, that of the next day does not."""
    length = day.end_ns - day.start_ns
    write(
        folder / "a",
        *(
            f"power,source=a instant_power_w=1 {at(offset)}"
            for offset in (-1, 0, length - 1, length)
        ),
    )
    assert [row[0] for row in read()] == [0, length - 1]


def test_headers_ddl_and_other_measurements_are_passed_over(folder: Path, read: Read) -> None:
    """An export of influx_inspect: comments, CREATE DATABASE, contexts.

    Other databases and measurements count as others.
    """
    write(
        folder / "a",
        "# INFLUXDB EXPORT: 2026 - 2027",
        "# DDL",
        "CREATE DATABASE home_energy WITH NAME autogen",
        "CREATE DATABASE other WITH NAME autogen",
        "# DML",
        "# CONTEXT-DATABASE:other",
        "# CONTEXT-RETENTION-POLICY:autogen",
        f"power,source=a instant_power_w=9 {at(1)}",
        "# CONTEXT-DATABASE:home_energy",
        "# CONTEXT-RETENTION-POLICY:autogen",
        "# writing tsm data",
        f"power,source=a instant_power_w=1 {at(1)}",
        f"climate,room=x temperature_c=20 {at(1)}",
        f'log text="two\nlines, one with an odd \\" quote" {at(1)}',
        f"power,source=a other_field=5 {at(2)}",
    )
    assert read() == [(1, "a", 1.0, None, None)]


def test_names_with_escapes_are_read(folder: Path, read: Read) -> None:
    """Tag values with blanks, commas, equal signs, quotes and letters of any script."""
    write(folder / "a", f'power,source=a\\ b\\,c\\=d"é😀 instant_power_w=1 {at(1)}')
    assert read() == [(1, 'a b,c=d"é😀', 1.0, None, None)]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["power,source=a instant_power_w 5"], r"a.lp line 2 is not line protocol"),
        (["power,source=a instant_power_w=1"], r"a.lp line 2 has no time"),
        (
            ['power,source=a instant_power_w="high" 1794150000000000001'],
            r"a.lp line 2: field instant_power_w is 'high', declared is double",
        ),
        (
            ["power,source=a instant_power_w=true 1794150000000000001"],
            r"line 2: field instant_power_w is True, declared is double",
        ),
        (["power,source=a instant_power_w=1 179415000000000000"], None),
    ],
)
def test_a_line_that_cannot_be_used_is_refused_by_file_and_line(
    folder: Path, read: Read, lines: list[str], message: str | None
) -> None:
    """Nothing of a damaged export is used. A line of another time is only passed over."""
    write(folder / "a.lp", f"power,source=a instant_power_w=1 {at(1)}", *lines)
    if message is None:
        assert len(read()) == 1
    else:
        with pytest.raises(SourceError, match=message):
            read()


def test_an_unfinished_last_line_is_refused(folder: Path, read: Read) -> None:
    """A file that was still being copied ends without a line end."""
    write(
        folder / "a.lp",
        f"power,source=a instant_power_w=1 {at(1)}",
        f"power,source=a instant_power_w=1 {at(2)}",
        end="",
    )
    with pytest.raises(SourceError, match=r"a.lp line 2: the last line is unfinished"):
        read()


def test_an_integer_of_any_size_fits_a_double(folder: Path, read: Read) -> None:
    """As on the server, where floats and integers of a field are read as one."""
    write(folder / "a.lp", f"power,source=a instant_power_w=18446744073709551615u {at(1)}")
    assert read() == [(1, "a", 2.0**64, None, None)]


@pytest.mark.parametrize("cut", [1, 8, 30])
def test_a_truncated_gzip_is_refused(folder: Path, read: Read, cut: int) -> None:
    """Wherever it is cut, also in its trailing checksum."""
    write(folder / "a.lp.gz", *(f"power,source=a instant_power_w={n} {at(n)}" for n in range(1000)))
    content = (folder / "a.lp.gz").read_bytes()
    (folder / "a.lp.gz").write_bytes(content[:-cut])
    with pytest.raises(SourceError, match=r"a.lp.gz line \d+: the gzip is cut short or damaged"):
        read()


def test_an_absent_measurement_is_an_error_an_absent_day_is_not(folder: Path, read: Read) -> None:
    """A measurement that is nowhere in the export is a mistake.

    A day without points is an empty day.
    """
    write(folder / "a", f"climate,room=x temperature_c=20 {at(1)}")
    with pytest.raises(
        SourceError, match=r"holds no point of measurement 'power' .*it holds climate"
    ):
        read()
    write(
        folder / "a",
        f"power,source=a instant_power_w=1 {at(-1)}",
        f"power,source=a instant_power_w=1 {at(86400 * 10**9)}",
    )
    assert read() == []


def test_a_day_that_the_export_does_not_cover_is_refused(folder: Path, read: Read) -> None:
    """After its last point, or written before the day was over: it would be archived short."""
    write(folder / "a", f"power,source=a instant_power_w=1 {at(-1)}")
    with pytest.raises(SourceError) as after_its_end:
        read()
    assert str(after_its_end.value) == (
        f"{folder} has no point of 'power' after 2026-11-08 23:59:59 (Asia/Tokyo): "
        "2026-11-09 is not in it; give an earlier end"
    )
    write(folder / "a", f"power,source=a instant_power_w=1 {at(1)}")
    assert len(read()) == 1
    os.utime(folder / "a", (START / 1e9 + 3600, START / 1e9 + 3600))
    with pytest.raises(SourceError) as too_early:
        read()
    assert str(too_early.value) == (
        f"{folder} was written at 2026-11-09 01:00:00 (Asia/Tokyo), before 2026-11-09 was over; "
        "export again, or give an earlier end"
    )


def test_linked_folders_are_read_and_what_is_no_file_is_refused(
    folder: Path, read: Read, tmp_path: Path
) -> None:
    """Part of an export must not be passed over: links are followed, once.

    A broken link, a pipe and an empty file are refused.
    """
    disk = tmp_path / "disk"
    disk.mkdir()
    write(disk / "b", f"power,source=b instant_power_w=2 {at(2)}")
    (disk / "again").symlink_to(folder)
    write(folder / "a", f"power,source=a instant_power_w=1 {at(1)}")
    (folder / "more").symlink_to(disk)
    assert read() == [(1, "a", 1.0, None, None), (2, "b", 2.0, None, None)]
    for make in (lambda path: path.symlink_to("nowhere"), os.mkfifo, Path.touch):
        make(folder / "odd")
        with pytest.raises(SourceError, match=r"odd is (no file that can be read|empty)"):
            read()
        (folder / "odd").unlink()


def test_a_byte_order_mark_and_indented_comments_do_no_harm(folder: Path, read: Read) -> None:
    """Editors leave them. The first point counts all the same."""
    (folder / "a").write_bytes(
        b"\xef\xbb\xbf" + f"power,source=a instant_power_w=1 {at(1)}\n  # a note\n".encode()
    )
    assert read() == [(1, "a", 1.0, None, None)]


def test_a_tag_that_is_a_field_is_refused(folder: Path, read: Read) -> None:
    """All meters would become one."""
    write(folder / "a", f'power source="a",instant_power_w=1 {at(1)}')
    with pytest.raises(SourceError, match="line 1: source is a field there, not a tag"):
        read()


def test_several_retention_policies_must_be_told_apart(folder: Path, read: Read) -> None:
    """Two policies with the measurement are two stories: one must be named."""
    policies = [("autogen", 1), ("week", 2)]
    pairs = [
        (f"# CONTEXT-RETENTION-POLICY:{name}", f"power,source=a instant_power_w={n} {at(1)}")
        for name, n in policies
    ]
    write(folder / "a", *(line for pair in pairs for line in pair))
    with pytest.raises(
        SourceError,
        match=r"several retention policies \(autogen, week\); set INFLUX_RETENTION_POLICY",
    ):
        read()
    assert read(influx_retention_policy="week") == [(1, "a", 2.0, None, None)]


@pytest.mark.parametrize("url", ["{}", "file://{}"])
def test_the_source_is_a_path_or_a_file_url(
    settings: Settings, dataset: Dataset, day: LocalDay, tmp_path: Path, url: str
) -> None:
    """Both forms name the same file, also with a blank in it. One that is not there is named."""
    path = tmp_path / "my export.lp"
    write(path, f"power,source=a instant_power_w=1 {at(1)}")
    given = url.format(str(path).replace(" ", "%20") if url.startswith("file") else path)
    reader = ExportReader(
        settings.model_copy(update={"influx_url": given}),
        {dataset.name: [day]},
        tmp_path / "staging",
    )
    assert sum(len(batch) for batch in reader.read(dataset, day)) == 1
    with pytest.raises(SourceError, match="there is no file or folder"):
        ExportReader(settings.model_copy(update={"influx_url": f"{given}.none"}), {}, tmp_path)


def test_one_pass_serves_all_days_that_are_wanted(
    settings: Settings, dataset: Dataset, folder: Path, tmp_path: Path
) -> None:
    """The files are read once for the days known before, and again for another day."""
    days = [LocalDay(date(2026, 11, n), settings.zone) for n in (9, 10, 11)]
    write(
        folder / "a",
        *(f"power,source=a instant_power_w={n} {day.start_ns}" for n, day in enumerate(days)),
    )
    reader = ExportReader(
        settings.model_copy(update={"influx_url": str(folder)}),
        {dataset.name: days[:2]},
        tmp_path / "s",
    )
    assert sum(len(batch) for batch in reader.read(dataset, days[0])) == 1
    (folder / "a").rename(folder / "b")
    assert sum(len(batch) for batch in reader.read(dataset, days[1])) == 1
    assert sum(len(batch) for batch in reader.read(dataset, days[2])) == 1
    (folder / "b").unlink()
    assert sum(len(batch) for batch in reader.read(dataset, days[2])) == 1
