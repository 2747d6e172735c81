"""Where everything of an archive lies.

Paths are kept as they were set: relative ones start at the working directory.
"""

import contextlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

from homeiot_batch.core.datasets import is_dataset_name
from homeiot_batch.core.files import read_json

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
        """The same folder, read whole but not in place yet.

        It lies on the same file system, so that one rename moves it.
        """
        return self.staging / dataset / f"dt={dt}"

    def marker(self, dataset: str, dt: object) -> Path:
        """The record that the day is loaded."""
        return self.markers / dataset / f"dt={dt}.json"

    def former_marker(self, dataset: str, dt: object) -> Path:
        """A marker that no longer counts, but still shows how much the day held."""
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
    def archive_file(self) -> Path:
        """What the archive was begun with: its zone."""
        return self.parquet / ".archive.json"

    def early_note(self, dataset: str, dt: object) -> Path:
        """The note that the day in place was read before it was over."""
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
        """The last day whose wrong counters a run has named, so that none is named twice."""
        return self.markers / "counter_hints.json"

    @property
    def tables_request(self) -> Path:
        """The request for the tables where a run loads days that they do not wait for.

        It is gone after the run.
        """
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
        """The note that the database was found damaged in the middle of a run.

        The next run sets it aside.
        """
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
        """The days that are in place, or that have a marker or had one, ascending."""
        known = set(self.archived_days(dataset))
        known.update(self.loaded_days(dataset))
        former = self.markers / dataset / "former"
        known.update(_dates(former, ".json"))
        return sorted(known)

    def is_done(self, dataset: str, dt: object) -> bool:
        """Whether the day is archived and loaded."""
        is_archived = self.day(dataset, dt).is_dir()
        return is_archived and self.marker(dataset, dt).exists()

    def first_day(self, dataset: str) -> date | None:
        """The first day that is known, but for empty ones long before the others.

        An empty day more than a month before the next one comes of a date that was mistyped.
        """
        days = self.known_days(dataset)
        if not days:
            return None
        for before, day in reversed(self._leading_pairs(dataset, days)):
            if day - before > timedelta(days=SPARSE_DAYS):
                return day
        return days[0]

    def _leading_pairs(self, dataset: str, days: list[date]) -> list[tuple[date, date]]:
        """Each day up to the first one with readings, or to the last, beside the day before it."""
        pairs = []
        for before, day in pairwise(days):
            if not self._is_empty(dataset, before):
                break
            pairs.append((before, day))
        return pairs

    def _is_empty(self, dataset: str, day: date) -> bool:
        # a marker without the counts of its fields counts too
        marker = read_json(self.marker(dataset, day))
        return marker is not None and marker.get("rows") == 0

    def undeclared(self, datasets: Collection[str]) -> dict[str, int]:
        """How many days are in place of each dataset that is not among `datasets`."""
        found: dict[str, int] = {}
        names = [path.name for path in self.parquet.glob("*")]
        for name in sorted(names):
            if is_dataset_name(name) and name not in datasets:
                with contextlib.suppress(OSError):  # somebody else's folder
                    found[name] = len(self.archived_days(name))
        return {name: days for name, days in found.items() if days}

    def unloaded_days(self, dataset: str) -> list[date]:
        """The days in place without a marker, ascending."""
        archived = set(self.archived_days(dataset))
        return sorted(archived.difference(self.loaded_days(dataset)))

    def staged_days(self) -> list[tuple[str, date]]:
        """The (dataset, day) pairs left in staging by a run that was killed."""
        if not self.staging.is_dir():
            return []
        found = []
        for folder in sorted(self.staging.iterdir()):
            for day in sorted(_dates(folder)):
                found.append((folder.name, day))
        return found


def _dates(folder: Path, suffix: str = "") -> list[date]:
    """The days that the names in the folder give; none if there is no folder.

    OSError if it cannot be listed, which a glob would pass over.
    """
    if not folder.is_dir():
        return []
    days = []
    for path in folder.iterdir():
        day = _date(path.name, suffix)
        if day is not None:
            days.append(day)
    return days


def _date(name: str, suffix: str) -> date | None:
    """The day in a name like dt=YYYY-MM-DD and the suffix; None if it is another name."""
    if not name.startswith("dt=") or not name.endswith(suffix):
        return None
    text = name.removeprefix("dt=").removesuffix(suffix)
    if len(text) != len("YYYY-MM-DD"):
        return None
    with contextlib.suppress(ValueError):
        return date.fromisoformat(text)
    return None
