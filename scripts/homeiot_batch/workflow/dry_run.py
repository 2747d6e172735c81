"""Recognises a dry run, and makes it list its jobs, which the profile hides otherwise."""

import logging
from typing import Any

from snakemake.logging import DefaultFilter
from snakemake.settings.enums import Quietness

# `quiet` of profiles/default/config.yaml
PROFILE_QUIET = {Quietness.HOST, Quietness.PROGRESS, Quietness.RULES, Quietness.REASON}
JOB_LIST = {Quietness.PROGRESS, Quietness.RULES}


def is_dry_run(workflow: Any) -> bool:
    """Whether Snakemake's `workflow` only shows what it would do."""
    return workflow.output_settings.dryrun


def list_jobs(workflow: Any, logger: logging.Logger) -> None:
    """Let the dry run show each job and their counts, unless --quiet was given for it."""
    if workflow.output_settings.quiet != PROFILE_QUIET:
        return
    for handler in logger.handlers:
        for shown in handler.filters:
            if isinstance(shown, DefaultFilter):
                shown.quiet = PROFILE_QUIET - JOB_LIST
