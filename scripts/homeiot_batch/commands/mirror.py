"""The second copy of the house, brought up to date.

python -m homeiot_batch mirror [--repair]
"""

import os
from collections.abc import Sequence
from datetime import date

import typer

from homeiot_batch.archive import run_lock
from homeiot_batch.archive.room import bytes_text
from homeiot_batch.commands.copy_output import one_line_of_error, print_findings
from homeiot_batch.config import ROOT, Settings, given_settings, load_settings
from homeiot_batch.core.days import each_day
from homeiot_batch.core.exit_codes import DONE, FAILED
from homeiot_batch.second_copy.mirror import Mirrored, mirror
from homeiot_batch.second_copy.place import open_place
from homeiot_batch.workflow.preflight import refuse_unfinished_restore


def mirror_house(*, reads_all: bool, config: Sequence[str]) -> None:
    """Copy what is new, print what was done, and exit with 1 if something was not copied."""
    os.chdir(ROOT)
    with one_line_of_error():
        done = mirror_now(load_settings(given_settings(config)), reads_all=reads_all)
    print_findings(done.notes, done.problems)
    typer.echo(summary(done))
    raise SystemExit(FAILED if done.problems else DONE)


def mirror_now(settings: Settings, *, reads_all: bool = False) -> Mirrored:
    """Copy what is new. No run waits for it, but a second mirror does. See `mirror`."""
    layout = settings.layout
    refuse_unfinished_restore(layout)
    place = open_place(settings.mirror_url, "MIRROR_URL", settings)
    run_lock.hold(layout.mirror_lock, settings.lock_wait_s)
    return mirror(layout, place, reads_all=reads_all, may_shrink=_shrinkable(settings))


def _shrinkable(settings: Settings) -> Sequence[date]:
    """The days that may hold less than in the copy."""
    if not (settings.allow_shrink and settings.start and settings.end):
        return ()
    return list(each_day(settings.start, settings.end))


def summary(done: Mirrored) -> str:
    """What was done, on one line."""
    return (
        f"mirror: {done.days} days are in the copy, {done.files} files copied and proven "
        f"({bytes_text(done.size)}), {len(done.problems)} problems"
    )
