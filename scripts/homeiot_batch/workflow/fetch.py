"""Reads a day: source, transform, writer, proof and guard, top to bottom in `fetch_day`."""

import contextlib
import threading
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import structlog

from homeiot_batch.archive.batches import in_order, of_size
from homeiot_batch.archive.day_bounds import DayBounds
from homeiot_batch.archive.day_file import Proof
from homeiot_batch.archive.parquet_writer import (
    DayWriter,
    prove_written,
    rename_durably,
    staging_folder,
)
from homeiot_batch.archive.shrink_guard import ShrinkGuard
from homeiot_batch.archive.transform import count_values, to_rows
from homeiot_batch.archive.zone_record import record_zone
from homeiot_batch.config import Settings
from homeiot_batch.core import fault_points
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.day_record import DayRecord, listed_counts
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.inventory import known_days
from homeiot_batch.core.layout import PART
from homeiot_batch.errors import SourceError, SourceUnavailable
from homeiot_batch.sources.influxdb.client import compare_clocks
from homeiot_batch.sources.influxdb.retry_policy import RetryPolicy
from homeiot_batch.sources.reach import unarchived_begin
from homeiot_batch.sources.source import Source, open_source
from homeiot_batch.workflow.day_history import Loads, previous_records
from homeiot_batch.workflow.scope import Scope, finished_day
from homeiot_batch.workflow.summary import Summary

log = structlog.get_logger()


@dataclass(frozen=True)
class FetchedDay:
    """A day written whole into a folder of its own in staging, not yet under its name."""

    folder: Path
    record: DayRecord
    shrinks: bool
    lost_readings: int
    proof: Proof

    def losses(self) -> list[str]:
        """What it lacks of the archived day, by permission."""
        lost = f"{self.lost_readings} archived readings are not in it"
        return [f"to {self.record}"] * self.shrinks + [lost] * bool(self.lost_readings)


def fetch_day(
    source: Source, dataset: Dataset, day: LocalDay, guard: ShrinkGuard, settings: Settings
) -> FetchedDay:
    """Read one local day from the source, and stage it whole. Nothing stays of a failure.

    SourceError if the source does not give the whole day, ArchiveError if it cannot be written and
    read back, ShrinkError if it holds less than is known of the day and that is not allowed.
    """
    points = source.read(dataset, day)
    archived = settings.layout.day(dataset.name, day)
    with staging_folder(settings.layout.staging) as folder:
        with DayWriter(folder, dataset, day, settings) as writer:
            for batch in of_size(in_order(points, dataset), settings.parquet_row_group_size):
                rows = to_rows(batch, dataset, settings.tz, writer.read_at)
                writer.write(rows, count_values(batch, dataset))
            shrunk_from = guard.permit(writer.record)
            writer.describe(source.describe(dataset), shrunk_from)
        proof = prove_written(folder, writer.record, day)
        lost = guard.permit_losses(archived / PART, folder / PART, dataset)
    return FetchedDay(folder, writer.record, shrunk_from is not None, lost, proof)


class DayFetcher:
    """Stages the days of a run, whose source is opened with the first of them."""

    def __init__(
        self,
        settings: Settings,
        scope: Scope,
        summary: Summary,
        loads: Loads | None,
        *,
        notes_zone: bool = True,
    ) -> None:
        self._notes_zone = notes_zone
        self._settings = settings
        self._layout = settings.layout
        self._scope = scope
        self._summary = summary
        self._loads = loads
        self._source: Source | None = None
        self._proofs: dict[tuple[str, str], Proof] = {}
        self._lock = threading.Lock()
        self._retry_policy = RetryPolicy(settings.influx_retries, SourceUnavailable)
        # the datasets of which no day was archived before this run's first
        self._begun_now: set[str] = set()

    def stage(self, dataset: str, dt: str, staged: Path) -> None:
        """Fetch the day, and put it into the folder `staged`."""
        settings = self._settings
        declared = settings.datasets[dataset]
        day = finished_day(settings, dataset, dt)
        known = previous_records(self._layout, self._loads, settings.duckdb_path, dataset, dt)
        guard = ShrinkGuard(f"{dataset} {dt}", known, settings.may_shrink(day.date))
        source = self._open_source(dataset, dt)
        new = self._retry_policy(lambda: fetch_day(source, declared, day, guard, settings))
        if self._notes_zone:
            with self._lock:
                record_zone(self._layout, settings.tz)
        self._proofs[dataset, dt] = new.proof
        self._put_into_staging(new.folder, staged)
        self._report(new, f"{dataset} {dt}")
        for warning in source.warnings(declared, day):
            self._summary.warn(f"{dataset} {dt}: {warning}")
        self._say_how_far_back(source, declared, day.date)

    def take_proof(self, dataset: str, dt: str) -> Proof | None:
        """The proof of the day's file as it was staged, once; None if this run did not read it."""
        return self._proofs.pop((dataset, dt), None)

    def notices(self) -> list[str]:
        """What the user should know of the source as a whole. Nothing if no day was read."""
        return self._source.notices() if self._source else []

    def _put_into_staging(self, folder: Path, staged: Path) -> None:
        fault_points.reach("fetch.read")
        rename_durably(folder, staged)
        fault_points.reach("fetch.staged")

    def _report(self, new: FetchedDay, subject: str) -> None:
        rows = new.record.rows
        log.info("read", fetched=rows, written=rows, values=listed_counts(new.record.values))
        self._summary.read(rows)
        if not rows:
            self._summary.warn(
                f"{subject}: the source holds no readings for this day, so it is archived empty"
            )
        if losses := new.losses():
            self._summary.warn(
                f"{subject}: shrinks as permitted by allow_shrink: {', '.join(losses)}"
            )

    def _say_how_far_back(self, source: Source, dataset: Dataset, day: date) -> None:
        """With the first day of a new archive: what the source has before the days of the run."""
        with self._lock:
            if dataset.name not in self._begun_now:
                return
            self._begun_now.remove(dataset.name)
        first = min([day, *self._scope.range[dataset.name]])
        with contextlib.suppress(SourceError):  # the day was read: it is not given up for this
            if found := unarchived_begin(self._settings, source, dataset, first):
                self._summary.warn(f"{dataset.name}: {'; '.join(found)}")

    def _open_source(self, dataset: str, dt: str) -> Source:
        with self._lock:
            if self._source is None:
                self._begun_now = {
                    name for name in self._settings.datasets if not known_days(self._layout, name)
                }
                wanted = self._wanted(dataset, dt)
                self._source = open_source(self._settings, wanted, self._layout.staging)
                clocks = compare_clocks(self._settings)
                if clocks and (said := clocks.warning()):
                    self._summary.warn(said)
            return self._source

    def _wanted(self, dataset: str, dt: str) -> dict[str, list[LocalDay]]:
        """The days that are likely asked for after the first one, with their bounds in the archive.

        All of a forced range, else those that are missing.
        """
        forced = self._layout.day(dataset, dt).exists()
        wanted = {
            name: [day for day in days if forced or not self._layout.day(name, day).exists()]
            for name, days in self._scope.range.items()
        }
        wanted[dataset] = sorted({*wanted[dataset], date.fromisoformat(dt)})
        zone = self._settings.zone
        bounds = {name: DayBounds(self._layout, name, zone) for name in wanted}
        return {name: [bounds[name].day(day) for day in days] for name, days in wanted.items()}
