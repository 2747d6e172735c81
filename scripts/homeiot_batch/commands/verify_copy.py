"""Proves the second copy: its files against their checksums, and the archive's days against it.

python -m homeiot_batch verify --copy [--fast] [--json]
"""

import json
import os
from collections.abc import Sequence
from dataclasses import asdict

import typer

from homeiot_batch.config import ROOT, given_settings, load_settings
from homeiot_batch.core.exit_codes import DONE, FAILED
from homeiot_batch.core.host_paths import explained
from homeiot_batch.errors import HomeIotError, printable
from homeiot_batch.second_copy.check import check
from homeiot_batch.second_copy.place import open_place


def show_copy(*, reads_all: bool, as_json: bool, config: Sequence[str]) -> None:
    """Print what is wrong with the copy, and exit with 1 if something is."""
    os.chdir(ROOT)
    try:
        settings = load_settings(given_settings(config))
        place = open_place(settings.mirror_url, "MIRROR_URL", settings)
        checked = check(settings.layout, place, reads_all=reads_all)
    except (HomeIotError, OSError) as error:
        raise SystemExit(explained(f"error: {error}")) from None
    if as_json:
        typer.echo(json.dumps(asdict(checked), indent=1))
    else:
        for line in checked.notes:
            typer.echo(f"note: {printable(line)}")
        for line in checked.problems:
            typer.echo(explained(printable(line)))
        how = "compared with their checksums"
        if not reads_all:
            how = "looked at by name and size"
        typer.echo(f"{checked.files} files {how}, {len(checked.problems)} problems")
    raise SystemExit(FAILED if checked.problems else DONE)
