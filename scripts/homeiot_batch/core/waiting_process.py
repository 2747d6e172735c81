"""What a process does that is started before it has an order: imports and redirection."""

import gc
import importlib
import os
from collections.abc import Iterable


def import_early(names: Iterable[str]) -> None:
    """Import modules that take long."""
    gc.disable()  # nothing that is imported is garbage
    try:
        for name in names:
            importlib.import_module(name)
    finally:
        gc.enable()


def redirect(path: str, flags: int, *descriptors: int) -> None:
    """Let the descriptors lead to the file."""
    file = os.open(path, flags)
    try:
        for descriptor in descriptors:
            os.dup2(file, descriptor)
    finally:
        os.close(file)
