"""What the paths of a container are called on the host, for those who read a message there.

HOST_PATHS has them, as `/data=./data,/app=.`; compose sets it.
"""

import os
import re
from collections.abc import Iterable, Iterator


def explained(message: str) -> str:
    """The message, and after it where the paths are that it names, if it is said in a container."""
    places = list(_places([message]))
    return f"{message} ({', '.join(places)})" if places else message


def explanation(lines: Iterable[str]) -> list[str]:
    """A line that says where the paths are that the lines name; none outside of a container."""
    places = list(_places(lines))
    return [f"note: {', '.join(places)}"] if places else []


def _places(lines: Iterable[str]) -> Iterator[str]:
    text = "\n".join(lines)
    for pair in os.environ.get("HOST_PATHS", "").split(","):
        inside, equals, outside = pair.partition("=")
        if inside and equals and outside and re.search(rf"(?<![\w./-]){re.escape(inside)}\b", text):
            yield f"{inside} is {outside} on the host"
