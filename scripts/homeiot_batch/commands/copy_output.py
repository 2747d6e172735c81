"""What `mirror` and `restore` print, and how they end where they cannot begin."""

import contextlib
from collections.abc import Generator, Iterable

import typer

from homeiot_batch.core.exit_codes import BUSY
from homeiot_batch.core.host_paths import explained
from homeiot_batch.errors import HomeIotError, LockError, printable


@contextlib.contextmanager
def one_line_of_error() -> Generator[None]:
    """Exit with one line for an error: with 75 if another process holds the lock, else with 1."""
    try:
        yield
    except LockError as error:
        typer.echo(explained(f"error: {error}"), err=True)
        raise SystemExit(BUSY) from None
    except (HomeIotError, OSError) as error:
        raise SystemExit(explained(f"error: {error}")) from None


def print_findings(notes: Iterable[str], problems: Iterable[str]) -> None:
    """Print notes and problems, a line each. They may name files of somebody else."""
    for note in notes:
        typer.echo(explained(f"note: {printable(note)}"), err=True)
    for problem in problems:
        typer.echo(explained(f"failed: {printable(problem)}"), err=True)
