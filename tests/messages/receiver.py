"""A service that takes messages: a real HTTP server for Apprise's json:// addresses."""

import contextlib
import http.server
import json
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.http_server import QuietHandler, running

SECRET = "t0ken-8d2f11c7"


class Heard(NamedTuple):
    """A message as the service got it."""

    subject: str
    body: str
    kind: str


@dataclass
class Receiver:
    """What was received, and the status that the next messages are answered with."""

    port: int = 0
    status: int = 200
    heard: list[Heard] = field(default_factory=list)

    @property
    def url(self) -> str:
        """An address for Apprise, with a secret in it."""
        return f"json://user:{SECRET}@127.0.0.1:{self.port}/{SECRET}?rto=20&cto=20"

    def take(self) -> list[Heard]:
        """What was received since the last call."""
        heard = list(self.heard)
        self.heard.clear()
        return heard


@contextlib.contextmanager
def receiving() -> Generator[Receiver]:
    """Such a service, on a port of this machine."""
    receiver = Receiver()

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if receiver.status == 200:
                receiver.heard.append(Heard(content["title"], content["message"], content["type"]))
            self.send_response(receiver.status)
            self.end_headers()
            self.wfile.write(SECRET.encode())

    with running(http.server.HTTPServer(("127.0.0.1", 0), Handler)) as port:
        receiver.port = port
        yield receiver
