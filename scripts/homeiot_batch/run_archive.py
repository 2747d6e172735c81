"""The nightly batch: `python -m homeiot_batch.run_archive` is `homeiot run`.

python -m homeiot_batch.run_archive [--date D | --from A --to B] [--force | --reconcile]
"""

import typer

from homeiot_batch.cli import run

if __name__ == "__main__":
    typer.run(run)
