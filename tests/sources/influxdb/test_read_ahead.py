"""An answer is read while it is being used: the same bytes and errors, in bounded memory."""

import ssl
import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
import requests
import trustme

from homeiot_batch.config import load_settings
from homeiot_batch.errors import SourceUnavailable
from homeiot_batch.sources.influxdb.client import InfluxClient
from homeiot_batch.sources.influxdb.read_ahead import MOST_WAITING, PIECE_BYTES, reading_ahead
from tests.http_server import QuietHandler, running
from tests.sources.influxdb.packing import document

WAIT_S = 30


def threads() -> list[str]:
    """The threads that are reading ahead."""
    names = [thread.name for thread in threading.enumerate()]
    return [name for name in names if name == "reading ahead"]


def never() -> None:
    """What must not be called."""
    raise AssertionError("interrupted")


@pytest.mark.parametrize("size", [1, 1_000, PIECE_BYTES, 3 * PIECE_BYTES])
def test_the_same_bytes(size: int) -> None:
    """In their order, and in pieces that are not small."""
    content = bytes(range(256)) * 1_000
    pieces = [content[start : start + size] for start in range(0, len(content), size)]
    with reading_ahead(pieces, never) as arrived:
        found = list(arrived)
    assert b"".join(found) == content
    assert all(len(piece) >= PIECE_BYTES for piece in found[:-1])
    assert threads() == []


def test_no_bytes() -> None:
    """An empty answer has no pieces."""
    with reading_ahead([], never) as arrived:
        assert list(arrived) == []


@pytest.mark.parametrize("error", [requests.ConnectionError("cut"), KeyboardInterrupt()])
def test_an_error_comes_after_its_bytes(error: BaseException) -> None:
    """As it is, where it would come without a thread."""

    def pieces() -> Iterator[bytes]:
        yield bytes(PIECE_BYTES)
        raise error

    with reading_ahead(pieces(), never) as arrived:
        assert next(arrived) == bytes(PIECE_BYTES)
        with pytest.raises(type(error)) as caught:
            next(arrived)
    assert caught.value is error
    assert threads() == []


def test_no_more_is_read_ahead_than_is_allowed() -> None:
    """The queue is bounded, whatever the server sends. At the end nothing of it is running."""
    taken = []
    is_full = threading.Event()

    def pieces() -> Iterator[bytes]:
        while True:
            taken.append(1)
            if len(taken) == MOST_WAITING + 1:
                is_full.set()
            yield bytes(PIECE_BYTES)

    with reading_ahead(pieces(), lambda: None) as arrived:
        assert is_full.wait(WAIT_S)
        assert len(taken) == MOST_WAITING + 1
        next(arrived)
    assert len(taken) <= MOST_WAITING + 3
    assert threads() == []


def test_a_read_that_waits_is_interrupted() -> None:
    """Who stops early need not wait for the server."""
    interrupted = threading.Event()

    def pieces() -> Iterator[bytes]:
        yield bytes(PIECE_BYTES)
        assert interrupted.wait(WAIT_S)
        raise requests.ConnectionError("interrupted")

    with reading_ahead(pieces(), interrupted.set) as arrived:
        next(arrived)
    assert threads() == []


def test_an_error_of_who_uses_it_ends_the_thread() -> None:
    """It goes on as it is."""
    with pytest.raises(ZeroDivisionError):
        divide_by_zero()
    assert threads() == []


def divide_by_zero() -> None:
    """Fails after the first piece."""
    with reading_ahead([bytes(PIECE_BYTES)] * 99, lambda: None) as arrived:
        assert next(arrived)[0] / 0


class Silent:
    """A server that sends a document and the beginning of the next, and then nothing more."""

    def __init__(self, tls: ssl.SSLContext | None) -> None:
        self.is_over = threading.Event()
        silent = self

        class Handler(QuietHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("X-Influxdb-Version", "1.8.10")
                self.send_header("Content-Type", "application/x-msgpack")
                self.end_headers()
                if "/query" not in self.path:
                    return
                rows = [(1762614000000000000 + step, 1.5) for step in range(10_000)]
                self.wfile.write(document(rows) * 2)
                self.wfile.flush()
                silent.is_over.wait(WAIT_S)

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls is not None:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)


def stopped_after_a_document(client: InfluxClient) -> None:
    """Takes the first rows, and wants no more."""
    series = client.rows_of_day("SELECT c1 FROM power")
    assert len(next(series).values) == 10_000
    assert threads() == ["reading ahead"]
    del series


@pytest.mark.usefixtures("clean_environment")
@pytest.mark.parametrize("is_https", [False, True])
def test_a_day_that_is_given_up_ends_its_connection(tmp_path: Path, *, is_https: bool) -> None:
    """Though the server is silent, and the longest wait for it is not over."""
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    given = {"influx_timeout_s": 3600}
    tls = None
    if is_https:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(tls)
        given["influx_ca_file"] = str(tmp_path / "ca.pem")
    silent = Silent(tls)
    with running(silent.server) as port:
        url = f"{'https' if is_https else 'http'}://127.0.0.1:{port}"
        client = InfluxClient(load_settings({"influx_url": url, **given}))
        user = threading.Thread(target=stopped_after_a_document, args=[client], daemon=True)
        user.start()
        user.join(WAIT_S / 2)
        assert not user.is_alive()
        assert threads() == []
        silent.is_over.set()


@pytest.mark.usefixtures("clean_environment")
def test_a_server_that_falls_silent() -> None:
    """The error of a wait that took too long is that of a read without a thread."""
    silent = Silent(None)
    with running(silent.server) as port:
        url = f"http://127.0.0.1:{port}"
        settings = load_settings({"influx_url": url, "influx_timeout_s": 0.5})
        series = InfluxClient(settings).rows_of_day("SELECT c1 FROM power")
        next(series)
        with pytest.raises(SourceUnavailable, match="did not answer in time; check that it runs"):
            next(series)
        assert threads() == []
        silent.is_over.set()
