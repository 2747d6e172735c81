"""What is recorded of an archived day, wherever it is written down: Parquet metadata, marker, load table."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class DayRecord:
    """How much a day holds: rows, and the values that each field really had before missing ones were filled."""

    rows: int
    values: dict[str, int]

    @classmethod
    def of(cls, content: dict[str, Any] | None) -> "DayRecord | None":
        """The record in a marker or a file's metadata; None where there is none."""
        try:
            return (
                cls(int(content["rows"]), {str(k): int(v) for k, v in content["values"].items()})
                if content
                else None
            )
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

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def __str__(self) -> str:
        return f"{self.rows} rows ({listed_counts(self.values)})"


def listed_counts(counts: Mapping[str, int]) -> str:
    """Each field with its count, for a message; a field may have any name, so it is no log key."""
    return ", ".join(f"{field} {count}" for field, count in counts.items())
