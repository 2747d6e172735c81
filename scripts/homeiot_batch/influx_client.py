"""Questions to one InfluxDB server, 1.x or 2.x, by HTTP: InfluxQL by /query, and the API of 2.x.

The answer of /query is read as a stream of JSON documents, because InfluxDB reports what went
wrong after the first rows only there.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from typing import Any

import requests

from homeiot_batch.answer_documents import documents
from homeiot_batch.config import Settings
from homeiot_batch.errors import SourceBusy, SourceError, SourceUnavailable
from homeiot_batch.influx_http import InfluxHttp, content_of
from homeiot_batch.retry_policy import RetryPolicy
from homeiot_batch.turns import Turns


class InfluxClient:
    """Asks one InfluxDB server with the address and the credentials of the settings.

    While the server is asked too much at once, a question is asked again after growing waits, and
    the questions of this client then wait for each other.
    """

    def __init__(self, settings: Settings, sleep: Callable[[float], None] = time.sleep) -> None:
        self._settings = settings
        self._http = InfluxHttp(settings)
        self._retry_policy = RetryPolicy(settings.influx_retries, SourceBusy, sleep)
        self._turns = Turns(settings.influx_timeout_s)

    def rows(self, query: str) -> list[list[Any]]:
        """All rows of a short InfluxQL answer."""
        return [row for series in self.series(query) for row in series["values"]]

    def series(self, query: str) -> Iterator[dict[str, Any]]:
        """The series of the one statement, document by document, as InfluxDB has them.

        Each has a name, tags, columns and values, with times in ns. Raises unless the answer has
        come to its end.
        """
        partial, results = True, 0
        for result in self._begun(query):
            results += 1
            partial = bool(result.get("partial"))
            yield from (series for series in result.get("series", []) if series.get("values"))
        if partial or not results:
            raise SourceUnavailable(
                f"{self._settings.influx_url}: the answer ended in the middle; "
                "run again, and read the server's log"
            )

    def _begun(self, query: str) -> Iterator[dict[str, Any]]:
        """The results of an answer whose first one has come; SourceError if the server stays busy.

        What goes wrong after the first result is for the caller to ask again.
        """

        def begin() -> Iterator[dict[str, Any]]:
            results = self._results(query)
            return itertools.chain(list(itertools.islice(results, 1)), results)

        return self._patiently(begin)

    def _patiently[T](self, ask: Callable[[], T]) -> T:
        """What `ask` returns; SourceError if the server is busy each time."""
        try:
            return self._retry_policy(ask)
        except SourceBusy as error:
            raise SourceError(str(error)) from None

    def _results(self, query: str) -> Iterator[dict[str, Any]]:
        """The results, document by document, while this client has its turn."""
        try:
            with self._turns.taken():
                for document in self._documents(query):
                    yield from self._results_of(document)
        except SourceBusy:
            self._turns.form_a_line()
            raise

    def _results_of(self, document: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if "error" in document:
            raise self._http.failure(str(document["error"]))
        for result in document.get("results", []):
            if "error" in result:
                raise self._http.failure(str(result["error"]))
            yield result

    def _documents(self, query: str) -> Iterator[dict[str, Any]]:
        try:
            with self._http.ask(self._parameters(query)) as response:
                yield from documents(response.iter_content(1 << 16))
        except requests.RequestException as error:
            raise self._http.transport_failure(error) from None
        except ValueError:
            raise SourceUnavailable(
                f"{self._settings.influx_url} answered something that is not InfluxDB's JSON, "
                "or broken off; check INFLUX_URL"
            ) from None

    def _parameters(self, query: str) -> dict[str, str | int]:
        parameters: dict[str, str | int] = {
            "q": query,
            "db": self._settings.influx_bucket,
            "epoch": "ns",
            "chunked": "true",
            "chunk_size": self._settings.influx_chunk_rows,
        }
        if self._settings.influx_retention_policy:
            parameters["rp"] = self._settings.influx_retention_policy
        return parameters

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

    def ask(self, path: str, **parameters: str) -> requests.Response:
        """What answers a GET of `path` below INFLUX_URL, whatever its status.

        SourceUnavailable if nothing answers, SourceError if the server stays busy.
        """
        return self._patiently(lambda: self._http.get(path, parameters))


def quote_ident(name: str) -> str:
    """The name of a measurement, field, tag or policy as InfluxQL writes it."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
