"""The files of an export: which they are, what they are packed in, and their lines as bytes."""

import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO
from urllib.parse import unquote, urlsplit

from homeiot_batch.errors import SourceError

CHUNK_BYTES = 1 << 20
# InfluxDB takes texts of 64 KiB; what is far longer has no line ends
LONGEST_LINE_BYTES = 16 << 20
SNIFFED_BYTES = 1024
GZIP = b"\x1f\x8b"

# how a file begins that is no line protocol, what it is then, and what makes an export of it
OTHER_FORMATS = [
    (b"PK\x03\x04", "a zip archive", "unpack it (unzip) and take the archive away"),
    (b"\xfd7zXZ\0", "packed by xz", "unpack it (xz -d)"),
    (b"BZh", "packed by bzip2", "unpack it (bunzip2)"),
    (b"\x28\xb5\x2f\xfd", "packed by zstd", "unpack it (zstd -d) and take the packed one away"),
    (b"\x04\x22\x4d\x18", "packed by lz4", "unpack it (lz4 -d) and take the packed one away"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it (7z x) and take the archive away"),
    (b"Rar!", "a rar archive", "unpack it (unrar x) and take the archive away"),
    (b"\xff\xfe", "UTF-16", "convert it (iconv -f UTF-16 -t UTF-8)"),
    (b"\xfe\xff", "UTF-16", "convert it (iconv -f UTF-16 -t UTF-8)"),
    (b"\x16\xd1\x16\xd1", "a TSM file of InfluxDB", "export it by influx_inspect export"),
    (b"PAR1", "a Parquet file", "export line protocol instead"),
    (b"SQLite format 3", "an SQLite database", "export line protocol instead"),
    (b'{"results"', "an answer of InfluxDB in JSON", "export line protocol instead"),
    (b"name,time,", "a table in CSV", "export line protocol instead"),
    (b"name,tags,time,", "a table in CSV", "export line protocol instead"),
    (b"name: ", "a table printed by influx", "export line protocol instead"),
    (b"#group,", "a table in annotated CSV", "export line protocol instead"),
    (b"#datatype,", "a table in annotated CSV", "export line protocol instead"),
]
TAR_MARK, TAR_MARK_AT = b"ustar", 257


class UnfinishedLine(Exception):
    """The last line of a file has no end."""

    def __init__(self, number: int, line: bytes) -> None:
        super().__init__(number)
        self.number = number
        self.line = line


def export_path(url: str) -> Path:
    """The file or folder that INFLUX_URL names. SourceError where there is none."""
    path = _named_path(url)
    if not path.exists():
        raise SourceError(
            f"INFLUX_URL={url!r}: there is no file or folder {path}; "
            "give an existing export, or http://host:port of an InfluxDB"
        )
    return path


def export_files(url: str) -> list[Path]:
    """The files of the export that INFLUX_URL names, by name.

    SourceError where there is none, or one that cannot be read, is empty, or has another format.
    """
    path = export_path(url)
    files = [path]
    if path.is_dir():
        files = sorted(_walk(path))
    if not files:
        raise SourceError(f"the folder {path} holds no file; put the export there")
    for file in files:
        _refuse_unusable(file)
    return files


def read_lines(file: Path) -> Iterator[tuple[int, bytes]]:
    """Numbered lines without their end. SourceError if the file is damaged.

    UnfinishedLine comes after the others, if the last line of the file has no end.
    """
    number, rest = 0, b""
    try:
        with _opened(file) as stream:
            while chunk := stream.read(CHUNK_BYTES):
                *lines, rest = (rest + chunk).split(b"\n")
                yield from enumerate(lines, start=number + 1)
                number += len(lines)
                if len(rest) > LONGEST_LINE_BYTES:
                    raise _too_long(file, number + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise SourceError(
            f"{file} line {number + 1}: the gzip is cut short or damaged; "
            "copy it again, nothing of it is used"
        ) from None
    except OSError as error:
        raise SourceError(
            f"{file} cannot be read ({error.strerror}); check its permissions"
        ) from None
    if rest:
        raise UnfinishedLine(number + 1, rest)


def _too_long(file: Path, number: int) -> SourceError:
    mebibytes = LONGEST_LINE_BYTES >> 20
    return SourceError(
        f"{file} line {number} is longer than {mebibytes} MiB: "
        "it is no line protocol; export again, or take the file away"
    )


def _named_path(url: str) -> Path:
    if not url.startswith("file://"):
        return Path(url)
    parts = urlsplit(url)
    return Path(unquote(parts.path))


def _walk(folder: Path) -> Iterator[Path]:
    """All that lies in the folder, through links too, but for hidden files."""

    def refuse(error: OSError) -> None:
        raise SourceError(
            f"{error.filename} cannot be read ({error.strerror}); check its permissions"
        ) from None

    seen = set()
    for place, folders, names in os.walk(folder, followlinks=True, onerror=refuse):
        real_paths = {name: os.path.realpath(f"{place}/{name}") for name in folders}
        # os.walk goes on with what is left in `folders`
        folders[:] = [name for name in folders if real_paths[name] not in seen]
        seen.add(os.path.realpath(place))
        for name in names:
            if not name.startswith("."):
                yield Path(place) / name


def _refuse_unusable(file: Path) -> None:
    if not file.is_file():
        raise SourceError(f"{file} is no file that can be read; put the export itself there")
    if not file.stat().st_size:
        raise SourceError(f"{file} is empty; copy it again, or take it away")
    if not os.access(file, os.R_OK):
        return  # the error comes where the file is read, and from doctor
    beginning = _beginning(file)
    for mark, kind, advice in OTHER_FORMATS:
        if beginning.startswith(mark):
            raise SourceError(f"{file} is no line protocol but {kind}; {advice}")
    if beginning[TAR_MARK_AT:].startswith(TAR_MARK):
        raise SourceError(
            f"{file} is no line protocol but a tar archive; "
            "unpack it (tar -xf) and take the archive away"
        )
    if encoding := _utf16(beginning):
        raise SourceError(
            f"{file} is no line protocol but UTF-16; convert it (iconv -f {encoding} -t UTF-8)"
        )


def _beginning(file: Path) -> bytes:
    """The first bytes of the file, unpacked.

    None if they cannot be read: the error comes where the file is read.
    """
    try:
        with _opened(file) as stream:
            return stream.read(SNIFFED_BYTES)
    except (EOFError, OSError, zlib.error):
        return b""


def _utf16(beginning: bytes) -> str:
    """The encoding where every other byte is NUL, as in UTF-16 without a mark, or "" if not."""
    pairs = len(beginning) // 2
    whole_pairs = beginning[: 2 * pairs]
    first = whole_pairs[::2].count(0)
    second = whole_pairs[1::2].count(0)
    if pairs < 8 or max(first, second) < 0.9 * pairs or min(first, second):
        return ""
    if first:
        return "UTF-16BE"
    return "UTF-16LE"


def _opened(file: Path) -> BinaryIO:
    with file.open("rb") as probe:
        is_gzip = probe.read(len(GZIP)) == GZIP
    if is_gzip:
        return gzip.open(file, "rb")  # ty: ignore[invalid-explicit-return]
    return file.open("rb")
