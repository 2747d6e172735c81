"""What an export holds beside readings: left out, counted, and named once for the whole run."""

from dataclasses import astuple, dataclass, field
from pathlib import Path

LISTED = 20


@dataclass
class Oddities:
    """Lines of one kind in one file."""

    count: int = 0
    first: int = 0
    text: str = ""

    def add(self, number: int, line: bytes) -> None:
        """Count a line. The first one is shown."""
        if not self.count:
            self.first, self.text = number, shown(line)
        self.count += 1


@dataclass
class FileNotices:
    """What was left out of one file."""

    file: Path
    points: int = 0
    unreadable: Oddities = field(default_factory=Oddities)
    skipped: Oddities = field(default_factory=Oddities)

    def lines(self) -> list[str]:
        """For the run's warnings."""
        found = []
        if self.unreadable.count:
            found.append(self._unreadable_lines())
        if self.skipped.count:
            found.append(self._skipped_files())
        return found

    def _unreadable_lines(self) -> str:
        count, first, text = astuple(self.unreadable)
        if not self.points:
            return (
                f"{self.file} is no line protocol (line {first}: {text}); "
                "it is left out, take it away"
            )
        return (
            f"{self.file} line {first} is no line protocol, and none of a wanted measurement: "
            f"{text}; {count} such lines are left out"
        )

    def _skipped_files(self) -> str:
        count, first, text = astuple(self.skipped)
        return (
            f"{self.file} line {first}: influx_inspect did not find a file of the server any more "
            f"({text}); what it held may be missing here ({count} such lines). "
            "An export made while the server is stopped has all"
        )


def listed(files: list[FileNotices]) -> list[str]:
    """The notices of all files, not too many."""
    found: list[str] = []
    for file in files:
        found += file.lines()
    more = len(found) - LISTED
    if more <= 0:
        return found
    return [*found[:LISTED], f"{more} more such notices of the export"]


def shown(line: bytes) -> str:
    """The beginning of a line, printable."""
    return repr(line[:80].decode(errors="backslashreplace"))
