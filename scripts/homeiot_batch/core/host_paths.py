"""What the paths of a container are called on the host, for those who read a message there.

HOST_PATHS has them, as `/data=./data,/app=.`. Compose sets it.
"""

import os
import re
from collections.abc import Iterable, Iterator


def explained(message: str) -> str:
    """The message, and in a container, after it, where the paths are that it names."""
    places = ", ".join(_places([message]))
    if not places:
        return message
    return f"{message} ({places})"


def explanation(lines: Iterable[str]) -> list[str]:
    """A line with the places of the paths that the lines name. None outside of a container."""
    places = ", ".join(_places(lines))
    if not places:
        return []
    return [f"note: {places}"]


def _places(lines: Iterable[str]) -> Iterator[str]:
    text = "\n".join(lines)
    for pair in os.environ.get("HOST_PATHS", "").split(","):
        inside, _, outside = pair.partition("=")
        if inside and outside and _names(text, inside):
            yield f"{inside} is {outside} on the host"


def _names(text: str, path: str) -> bool:
    """Whether the text names the path, or one below it."""
    return re.search(rf"(?<![\w./-]){re.escape(path)}\b", text) is not None
