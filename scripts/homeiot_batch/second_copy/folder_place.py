"""A second copy in a folder, such as a disk or a share of a NAS that is mounted."""

import contextlib
import os
from collections.abc import Generator, Iterator, Mapping
from pathlib import Path

from homeiot_batch.core.files import sync_file, sync_folder
from homeiot_batch.errors import CopyError
from homeiot_batch.second_copy.names import TOPS


class FolderPlace:
    """Files below a folder that is there. Names that start with a dot are no files of the copy."""

    def __init__(self, folder: Path, origin: str) -> None:
        self.url = str(folder)
        self._folder = folder
        if not folder.is_dir():
            raise CopyError(
                f"{origin}={self.url!r} is no folder; mount it, or make it where it is new"
            )

    @property
    def names(self) -> tuple[str, ...]:
        """The folder's path, and where that leads: a link may lead elsewhere tomorrow."""
        path = Path(os.path.abspath(self._folder))  # noqa: PTH100 - follows no link
        return tuple(dict.fromkeys((str(path), str(path.resolve()))))

    def sizes(self) -> Mapping[str, int]:
        """The size in bytes of each file, by name."""
        found: dict[str, int] = {}
        with self._translated("listed"):
            for top in TOPS:
                for path in _files_below(self._folder / top):
                    found[str(path.relative_to(self._folder))] = _size(path)
        return found

    def read(self, name: str) -> bytes:
        """The content of a file, from the disk and not from the memory that caches it."""
        with self._translated("read"), (self._folder / name).open("rb") as file:
            with contextlib.suppress(OSError):  # not every file system has it
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            return file.read()

    def write(self, name: str, content: bytes) -> None:
        """Write aside, flush, and rename: a kill leaves the whole file or none."""
        target = self._folder / name
        part = target.with_name(f".{target.name}.part")
        with self._translated(f"written: {name}"):
            target.parent.mkdir(parents=True, exist_ok=True)
            with _removed_on_error(part):
                part.write_bytes(content)
                sync_file(part)
            self._refuse_existing(target)
            part.rename(target)
            with contextlib.suppress(OSError):  # not every share flushes a folder
                sync_folder(target.parent)

    def _refuse_existing(self, target: Path) -> None:
        if target.exists():
            raise CopyError(
                f"the copy in {self.url} has {target.name} already: another machine writes there; "
                "give each its own place"
            )

    @contextlib.contextmanager
    def _translated(self, what: str) -> Generator[None]:
        try:
            yield
        except OSError as error:
            raise CopyError(
                f"the copy in {self.url} cannot be {what} ({error.strerror}); "
                "see to the disk, the share and its permissions"
            ) from None


def _files_below(top: Path) -> Iterator[Path]:
    """The files that no dot hides. What else a disk holds, as lost+found, is not looked at."""
    if top.is_dir():
        for folder, _, names in top.walk(on_error=_raise):
            for name in names:
                if not name.startswith("."):
                    yield folder / name


def _size(path: Path) -> int:
    """The file's size in bytes, or 0 for a link that leads nowhere."""
    try:
        return path.stat().st_size
    except OSError:
        if path.is_symlink():
            return 0
        raise


@contextlib.contextmanager
def _removed_on_error(part: Path) -> Generator[None]:
    """The part of a file is removed if the disk is full, or refuses it otherwise."""
    try:
        yield
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def _raise(error: OSError) -> None:
    raise error
