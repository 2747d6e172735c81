"""`python -m homeiot_batch.report` is `homeiot report`."""

import typer

from homeiot_batch.cli import report

if __name__ == "__main__":
    typer.run(report)
