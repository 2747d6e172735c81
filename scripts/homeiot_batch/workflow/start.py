"""Opens a run when the Snakefile is read: settings, refusals, lock, recovery and days."""

import atexit
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from snakemake.logging import logger as snakemake_logger

from homeiot_batch.archive import run_lock
from homeiot_batch.archive.file_times import recover_file_times
from homeiot_batch.archive.zone_record import require_zone
from homeiot_batch.config import Settings, load_settings
from homeiot_batch.core.exit_codes import BUSY
from homeiot_batch.core.host_paths import explained
from homeiot_batch.core.layout import Layout
from homeiot_batch.core.marker_cache import MarkerCache
from homeiot_batch.errors import HomeIotError, LockError
from homeiot_batch.logging_conf import configure
from homeiot_batch.workflow import refusal
from homeiot_batch.workflow.cluster_jobs import end_former_jobs, noted_loads
from homeiot_batch.workflow.day_history import Loads
from homeiot_batch.workflow.dry_run import is_dry_run, list_jobs
from homeiot_batch.workflow.early_warnings import received
from homeiot_batch.workflow.preflight import (
    refuse_deletion,
    refuse_lost_archive,
    refuse_undeclared_columns,
    refuse_unfinished_restore,
    settings_warnings,
    zone_warnings,
)
from homeiot_batch.workflow.recovery import (
    invalidate_stale_markers,
    recover_staged_days,
    remove_empty_day_folders,
    replace_unusable_database,
)
from homeiot_batch.workflow.rereads import find_early_reads
from homeiot_batch.workflow.run import Run
from homeiot_batch.workflow.scope import open_scope
from homeiot_batch.workflow.snakemake_failures import FailureNotes
from homeiot_batch.workflow.summary import Summary
from homeiot_batch.workflow.unread_output import go_on_unread


def open_run(config: Mapping[str, Any], workflow: Any) -> Run:
    """Settings, lock, recovery, and the days of the run. Exits with one line where that cannot be.

    Called once by the Snakefile with Snakemake's `workflow`. Only the main process locks and
    recovers: its children, in Snakemake's other modes, find the lock taken.
    """
    go_on_unread([snakemake_logger])
    try:
        run = _open(load_settings(config), workflow)
    except LockError as error:
        refusal.leave(str(error))
        print(explained(f"error: {error}"), file=sys.stderr)
        raise SystemExit(BUSY) from None
    except (HomeIotError, OSError) as error:
        if workflow.is_main_process:
            refusal.leave(str(error))
        raise SystemExit(explained(f"error: {error}")) from None
    if workflow.is_main_process:
        _follow(run, workflow)
    return run


def _open(settings: Settings, workflow: Any) -> Run:
    layout = settings.layout
    summary = Summary()
    configure(settings.log_format, summary.warn)
    refuse_deletion(workflow)
    loads = None
    if workflow.is_main_process:
        _warn(summary, received())
    if workflow.remote_exec:
        loads = noted_loads(layout)
    elif workflow.is_main_process and not is_dry_run(workflow):
        loads = _take_over(settings, layout, summary)
    scope = open_scope(settings, layout)
    return Run(
        settings,
        layout,
        scope,
        summary,
        loads,
        lambda: workflow.dag_settings,
        is_on_node=workflow.remote_exec,
    )


def _follow(run: Run, workflow: Any) -> None:
    """Show the run's progress and failures, and its summary at the end."""
    atexit.register(run.close)
    run.progress.follow(snakemake_logger, may_show_bar=not is_dry_run(workflow))
    if is_dry_run(workflow):
        list_jobs(workflow, snakemake_logger)
    else:
        snakemake_logger.addHandler(FailureNotes(run.summary.fail))


def _take_over(settings: Settings, layout: Layout, summary: Summary) -> Loads | None:
    """Lock the archive and put right what a killed run left. What the database has recorded."""
    run_lock.hold(layout.lock, settings.lock_wait_s)
    end_former_jobs(layout)
    refuse_unfinished_restore(layout)
    refuse_lost_archive(layout, settings.datasets, {})
    require_zone(layout, settings.tz)
    _warn(summary, zone_warnings(settings, layout))
    recover_staged_days(layout, settings)
    remove_empty_day_folders(layout, settings.datasets)
    refuse_undeclared_columns(layout, settings)
    _warn(summary, settings_warnings(settings, layout))
    if replaced := replace_unusable_database(layout, settings):
        summary.warn(replaced)
    markers = MarkerCache(layout)
    loads = invalidate_stale_markers(markers, settings)
    refuse_lost_archive(layout, settings.datasets, loads or {})
    layout.tables_request.unlink(missing_ok=True)
    find_early_reads(settings, markers)
    recover_file_times(layout, settings.datasets)
    return loads


def _warn(summary: Summary, warnings: Iterable[str]) -> None:
    for warning in warnings:
        summary.warn(warning)
