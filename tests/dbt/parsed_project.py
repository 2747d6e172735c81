"""dbt's parse of the project, which takes two seconds, once for all archives of a process.

dbt parses again whenever the path of the database is another one, so each archive is opened by the
same one.
"""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

PARSED = "partial_parse.msgpack"


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
