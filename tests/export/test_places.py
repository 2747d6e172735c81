"""Where an export goes: the whole of it, or nothing."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from homeiot_batch.core.layout import Layout
from homeiot_batch.errors import SettingsError
from homeiot_batch.export.places import deliver, refuse_place, work_folder

LAYOUT = Layout(*(Path("/house") / name for name in ("parquet", "markers", "db", "r", "house")))


def put(target: Path, text: str) -> None:
    """Put the text in place, as an export does."""
    with work_folder(target) as folder:
        part = folder / "export.csv"
        part.write_text(text)
        deliver(part, target)


def test_a_file_is_replaced_and_keeps_its_permissions(tmp_path: Path) -> None:
    """A new one has those of any new file. Who has the former one open reads it to its end."""
    old = tmp_path / "old.csv"
    old.write_text("former")
    old.chmod(0o600)
    with old.open() as reader:
        put(old, "whole")
        assert reader.read() == "former"
    mask = os.umask(0o027)
    put(tmp_path / "new.csv", "whole")
    os.umask(mask)
    assert {
        path.name: (path.read_text(), oct(path.stat().st_mode & 0o777))
        for path in tmp_path.iterdir()
    } == {"old.csv": ("whole", "0o600"), "new.csv": ("whole", "0o640")}


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """The file that it leads to is replaced, in the folder of that one."""
    (tmp_path / "folder").mkdir()
    place = tmp_path / "folder/real.csv"
    place.write_text("former")
    link = tmp_path / "link.csv"
    link.symlink_to(place)
    put(link, "whole")
    assert (link.is_symlink(), place.read_text()) == (True, "whole")
    assert [path.name for path in place.parent.iterdir()] == ["real.csv"]


def test_what_fails_leaves_the_former_file_alone(tmp_path: Path) -> None:
    """And nothing beside it."""
    target = tmp_path / "x.csv"
    target.write_text("former")
    with pytest.raises(FileNotFoundError), work_folder(target) as folder:
        (folder / "gone/export.csv").write_text("a part")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("x.csv", "former")]


WAIT = """
import sys, time
from pathlib import Path
from homeiot_batch.export.places import work_folder
with work_folder(Path(sys.argv[1])) as folder:
    (folder / "export.csv").write_text("a part")
    print(flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_export_that_is_ended_leaves_nothing(number: int, tmp_path: Path) -> None:
    """By Ctrl-C or SIGTERM: the former file stays, without a part beside it."""
    target = tmp_path / "x.csv"
    target.write_text("former")
    command = [sys.executable, "-c", WAIT, str(target)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        running.stdout.readline()
        assert len(list(tmp_path.iterdir())) == 2
        running.send_signal(number)
    assert running.returncode == 128 + number
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("x.csv", "former")]


def refusal(target: Path | None, form: str = "csv") -> str:
    """What is said of a place that no export can go to."""
    with pytest.raises(SettingsError) as refused:
        refuse_place(target, form, LAYOUT)
    return str(refused.value)


def test_a_place_that_is_no_file_is_refused(tmp_path: Path) -> None:
    """A folder that is not there, a folder itself, a device: it is not replaced."""
    gone = tmp_path / "gone/x.csv"
    assert refusal(gone) == (f"--output='{gone}': there is no folder {gone.parent}; make it first")
    for place in (tmp_path, Path("/dev/null")):
        assert refusal(place) == (
            f"--output='{place}' is there and is no file; name a file, or leave --output out for "
            "standard output"
        )
    refuse_place(tmp_path / "x.csv", "xlsx", LAYOUT)


@pytest.mark.parametrize(
    "name",
    [
        "parquet/d/part-0.parquet",
        "markers/x.json",
        "house/tariffs.csv",
        "h.duckdb",
        "h.read.duckdb",
    ],
)
def test_the_houses_own_files_are_not_replaced(name: str, tmp_path: Path) -> None:
    """Also through a link. The report's folder is for any page or file."""
    layout = Layout(
        parquet=tmp_path / "parquet",
        markers=tmp_path / "markers",
        database=tmp_path / "h.duckdb",
        report_folder=tmp_path / "report",
        house=tmp_path / "house",
    )
    own = tmp_path / name
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text("own")
    link = tmp_path / "link.csv"
    link.symlink_to(own)
    for target in (own, link):
        with pytest.raises(SettingsError) as refused:
            refuse_place(target, "csv", layout)
        assert str(refused.value) == (
            f"--output='{target}' is a place of the house's own files; "
            "name a file in another folder"
        )
    refuse_place(tmp_path / "x.csv", "csv", layout)


def test_a_closed_standard_output_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a service may have it."""
    monkeypatch.setattr(sys, "stdout", None)
    assert refusal(None) == "standard output is closed; give --output FILE"


@pytest.mark.parametrize("form", ["xlsx", "parquet"])
def test_no_bytes_go_to_a_terminal(form: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Text may. A pipe gets anything."""
    refuse_place(None, form, LAYOUT)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    refuse_place(None, "csv", LAYOUT)
    assert refusal(None, form) == (
        f"--format={form} would fill the terminal with bytes; give --output FILE"
    )


SEND = """
import sys
from pathlib import Path
from homeiot_batch.core.layout import Layout
from homeiot_batch.errors import ArchiveError
from homeiot_batch.export.places import deliver
try:
    deliver(Path(sys.argv[1]), None)
except ArchiveError as error:
    raise SystemExit(f"error: {error}")
"""


def send(part: Path, stdout: int) -> tuple[int, str]:
    """Send the part to the standard output of another process: its exit code and errors."""
    command = [sys.executable, "-c", SEND, str(part)]
    done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stderr


@pytest.fixture
def part(tmp_path: Path) -> Path:
    """A finished export of a megabyte."""
    file = tmp_path / "part"
    file.write_text("0123456789\n" * 100_000)
    return file


def closed_pipe() -> int:
    """The end for writing of a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    return writer


@pytest.mark.parametrize(
    ("opened", "reason"),
    [
        (lambda: os.open("/dev/full", os.O_WRONLY), "No space left on device"),
        (closed_pipe, "Broken pipe"),
    ],
)
def test_standard_output_that_took_a_part_is_said(
    opened: Callable[[], int], reason: str, part: Path
) -> None:
    """In one line: a full disk, a reader that has ended."""
    stdout = opened()
    try:
        assert send(part, stdout) == (
            1,
            (
                f"error: standard output took only a part of the export ({reason}); do not use "
                "that part, see to what reads it and run again\n"
            ),
        )
    finally:
        os.close(stdout)
