"""What is recorded of an archived day, wherever it is written down.

That is the metadata of its Parquet file, the marker of its load, and the database's record of it.
Their JSON keys stay as they are: archives of every earlier program are read.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from homeiot_batch.core.files import read_json


@dataclass(frozen=True)
class DayRecord:
    """How much a day holds: rows, and the values that each field had before gaps were filled."""

    rows: int
    values: dict[str, int]

    @classmethod
    def of(cls, content: object) -> "DayRecord | None":
        """The record in a marker's or a file's JSON, or None where there is none."""
        if not isinstance(content, Mapping):
            return None
        try:
            values = {str(name): int(count) for name, count in content["values"].items()}
            return cls(int(content["rows"]), values)
        except (KeyError, TypeError, ValueError, AttributeError):
            return None

    def holds_less_than(self, other: "DayRecord") -> bool:
        """Whether rows, or the values of any field, are fewer than in `other`."""
        return self.rows < other.rows or any(
            self.values.get(field, 0) < count for field, count in other.values.items()
        )

    def joined(self, other: "DayRecord | None") -> "DayRecord":
        """The larger of both, number by number."""
        if other is None:
            return self
        fields = self.values | other.values
        return DayRecord(
            max(self.rows, other.rows),
            {f: max(self.values.get(f, 0), other.values.get(f, 0)) for f in fields},
        )

    def as_dict(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.rows} rows ({listed_counts(self.values)})"


@dataclass(frozen=True)
class FileMetadata:
    """What a day's Parquet file says of itself, or None for what it does not say.

    Times are ISO 8601 with their offset. `columns` are the types by name, `source` tells where the
    readings come from. `shrunk_from` is set for a day that was allowed to hold less than before.
    """

    write_id: str | None = None
    dt: str | None = None
    tz: str | None = None
    start_utc: str | None = None
    end_utc: str | None = None
    columns: Mapping[str, str] | None = None
    record: DayRecord | None = None
    first_utc: str | None = None
    last_utc: str | None = None
    read_at: str | None = None
    version: str | None = None
    dataset: str | None = None
    source: Mapping[str, object] | None = None
    shrunk_from: DayRecord | None = None

    @classmethod
    def from_json(cls, content: object) -> "FileMetadata":
        """From the JSON of a file of any earlier program."""
        json = content if isinstance(content, Mapping) else {}
        return cls(
            write_id=_text(json, "write_id"),
            dt=_text(json, "dt"),
            tz=_text(json, "tz"),
            start_utc=_text(json, "start_utc"),
            end_utc=_text(json, "end_utc"),
            columns=json.get("columns"),
            record=DayRecord.of(json),
            first_utc=_text(json, "first_utc"),
            last_utc=_text(json, "last_utc"),
            read_at=_text(json, "read_at"),
            version=_text(json, "version"),
            dataset=_text(json, "dataset"),
            source=json.get("source"),
            shrunk_from=DayRecord.of(json.get("shrunk_from")),
        )

    def to_json(self) -> dict[str, object]:
        """For JSON: `shrunk_from` only where the day did shrink."""
        content: dict[str, object] = {}
        for name, value in asdict(self).items():
            if name == "record":
                content |= value or {}
            elif name != "shrunk_from" or value:
                content[name] = value
        return content


@dataclass(frozen=True)
class Marker:
    """What is recorded of a day's load, or None for what is not.

    The database records less of it than the marker's file. Times are ISO 8601 with their offset,
    `file` is the size and time of the Parquet file that was loaded.
    """

    dataset: str | None = None
    dt: str | None = None
    load_id: str | None = None
    rows: int | None = None
    values: Mapping[str, int] | None = None
    first_utc: str | None = None
    last_utc: str | None = None
    end_utc: str | None = None
    sha256: str | None = None
    write_id: str | None = None
    file: Mapping[str, int] | None = None
    shrunk_from: DayRecord | None = None
    read_at: str | None = None
    loaded_at: str | None = None
    database: str | None = None

    @classmethod
    def from_json(cls, content: Mapping[str, object]) -> "Marker":
        """From the JSON of a marker of any earlier program."""
        rows, values, file = (content.get(name) for name in ("rows", "values", "file"))
        return cls(
            dataset=_text(content, "dataset"),
            dt=_text(content, "dt"),
            load_id=_text(content, "load_id"),
            rows=rows if isinstance(rows, int) else None,
            values=values if isinstance(values, Mapping) else None,
            first_utc=_text(content, "first_utc"),
            last_utc=_text(content, "last_utc"),
            end_utc=_text(content, "end_utc"),
            sha256=_text(content, "sha256"),
            write_id=_text(content, "write_id"),
            file=file if isinstance(file, Mapping) else None,
            shrunk_from=DayRecord.of(content.get("shrunk_from")),
            read_at=_text(content, "read_at"),
            loaded_at=_text(content, "loaded_at"),
            database=_text(content, "database"),
        )

    def to_json(self) -> dict[str, object]:
        """For JSON."""
        return asdict(self)

    @property
    def record(self) -> DayRecord | None:
        """How much was loaded, or None where that is not recorded whole."""
        return DayRecord.of({"rows": self.rows, "values": self.values})

    @property
    def is_empty(self) -> bool:
        """Whether the day has no readings, or False where that is not recorded."""
        return self.rows == 0


def read_marker(path: Path | str) -> Marker | None:
    """The marker in the file, or None where there is none, or nothing in it."""
    content = read_json(path)
    return Marker.from_json(content) if content else None


def listed_counts(counts: Mapping[str, int]) -> str:
    """Each field with its count, for a message. A field may have any name, so it is no log key."""
    return ", ".join(f"{field} {count}" for field, count in counts.items())


def _text(content: Mapping[str, object], key: str) -> str | None:
    value = content.get(key)
    return None if value is None else str(value)
