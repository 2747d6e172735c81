"""Decodes JSON that a server sent: it may be of any form, or none."""

import json
from typing import Any, NoReturn


def decoded(text: bytes | bytearray) -> Any:
    """The content. ValueError if it is no JSON, is nested too deep, or holds half a character.

    Half a surrogate pair can be written in JSON, but cannot be stored, sent or printed.
    """
    try:
        content = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deep") from None
    if b"\\ud" in text.lower():
        json.dumps(content, ensure_ascii=False).encode()
    return content


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")
