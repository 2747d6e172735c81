"""Where everything of an archive lies.

Paths are kept as they were set: relative ones start at the working directory.
"""

from dataclasses import dataclass
from pathlib import Path

PART = "part-0.parquet"


@dataclass(frozen=True)
class Layout:
    """The paths that the settings give, and those that follow from them."""

    parquet: Path
    markers: Path
    database: Path
    report_folder: Path
    house: Path  # what the user sets, outside of git's files

    def day(self, dataset: str, dt: object) -> Path:
        """The archived day, a folder with one file."""
        return self.parquet.joinpath(dataset, f"dt={dt}")

    def day_text(self, dataset: str, dt: object) -> str:
        """The archived day as text: for thousands of days, paths take too long to make."""
        return f"{self.parquet}/{dataset}/dt={dt}"

    def part_text(self, dataset: str, dt: object) -> str:
        """The archived day's file as text."""
        return f"{self.day_text(dataset, dt)}/{PART}"

    def marker_text(self, dataset: str, dt: object) -> str:
        """The record that the day is loaded, as text."""
        return f"{self.markers}/{dataset}/dt={dt}.json"

    def staged(self, dataset: str, dt: object) -> Path:
        """The same folder, read whole but not in place yet.

        It lies on the same file system, so that one rename moves it.
        """
        return self.staging / dataset / f"dt={dt}"

    def marker(self, dataset: str, dt: object) -> Path:
        """The record that the day is loaded."""
        return self.markers.joinpath(dataset, f"dt={dt}.json")

    def former_marker(self, dataset: str, dt: object) -> Path:
        """A marker that no longer counts, but still shows how much the day held."""
        return self.markers / dataset / "former" / f"dt={dt}.json"

    @property
    def staging(self) -> Path:
        """What is being read. Never part of the archive."""
        return self.parquet / ".staging"

    @property
    def spill(self) -> Path:
        """Where DuckDB puts what it cannot hold in memory, and removes it afterwards."""
        return self.staging / "tmp-duckdb"

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

    @property
    def restore_note(self) -> Path:
        """The note that a restore has begun, and is not finished."""
        return self.parquet / ".restore.json"

    @property
    def cluster_note(self) -> Path:
        """The note of a run on a cluster: the name of its jobs, and what nodes have to know."""
        return self.parquet / ".cluster.json"

    @property
    def node_reports(self) -> Path:
        """What nodes have to say of the days that they have read."""
        return self.staging / ".reports"

    def node_report(self, dataset: str, dt: object) -> Path:
        """The same of one day."""
        return self.node_reports / dataset / f"dt={dt}.json"

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
    def file_columns(self) -> Path:
        """Which columns the archived files have, so that a publication opens only new ones."""
        return self.markers / "file_columns.json"

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

    @property
    def told_faults(self) -> Path:
        """What messages have said, so that each fault is told once."""
        return self.markers / "messages.json"

    @property
    def nights(self) -> Path:
        """The note of `every-night`: since when it runs, and when the last good night ended."""
        return self.markers / "nights.json"

    @property
    def mirror_lock(self) -> Path:
        """The file whose kernel lock a mirror holds, so that only one writes the copy."""
        return self.markers / ".mirror.lock"

    @property
    def copy_note(self) -> Path:
        """The note of the second copy that this house writes: its place and identity."""
        return self.markers / "copy.json"

    @property
    def read_copy(self) -> Path:
        """The DuckDB file that is published for readers, beside the one that is written."""
        return self.database.with_name(f"{self.database.stem}.read{self.database.suffix}")

    @property
    def read_generations(self) -> Path:
        """Folder of the read copy's generations."""
        return self.database.with_name(f".{self.database.name}.read")

    @property
    def report(self) -> Path:
        """The report's page."""
        return self.report_folder / "index.html"
