"""A run whose days are read by the nodes of a Slurm cluster.

Only `fetch` goes there. Whatever touches archive and database stays in this process.
"""

import os
import sys
from typing import Any

from snakemake.logging import logger as snakemake_logger

from homeiot_batch.config import Settings, is_secret
from homeiot_batch.core.host_paths import explained
from homeiot_batch.errors import ClusterError, HomeIotError, SettingsError
from homeiot_batch.workflow import refusal
from homeiot_batch.workflow.cluster_jobs import note_jobs, usable_nodes
from homeiot_batch.workflow.node_reports import NodeFailures, drop_reports
from homeiot_batch.workflow.run import Run

EXECUTOR = "slurm"


def send_to_nodes(run: Run, workflow: Any) -> None:
    """Prepare a run on a cluster, before its first job. Exits with one line where that cannot be.

    A run on this machine alone is left as it is.
    """
    if workflow.local_exec:
        return
    try:
        _prepare(run, workflow)
    except (HomeIotError, OSError) as error:
        refusal.leave(str(error))
        print(explained(f"error: {error}"), file=sys.stderr)
        raise SystemExit(1) from None


def _prepare(run: Run, workflow: Any) -> None:
    if workflow.executor_plugin.name != EXECUTOR:
        raise ClusterError(
            f"the executor {workflow.executor_plugin.name} is not known here; use profiles/slurm"
        )
    refuse_unshared(run.settings)
    loads = run.loads
    if loads is None:
        raise ClusterError(
            f"{run.settings.duckdb_path} is open in another process, and nodes have to know what "
            "it records; close it there and run again"
        )
    drop_reports(run.layout)
    note_jobs(run.layout, workflow.scheduler._executor.run_uuid, loads)
    run.uses_nodes = True
    snakemake_logger.addHandler(NodeFailures(run.layout, run.summary))
    if not usable_nodes():
        run.summary.warn(
            "no node of Slurm took jobs when the run began: they wait until one does, or their "
            "deadline is over; see `sinfo -R`"
        )
        print("no node of Slurm takes jobs now: they wait, see `sinfo -R`", file=sys.stderr)


def refuse_unshared(settings: Settings) -> None:
    """SettingsError for what must not go to nodes, or is no use there."""
    for name, field in type(settings).model_fields.items():
        if is_secret(field) and os.environ.get(name.upper()):
            file = f"{name}_file"
            named = "write it into a file that only you can read, and name that"
            advice = f"{named} in {file.upper()}"
            if file not in type(settings).model_fields:
                advice = "unset it for this run"
            raise SettingsError(
                f"{name.upper()} is set, and Slurm would keep it in its own files and give it to "
                f"each node; {advice}"
            )
    if not settings.is_server:
        raise SettingsError(
            f"INFLUX_URL={settings.influx_url!r} is an export, which each node would read from its "
            "begin to its end for one day; run without profiles/slurm"
        )
