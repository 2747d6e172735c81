"""Which columns the archived files have. Only files that are new since the last time are opened.

To open the files of ten years takes as long as to copy all tables.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from homeiot_batch.core.files import file_stat, read_json, write_json
from homeiot_batch.core.layout import PART
from homeiot_batch.core.sql_text import literal

# each column's name, its type, and what the type stands for
Columns = tuple[tuple[str, str, str | None], ...]
# the most files in one query
AT_ONCE = 5000


@dataclass
class FileColumns:
    """What was found of each dataset's files: the columns by day, each with the file's stamp.

    A file of the same size and time is the same file, as for the markers of loads. Another version
    of DuckDB may name types otherwise: its first publication opens all files.
    """

    note: Path
    _found: dict[str, dict[str, tuple[str, Columns]]] = field(default_factory=dict)

    @classmethod
    def noted(cls, note: Path) -> "FileColumns":
        """What the last publication has noted. Nothing where there is no such note."""
        try:
            content = read_json(note) or {}
            if content.get("duckdb") != duckdb.__version__:
                return cls(note)
            return cls(note, dict(_from_json(content["datasets"])))
        except (AttributeError, IndexError, KeyError, OSError, TypeError, ValueError):
            return cls(note)

    def counted(
        self,
        connection: duckdb.DuckDBPyConnection,
        folder: Path,
        dataset: str,
        days: Sequence[str],
    ) -> list[tuple[str, int]]:
        """Each column with each of its types, and how many of the days' files have it so.

        The files lie in `folder`, as dt=YYYY-MM-DD/part-0.parquet. OSError if one is not there,
        duckdb.Error if one that has to be opened cannot be read.
        """
        before = self._found.get(dataset, {})
        stamps = {day: _stamp(_part(folder, day)) for day in days}
        new = [day for day in days if before.get(day, ("", ()))[0] != stamps[day]]
        opened = _opened(connection, folder, new)
        found = {}
        for day in days:
            columns = opened.get(day) or before[day][1]
            found[day] = (stamps[day], columns)
        self._found[dataset] = found
        counts = Counter(column for _, columns in found.values() for column in columns)
        return [(name, count) for (name, _, _), count in counts.items()]

    def write(self) -> None:
        """Note what was found, for the next publication."""
        content = {"duckdb": duckdb.__version__, "datasets": dict(_to_json(self._found))}
        write_json(self.note, content, flush=False)


def _part(folder: Path, day: str) -> str:
    return f"{folder}/dt={day}/{PART}"


def _stamp(part: str) -> str:
    stat = file_stat(part)
    return f"{stat.st_size}-{stat.st_mtime_ns}"


def _opened(
    connection: duckdb.DuckDBPyConnection, folder: Path, days: Sequence[str]
) -> dict[str, Columns]:
    """The columns of the days' files, by day."""
    found = {}
    for first in range(0, len(days), AT_ONCE):
        files = ", ".join(literal(_part(folder, day)) for day in days[first : first + AT_ONCE])
        rows = connection.execute(
            "SELECT file_name, list((name, type, logical_type) ORDER BY column_id) "
            f"FROM parquet_schema([{files}]) WHERE type IS NOT NULL GROUP BY file_name"
        )
        for part, columns in rows.fetchall():
            day = Path(part).parent.name.removeprefix("dt=")
            found[day] = tuple(tuple(column) for column in columns)
    return found


def _to_json(
    found: Mapping[str, Mapping[str, tuple[str, Columns]]],
) -> Iterator[tuple[str, dict[str, object]]]:
    """By dataset. Nearly all files have the same columns, so these are listed once."""
    for dataset, days in found.items():
        kinds = list(dict.fromkeys(columns for _, columns in days.values()))
        numbers = {columns: number for number, columns in enumerate(kinds)}
        files = {day: [stamp, numbers[columns]] for day, (stamp, columns) in days.items()}
        yield dataset, {"columns": kinds, "files": files}


def _from_json(
    content: Mapping[str, Any],
) -> Iterator[tuple[str, dict[str, tuple[str, Columns]]]]:
    for dataset, noted in content.items():
        kinds = [
            tuple((str(name), str(kind), logical) for name, kind, logical in columns)
            for columns in noted["columns"]
        ]
        files = noted["files"].items()
        yield dataset, {day: (stamp, kinds[number]) for day, (stamp, number) in files}
