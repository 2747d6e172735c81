"""What a node has to say of the day that it has read: its report is a file in staging.

A node has no part in the run's summary. The main process takes the reports into it.
"""

import logging
import re
import shutil
from pathlib import Path
from typing import Any

from snakemake_interface_logger_plugins.common import LogEvent

from homeiot_batch.core.files import read_json, write_json
from homeiot_batch.core.layout import Layout
from homeiot_batch.workflow.scope import DAY_PATH
from homeiot_batch.workflow.summary import Summary

STATE = re.compile(r"SLURM status is: '(\w+)'")
ENDS = {
    "CANCELLED": "was cancelled; run the same command again",
    "DEADLINE": "was started by no node before its deadline; see `sinfo -R`, and run again",
    "NODE_FAIL": "was lost with its node; see `sinfo -R`, and run again",
    "OUT_OF_MEMORY": "needed more memory; give it more by `--set-resources fetch:mem_mb=MB`",
    "TIMEOUT": "took longer than it may; give it more by `--set-resources fetch:runtime=MINUTES`",
}
LONGEST = 300


def drop_reports(layout: Layout) -> None:
    """Remove those of a former run."""
    shutil.rmtree(layout.node_reports, ignore_errors=True)


def leave_report(layout: Layout, dataset: str, dt: str, summary: Summary) -> None:
    """On a node: leave what the summary has. ArchiveError if the disk refuses."""
    content = {
        "rows": summary.read_rows if summary.read_days else None,
        "warnings": summary.warnings,
        "failures": summary.failures,
    }
    write_json(layout.node_report(dataset, dt), content)


def take_report(layout: Layout, dataset: str, dt: str, summary: Summary) -> bool:
    """Take the day's report into the run's summary. Whether it names a failure.

    What several nodes say in the same words is said once.
    """
    path = layout.node_report(dataset, dt)
    report = read_json(path) or {}
    path.unlink(missing_ok=True)
    if report.get("rows") is not None:
        summary.read(report["rows"])
    for warning in report.get("warnings", []):
        if warning not in summary.warnings:
            summary.warn(warning)
    for failure in report.get("failures", []):
        summary.fail(failure)
    return bool(report.get("failures"))


class NodeFailures(logging.Handler):
    """Takes each job that failed on a node into the summary."""

    def __init__(self, layout: Layout, summary: Summary) -> None:
        super().__init__(logging.ERROR)
        self._layout = layout
        self._summary = summary

    def emit(self, record: logging.LogRecord) -> None:
        """Take the node's own words, or else what Slurm says of the job."""
        if getattr(record, "event", None) != LogEvent.JOB_ERROR:
            return
        job: Any = record
        day = DAY_PATH.search(" ".join(map(str, job.output)))
        if job.rule_name != "fetch" or day is None:
            return
        dataset, dt = day.groups()
        if not take_report(self._layout, dataset, dt, self._summary):
            ended = how_it_ended(job.rule_msg or "", job.aux.get("external_jobid"), job.log)
            self._summary.fail(f"fetch {dataset} {dt}: {ended}")


def how_it_ended(said: str, job: str | None, logs: list[str]) -> str:
    """The end of a job that has left no report, from the executor's message and the job's logs."""
    state = STATE.search(said)
    if job is None or state is None:
        line = " ".join(said.partition("sbatch call:")[0].split())
        return f"Slurm did not take the job ({line[:LONGEST]}); see to it, and run again"
    if state[1] in ENDS:
        return f"the Slurm job {job} {ENDS[state[1]]}"
    errors = [line for log in logs for line in _errors(Path(log))]
    reason = f": {errors[-1][:LONGEST]}" if errors else ""
    ends_with_advice = ";" in reason
    advice = "" if ends_with_advice else f"; see {' and '.join(logs)}"
    return f"the Slurm job {job} ended as {state[1]}{reason}{advice}"


def _errors(log: Path) -> list[str]:
    """The lines of the log in which the program refuses to start."""
    try:
        lines = log.read_text(errors="replace").splitlines()
    except OSError:
        return []
    return [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
