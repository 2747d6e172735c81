"""Older versions of DuckDB, each in an environment of its own that `make readers` makes."""

import os
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest
from _pytest.mark import ParameterSet

READ_ALL = """
import sys, duckdb
file, *base = sys.argv[1:]
with duckdb.connect(file, read_only=True) as connection:
    for parquet in base:
        connection.execute(f"SET VARIABLE parquet = '{parquet}'")
    names = "SELECT table_name FROM information_schema.tables ORDER BY ALL"
    for (name,) in connection.execute(names).fetchall():
        print(name, connection.execute(f'DESCRIBE "{name}"').fetchall())
        for row in connection.execute(f'FROM "{name}" ORDER BY ALL').fetchall():
            print(name, row)
"""


def older_python(name: str) -> Path:
    """The Python of the environment that is called like its lock, as duckdb-1.4."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "homeiot-readers"
    return Path(os.environ.get("HOMEIOT_READERS") or cache) / name / "bin/python"


def needs(python: Path) -> pytest.MarkDecorator:
    """A mark: without the Python the test is skipped, but fails in CI."""
    is_missing = not os.access(python, os.X_OK) and os.environ.get("INTEGRATION_TESTS") != "1"
    return pytest.mark.skipif(is_missing, reason=f"{python} is missing; run `make readers`")


def _param(python: Path) -> ParameterSet:
    return pytest.param(python, id=python.parents[1].name, marks=needs(python))


OLDER_PYTHONS = [
    _param(older_python(lock.stem)) for lock in sorted(Path(__file__).parent.glob("duckdb-*.lock"))
]


def read_all(python: Path, file: Path, base: Iterable[Path] = ()) -> list[str]:
    """Every table and view of the file: its columns with their types, then all of its rows.

    `base` has the folder of the Parquet files, if it is not the one that the views name.
    """
    command = [str(python), "-c", READ_ALL, str(file), *map(str, base)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()
