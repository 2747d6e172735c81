"""What a run did, said once at its end.

Days, rows, warnings, and one line for each day that failed, last.
"""

import sys
import threading
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from homeiot_batch.core.files import write_json
from homeiot_batch.core.host_paths import explanation
from homeiot_batch.errors import HomeIotError
from homeiot_batch.workflow.same_failures import joined
from homeiot_batch.workflow.same_warnings import grouped


@dataclass
class Summary:
    """Collected by the jobs' threads."""

    started: float = field(default_factory=time.monotonic)
    read_days: int = 0
    read_rows: int = 0
    loaded_days: int = 0
    loaded_rows: int = 0
    built: bool = False
    has_tables: bool = True
    warnings: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    # the file that has each warning; "" where there is none
    noted_in: str = ""
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def read(self, rows: int) -> None:
        """A day was read."""
        with self._lock:
            self.read_days = self.read_days + 1
            self.read_rows = self.read_rows + rows

    def loaded(self, rows: int) -> None:
        """A day was loaded."""
        with self._lock:
            self.loaded_days = self.loaded_days + 1
            self.loaded_rows = self.loaded_rows + rows

    def build_done(self, *, has_tables: bool = True) -> None:
        """Dbt has built its tables, or has none to build."""
        self.built = True
        self.has_tables = has_tables

    def warn(self, message: str) -> None:
        """Something that the user should know and that did not fail the run."""
        self.warnings.append(message)

    def fail(self, message: str) -> None:
        """A job that failed: what, where, and the fix."""
        self.failures.append(message)

    def lines(self) -> list[str]:
        """The summary as a user reads it. Nothing if no job ran."""
        if not (self.read_days or self.loaded_days or self.built or self.failures or self.warnings):
            return []
        tables = "tables built" if self.built else "tables not built"
        if not self.has_tables:
            tables = "no tables to build"
        seconds = time.monotonic() - self.started
        done = (
            f"summary: {self.read_days} days read ({self.read_rows} rows), {self.loaded_days} days "
            f"loaded ({self.loaded_rows} rows), "
            f"{tables}, {len(self.warnings)} warnings, {len(self.failures)} failed, {seconds:.1f} s"
        )
        step = [f"next step: {step}"] if (step := self._next_step()) else []
        warnings = [f"warning: {warning}" for warning in grouped(self.warnings, self.noted_in)]
        failures = [f"failed: {failure}" for failure in joined(self.failures)]
        return [done, *explanation([*warnings, *failures]), *warnings, *step, *failures]

    def _next_step(self) -> str:
        if self.failures:
            return "fix what is named below and run the same command again. What is done is kept"
        return (
            ""
            if self.built or not (self.read_days or self.loaded_days)
            else "`snakemake` without --until loads what is missing and builds the tables"
        )

    def as_dict(self) -> dict[str, object]:
        """For JSON: the figures, and the lines as they were printed."""
        return {
            "finished_at": datetime.now(UTC).isoformat(),
            "seconds": round(time.monotonic() - self.started, 1),
            "read_days": self.read_days,
            "read_rows": self.read_rows,
            "loaded_days": self.loaded_days,
            "loaded_rows": self.loaded_rows,
            "built": self.built,
            "warnings": sorted(self.warnings),
            "failures": sorted(self.failures),
            "lines": self.lines(),
        }

    def note(self, file: Path, shown: str) -> None:
        """Write it to the file, which is `shown` so. If that fails, each warning is printed."""
        self.noted_in = shown
        try:
            write_json(file, self.as_dict())
        except HomeIotError:
            self.noted_in = ""

    def print(self, stream: TextIO | None = None) -> None:
        """Print the lines, on stderr if no stream is given."""
        for line in self.lines():
            print(line, file=stream or sys.stderr, flush=True)
