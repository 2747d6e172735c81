"""The report by hand."""

import os
from collections.abc import Sequence
from pathlib import Path

import typer

from homeiot_batch.config import ROOT, given_settings, load_settings
from homeiot_batch.core.host_paths import explained
from homeiot_batch.errors import HomeIotError
from homeiot_batch.report.page import write_report


def write_page(output: Path | None, config: Sequence[str]) -> None:
    """Write the report from the read copy as it is, and say where.

    A file of another name or place than the usual one has no links to pages of months.
    """
    target = output.absolute() if output else None
    os.chdir(ROOT)
    try:
        settings = load_settings(given_settings(config))
        file = target or settings.layout.report
        now = settings.instant()
        is_usual = file.resolve() == settings.layout.report.resolve()
        read_copy = settings.layout.read_copy
        write_report(read_copy, file, now, settings.language, with_months=is_usual)
    except HomeIotError as error:
        raise SystemExit(explained(f"error: {error}")) from None
    typer.echo(explained(f"report: {file}"))
