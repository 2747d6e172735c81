"""What an export holds beside readings: left out, counted, and named once for the whole run."""

from dataclasses import dataclass, field
from pathlib import Path

LISTED = 20


@dataclass
class Oddities:
    """Lines of one kind in one file."""

    count: int = 0
    first: int = 0
    text: str = ""

    def add(self, number: int, line: bytes) -> None:
        """Count a line; the first one is shown."""
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
        if self.unreadable.count and not self.points:
            found.append(
                f"{self.file} is no line protocol (line {self.unreadable.first}: "
                f"{self.unreadable.text}); it is left out, take it away"
            )
        elif self.unreadable.count:
            found.append(
                f"{self.file} line {self.unreadable.first} is no line protocol, and none of a "
                f"wanted measurement: {self.unreadable.text}; {self.unreadable.count} such lines "
                "are left out"
            )
        if self.skipped.count:
            found.append(
                f"{self.file} line {self.skipped.first}: influx_inspect did not find a file of "
                f"the server any more ({self.skipped.text}); what it held may be missing here "
                f"({self.skipped.count} such lines); an export made while the server is stopped "
                "has all"
            )
        return found


def listed(files: list[FileNotices]) -> list[str]:
    """The notices of all files, not too many."""
    found = [line for file in files for line in file.lines()]
    more = len(found) - LISTED
    return [*found[:LISTED], *([f"{more} more such notices of the export"] if more > 0 else [])]


def shown(line: bytes) -> str:
    """The beginning of a line, printable."""
    return repr(line[:80].decode(errors="backslashreplace"))
