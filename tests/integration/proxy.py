"""A proxy before a real server that spoils its answers.

It acts as a bad network, a busy server or a wrong address would.
"""

import contextlib
import http.client
import json
import socket
from collections.abc import Callable, Generator, Iterable, Iterator
from http.server import ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

from tests.http_server import QuietHandler, running
from tests.integration.servers import Server

Documents = Iterable[bytes]
Spoil = Callable[[Documents], Documents]


class BrokenOffError(Exception):
    """The connection ends here, without the end of the answer."""


@contextlib.contextmanager
def spoiling(server: Server, spoil: Spoil) -> Generator[str]:
    """The URL of a proxy that hands every answer on as it is, but for the one with a day's rows.

    That is what `spoil` makes of it.
    """

    class Handler(QuietHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query).get("q", [""])[0]
            is_day = query.startswith("SELECT ") and "count(" not in query
            with contextlib.closing(_connection(server.port)) as upstream:
                upstream.request(
                    "GET",
                    self.path,
                    headers={"Authorization": self.headers.get("Authorization", "")},
                )
                response = upstream.getresponse()
                self._answer(response, spoil(response) if is_day else response)

        def _answer(self, response: http.client.HTTPResponse, documents: Documents) -> None:
            self.send_response(response.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Transfer-Encoding", "chunked")
            self.send_header("Connection", "close")
            self.end_headers()
            with contextlib.suppress(BrokenOffError, ConnectionError):
                for document in documents:
                    self.wfile.write(b"%x\r\n%s\r\n" % (len(document), document))
                    self.wfile.flush()
                self.wfile.write(b"0\r\n\r\n")

    proxy = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with running(proxy) as port:
        yield f"http://127.0.0.1:{port}"


def _connection(port: int) -> http.client.HTTPConnection:
    """A connection with a small buffer, so that the server cannot send ahead."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.sock = socket.socket()
    connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.sock.connect(("127.0.0.1", port))
    return connection


def cut_after_a_document(documents: Documents) -> Documents:
    """Only the first half, as a proxy that gives up may pass it on.

    A proper end of the transfer.
    """
    whole = list(documents)
    return whole[: len(whole) // 2]


def cut_inside_a_document(documents: Documents) -> Documents:
    """All but the last bytes."""
    *head, last = documents
    return [*head, last[: len(last) // 2]]


def broken_off(documents: Documents) -> Iterator[bytes]:
    """The connection is lost after the first document."""
    yield next(iter(documents))
    raise BrokenOffError


def emptied(documents: Documents) -> Documents:
    """Status 200, and nothing."""
    return []


def without_rows(documents: Documents) -> Documents:
    """The answer of a day without points."""
    return [b'{"results":[{"statement_id":0}]}\n']


def without_a_middle_document(documents: Documents) -> Documents:
    """One document less, whose loss the others do not show."""
    first, _, *rest = documents
    return [first, *rest]


def of_another_day(documents: Documents) -> Iterator[bytes]:
    """As many rows, but of the day after, as a cache may answer."""
    for document in documents:
        content = json.loads(document)
        for row in content["results"][0]["series"][0]["values"]:
            row[0] += 86_400 * 10**9
        yield json.dumps(content).encode() + b"\n"


def of_other_columns(documents: Documents) -> Iterator[bytes]:
    """Two columns changed places."""
    for document in documents:
        content = json.loads(document)
        columns = content["results"][0]["series"][0]["columns"]
        columns[1], columns[2] = columns[2], columns[1]
        yield json.dumps(content).encode() + b"\n"


def a_page(documents: Documents) -> Documents:
    """The login page of something that is no InfluxDB."""
    return [b"<!doctype html><title>Welcome</title>\n"]
