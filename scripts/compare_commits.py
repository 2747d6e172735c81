"""What two commits make of the same three weeks: exit codes, files, markers and tables, whole rows.

python scripts/compare_commits.py BEFORE [AFTER]     (AFTER is HEAD unless given. Ends with 1 if
anything differs)

Both commits read one export, written by AFTER's `simulate`, and run the same commands with the
same time. A change that should change nothing is shown by it.
"""

import argparse
import hashlib
import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.parquet as pq

EXPORT = "house.lp.gz"
FIRST, LAST = "2026-10-26", "2026-11-15"  # with the days on which summer time ends elsewhere
NOW = "now=2026-11-16T00:10:00+09:00"
RUN = ["-m", "homeiot_batch.run_archive", "--config", NOW]
# in this order, on one house
COMMANDS = {
    "the three weeks": [*RUN, "--from", FIRST, "--to", LAST],
    "nothing to do": RUN,
    "a day forced": [*RUN, "--date", "2026-11-09", "--force"],
    "a day read with other rules": [*RUN, "--date", "2026-11-10", "--config", "tz=Europe/Berlin"],
    "a day that is not over": [*RUN, "--date", "2026-11-16"],
    "a range from end to start": [*RUN, "--from", LAST, "--to", FIRST],
}
# what each run makes anew: random names, and checksums and times of files that hold them
OF_THIS_RUN = {"write_id", "load_id", "sha256", "file", "loaded_at", "build_id", "built_at"}
Found = dict[str, Any]


def main() -> None:
    """Make both houses, and print what is equal and what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("before")
    parser.add_argument("after", nargs="?", default="HEAD")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        before = checkout(arguments.before, folder / "before")
        after = checkout(arguments.after, folder / "after")
        export = folder / EXPORT
        simulate = [".venv/bin/homeiot", "simulate", str(export), "--from", FIRST, "--to", LAST]
        subprocess.run(simulate, cwd=after, check=True, capture_output=True)
        differing = [
            *compare("exit codes", run_all(before, export), run_all(after, export)),
            *compare("files", files(before), files(after)),
            *compare("markers", markers(before), markers(after)),
            *compare_tables(before, after),
        ]
    raise SystemExit(bool(differing))


def checkout(commit: str, folder: Path) -> Path:
    """The files of a commit, with what it needs to run."""
    folder.mkdir()
    archive = subprocess.run(["git", "archive", commit], check=True, capture_output=True)
    subprocess.run(["tar", "-x", "-C", folder], input=archive.stdout, check=True)
    subprocess.run(["make", "setup"], cwd=folder, check=True, capture_output=True)
    return folder


def run_all(folder: Path, export: Path) -> Found:
    """The exit code of each command."""
    settings = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "TZ": "Asia/Tokyo",
        "INFLUX_URL": str(export),
    }
    codes: Found = {}
    for name, arguments in COMMANDS.items():
        command = [".venv/bin/python", *arguments]
        done = subprocess.run(
            command, cwd=folder, env=settings, capture_output=True, text=True, check=False
        )
        codes[name] = done.returncode
    return codes


def files(folder: Path) -> Found:
    """The rows of each day's file, in their order, and what it says about itself."""
    archive = folder / "data/parquet"
    found: Found = {}
    for path in sorted(archive.glob("[!.]*/dt=*/*.parquet")):
        name = str(path.relative_to(archive))
        file = pq.ParquetFile(path)
        found[name] = hashlib.sha256(repr(file.read().to_pylist()).encode()).hexdigest()
        said = json.loads(file.metadata.metadata[b"homeiot"])
        found |= {f"{name}: {key}": value for key, value in said.items()}
    return found


def markers(folder: Path) -> Found:
    """What each marker of a day says."""
    found: Found = {}
    for path in sorted((folder / "data").rglob("dt=*.json")):
        marker = json.loads(path.read_text())
        for key, value in marker.items():
            found[f"{path.relative_to(folder)}: {key}"] = value
    return found


def compare(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Print how many agree, and return the names of those that do not."""
    found = sorted(before.keys() | after.keys())
    names = [name for name in found if name.rpartition(" ")[2] not in OF_THIS_RUN]
    differing = [name for name in names if before.get(name) != after.get(name)]
    print(f"{kind}: {len(names) - len(differing)} of {len(names)} equal")
    for name in differing:
        print(f"  {name}: {difference(before.get(name), after.get(name))}")
    return differing


def difference(before: Any, after: Any) -> str:
    """What became of a value. For a set: what went and what came."""
    if isinstance(before, set) and isinstance(after, set):
        gone = sorted(before - after)
        new = sorted(after - before)
        return f"without {gone}, with {new}"
    return f"{before} -> {after}"


def compare_tables(before: Path, after: Path) -> list[str]:
    """Print which tables have other columns or rows, and return their names."""
    sides = (before, after)
    with duckdb.connect() as database:
        for folder in sides:
            path = folder / "data/duckdb/home_energy.duckdb"
            database.execute(f"ATTACH '{path}' AS {folder.name} (READ_ONLY)")
        tables = [columns(database, folder.name) for folder in sides]
        rows: list[Found] = [{}, {}]
        for table in tables[0].keys() & tables[1].keys():
            shared = sorted(tables[0][table] & tables[1][table] - OF_THIS_RUN)
            for found, folder in zip(rows, sides, strict=True):
                found[table] = contents(database, f"{folder.name}.{table}", shared)
    return [*compare("columns of tables", *tables), *compare("rows of tables", *rows)]


def columns(database: duckdb.DuckDBPyConnection, name: str) -> dict[str, set[str]]:
    """The names of the columns of each table and view of the database."""
    query = (
        "SELECT schema_name || '.' || table_name, list(column_name) "
        "FROM duckdb_columns() WHERE database_name = ? AND NOT internal GROUP BY ALL"
    )
    found = database.execute(query, [name]).fetchall()
    return {table: set(names) for table, names in found}


def contents(database: duckdb.DuckDBPyConnection, table: str, names: list[str]) -> Found:
    """How many rows there are, and a checksum of all of them in the given columns."""
    selection = ", ".join(f'"{name}"' for name in names) or "NULL"
    query = f"SELECT count(*), sum(hash(t)::HUGEINT) FROM (SELECT {selection} FROM {table}) t"
    [(count, checksum)] = database.execute(query).fetchall()
    return {"rows": count, "checksum": checksum}


if __name__ == "__main__":
    main()
