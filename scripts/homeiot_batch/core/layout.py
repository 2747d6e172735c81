"""Where everything of an archive lies. Paths are kept as they were set: relative ones start at the working directory."""

import contextlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from homeiot_batch.core.datasets import is_dataset_name
from homeiot_batch.core.day_record import read_marker

PART = "part-0.parquet"
SPARSE_DAYS = 31


@dataclass(frozen=True)
class Layout:
    """The paths that the Parquet base and the marker folder imply."""

    parquet: Path
    markers: Path

    def day(self, dataset: str, dt: object) -> Path:
        """The archived day, a folder with one file."""
        return self.parquet / dataset / f"dt={dt}"

    def staged(self, dataset: str, dt: object) -> Path:
        """The same folder, read whole but not in place yet; on the same file system, so that one rename moves it."""
        return self.staging / dataset / f"dt={dt}"

    def marker(self, dataset: str, dt: object) -> Path:
        """The record that the day is loaded."""
        return self.markers / dataset / f"dt={dt}.json"

    def former_marker(self, dataset: str, dt: object) -> Path:
        """A marker that is no longer believed: still a witness of how much the day held."""
        return self.markers / dataset / "former" / f"dt={dt}.json"

    @property
    def staging(self) -> Path:
        """What is being read; never part of the archive."""
        return self.parquet / ".staging"

    @property
    def kept(self) -> Path:
        """Day folders that were in the way and held files of somebody else."""
        return self.parquet / ".kept"

    @property
    def lock(self) -> Path:
        """The file whose kernel lock a run holds."""
        return self.parquet / ".lock"

    @property
    def identity(self) -> Path:
        """What the archive was begun with: its zone."""
        return self.parquet / ".archive.json"

    def early_note(self, dataset: str, dt: object) -> Path:
        """Says that the day in place was read before it was over."""
        return self.parquet / ".early" / dataset / f"dt={dt}.json"

    @property
    def last_load(self) -> Path:
        """Rewritten by every load, so that dbt sees loads of days that it does not list."""
        return self.markers / "LAST"

    @property
    def models(self) -> Path:
        """The record that dbt has built its tables."""
        return self.markers / "dbt.json"

    @property
    def counter_hints(self) -> Path:
        """The day of which a run last said what is wrong with its counters."""
        return self.markers / "counter_hints.json"

    @property
    def tables_request(self) -> Path:
        """Asks for the tables where a run loads days that they do not wait for; gone after it."""
        return self.markers / "tables.asked"

    @property
    def dbt_target(self) -> Path:
        """Where dbt notes what it has read and built: of this archive alone."""
        return self.markers / "log" / ".dbt"

    @property
    def read_marker(self) -> Path:
        """The record that the tables are published in the read copy."""
        return self.markers / "read_copy.json"

    @property
    def report_marker(self) -> Path:
        """The record that the report shows the read copy."""
        return self.markers / "report.json"

    @property
    def read_folders(self) -> Path:
        """The published generations of the archive, folders of hard links."""
        return self.parquet / ".read"

    @property
    def damage(self) -> Path:
        """Says that the database was found damaged in the middle of a run; the next one sets it aside."""
        return self.markers / "damaged_database.json"

    @property
    def last_run(self) -> Path:
        """The summary of the last run that did something."""
        return self.markers / "last_run.json"

    def archived_days(self, dataset: str) -> list[date]:
        """The days in place, ascending."""
        return sorted(_dates(self.parquet / dataset))

    def loaded_days(self, dataset: str) -> list[date]:
        """The days with a marker, ascending."""
        return sorted(_dates(self.markers / dataset, ".json"))

    def noted_days(self, dataset: str) -> list[date]:
        """The days with a note that they were read too early, ascending."""
        return sorted(_dates(self.parquet / ".early" / dataset, ".json"))

    def known_days(self, dataset: str) -> list[date]:
        """The days that are in place, or of which a marker tells, ascending."""
        return sorted(
            {
                *self.archived_days(dataset),
                *self.loaded_days(dataset),
                *_dates(self.markers / dataset / "former", ".json"),
            }
        )

    def is_done(self, dataset: str, dt: object) -> bool:
        """Whether the day is archived and loaded."""
        return self.day(dataset, dt).is_dir() and self.marker(dataset, dt).exists()

    def first_day(self, dataset: str) -> date | None:
        """The first day that is known, without empty ones that lie more than a month before the others: of a date that was mistyped."""
        days = self.known_days(dataset)
        filled = next(
            (place for place, day in enumerate(days) if not self._is_empty(dataset, day)),
            len(days) - 1,
        )
        apart = (
            days[place]
            for place in range(filled, 0, -1)
            if days[place] - days[place - 1] > timedelta(days=SPARSE_DAYS)
        )
        return next(apart, min(days, default=None))

    def _is_empty(self, dataset: str, day: date) -> bool:
        marker = read_marker(self.marker(dataset, day))
        return marker is not None and marker.is_empty

    def undeclared(self, datasets: Collection[str]) -> dict[str, int]:
        """How many days are in place of each dataset that is not among `datasets`."""
        found: dict[str, int] = {}
        for name in sorted(path.name for path in self.parquet.glob("*")):
            if is_dataset_name(name) and name not in datasets:
                with contextlib.suppress(OSError):  # somebody else's folder
                    found[name] = len(self.archived_days(name))
        return {name: days for name, days in found.items() if days}

    def unloaded_days(self, dataset: str) -> list[date]:
        """The days in place without a marker, ascending."""
        return sorted(set(self.archived_days(dataset)).difference(self.loaded_days(dataset)))

    def staged_days(self) -> list[tuple[str, date]]:
        """The (dataset, day) pairs left in staging by a run that was killed."""
        folders = sorted(self.staging.iterdir()) if self.staging.is_dir() else []
        return [(folder.name, day) for folder in folders for day in sorted(_dates(folder))]


def _dates(folder: Path, suffix: str = "") -> list[date]:
    """The days that the names in the folder tell. OSError if it cannot be listed, which a glob would pass over."""
    days = []
    for path in folder.iterdir() if folder.is_dir() else ():
        name = path.name.removesuffix(suffix)
        if (
            len(name) == len("dt=YYYY-MM-DD")
            and name.startswith("dt=")
            and path.name.endswith(suffix)
        ):
            with contextlib.suppress(ValueError):
                days.append(date.fromisoformat(name[3:]))
    return days
