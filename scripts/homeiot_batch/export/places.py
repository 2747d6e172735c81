"""Where an export goes: a file that is replaced by one rename, or standard output.

Either gets the whole export or nothing.
"""

import contextlib
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

from homeiot_batch.core.files import sync_file, sync_folder
from homeiot_batch.core.layout import Layout
from homeiot_batch.errors import ArchiveError, SettingsError

BINARY = ("xlsx", "parquet")
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def refuse_place(target: Path | None, form: str, layout: Layout) -> None:
    """SettingsError for a file that cannot be written, or that is the house's own.

    Also for a terminal that would show bytes.
    """
    if target is None:
        _refuse_output(form)
    else:
        _refuse_file(target)
        _refuse_own(target, layout)


def _refuse_output(form: str) -> None:
    if sys.stdout is None:
        raise SettingsError("standard output is closed; give --output FILE")
    if form in BINARY and sys.stdout.isatty():
        raise SettingsError(
            f"--format={form} would fill the terminal with bytes; give --output FILE"
        )


def _refuse_own(target: Path, layout: Layout) -> None:
    """No export takes the place of the archive, its markers or a database."""
    place = real_place(target)
    folders = (layout.parquet, layout.markers, layout.house, layout.read_generations)
    own = [layout.database, layout.read_copy]
    inside = [folder for folder in folders if place.is_relative_to(folder.resolve())]
    if inside or place in [file.resolve() for file in own]:
        raise SettingsError(
            f"--output={str(target)!r} is a place of the house's own files; "
            "name a file in another folder"
        )


def _refuse_file(target: Path) -> None:
    if not target.parent.is_dir():
        raise SettingsError(
            f"--output={str(target)!r}: there is no folder {target.parent}; make it first"
        )
    if target.exists() and not target.is_file():
        raise SettingsError(
            f"--output={str(target)!r} is there and is no file; name a file, "
            "or leave --output out for standard output"
        )


@contextlib.contextmanager
def work_folder(target: Path | None) -> Generator[Path]:
    """A folder to write the export in, beside its place. It is gone afterwards."""
    parent = Path(tempfile.gettempdir())
    if target is not None:
        parent = real_place(target).parent
    try:
        folder = Path(tempfile.mkdtemp(prefix=".homeiot-export-", dir=parent))
    except OSError as error:
        raise ArchiveError(
            f"the export cannot be written in {parent} ({error.strerror}); "
            "see to disk space and permissions"
        ) from None
    try:
        with _gone_at_a_signal(folder):
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def _gone_at_a_signal(folder: Path) -> Generator[None]:
    """Ctrl-C and SIGTERM remove the folder and end the process at once.

    An exception would pass through DuckDB and Arrow, which make errors of their own of it.
    """

    def end(number: int, _: object) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(128 + number)

    heard = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    former = {number: signal.signal(number, end) for number in heard}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)


def real_place(target: Path) -> Path:
    """The file itself, where the target is a link to it."""
    return target.resolve()


def deliver(part: Path, target: Path | None) -> None:
    """Put the finished file in place, or send it to standard output. ArchiveError if refused."""
    if target is None:
        _send(part)
        return
    place = real_place(target)
    try:
        part.chmod(_mode(place))
        sync_file(part)
        part.replace(place)
        sync_folder(place.parent)
    except OSError as error:
        raise ArchiveError(
            f"{target} cannot be written ({error.strerror}); see to disk space and permissions"
        ) from None


def _mode(place: Path) -> int:
    """The permissions of the file that is replaced, or else those of a new one."""
    if place.exists():
        return place.stat().st_mode & 0o777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def _send(part: Path) -> None:
    try:
        with part.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    except OSError as error:
        # what is left in the buffer would fail again when Python ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise ArchiveError(
            f"standard output took only a part of the export ({error.strerror}); "
            "do not use that part, see to what reads it and run again"
        ) from None
