"""The nightly batch: yesterday, one date or a range, by the workflow.

python -m homeiot_batch.run_archive [--date D | --from A --to B] [--force]
"""

import os
import sys
from datetime import date
from typing import Annotated

import typer

from homeiot_batch.config import ROOT
from homeiot_batch.days import parse_day
from homeiot_batch.errors import SettingsError


def main(
    day: Annotated[str | None, typer.Option("--date", metavar="YYYY-MM-DD", help="One local day.")] = None,
    first: Annotated[str | None, typer.Option("--from", metavar="YYYY-MM-DD", help="First local day of a range.")] = None,
    last: Annotated[str | None, typer.Option("--to", metavar="YYYY-MM-DD", help="Last local day of the range, included.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Read days again that are archived already.")] = False,
    config: Annotated[
        list[str] | None, typer.Option("--config", metavar="KEY=VALUE", help="A setting for this run, like allow_shrink=true; repeatable.")
    ] = None,
) -> None:
    """Archive yesterday, or the days given: read, keep as Parquet, load into DuckDB, build the tables.

    Exit code 0 if all is done, not 0 if a day failed; the last lines say which and why.
    """
    try:
        arguments = snakemake_arguments(day, first, last, force=force, config=config or [])
    except SettingsError as error:
        raise SystemExit(f"error: {error}") from None
    sys.stdout.flush()
    # the workflow takes over this process: signals, exit code and output are its own
    os.chdir(ROOT)
    os.execv(sys.executable, [sys.executable, "-m", "snakemake", *arguments])  # noqa: S606 - no shell is the point


def snakemake_arguments(day: str | None, first: str | None, last: str | None, *, force: bool, config: list[str]) -> list[str]:
    """The `snakemake` arguments for a date, a range or yesterday; SettingsError for dates that are none of these."""
    if day and (first or last):
        raise SettingsError(f"--date={day} and --from or --to exclude each other; give one or the other")
    if bool(first) != bool(last):
        raise SettingsError("--from and --to belong together; give both, or --date for one day")
    dates = [_date(day, "--date"), _date(day, "--date")] if day else [_date(first, "--from"), _date(last, "--to")] if first and last else []
    span = [f"start={dates[0]}", f"end={dates[1]}"] if dates else []
    settings = ["--config", *span, *config] if span or config else []
    return ["all" if dates else "yesterday", *(["--forcerun", "extract"] if force else []), *settings]


def _date(text: str | None, option: str) -> date:
    return parse_day(text, option)


if __name__ == "__main__":
    typer.run(main)
