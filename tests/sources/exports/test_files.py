"""The files of an export and their lines as bytes."""

import bz2
import gzip
import io
import lzma
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from homeiot_batch.errors import SourceError
from homeiot_batch.sources.exports.files import (
    CHUNK_BYTES,
    LONGEST_LINE_BYTES,
    UnfinishedLine,
    export_files,
    read_lines,
)

LINE = b"power,source=a instant_power_w=1 1794150000000000000\n"


def zipped() -> bytes:
    """A zip archive with a file of lines."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.lp", LINE)
    return file.getvalue()


def tarred() -> bytes:
    """A tar archive with a file of lines."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        entry = tarfile.TarInfo("a.lp")
        entry.size = len(LINE)
        archive.addfile(entry, io.BytesIO(LINE))
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (zipped(), "a zip archive; unpack it (unzip) and take the archive away"),
        (lzma.compress(LINE), "packed by xz; unpack it (xz -d)"),
        (bz2.compress(LINE), "packed by bzip2; unpack it (bunzip2)"),
        (tarred(), "a tar archive; unpack it (tar -xf) and take the archive away"),
        (
            gzip.compress(tarred()),
            "a tar archive; unpack it (tar -xf) and take the archive away",
        ),
        (LINE.decode().encode("utf-16"), "UTF-16; convert it (iconv -f UTF-16 -t UTF-8)"),
        (LINE.decode().encode("utf-16-le"), "UTF-16; convert it (iconv -f UTF-16LE -t UTF-8)"),
        (LINE.decode().encode("utf-16-be"), "UTF-16; convert it (iconv -f UTF-16BE -t UTF-8)"),
        (b"name,time,source\npower,1,a\n", "a table in CSV; export line protocol instead"),
        (b"name: power\ntime value\n", "a table printed by influx; export line protocol instead"),
        (b'{"results":[{}]}\n', "an answer of InfluxDB in JSON; export line protocol instead"),
        (b"#group,false\n#datatype,string\n", "a table in annotated CSV; export line protocol"),
    ],
)
def test_another_format_is_named_with_what_to_do(tmp_path: Path, data: bytes, said: str) -> None:
    """Beside good files too: it may hold readings that would be missing."""
    (tmp_path / "good.lp").write_bytes(LINE)
    (tmp_path / "odd").write_bytes(data)
    with pytest.raises(SourceError) as error:
        export_files(str(tmp_path))
    assert str(error.value).startswith(f"{tmp_path / 'odd'} is no line protocol but {said}")


def test_lines_are_numbered_whatever_the_reads_cut(tmp_path: Path) -> None:
    """Each as its bytes without the line feed. The last one must have its end."""
    lines = [b"x" * (n % 97) + b"\r" * (n % 2) for n in range(60_000)]
    file = tmp_path / "a"
    file.write_bytes(b"\n".join([*lines, b""]))
    assert file.stat().st_size > 2 * CHUNK_BYTES
    assert list(read_lines(file)) == list(enumerate(lines, start=1))
    file.write_bytes(b"a\nb\nrest")
    found = read_lines(file)
    assert [next(found), next(found)] == [(1, b"a"), (2, b"b")]
    with pytest.raises(UnfinishedLine) as cut:
        next(found)
    assert (cut.value.number, cut.value.line) == (3, b"rest")


def test_a_line_without_end_is_refused_in_bounded_memory(tmp_path: Path) -> None:
    """A packed file of some kilobytes that unpacks to a gigabyte of one line."""
    file = tmp_path / "a.lp.gz"
    megabyte = bytes(1 << 20)
    with gzip.open(file, "wb", compresslevel=9) as stream:
        stream.write(LINE)
        for _ in range(256):
            stream.write(megabyte)
    tracemalloc.start()
    with pytest.raises(SourceError, match=r"a.lp.gz line 2 is longer than 16 MiB"):
        list(read_lines(file))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * LONGEST_LINE_BYTES
