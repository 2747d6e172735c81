"""Why a workflow refused to start: handed back to the nightly command, which tells it."""

import contextlib
import os
import tempfile
from collections.abc import Generator
from pathlib import Path

VARIABLE = "HOMEIOT_REFUSAL"


@contextlib.contextmanager
def asked_for() -> Generator[Path]:
    """The file in which the workflows of this process leave the reason. Empty if there is none.

    Where no file can be made, as on a full disk, they leave none.
    """
    with contextlib.ExitStack() as stack:
        name = os.devnull
        with contextlib.suppress(OSError):
            name = stack.enter_context(tempfile.NamedTemporaryFile(suffix=".txt")).name
        os.environ[VARIABLE] = name
        stack.callback(os.environ.pop, VARIABLE)
        yield Path(name)


def leave(reason: str) -> None:
    """Leave the reason for whoever has asked for it. It fails nothing."""
    name = os.environ.get(VARIABLE)
    if name:
        with contextlib.suppress(OSError):
            Path(name).write_text(reason, encoding="utf-8")
