"""A server on a loopback port that answers what a test tells it, and notes what it is asked."""

import contextlib
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from http.server import ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

import msgpack

from tests.http_server import QuietHandler, running


@dataclass(frozen=True)
class Question:
    """A request as it arrived."""

    method: str
    path: str
    parameters: Mapping[str, str]
    # bytes of its address, with the query string
    address: int
    # the form that is asked for
    accept: str = ""

    @property
    def query(self) -> str:
        """Its InfluxQL."""
        return self.parameters.get("q", "")


@dataclass(frozen=True)
class Answer:
    """A response: the body is sent piece by piece."""

    pieces: tuple[bytes, ...] = (b'{"results":[{"statement_id":0}]}\n',)
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    # the connection is closed without a word
    closes: bool = False


Reply = Callable[[Question], Answer]


def json(*documents: str, status: int = 200, **headers: str) -> Answer:
    """An answer of documents, with a newline after each as InfluxDB 1.x and 2.x write it."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(tuple(f"{text}\n".encode() for text in documents), status, named)


def packed(*documents: object, status: int = 200) -> Answer:
    """An answer of documents in msgpack, as InfluxDB 1.x and 2.x write it."""
    pieces = tuple(map(msgpack.packb, documents))
    return Answer(pieces, status, {"Content-Type": "application/x-msgpack"})


def page(status: int, title: str, **headers: str) -> Answer:
    """The page of a proxy."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    text = f"<html><head><title>{title}</title></head></html>"
    return Answer((text.encode(),), status, {"Content-Type": "text/html", **named})


@contextlib.contextmanager
def serving(reply: Reply) -> Generator[tuple[str, list[Question]]]:
    """Its URL and the questions that it was asked so far."""
    asked: list[Question] = []

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            self._serve(urlsplit(self.path).query)

        def do_POST(self) -> None:
            self._serve(self.rfile.read(int(self.headers["Content-Length"])).decode())

        def _serve(self, parameters: str) -> None:
            path = urlsplit(self.path).path
            length = len(self.path)
            accept = self.headers.get("Accept", "")
            question = Question(self.command, path, dict(parse_qsl(parameters)), length, accept)
            asked.append(question)
            answer = reply(question)
            if answer.closes:
                return
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            for piece in answer.pieces:
                self.wfile.write(piece)
                self.wfile.flush()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with running(server) as port:
        yield f"http://127.0.0.1:{port}", asked
