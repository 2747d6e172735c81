"""A run of the workflow: opened once when the Snakefile is read, then called by its rules."""

import contextlib
import threading
from collections.abc import Callable, Collection, Generator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import structlog
from snakemake.exceptions import WorkflowError

from homeiot_batch.archive.day_bounds import end_of_share
from homeiot_batch.archive.parquet_writer import rename_durably
from homeiot_batch.archive.zone_record import record_zone
from homeiot_batch.config import SHIPPED_DATASET, Settings
from homeiot_batch.core import fault_points
from homeiot_batch.core.day_record import read_marker
from homeiot_batch.core.files import read_json, write_json
from homeiot_batch.core.inventory import archived_days, is_done, unloaded_days
from homeiot_batch.core.layout import Layout
from homeiot_batch.errors import (
    BuildError,
    DatabaseBusy,
    DatabaseDamaged,
    HomeIotError,
)
from homeiot_batch.logging_conf import job_log
from homeiot_batch.report.page import write_report
from homeiot_batch.warehouse.build_inputs import Fingerprints, changed_inputs, fingerprints
from homeiot_batch.warehouse.counter_hints import new_hints
from homeiot_batch.warehouse.database import record_build, release_database
from homeiot_batch.warehouse.dbt_build import build_models, start_early
from homeiot_batch.warehouse.dbt_process import DbtProcess
from homeiot_batch.warehouse.duckdb_writer import load_day
from homeiot_batch.warehouse.meter_columns import undeclared_columns
from homeiot_batch.warehouse.meter_names import unknown_meters
from homeiot_batch.warehouse.meter_tables import prepare_meters
from homeiot_batch.warehouse.read_copy import publish
from homeiot_batch.warehouse.table_vars import table_datasets
from homeiot_batch.warehouse.tariffs import put_tariffs, read_tariffs
from homeiot_batch.workflow.cluster_jobs import forget_ended_jobs
from homeiot_batch.workflow.day_history import Loads
from homeiot_batch.workflow.fetch import DayFetcher
from homeiot_batch.workflow.node_reports import drop_reports, leave_report, take_report
from homeiot_batch.workflow.progress import REPEATED, Progress
from homeiot_batch.workflow.rereads import values_lost
from homeiot_batch.workflow.scope import Scope, finished_day
from homeiot_batch.workflow.summary import Summary

# the database is closed after so many rows: until then DuckDB keeps in memory what it has read
ROWS_OF_A_CONNECTION = 1_000_000
# dbt's process takes some memory, so it waits only for a night's jobs
JOBS_OF_A_NIGHT = 30

log = structlog.get_logger()


class JobFailed(WorkflowError):
    """A job's failure as Snakemake shows it.

    Without the places in the code, which tell a user nothing and are in the job's log.
    """

    # ty: ignore[invalid-assignment]
    __traceback__ = property(lambda _: None, lambda _self, _value: None)


class Run:
    """The settings, the days, the source and the summary of one run.

    Its methods are the rules' work.
    """

    def __init__(
        self,
        settings: Settings,
        layout: Layout,
        scope: Scope,
        summary: Summary,
        loads: Loads | None,
        dag: Callable[[], Any],
        *,
        is_on_node: bool = False,
    ) -> None:
        self.settings = settings
        self.layout = layout
        self.scope = scope
        self.summary = summary
        self.loads = loads
        self.uses_nodes = False
        self._is_on_node = is_on_node
        self._fetcher = DayFetcher(settings, scope, summary, loads, notes_zone=not is_on_node)
        self._database_wait_s = settings.duckdb_wait_s
        self._dag = dag
        self._last_run = layout.last_run.absolute()  # Snakemake leaves its folder before the end
        self._is_load_noted = False
        self._rows_since_open = 0
        self._read_again: dict[Path, bool] = {}
        self._reasons: set[str] = set()
        self._reasons_lock = threading.Lock()
        self._early_dbt: DbtProcess | None = None
        self.progress = Progress()

    def start_dbt_early(self, jobs: Collection[Any]) -> None:
        """Start dbt's process before the other jobs, if these are few and the tables are built."""
        builds = any(job.rule.name == "dbt" for job in jobs)
        if builds and len(jobs) <= JOBS_OF_A_NIGHT and table_datasets(self.settings):
            with contextlib.suppress(OSError):  # it only saves time
                self._early_dbt = start_early(self.settings)

    # paths, for the rules

    def day_paths(self, days: Mapping[str, Collection[object]]) -> list[str]:
        """The archived days and their load markers."""
        pairs = [(name, dt) for name, dts in days.items() for dt in dts]
        return [str(self.layout.day(*pair)) for pair in pairs] + [
            str(self.layout.marker(*pair)) for pair in pairs
        ]

    def paths_of_range(self, _wildcards: object) -> list[str]:
        """The paths of the range. A function: a run of another target need not have them."""
        return self.day_paths(self.scope.range)

    def models_inputs(self, _wildcards: object) -> list[str]:
        """What dbt waits for.

        The markers of its datasets' days, those asked for and every other archived one, and the
        last load of any day.

        Without the others, a database that was begun anew would show the days asked for as if there
        were no more. The tables do not wait for days of other datasets. At night they wait only for
        yesterday. Otherwise one day that cannot be read would block them for ever. The rule starts
        when those days are loaded or have failed.
        """
        datasets = table_datasets(self.settings)
        markers = self._unloaded(set(datasets))
        for name in datasets:
            asked = self.scope.days(self._dag().targets).get(name, [])
            if asked and "yesterday" in self._dag().targets:
                asked = [self.scope.yesterday]
            markers += [str(self.layout.marker(name, dt)) for dt in asked]
        last_load = [str(self.layout.last_load)] if self.layout.last_load.exists() else []
        return sorted(set(markers)) + last_load + self.tables_request(_wildcards)

    def note_of_early_read(self, day: Any) -> list[str]:
        """For a day that was read before it was over: the note of it, by which it is read again."""
        note = self.layout.early_note(day.dataset, day.dt)
        if not note.exists() or date.fromisoformat(day.dt) > self.scope.yesterday:
            return []
        if note not in self._read_again:
            lost = values_lost(self.settings, self.layout, day.dataset, day.dt)
            self._read_again[note] = not lost
            if lost:
                self.summary.warn(f"{day.dataset} {day.dt}: {lost}")
        return [str(note)] if self._read_again[note] else []

    def other_unloaded(self, _wildcards: object) -> list[str]:
        """Markers of unloaded archived days of datasets that the tables are not built from."""
        return self._unloaded(set(self.settings.datasets) - set(table_datasets(self.settings)))

    def tables_request(self, _wildcards: object) -> list[str]:
        """The request for the tables, if the run loads days that the tables do not wait for.

        Without it, Snakemake would see no reason to build them: those days' markers are no inputs.
        A dry run needs it for an edit too. A real one has removed the marker of the former build.
        """
        if self._loads_other_days() or self._are_tables_of_other_inputs():
            return [str(self.layout.tables_request)]
        return []

    def _are_tables_of_other_inputs(self) -> bool:
        marker = read_json(self.layout.models)
        return bool(marker and changed_inputs(self.settings, marker))

    def _loads_other_days(self) -> bool:
        others = self.settings.datasets.keys() - set(table_datasets(self.settings))
        dag = self._dag()
        if not others or not self._reaches_tables():
            return False
        if dag.forcerun or dag.forceall or dag.forcetargets or self.other_unloaded(None):
            return True
        asked = self.scope.days(dag.targets)
        return any(not is_done(self.layout, name, dt) for name in others for dt in asked[name])

    def _reaches_tables(self) -> bool:
        until = self._dag().until
        return not until or bool(until & {"dbt", "publish", "report"})

    def _unloaded(self, datasets: set[str]) -> list[str]:
        if not self._reaches_tables():
            return []
        days = [
            (name, dt)
            for name in sorted(datasets.intersection(self.settings.datasets))
            for dt in unloaded_days(self.layout, name)
        ]
        return [str(self.layout.marker(*day)) for day in days]

    # the rules' work

    def fetch(self, dataset: str, dt: str, staged: str, job: str) -> None:
        """Read the day from the source and stage it, whole or not at all."""
        with self._reported(dataset, dt), self._job("fetch", dataset, dt, job):
            self._fetcher.stage(dataset, dt, Path(staged))

    def extract(self, dataset: str, dt: str, staged: str, day: str, job: str) -> None:
        """Put the staged day in place."""
        with self._job("extract", dataset, dt, job):
            if self.uses_nodes:
                self._hear_of_node(dataset, dt)
            fault_points.reach("extract.before_rename")
            rename_durably(Path(staged), Path(day))
            # nothing may fail the job now: Snakemake deletes what a failed job has made
            with contextlib.suppress(OSError):
                fault_points.reach("extract.renamed")
                log.info("in place", folder=day)

    def load(self, dataset: str, dt: str, day: str, marker: str, job: str) -> None:
        """Load the day into DuckDB, then write its marker."""
        with self._job("load", dataset, dt, job):
            declared = self.settings.datasets[dataset]
            local_day = finished_day(self.settings, dataset, dt)
            former = read_marker(self.layout.former_marker(dataset, dt))
            load = load_day(
                self.settings.duckdb_path,
                Path(day),
                declared,
                local_day,
                self.settings.may_shrink(local_day.date),
                former,
                self._database_wait_s,
                end_of_share(self.layout, dataset, local_day),
                keep_open=True,
                proof=self._fetcher.take_proof(dataset, dt),
            )
            self._release_after(load.record.rows)
            self._note_load({"load_id": load.load_id})
            # a marker that a power cut has damaged does not count: the day is loaded again
            write_json(Path(marker), load.marker.to_json(), flush=False)
            self.layout.former_marker(dataset, dt).unlink(missing_ok=True)
            fault_points.reach("load.marked")
            log.info("loaded", inserted=load.record.rows)
            self.summary.loaded(load.record.rows)
            if load.duplicates:
                self.summary.warn(
                    f"{dataset} {dt}: {load.duplicates} readings share their time and tags with "
                    "another; a tag that is not declared keeps them "
                    "apart in the source (declare it), or they lie within a microsecond"
                )

    def _release_after(self, rows: int) -> None:
        """Close the database if, with these rows, a million were loaded since it was opened."""
        self._rows_since_open += rows
        if self._rows_since_open >= ROWS_OF_A_CONNECTION:
            release_database(self.settings.duckdb_path)
            self._rows_since_open = 0

    def _note_load(self, content: Mapping[str, object]) -> None:
        """Make the note of the last load newer than the marker of the last build.

        After the first load since then it is so on disk, whatever becomes of the later ones.
        """
        write_json(self.layout.last_load, content, flush=not self._is_load_noted)
        self._is_load_noted = True

    def ask_for_tables(self, request: str, job: str) -> None:
        """Make the file that asks for the tables. Snakemake removes it when they are built."""
        with self._job("ask_for_tables", "", "", job):
            Path(request).touch()

    def build(self, marker: str, job: str) -> None:
        """Build the dbt models, then write their marker."""
        with self._job("dbt", "", "", job):
            database = self.settings.duckdb_path
            release_database(database)  # for dbt, which is another process
            self._is_load_noted = False
            wait_s = self._database_wait_s
            inputs = {"inputs": fingerprints(self.settings)}  # before any of them is read
            if not table_datasets(self.settings):
                self._leave_tables(Path(marker), inputs)
                return
            if lacking := undeclared_columns(self.settings):
                raise BuildError([lacking])
            tariffs = read_tariffs(self.settings)
            put_tariffs(database, tariffs, wait_s)  # waits until nobody else has it open
            learned = prepare_meters(self.settings)
            warnings = build_models(
                self.settings, Path(job), self.layout.dbt_target, learned, self._early_dbt
            )
            for warning in warnings:
                self.summary.warn(f"dbt: {warning}")
            fault_points.reach("dbt.built")
            write_json(Path(marker), record_build(database, wait_s) | inputs)
            declared = [name for name, meter in self.settings.meters.items() if meter.series]
            hints = new_hints(database, self.layout.counter_hints, wait_s, declared)
            for warning in [*unknown_meters(self.settings, tariffs), *hints]:
                self.summary.warn(warning)
            log.info("tables built")
            self.summary.build_done()

    def _leave_tables(self, marker: Path, inputs: dict[str, Fingerprints]) -> None:
        """Note a build of nothing: a house without meters has raw tables alone."""
        build = record_build(self.settings.duckdb_path, self._database_wait_s)
        write_json(marker, build | inputs)
        if archived_days(self.layout, SHIPPED_DATASET):
            self.summary.warn(
                f"the daily tables stay as they are: they are built from {SHIPPED_DATASET}, "
                "which is not declared, and no other meter is"
            )
        log.info("no tables to build", built_from=SHIPPED_DATASET)
        self.summary.build_done(has_tables=False)

    def publish(self, marker: str, job: str) -> None:
        """Publish the tables in the read copy, then write its marker."""
        with self._job("publish", "", "", job):
            content = publish(self.settings, self.layout, self._database_wait_s)
            write_json(Path(marker), content)
            log.info("published", generation=content["generation"])

    def report(self, marker: str, job: str) -> None:
        """Write the report from the read copy, then its marker."""
        with self._job("report", "", "", job):
            file = self.layout.report
            now = self.settings.instant()
            content = write_report(self.layout.read_copy, file, now, self.settings.language)
            fault_points.reach("report.written")
            write_json(Path(marker), content | {"file": str(file)})
            log.info("reported", file=str(file))

    def close(self) -> None:
        """Say what the run did, if it did anything, and write it beside the markers."""
        self.progress.close()
        if self._early_dbt:
            self._early_dbt.stop()
        release_database(self.settings.duckdb_path)
        if self.uses_nodes:
            forget_ended_jobs(self.layout)
            drop_reports(self.layout)
        for notice in self._fetcher.notices():
            self.summary.warn(notice)
        if self.summary.lines():
            self.summary.note(self._last_run, str(self.layout.last_run))
        self.summary.print()

    # how

    @contextlib.contextmanager
    def _reported(self, dataset: str, dt: str) -> Generator[None]:
        """On a node: leave a report for the run's main process, however the job ends."""
        try:
            yield
        finally:
            if self._is_on_node:
                leave_report(self.layout, dataset, dt, self.summary)

    def _hear_of_node(self, dataset: str, dt: str) -> None:
        """What a node has reported of the day. The archive's first note is left to this process."""
        take_report(self.layout, dataset, dt, self.summary)
        record_zone(self.layout, self.settings.tz)
        self.progress.ended("fetch")

    @contextlib.contextmanager
    def _job(self, step: str, dataset: str, dt: str, job: str) -> Generator[None]:
        """Log lines of the job carry its names. What fails it is kept for the end of the run."""
        names = {"step": step, "dataset": dataset, "dt": dt} if dataset else {"step": step}
        repeated = ""
        with job_log(Path(job)), structlog.contextvars.bound_contextvars(**names):
            try:
                yield
            except HomeIotError as error:
                repeated = self._repeated(str(error))
                report = log.debug if repeated else log.error
                report("failed", reason=str(error))
                self._remember(error)
                problems = error.lines
            except OSError as error:
                log.error("failed", reason=str(error))
                problems = [f"{error}; see to disk space and permissions"]
            except Exception as error:
                log.exception("failed by a fault of the program")
                said = f"{type(error).__name__}: {' '.join(str(error).split())}"
                problems = [f"{said}; a fault of the program, please report it with {job}"]
            else:
                return
            finally:
                self.progress.ended(step)
        messages = [f"{' '.join(names.values())}: {problem}" for problem in problems]
        for message in messages:
            self.summary.fail(message)
        raise JobFailed("\n".join(messages) + repeated)

    def _repeated(self, reason: str) -> str:
        """What a failure's message ends with if the reason has been shown for another day."""
        with self._reasons_lock:
            repeated = REPEATED if reason in self._reasons else ""
            self._reasons.add(reason)
        return repeated

    def _remember(self, error: HomeIotError) -> None:
        """Note a database that stays open elsewhere, or is damaged.

        This run does not wait again for the first. The next run replaces the second.
        """
        if isinstance(error, DatabaseBusy):
            self._database_wait_s = 0
        if isinstance(error, DatabaseDamaged):
            write_json(
                self.layout.damage,
                {"reason": str(error), "database": str(self.settings.duckdb_path)},
            )
