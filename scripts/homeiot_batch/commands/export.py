"""A copy of the readings or of the tables for other programs.

python -m homeiot_batch export --what days --from 2026-11-01 --to 2026-11-22 --output days.xlsx
"""

import os
from collections.abc import Sequence
from pathlib import Path

import duckdb
import typer

from homeiot_batch.config import ROOT, given_settings, load_settings
from homeiot_batch.core.host_paths import explained
from homeiot_batch.errors import HomeIotError, printable
from homeiot_batch.export.job import Job
from homeiot_batch.export.places import deliver, refuse_place, work_folder
from homeiot_batch.export.request import read_format, read_request


def write_export(
    what: str,
    first: str,
    last: str,
    sources: Sequence[str],
    form: str | None,
    output: Path | None,
    config: Sequence[str],
) -> None:
    """Write the export, and say on standard error what it lacks."""
    target = output.absolute() if output else None
    os.chdir(ROOT)
    try:
        request = read_request(what, first, last, sources)
        chosen = read_format(form, output)
        settings = load_settings(given_settings(config))
        refuse_place(target, chosen, settings.layout)
        job = Job(settings, request, chosen)
        rows = export(job, target)
    except (HomeIotError, OSError, duckdb.Error) as error:
        line = " ".join(str(error).split())
        raise SystemExit(explained(f"error: {line}")) from None
    if target is not None:
        typer.echo(explained(f"export: {target}, {rows} rows"))


def export(job: Job, target: Path | None) -> int:
    """Put the whole export in place, and return its number of rows.

    HomeIotError, and then the target is as it was.
    """
    with work_folder(target) as folder:
        part = folder / f"export.{job.form}"
        rows = job.write(part)
        for line in job.lines:
            typer.echo(f"note: {printable(line)}", err=True)
        deliver(part, target)
    return rows
