"""The name that was probably meant by one that is not known."""

import difflib
from collections.abc import Iterable


def hint(name: str, known: Iterable[str]) -> str:
    """What to write instead of the name, as the end of a message."""
    names = list(known)
    near = difflib.get_close_matches(name.lower(), names, n=1)
    if near:
        return f"did you mean {near[0]}?"
    return f"known are {', '.join(names)}"
