"""How a server is reached: https with a certificate of one's own, IPv6, behind a path."""

import http.client
import socket
import ssl
from collections.abc import Generator
from contextlib import closing, contextmanager
from datetime import date
from http.server import ThreadingHTTPServer
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
import trustme

from homeiot_batch.config import Settings, load_settings
from homeiot_batch.core.days import LocalDay
from homeiot_batch.errors import SourceUnavailable
from homeiot_batch.sources.influx_reader import InfluxReader
from tests.http_server import QuietHandler, running
from tests.integration.servers import Influx1

DAY = LocalDay(date(2026, 11, 9), ZoneInfo("Asia/Tokyo"))

pytestmark = pytest.mark.usefixtures("clean_environment")


@contextmanager
def front(server: Influx1, host: str, prefix: str, tls: ssl.SSLContext | None) -> Generator[str]:
    """The URL of a reverse proxy before the server, as nginx would stand there."""

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            assert self.path.startswith((f"{prefix}/query?", f"{prefix}/ping"))
            with closing(http.client.HTTPConnection("127.0.0.1", server.port)) as upstream:
                upstream.request("GET", self.path.removeprefix(prefix))
                answer = upstream.getresponse()
                self.send_response(answer.status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(answer.read())

    class Front(ThreadingHTTPServer):
        address_family = socket.AF_INET6 if ":" in host else socket.AF_INET

        def handle_error(self, request: object, client_address: object) -> None:
            """A client that does not trust the certificate hangs up."""

    proxy = Front((host, 0), Handler)
    if tls is not None:
        proxy.socket = tls.wrap_socket(proxy.socket, server_side=True)
    name = f"[{host}]" if ":" in host else host
    with running(proxy) as port:
        yield f"{'https' if tls else 'http'}://{name}:{port}{prefix}"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority that nobody knows."""
    return trustme.CA()


@pytest.fixture(scope="module")
def served(influx1: Influx1) -> Influx1:
    """A server with two points on the day."""
    influx1.create("reached")
    for second in (0, 1):
        influx1.request(
            "POST",
            "/write",
            b"power,source=a instant_power_w=%d %d" % (second, DAY.start_ns + second * 10**9),
            db="reached",
        )
    return influx1


def watts(url: str, **changes: object) -> list[float]:
    """The powers that a reader at `url` finds on the day."""
    settings: Settings = load_settings({"influx_url": url, "influx_bucket": "reached", **changes})
    batches = InfluxReader(settings).read(settings.datasets["raw_meter_readings"], DAY)
    return [value for batch in batches for value in batch.column("instant_power_w").to_pylist()]


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
@pytest.mark.parametrize("prefix", ["", "/home/influx"])
@pytest.mark.parametrize("is_https", [False, True])
def test_a_day_is_read_through_any_door(
    served: Influx1, authority: trustme.CA, tmp_path: Path, host: str, prefix: str, is_https: bool
) -> None:
    """Http and https, IPv4 and IPv6, with and without a path: the same points."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(tls)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with front(served, host, prefix, tls if is_https else None) as url:
        assert watts(url, **({"influx_ca_file": str(tmp_path / "ca.pem")} if is_https else {})) == [
            0.0,
            1.0,
        ]


@pytest.mark.parametrize("name", ["127.0.0.1", "another.example"])
def test_a_certificate_that_cannot_be_verified_is_refused(
    served: Influx1, authority: trustme.CA, tmp_path: Path, name: str
) -> None:
    """One of an unknown authority, or one for another name.

    Nothing is read, and the fix is named.
    """
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(tls)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    trusted = {"influx_ca_file": str(tmp_path / "ca.pem")} if name == "another.example" else {}
    with (
        front(served, "127.0.0.1", "", tls) as url,
        pytest.raises(
            SourceUnavailable, match="certificate that cannot be verified; set INFLUX_CA"
        ),
    ):
        watts(url, **trusted)
