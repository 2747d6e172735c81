"""Odd lines of an export: left out by name, or refused where they may be a wanted reading."""

from collections.abc import Callable
from pathlib import Path

import pytest

from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.errors import SourceError
from homeiot_batch.sources.export_reader import ExportReader
from tests.sources.meter_export import DAY, Read, Row, at, header, meter, write

Open = Callable[..., ExportReader]
MARK = b"\xef\xbb\xbf"
BEFORE, AFTER = (f"power,source=a instant_power_w={n} {at(n)}\n".encode() for n in (1, 2))
GOOD: list[Row] = [(1, "a", 1.0, None, None), (2, "a", 2.0, None, None)]


@pytest.mark.parametrize(
    ("fields", "row"),
    [
        ("instant_power_w=1,instant_power_w=2", ("a", 2.0, None, None)),
        ("instant_power_w=1,energy_import_kwh=5,instant_power_w=2i", ("a", 2.0, 5.0, None)),
        ('note="instant_power_w=7",instant_power_w=2', ("a", 2.0, None, None)),
        ('note="a\nb\r\nc",instant_power_w=2', ("a", 2.0, None, None)),
    ],
)
def test_of_a_field_that_stands_twice_the_last_counts(
    folder: Path, read: Read, fields: str, row: Row
) -> None:
    """As InfluxDB takes the line."""
    write(folder / "a", f"power,source=a {fields} {at(1)}")
    assert read() == [(1, *row)]


def test_texts_keep_their_line_ends(
    folder: Path, read: Read, dataset: Dataset, export: Open, day: LocalDay
) -> None:
    """Carriage returns too. Those at the end of a line, from Windows, are none of a value."""
    noted = dataset.model_copy(update={"fields": {**dataset.fields, "note": "string"}})
    reader = export(datasets={dataset.name: noted.named(dataset.name)})
    text = f'power,source=a note="x\r\ny\r" {at(1)}\r\npower,source=a note="\n" {at(2)}\r\n'
    (folder / "a").write_bytes(text.encode())
    batches = reader.read(noted.named(dataset.name), day)
    notes = [row["note"] for batch in batches for row in batch.to_pylist()]
    assert notes == ["x\r\ny\r", "\n"]


def test_byte_order_marks_stand_where_files_were_joined(
    folder: Path, export: Open, read: Read
) -> None:
    """At the beginning of the first line, of a header and of a point in the middle."""
    head = "\n".join(
        header("2026-11-09T00:00:00+09:00", "2026-11-10T00:00:00+09:00", database="cabin")
    )
    mine = "\n".join(header("2026-11-09T00:00:00+09:00", "2026-11-10T00:00:00+09:00"))
    joined = [MARK, head.encode(), b"\n", BEFORE, MARK, mine.encode(), b"\n", MARK, BEFORE]
    (folder / "a").write_bytes(b"".join([*joined, MARK, AFTER]))
    assert read() == GOOD


@pytest.mark.parametrize(
    "odd",
    [
        "win,host=büro v=1 5".encode("latin-1"),
        b"win,host=\x00 v=1 5\x00",
        b"win,host=a",
        b"win,host=a\nb v=1 5",
        b"win,host=a b v=1 5",
        b"win v 5",
        b"win v=nan,w=abc def 5",
        b'win text="no end 5',
        b"WARNING: detected deletes in wal file.",
        b"writing out tsm file data for home_energy/autogen...complete.",
        b"See README, and ask 0800-power",
    ],
)
def test_an_odd_line_of_another_measurement_is_left_out_and_named(
    folder: Path, export: Open, read: Read, dataset: Dataset, day: LocalDay, odd: bytes
) -> None:
    """With file, line and count. The readings around it are there."""
    (folder / "a.lp").write_bytes(BEFORE + odd + b"\n" + AFTER)
    assert read() == GOOD
    reader = export()
    list(reader.read(dataset, day))
    [notice] = reader.notices()
    assert notice.startswith(
        f"{folder / 'a.lp'} line 2 is no line protocol, and none of a wanted measurement: "
    )
    assert notice.endswith("; 1 such lines are left out")


@pytest.mark.parametrize("end", [b"\n", b""])
def test_a_message_of_an_old_influx_inspect_is_no_line(
    folder: Path, export: Open, read: Read, dataset: Dataset, day: LocalDay, end: bytes
) -> None:
    """Versions 1.3 to 1.8 put it before the next line, or at the end."""
    said = b"skipped missing file: /var/lib/influxdb/data/h/autogen/2/0001-01.tsm"
    more = b"skipped missing file: /var/lib/influxdb/wal/h/autogen/2/_00001.wal"
    (folder / "a.lp").write_bytes(BEFORE + said + more + AFTER + more + end)
    assert read() == GOOD
    reader = export()
    list(reader.read(dataset, day))
    [notice] = reader.notices()
    assert notice.startswith(
        f"{folder / 'a.lp'} line 2: influx_inspect did not find a file of the server any more"
    )
    assert "(2 such lines)" in notice


@pytest.mark.parametrize(
    ("odd", "problem"),
    [
        ("power,source=büro instant_power_w=1 5".encode("latin-1"), "is not line protocol"),
        (b"power,source=a", "is not line protocol (it has no fields)"),
        (b"power,source=a\nb instant_power_w=1 5", "is not line protocol"),
        (b"power,source=a instant_power_w=1,instant_power_w", "is not line protocol"),
        (b"power,source=a instant_power_w=1\x00 1794150000000000003", "is not line protocol"),
        (b'power,source=a instant_power_w=1,x="no end 5', "is not line protocol"),
        (b"tail=power,source=a instant_power_w=1 5 6 7", "is not line protocol"),
        (b"\x00\x00\x00\x00=a instant_power_w=1 5 6", "is not line protocol"),
        (b"power,source=a instant_power_w=1", "has no time"),
        (b"power,source=a instant_power_w=1 99999999999999999999", "is not line protocol"),
    ],
)
def test_an_odd_line_that_may_be_a_reading_is_refused_with_advice(
    folder: Path, read: Read, odd: bytes, problem: str
) -> None:
    """Exporting again gives the same line: it is to be corrected in a copy."""
    (folder / "a.lp").write_bytes(BEFORE + odd + b"\n" + AFTER)
    with pytest.raises(SourceError) as error:
        read()
    assert str(error.value).startswith(f"{folder / 'a.lp'} line 2 {problem}")
    assert str(error.value).endswith(
        "; correct or delete the line in a copy of the file and use that: "
        "another export would have it too"
    )


@pytest.mark.parametrize(
    "destroyed",
    [
        bytes(512) + AFTER,
        BEFORE + b"win v=1" + bytes(4096) + b"=1 5\n" + AFTER,
        BEFORE + bytes(4096) + b"00000000\n" + AFTER,
        BEFORE + b"# CONTEXT-DATABASE:cabin\n" + bytes(512) + b"win v=1 5\n",
    ],
)
def test_a_stretch_of_zero_bytes_is_refused(folder: Path, read: Read, destroyed: bytes) -> None:
    """A power cut or a bad disk leaves them in the place of lines that may have been readings."""
    (folder / "a.lp").write_bytes(BEFORE + destroyed)
    with pytest.raises(SourceError) as error:
        read()
    assert str(error.value).endswith(
        " holds a long stretch of zero bytes, in the place of what a power cut or a bad disk has "
        "destroyed; copy it or export it again, nothing of it is used"
    )


@pytest.mark.parametrize("count", [1, 511, 512, 4096])
def test_zero_bytes_at_the_end_are_an_unfinished_line(folder: Path, read: Read, count: int) -> None:
    """The file has its full length, but its last lines never reached the disk."""
    (folder / "a.lp").write_bytes(BEFORE + bytes(count))
    with pytest.raises(SourceError, match="the last line is unfinished, the file is cut short"):
        read()


def test_blanks_at_the_end_are_nothing(
    folder: Path, export: Open, read: Read, dataset: Dataset, day: LocalDay
) -> None:
    """An editor leaves them. No notice is given."""
    (folder / "a.lp").write_bytes(BEFORE + AFTER + b" \t ")
    assert read() == GOOD
    reader = export()
    list(reader.read(dataset, day))
    assert reader.notices() == []


def test_a_text_that_is_not_utf8_harms_only_what_is_wanted(folder: Path, read: Read) -> None:
    """A field of the wanted measurement that is not declared may hold any bytes."""
    odd = f'power,source=a note="büro" {at(1)}\nlog text="büro" {at(1)}\n'.encode("latin-1")
    (folder / "a.lp").write_bytes(BEFORE + odd + AFTER)
    assert read() == GOOD


def test_odd_lines_of_another_database_are_left_out(folder: Path, read: Read) -> None:
    """Also of a measurement of the same name."""
    write(folder / "a.lp", "# CONTEXT-DATABASE:cabin", "power,source=a instant_power_w", end="\n")
    write(folder / "b.lp", "# CONTEXT-DATABASE:home_energy", *meter(0, DAY))
    assert len(read()) == 144


@pytest.mark.parametrize(
    "text",
    [
        "# About\n\nThe exports of 2019, by hand.\nThe last line has no end.",
        "d41d8cd98f00b204e9800998ecf8427e  export.lp\n",
        "#!/bin/sh\ninflux_inspect export -database home_energy -out x.lp\n",
    ],
)
def test_a_file_that_is_no_export_is_named_beside_exports(
    folder: Path, export: Open, read: Read, dataset: Dataset, day: LocalDay, text: str
) -> None:
    """A README, checksums, a script: no reading can be in it."""
    (folder / "README").write_text(text)
    write(folder / "a.lp", *meter(0, DAY))
    assert len(read()) == 144
    reader = export()
    list(reader.read(dataset, day))
    [notice] = reader.notices()
    assert notice.startswith(f"{folder / 'README'} is no line protocol (line ")
    assert notice.endswith("; it is left out, take it away")
    (folder / "a.lp").unlink()
    with pytest.raises(SourceError, match="holds no point of measurement 'power'"):
        read()


def test_statements_without_their_comments_are_no_lines(folder: Path, read: Read) -> None:
    """As `grep -v ^#` leaves them, and points after a `# DDL` that no `# DML` ends are points."""
    write(folder / "a", "CREATE DATABASE home_energy WITH NAME autogen", *meter(0, DAY))
    assert len(read()) == 144
    write(folder / "a", "# DDL", "CREATE DATABASE x WITH NAME autogen", *meter(0, DAY))
    assert len(read()) == 144
