"""A server on a port of this machine, for as long as a test needs it."""

import contextlib
import threading
from collections.abc import Generator
from http.server import BaseHTTPRequestHandler, HTTPServer


class QuietHandler(BaseHTTPRequestHandler):
    """Answers requests and prints nothing about them."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Print nothing."""


@contextlib.contextmanager
def running(server: HTTPServer) -> Generator[int]:
    """Let the server answer in a thread of its own. Yields its port."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
