"""Whether the nights are good, as the healthcheck of a container asks it."""

import os
from collections.abc import Sequence
from datetime import datetime, timedelta

import typer

from homeiot_batch.commands.good_nights import Nights
from homeiot_batch.config import ROOT, given_settings, load_settings
from homeiot_batch.core.exit_codes import DONE, FAILED
from homeiot_batch.core.host_paths import explained
from homeiot_batch.errors import HomeIotError

# one night may fail, as during an update of the server: the next one brings its day in
MOST_H = 36
CLOCKS_DIFFER_H = 1
FIX = "read its log, correct what that names, and start `homeiot every-night` again"


def show_health(config: Sequence[str]) -> None:
    """Print when the last good night ended, and exit with 1 if that is too long ago."""
    os.chdir(ROOT)
    try:
        settings = load_settings(given_settings(config))
        nights = Nights(settings.layout)
        since, last_good = nights.since(), nights.last_good()
    except (HomeIotError, OSError) as error:
        raise SystemExit(explained(f"error: {error}")) from None
    wrong = what_is_wrong(settings.instant(), since, last_good)
    if wrong:
        typer.echo(f"bad: {wrong}")
        raise SystemExit(FAILED)
    if last_good:
        typer.echo(f"good: the last good night ended at {last_good:%Y-%m-%d %H:%M} UTC")
    else:
        typer.echo("good: the first night has not run yet")
    raise SystemExit(DONE)


def what_is_wrong(now: datetime, since: datetime | None, last_good: datetime | None) -> str | None:
    """What is wrong with the nights at `now` (UTC), and what to do. None if nothing is."""
    reference = last_good or since
    if reference is None:
        return "no night has run here; start `homeiot every-night`"
    at = f"{reference:%Y-%m-%d %H:%M} UTC"
    if reference - now > timedelta(hours=CLOCKS_DIFFER_H):
        return f"the last night was at {at}, which is not yet; set the clock of this machine"
    if now - reference <= timedelta(hours=MOST_H):
        return None
    what = "the last good night ended" if last_good else "there was no good night since the start"
    return f"{what} at {at}, more than {MOST_H} hours ago; {FIX}"
