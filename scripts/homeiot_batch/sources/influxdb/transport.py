"""Requests to one InfluxDB server by HTTP: how a question is sent, and what refuses it."""

import base64
import contextlib
import threading
import warnings
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import SplitResult, urlencode, urlsplit

import requests

from homeiot_batch.config import Settings
from homeiot_batch.errors import (
    SettingsError,
    SourceBusy,
    SourceError,
    SourceLimit,
    SourceUnavailable,
)
from homeiot_batch.sources.clock import Clocks
from homeiot_batch.sources.influxdb.messages import (
    BUSY_STATUSES,
    advice,
    is_beyond_files,
    is_busy,
)
from homeiot_batch.sources.influxdb.retry_policy import asked_wait
from homeiot_batch.sources.influxdb.untrusted_json import decoded
from homeiot_batch.sources.influxdb.untrusted_msgpack import CONTENT_TYPE as MSGPACK
from homeiot_batch.sources.influxdb.untrusted_msgpack import unpacked

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from influxdb import InfluxDBClient
    from influxdb.exceptions import InfluxDBClientError, InfluxDBServerError

Parameters = Mapping[str, str | int]
JSON = "application/json"
# the registered name of msgpack, by which InfluxDBClient does not take it for what it decodes
MSGPACK_HERE = "application/vnd.msgpack"
# the names that a server or a proxy may give it
MSGPACK_TYPES = {MSGPACK, MSGPACK_HERE, "application/msgpack"}
# the server or a proxy has no answer in this form
UNACCEPTABLE = {406, 415}
# later the same request may be answered
PASSING = {408, 425, 500, 502, 504}
# the address is too long for a proxy (414), or for InfluxDB itself (431)
TOO_LONG = {414, 431}
# bytes of an address that nothing refuses for its length
SHORT_ENOUGH = 2_000
CONNECT_S = 10
# one of them is in each answer of InfluxDB
KEYS_OF_INFLUXDB = {"error", "code", "results"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
# what is longer is no version, and would fill a message
LONGEST_VERSION = 60


class InfluxHttp:
    """Sends requests with the address and the credentials of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        # several jobs ask at once, each in a thread of its own
        self._last = threading.local()
        self._headers = _headers(settings)
        self._client = _client(settings, self._remember)
        # bytes of the shortest question that was too long for an address
        self._too_long: int | None = None
        # at the last answer; None if it had no Date
        self.clocks: Clocks | None = None

    def get(self, path: str, parameters: Parameters) -> requests.Response:
        """What answers below INFLUX_URL, whatever its status. SourceUnavailable if nothing does.

        SourceBusy if the server refuses it as too much at once.
        """
        answer = self._send("GET", path, parameters)
        try:
            answer.content  # noqa: B018 - what is read later cannot be refused here
        except requests.RequestException as error:
            raise self.transport_failure(error) from None
        if answer.status_code in BUSY_STATUSES:
            raise self.refusal(answer)
        return answer

    def ask(self, parameters: Parameters, accept: str = JSON) -> requests.Response:
        """The answer of /query with status 200, as a stream. A SourceError for any other status.

        `accept` is the form that the answer should have. Its Content-Type says which it has.

        It is asked by GET, and by POST where the question is too long for an address. POST is kept
        for that, because a proxy or a firewall may allow only GET. The servers themselves take
        both, also from those who may only read.
        """
        size = len(urlencode(parameters))
        refused = None
        if self._too_long is None or size < self._too_long:
            answer = self._send("GET", "query", parameters, accept)
            if not _is_too_long(answer, size):
                return self._accepted(answer)
            answer.close()
            refused = answer.status_code
        answer = self._send("POST", "query", parameters, accept)
        if answer.status_code == 200:
            self._too_long = min(size, self._too_long or size)
            return answer
        with answer:
            passes = answer.status_code in BUSY_STATUSES | PASSING
            is_other_reason = answer.status_code == refused and refused not in TOO_LONG
            if passes or is_other_reason or _is_from_influxdb(answer):
                raise self.refusal(answer)
            raise self._too_long_a_question(size, answer.status_code)

    def _too_long_a_question(self, size: int, status: int) -> SourceError:
        return SourceError(
            f"{self._settings.influx_url}: a proxy before the server takes no question of {size} "
            f"bytes in an address, and answers {status} to it by POST; let it pass such a POST "
            "to /query, or longer addresses (nginx: large_client_header_buffers, "
            "Apache: LimitRequestLine, HAProxy: tune.bufsize)"
        )

    def failure(self, message: str, status: int | None = None) -> SourceError:
        """The error for a message of the server, with what to do about it."""
        answered = f"{self._settings.influx_url} answered"
        if status:
            answered = f"{answered} {status}"
        what_to_do = advice(message, status, self._settings)
        text = f"{answered}: {one_line(message)}; {what_to_do}"
        if is_beyond_files(message):
            return SourceLimit(text)
        if is_busy(message):
            return SourceBusy(text)
        return SourceError(text)

    def transport_failure(self, error: requests.RequestException) -> SourceUnavailable:
        """The error for a request that was not answered, or not to its end."""
        text = f"{self._settings.influx_url} {_transport_problem(error)}"
        # the server closes them when it has too many
        if _is_closed(error):
            return SourceBusy(text)
        return SourceUnavailable(text)

    def refusal(self, answer: requests.Response) -> SourceError:
        """The error for an answer with another status than 200."""
        status = answer.status_code
        message = error_text(_readable(answer)) or answer.reason
        error = self.failure(message, status)
        if status in BUSY_STATUSES or isinstance(error, SourceBusy):
            retry_after = answer.headers.get("Retry-After")
            wait = asked_wait(retry_after, datetime.now(UTC))
            return SourceBusy(str(error), wait)
        if status in PASSING and not isinstance(error, SourceLimit):
            return SourceUnavailable(str(error))
        return error

    def _accepted(self, answer: requests.Response) -> requests.Response:
        if answer.status_code == 200:
            return answer
        with answer:
            raise self.refusal(answer)

    def _send(
        self,
        method: Literal["GET", "POST"],
        path: str,
        parameters: Parameters,
        accept: str = JSON,
    ) -> requests.Response:
        headers = self._headers | {"Accept": accept}
        in_address: Parameters | None = parameters
        in_body = None
        if method == "POST":
            headers = headers | FORM
            in_address = None
            in_body = urlencode(parameters)
        try:
            # the client's errors hide the status and the headers of the answer
            with contextlib.suppress(InfluxDBClientError, InfluxDBServerError):
                self._client.request(
                    path, method, params=in_address, data=in_body, stream=True, headers=headers
                )
        except requests.RequestException as error:
            raise self.transport_failure(error) from None
        except ValueError:
            raise SourceError(
                f"{self._settings.influx_url} sent the question on to something that is no "
                "address; check INFLUX_URL, and what stands between here and the server"
            ) from None
        answer = self._last.answer
        if answer.status_code in UNACCEPTABLE and accept != JSON:
            answer.close()
            return self._send(method, path, parameters)
        return answer

    def _remember(self, answer: requests.Response, **_: object) -> None:
        """Note the answer before InfluxDBClient sees it, which would read all msgpack at once."""
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        if kind.strip().lower() in MSGPACK_TYPES:
            answer.headers["Content-Type"] = MSGPACK_HERE
        self._last.answer = answer
        self.clocks = Clocks.of(answer.headers)


def _client(settings: Settings, remember: Callable[..., None]) -> InfluxDBClient:
    url = _checked_url(settings)
    is_https = url.scheme == "https"
    return InfluxDBClient(
        host=_host(url),
        port=url.port or _default_port(url),
        path=url.path.strip("/"),
        username=None,
        password=None,
        ssl=is_https,
        verify_ssl=_authority(settings),
        timeout=(CONNECT_S, settings.influx_timeout_s),
        retries=1,
        session=_session(remember),
    )


def _host(url: SplitResult) -> str:
    """The host as it stands in an address: an IPv6 number in brackets."""
    host = url.hostname or ""
    if ":" in host:
        return f"[{host}]"
    return host


def _default_port(url: SplitResult) -> int:
    if url.scheme == "https":
        return 443
    return 80


def _authority(settings: Settings) -> str | bool:
    """The file of the certificate authority, or True for those that the machine trusts."""
    if settings.influx_ca_file is None:
        return True
    return str(settings.influx_ca_file)


def _checked_url(settings: Settings) -> SplitResult:
    if not _names_host(settings.influx_url):
        raise SettingsError(
            f"INFLUX_URL={settings.influx_url!r} names no host and port; "
            "give one like http://influxdb:8086"
        )
    if settings.influx_ca_file and not settings.influx_ca_file.is_file():
        file = str(settings.influx_ca_file)
        raise SettingsError(
            f"INFLUX_CA_FILE={file!r} is no file; name one with the authority's certificate"
        )
    return urlsplit(settings.influx_url)


def _names_host(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def _session(remember: Callable[..., None]) -> requests.Session:
    session = requests.Session()
    session.hooks["response"] = [remember]
    # ~/.netrc would replace the token, and proxies are for the world outside the house
    session.trust_env = False
    return session


def _headers(settings: Settings) -> dict[str, str]:
    headers = {"Accept-Encoding": "identity"}
    token = settings.token()
    user = settings.influx_username
    password = settings.password()
    if token:
        headers["Authorization"] = f"Token {token}"
    elif user and password:  # requests would encode them as Latin-1, where InfluxDB reads UTF-8
        login = f"{user}:{password}".encode()
        encoded = base64.b64encode(login).decode()
        headers["Authorization"] = f"Basic {encoded}"
    return headers


def _is_too_long(answer: requests.Response, size: int) -> bool:
    """Whether the address of `size` bytes was refused for its length.

    Some proxies have no status of its own for that: HAProxy answers 400, IIS 404.
    """
    if answer.status_code in TOO_LONG:
        return True
    unclear = size > SHORT_ENOUGH and answer.status_code in {400, 404, 413}
    return unclear and not _is_from_influxdb(answer)


def _is_from_influxdb(answer: requests.Response) -> bool:
    """Whether the server itself answered, not a proxy before it."""
    content = json_or_none(answer)
    if is_msgpack(answer):
        content = _readable(answer)
    if not isinstance(content, dict):
        return False
    return not KEYS_OF_INFLUXDB.isdisjoint(content)


def _is_closed(error: Exception) -> bool:
    """Whether the server closed the connection instead of answering."""
    return "Connection aborted" in str(error)


def _transport_problem(error: Exception) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return (
            "has a certificate that cannot be verified; "
            "set INFLUX_CA_FILE to its authority's certificate"
        )
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "broke off its answer; run again, and read the server's log"
    # in the middle of an answer it is a ConnectionError
    if isinstance(error, requests.Timeout) or "Read timed out" in str(error):
        return "did not answer in time; check that it runs, or raise INFLUX_TIMEOUT_S"
    if _is_closed(error):
        return (
            "closed the connection without an answer; "
            "check that it runs, or raise max-connection-limit in its configuration"
        )
    return "cannot be reached; check INFLUX_URL and that the server runs"


def version_of(answer: requests.Response) -> str:
    """The version that the server names in each answer, such as 2.7.12, or "" if it names none.

    InfluxDB 3.0 names it in the content of /ping only.
    """
    version = answer.headers.get("X-Influxdb-Version", "").removeprefix("v")
    return (version or _version_3_0(answer))[:LONGEST_VERSION]


def _version_3_0(answer: requests.Response) -> str:
    content = json_or_none(answer)
    if isinstance(content, dict) and str(content.get("version")).startswith("3."):
        return str(content["version"])
    return ""


def error_text(content: object) -> str:
    """The text in the body of a refusal, on one line. It may be decoded already."""
    body = content
    if isinstance(content, bytes):
        text = content.decode(errors="replace")
        try:
            body = decoded(text.encode())
        except ValueError:
            return one_line(text)
    if isinstance(body, dict):
        body = body.get("error") or body.get("message") or content
    return one_line(str(body))


def one_line(text: str) -> str:
    """The first 200 characters, with single blanks."""
    return " ".join(text.split())[:200]


def is_msgpack(answer: requests.Response) -> bool:
    """Whether the answer is msgpack, as its header says."""
    return answer.headers.get("Content-Type") == MSGPACK_HERE


def json_or_none(answer: requests.Response) -> object:
    """The decoded JSON, or None if it is none."""
    try:
        return decoded(answer.content)
    except ValueError:
        return None


def _readable(answer: requests.Response) -> object:
    """The body, or the one document in it if it is msgpack."""
    if not is_msgpack(answer):
        return answer.content
    try:
        [document] = unpacked([answer.content])
    except ValueError:
        return answer.content
    return document
