"""The second copy of the house, brought up to date.

python -m homeiot_batch mirror [--repair]
"""

import os
from collections.abc import Sequence
from datetime import date

import typer

from homeiot_batch.archive import run_lock
from homeiot_batch.archive.room import bytes_text
from homeiot_batch.config import ROOT, Settings, given_settings, load_settings
from homeiot_batch.core.days import each_day
from homeiot_batch.core.exit_codes import BUSY, DONE, FAILED
from homeiot_batch.core.host_paths import explained
from homeiot_batch.errors import HomeIotError, LockError
from homeiot_batch.second_copy.mirror import Mirrored, mirror
from homeiot_batch.second_copy.place import open_place
from homeiot_batch.workflow.preflight import refuse_unfinished_restore


def mirror_house(*, reads_all: bool, config: Sequence[str]) -> None:
    """Copy what is new, print what was done, and exit with 1 if something was not copied."""
    os.chdir(ROOT)
    try:
        done = mirror_now(load_settings(given_settings(config)), reads_all=reads_all)
    except LockError as error:
        typer.echo(explained(f"error: {error}"), err=True)
        raise SystemExit(BUSY) from None
    except (HomeIotError, OSError) as error:
        raise SystemExit(explained(f"error: {error}")) from None
    for line in done.notes:
        typer.echo(explained(f"note: {line}"), err=True)
    for problem in done.problems:
        typer.echo(explained(f"failed: {problem}"), err=True)
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
