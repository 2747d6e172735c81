"""Questions to one InfluxDB server, 1.x or 2.x, by HTTP: InfluxQL by /query, and the API of 2.x.

The answer of /query is read as a stream of JSON documents, because InfluxDB reports what went
wrong after the first rows only there.
"""

import base64
import contextlib
import json
import warnings
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import requests

from homeiot_batch.config import Settings
from homeiot_batch.errors import SettingsError, SourceError, SourceUnavailable

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from influxdb import InfluxDBClient
    from influxdb.exceptions import InfluxDBClientError, InfluxDBServerError
    from influxdb.line_protocol import quote_ident  # noqa: F401 - for all who write InfluxQL


class InfluxClient:
    """Asks one InfluxDB server with the address and the credentials of the settings."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._answer: requests.Response | None = None
        self._client = _client(settings, self._remember)

    def rows(self, query: str) -> list[list[Any]]:
        """All rows of a short InfluxQL answer."""
        return [row for series in self.series(query) for row in series["values"]]

    def series(self, query: str) -> Iterator[dict[str, Any]]:
        """The series of the one statement, document by document, as InfluxDB has them.

        Each has a name, tags, columns and values, with times in ns. Raises unless the answer has
        come to its end.
        """
        partial, results = True, 0
        for document in self._documents(query):
            if "error" in document:
                raise SourceError(self._explained(str(document["error"])))
            for result in document.get("results", []):
                results += 1
                if "error" in result:
                    raise SourceError(self._explained(str(result["error"])))
                partial = bool(result.get("partial"))
                yield from (series for series in result.get("series", []) if series.get("values"))
        if partial or not results:
            raise SourceUnavailable(
                f"{self._settings.influx_url}: the answer ended in the middle; "
                "run again, and read the server's log"
            )

    def _documents(self, query: str) -> Iterator[dict[str, Any]]:
        try:
            response = self._request(query)
            with response:
                for line in _lines(response):
                    document = json.loads(line)
                    if not isinstance(document, dict):
                        raise ValueError("not a JSON object")
                    yield document
        except (requests.RequestException, InfluxDBServerError) as error:
            raise SourceUnavailable(
                f"{self._settings.influx_url} {_transport_problem(error)}"
            ) from None
        except ValueError:
            raise SourceUnavailable(
                f"{self._settings.influx_url} answered something that is not InfluxDB's JSON, "
                "or broken off; check INFLUX_URL"
            ) from None

    def _request(self, query: str) -> requests.Response:
        params = {
            "q": query,
            "db": self._settings.influx_bucket,
            "epoch": "ns",
            "chunked": "true",
            "chunk_size": self._settings.influx_chunk_rows,
        }
        if self._settings.influx_retention_policy:
            params["rp"] = self._settings.influx_retention_policy
        try:
            return self._client.request("query", params=params, stream=True)
        except InfluxDBClientError as error:
            raise SourceError(self._explained(words(error.content), error.code)) from None

    def buckets(self) -> list[dict[str, Any]]:
        """The first hundred buckets of 2.x that the token may see."""
        return self.listed("buckets", "buckets", limit="100")

    def mappings(self, buckets: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The bucket of 2.x that each retention policy of the database that is read stands for.

        Only mappings in the organizations of the `buckets` are found.
        """
        orgs = sorted({bucket["orgID"] for bucket in buckets})
        return [
            mapping
            for org in orgs
            for mapping in self.listed(
                "dbrps", "content", orgID=org, db=self._settings.influx_bucket
            )
        ]

    def listed(self, path: str, key: str, **params: str) -> list[dict[str, Any]]:
        """A list of the API of 2.x; empty if it has no such API or the token may not see it."""
        content = content_of(self.ask(f"api/v2/{path}", **params))
        return content.get(key) or [] if isinstance(content, dict) else []

    def ask(self, path: str, **params: str) -> requests.Response:
        """What answers a GET of `path` below INFLUX_URL, whatever its status.

        SourceUnavailable if nothing answers.
        """
        self._answer = None
        try:
            # they tell less than the answer
            with contextlib.suppress(InfluxDBClientError, InfluxDBServerError):
                self._client.request(path, params=params)
        except requests.RequestException as error:
            raise SourceUnavailable(
                f"{self._settings.influx_url} {_transport_problem(error)}"
            ) from None
        assert self._answer is not None
        return self._answer

    def _remember(self, answer: requests.Response, **_: object) -> None:
        self._answer = answer

    def _explained(self, message: str, code: int | None = None) -> str:
        """The server's own words with the cure."""
        if code in (401, 403):
            cure = (
                "check INFLUX_TOKEN (2.x) or INFLUX_USERNAME and INFLUX_PASSWORD (1.x), "
                "and that they may read the database"
            )
        elif code == 404:
            cure = "check the path in INFLUX_URL"
        elif "database not found" in message:
            cure = (
                f"check INFLUX_BUCKET={self._settings.influx_bucket!r}, "
                "and that the credentials may read it, not only write"
            )
        elif "retention policy not found" in message:
            cure = f"check INFLUX_RETENTION_POLICY={self._settings.influx_retention_policy!r}"
        elif "timeout" in message or "interrupted" in message:
            cure = "run again when the server is less busy, or raise its query-timeout"
        else:
            cure = "read the server's log"
        status = f" {code}" if code else ""
        return f"{self._settings.influx_url} answered{status}: {message}; {cure}"


def _client(settings: Settings, remember: Callable[..., None]) -> InfluxDBClient:
    try:
        url = urlsplit(settings.influx_url)
        host, port = url.hostname, url.port
    except ValueError:
        host = None
    if not host:
        raise SettingsError(
            f"INFLUX_URL={settings.influx_url!r} names no host and port; "
            "give one like http://influxdb:8086"
        )
    if settings.influx_ca_file and not settings.influx_ca_file.is_file():
        raise SettingsError(
            f"INFLUX_CA_FILE={str(settings.influx_ca_file)!r} is no file; "
            "name one with the authority's certificate"
        )
    session = requests.Session()
    session.hooks["response"] = [remember]
    # ~/.netrc would replace the token, and proxies are for the world outside the house
    session.trust_env = False
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    token, user, password = settings.token(), settings.influx_username, settings.password()
    if token:
        headers["Authorization"] = f"Token {token}"
    elif user and password:  # requests would encode them as Latin-1, where InfluxDB reads UTF-8
        headers["Authorization"] = (
            "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        )
    return InfluxDBClient(
        host=f"[{host}]" if ":" in host else host,
        port=port or (443 if url.scheme == "https" else 80),
        path=url.path.strip("/"),
        username=None,
        password=None,
        ssl=url.scheme == "https",
        verify_ssl=str(settings.influx_ca_file) if settings.influx_ca_file else True,
        timeout=(10, settings.influx_timeout_s),
        retries=1,
        session=session,
        headers=headers,
    )


def _lines(response: requests.Response) -> Iterator[bytes]:
    # requests' iter_lines() is quadratic in the length of a line,
    # and here a line is a chunk of 10,000 rows
    pieces: list[bytes] = []
    for piece in response.iter_content(1 << 16):
        *ended, rest = piece.split(b"\n")
        for line in ended:
            if document := b"".join([*pieces, line]).strip():
                yield document
            pieces = []
        pieces.append(rest)
    if remainder := b"".join(pieces).strip():
        yield remainder


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
    if isinstance(error, InfluxDBServerError):
        said = " ".join(str(error).split())[:200]
        return f"answered with a server error: {said}; read the server's log"
    return "cannot be reached; check INFLUX_URL and that the server runs"


def words(content: object) -> str:
    """What the body of a refusal says, on one line."""
    text = content.decode(errors="replace") if isinstance(content, bytes) else str(content)
    try:
        body = json.loads(text)
        text = (
            str(body.get("error") or body.get("message") or text)
            if isinstance(body, dict)
            else str(body)
        )
    except ValueError:
        pass
    return " ".join(text.split())[:200]


def content_of(answer: requests.Response) -> object:
    """The decoded JSON; None if it is none."""
    try:
        return answer.json()
    except ValueError:
        return None
