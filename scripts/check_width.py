"""Holds pages, YAML, SQL, TOML and shell scripts to 100 columns: `make lint` runs it.

Python is held to them by ruff. In Markdown, tables and blocks of code may be wider: they cannot be
broken.

usage: scripts/check_width.py FILE...         exit code 1 if a line is too long
"""

import sys
from collections.abc import Iterator
from pathlib import Path

COLUMNS = 100
FENCE = "```"


def breakable_lines(file: Path) -> Iterator[tuple[int, str]]:
    """The lines of the file with their numbers, without those that cannot be broken."""
    in_code = False
    for number, line in enumerate(file.read_text().splitlines(), start=1):
        if file.suffix == ".md":
            is_fence = line.lstrip().startswith(FENCE)
            in_code = in_code != is_fence
            if in_code or line.lstrip().startswith("|"):
                continue
        yield number, line


def too_long(line: str) -> bool:
    """Whether the line is wider than it must be: a word may be as long as it is."""
    if len(line) <= COLUMNS:
        return False
    return " " in line.lstrip()[: COLUMNS - _indent(line)]


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def main(files: list[str]) -> int:
    """Print the places of lines that are too long."""
    faults = []
    for name in files:
        for number, line in breakable_lines(Path(name)):
            if too_long(line):
                faults.append(f"{name}:{number}: {len(line)} columns, at most {COLUMNS}")
    for fault in faults:
        print(f"too long: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
