"""An answer is taken apart into its documents, however they are written and however they arrive."""

import json
from typing import Any

import pytest

from homeiot_batch.sources.influxdb.documents import documents

TRICKS = [
    "}{",
    '}{"results"',
    '\\"}\n{"error":1}',
    "}\n{",
    "居間⚡️",
    '{"results":[]}{"results":[]}',
]
DOCUMENTS: list[dict[str, Any]] = [
    {"results": [{"statement_id": 0, "series": [{"values": [[1, trick] for trick in TRICKS]}]}]},
    {"results": [{"statement_id": 0}]},
    {"results": [], "messages": [{"level": "warning"}]},
    {"error": "}{ query interrupted"},
]
COMPACT = [json.dumps(entry, separators=(",", ":")) for entry in DOCUMENTS]
FORMS = {
    "1.x and 2.x": "".join(f"{text}\n" for text in COMPACT),
    "3.0 to 3.6": "".join(f"{text}\r\n" for text in COMPACT),
    "3.7 and later": "".join(COMPACT),
    "without an end of line": "\n".join(COMPACT),
    "with blanks": "\n \n".join(json.dumps(entry) for entry in DOCUMENTS) + "\n\n",
    "in several lines": "\n".join(json.dumps(entry, indent=2) for entry in DOCUMENTS),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("size", [1, 2, 7, 64, 100_000])
def test_documents_of_all_servers(form: str, size: int) -> None:
    """The same documents, in pieces of any size, cut anywhere."""
    text = FORMS[form].encode()
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    assert list(documents(pieces)) == DOCUMENTS


def test_a_document_is_given_as_soon_as_the_next_one_begins() -> None:
    """An answer is not gathered before its first documents are used."""
    first, second, *_ = COMPACT
    taken: list[str] = []

    def pieces() -> Any:
        for text in (first, second, first):
            taken.append(text)
            yield text.encode()

    arriving = documents(pieces())
    assert next(arriving) == DOCUMENTS[0]
    assert taken == [first, second]


@pytest.mark.parametrize("text", ["", "\n", " \r\n "])
def test_an_empty_answer(text: str) -> None:
    """Nothing, or blanks, is no document."""
    assert list(documents([text.encode()])) == []


@pytest.mark.parametrize(
    "text",
    ["<html>", "[]", "1", '"text"', "null", COMPACT[0][:-1], COMPACT[1] + "]", COMPACT[1] + "<p>"],
)
def test_what_is_no_document(text: str) -> None:
    """Anything but whole JSON objects is refused."""
    with pytest.raises(ValueError, match=r".+"):
        list(documents([text.encode()]))
