"""A house from its second copy, on an empty machine.

python -m homeiot_batch restore --from PLACE [--older]
"""

import os
from collections.abc import Sequence

import typer

from homeiot_batch.archive import run_lock
from homeiot_batch.commands.copy_output import one_line_of_error, print_findings
from homeiot_batch.config import ROOT, given_settings, load_settings
from homeiot_batch.core.exit_codes import DONE, FAILED
from homeiot_batch.second_copy.contents import read_copy
from homeiot_batch.second_copy.house_settings import settings_to_restore
from homeiot_batch.second_copy.place import open_place
from homeiot_batch.second_copy.restore import Restored, restore


def restore_house(url: str, *, takes_older: bool, config: Sequence[str]) -> None:
    """Restore it, print what was done, and exit with 1 if it is not finished."""
    os.chdir(ROOT)
    with one_line_of_error():
        given = given_settings(config)
        settings = load_settings(given)
        copy = read_copy(open_place(url, "--from", settings))
        settings = settings_to_restore(copy, settings, given, takes_older=takes_older)
        place = open_place(url, "--from", settings)
        run_lock.hold(settings.layout.lock, settings.lock_wait_s)
        done = restore(settings.layout, place, takes_older=takes_older)
    print_findings(done.notes, done.problems)
    typer.echo(_summary(done, " with the same --config" if config else ""))
    is_whole = not (done.problems or done.lost or done.older)
    raise SystemExit(DONE if is_whole else FAILED)


def _summary(done: Restored, same: str) -> str:
    """What was done, and what to do next: a run with the `same` settings."""
    if done.problems:
        return (
            f"restore: {done.days} days are in place, {len(done.problems)} problems: no run starts "
            "before it is finished. Repair the copy and start it again, or give --older"
        )
    losses = ""
    if done.lost or done.older:
        losses = (
            f" {done.lost} files are lost, and {done.older} are older than the copy's newest: see "
            "the notes."
        )
    return (
        f"restore: {done.days} days up to {done.last_day} are in place, each proven by its "
        f"checksum, from a copy whose last list is number {done.last_list}.{losses} Now `homeiot "
        f"run`{same} loads them and builds tables and report"
    )
