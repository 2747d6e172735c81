"""dbt's parse of the project, which takes two seconds, once for all archives of a process.

dbt parses again whenever the path of the database is another one. So each archive is opened by the
same path, that of an open folder.
"""

import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

PARSED = "partial_parse.msgpack"
DESCRIPTOR = 99


@contextmanager
def same_path(database: Path) -> Generator[str]:
    """A path of the database that is the same for all; the program needs DESCRIPTOR open."""
    folder = os.open(database.parent, os.O_PATH | os.O_DIRECTORY)
    os.dup2(folder, DESCRIPTOR)
    os.close(folder)
    try:
        yield f"/proc/self/fd/{DESCRIPTOR}/{database.name}"
    finally:
        os.close(DESCRIPTOR)


@contextmanager
def kept_parse(target: Path) -> Generator[None]:
    """Give dbt the parse of an earlier archive, or keep that of the first one."""
    target.mkdir(exist_ok=True)
    kept = _folder() / PARSED
    if kept.exists() and not (target / PARSED).exists():
        shutil.copyfile(kept, target / PARSED)
    yield
    if not kept.exists():
        shutil.copyfile(target / PARSED, kept)


@cache
def _folder() -> Path:
    """A folder of this process, which the system deletes with its other temporary files."""
    return Path(tempfile.mkdtemp(prefix="parsed-dbt-"))
