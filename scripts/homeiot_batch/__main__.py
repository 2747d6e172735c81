"""`python -m homeiot_batch COMMAND` is `homeiot COMMAND`."""

from homeiot_batch.cli import app

app(prog_name="homeiot")
