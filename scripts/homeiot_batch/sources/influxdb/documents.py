"""The JSON documents of an answer of /query, one by one as they arrive.

InfluxDB 1.x and 2.x write a newline after each document, InfluxDB 3 writes nothing between them.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

from homeiot_batch.sources.influxdb.untrusted_json import decoded

# the end of a document and the first key of the next one: inside of a string of JSON
# the quote before the key would be escaped
BOUNDARY = re.compile(rb'\}\s*(?=\{\s*"(?:results|error)")')
# bytes that a boundary takes at most: it may begin at the end of one piece
LONGEST_BOUNDARY = 64


def documents(pieces: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The documents in their order. ValueError if what arrives is not JSON objects.

    Only the document that is arriving is held: a day can be larger than the memory.
    """
    pending = bytearray()
    searched = 0
    for piece in pieces:
        pending += piece
        while boundary := BOUNDARY.search(pending, searched):
            end = boundary.end()
            yield _document(pending[:end])
            del pending[:end]
            searched = 0
        searched = max(0, len(pending) - LONGEST_BOUNDARY)
    if pending.strip():
        yield _document(pending)


def _document(text: bytearray) -> dict[str, Any]:
    content = decoded(text)
    if not isinstance(content, dict):
        raise ValueError("not a JSON object")
    return content
