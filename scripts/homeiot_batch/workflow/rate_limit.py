"""Snakemake's limit of jobs a second."""

from typing import Any


def lift_rate_limit(workflow: Any) -> None:
    """Start jobs as they come, which no option of Snakemake does.

    To keep to its limit, Snakemake starts a thread after each job. The last of them ends a second
    after the run.
    """
    workflow.scheduler.job_rate_limiter = None
