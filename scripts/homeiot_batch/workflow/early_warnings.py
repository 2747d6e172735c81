"""Warnings from before the workflow starts. The run's summary counts them."""

import contextlib
import json
import os
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path

from homeiot_batch.core.environment import plain_environment

VARIABLE = "HOMEIOT_EARLY_WARNINGS"


@contextlib.contextmanager
def hand_over(warnings: Sequence[str]) -> Generator[dict[str, str]]:
    """The environment in which a workflow finds the warnings: they lie in a file meanwhile."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(list(warnings), file)
        file.flush()
        yield plain_environment() | {VARIABLE: file.name}


def received() -> list[str]:
    """The warnings that were handed over to this process: none if it was started otherwise."""
    name = os.environ.get(VARIABLE)
    if not name:
        return []
    try:
        return [str(warning) for warning in json.loads(Path(name).read_text(encoding="utf-8"))]
    except (OSError, ValueError):
        return []
