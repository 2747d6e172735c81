"""Questions to one InfluxDB server, 1.x or 2.x, by HTTP: InfluxQL by /query, and the API of 2.x.

The answer of /query is read as a stream of documents in JSON or msgpack, because InfluxDB reports
what went wrong after the first rows only there. Short answers are asked for in JSON. The rows of a
day are asked for in msgpack, which costs the server half as much, and the batch much less.
"""

import contextlib
import functools
import itertools
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import requests

from homeiot_batch.config import Settings
from homeiot_batch.errors import SourceBusy, SourceError, SourceUnavailable
from homeiot_batch.sources.clock import Clocks
from homeiot_batch.sources.influxdb.answers import (
    Answer,
    Bucket,
    Counts,
    Database3,
    Document,
    Health,
    Mapping,
    Name,
    Result,
    Series,
    ShapeError,
    parsed,
)
from homeiot_batch.sources.influxdb.documents import documents
from homeiot_batch.sources.influxdb.read_ahead import PIECE_BYTES, reading_ahead
from homeiot_batch.sources.influxdb.retry_policy import RetryPolicy
from homeiot_batch.sources.influxdb.supported_servers import (
    has_msgpack,
    imitation,
    is_imitation,
    is_like_1,
    is_silent_without_rows,
)
from homeiot_batch.sources.influxdb.transport import (
    JSON,
    InfluxHttp,
    is_msgpack,
    json_or_none,
    version_of,
)
from homeiot_batch.sources.influxdb.turns import Turns
from homeiot_batch.sources.influxdb.untrusted_msgpack import CONTENT_TYPE as MSGPACK
from homeiot_batch.sources.influxdb.untrusted_msgpack import unpacked

DATABASES = "SHOW DATABASES"
# what 2.x answers where the token may not see something
UNSEEN = {401, 403, 404}


@dataclass(frozen=True)
class _Form:
    """How an answer is asked for, in chunks or in one piece, as which type, and how it is read."""

    in_chunks: bool = True
    accept: str = JSON
    is_read_ahead: bool = False


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

    @property
    def clocks(self) -> Clocks | None:
        """The clock of this machine and the server's at the last answer. None if it had no Date."""
        return self._http.clocks

    @functools.cached_property
    def version(self) -> str:
        """The version that the server names in its answer to /ping, or "" if it names none."""
        return version_of(self.get("ping"))

    @functools.cached_property
    def major(self) -> str:
        """The server's major version, by its own answers, or "" if they do not name it.

        That an address answers is no sign: InfluxDB 1.10 to 1.13 have some of those of 2.x too.
        """
        if _begins_with_number(self.version):
            return self.version[0]
        health = self._health()
        version = health.version.removeprefix("v")
        if _begins_with_number(version):
            return version[0]
        if health.name != "influxdb":
            return ""
        # a build without a number
        if health.commit is None:
            return "1"
        return "2"

    def _health(self) -> Health:
        try:
            return parsed(Health, json_or_none(self.get("health")))
        except ShapeError:
            return Health()

    def rows[Row: Answer](self, query: str, kind: type[Row]) -> list[Row]:
        """All rows of a short InfluxQL answer, each as an object of the `kind`."""
        return [row for _, row in self.tagged_rows(query, kind)]

    def tagged_rows[Row: Answer](
        self, query: str, kind: type[Row]
    ) -> list[tuple[dict[str, str], Row]]:
        """The same, with the tags of the series that each row is in, for a GROUP BY."""
        found = []
        for series in self._whole(query):
            for content in series.rows():
                row = self._parsed(kind, content, query)
                found.append((series.tags, row))
        return found

    def counts(self, query: str, columns: int) -> list[int]:
        """The one row of a SELECT of so many counts. All 0 where nothing is counted."""
        row = self._first_row(query)
        if row is None:
            return [0] * columns
        content = {"numbers": row[1:]}  # the first value is the time
        counts = self._parsed(Counts, content, query).numbers
        if len(counts) != columns:
            raise self._other_shape(query, f"{len(counts)} counts, not {columns}")
        return [count or 0 for count in counts]

    def _first_row(self, query: str) -> list[Any] | None:
        for series in self._whole(query):
            for row in series.values:
                return row
        return None

    def _whole(self, query: str) -> list[Series]:
        """All series of a short answer."""
        found = list(self.series(query))
        # only an answer in one piece shows that there are none
        if not found and is_silent_without_rows(self.version):
            found = list(self.series(query, in_chunks=False))
        return found

    def rows_of_day(self, query: str) -> Iterator[Series]:
        """The same as `series` for a long answer.

        It is asked for in msgpack where the server has it as JSON has it, and read ahead.
        """
        accept = JSON
        if has_msgpack(self.version):
            accept = MSGPACK
        return self._series(query, _Form(accept=accept, is_read_ahead=True))

    def series(self, query: str, *, in_chunks: bool = True) -> Iterator[Series]:
        """The series of the one statement, document by document, with times in ns.

        Those without rows are left out. Raises unless the answer has come to its end. But
        InfluxDB 3.7 and later send nothing at all in chunks where there are no rows. The caller
        must ask in another way whether there are none.
        """
        return self._series(query, _Form(in_chunks=in_chunks))

    def _series(self, query: str, form: _Form) -> Iterator[Series]:
        partial = True
        results = 0
        for result in self._begun(query, form):
            results += 1
            partial = result.partial
            for series in result.series:
                if is_imitation(query, series.name, series.columns):
                    raise imitation(self._settings.influx_url)
                if series.values:
                    yield series
        if form.in_chunks and not results and is_silent_without_rows(self.version):
            return
        if partial or not results:
            raise SourceUnavailable(
                f"{self._settings.influx_url}: the answer ended in the middle; "
                "run again, and read the server's log"
            )

    def _begun(self, query: str, form: _Form) -> Iterator[Result]:
        """The results of an answer whose first one has come. SourceError if the server stays busy.

        What goes wrong after the first result is for the caller to ask again.
        """

        def begin() -> Iterator[Result]:
            results = self._results(query, form)
            first = list(itertools.islice(results, 1))
            return itertools.chain(first, results)

        return self._patiently(begin)

    def _patiently[T](self, ask: Callable[[], T]) -> T:
        """What `ask` returns. SourceError if the server is busy each time."""
        try:
            return self._retry_policy(ask)
        except SourceBusy as error:
            raise SourceError(str(error)) from None

    def _results(self, query: str, form: _Form) -> Iterator[Result]:
        """The results, document by document, while this client has its turn."""
        try:
            with self._turns.taken():
                for document in self._documents(query, form):
                    yield from self._results_of(document)
        except SourceBusy:
            self._turns.form_a_line()
            raise

    def _results_of(self, document: Document) -> Iterator[Result]:
        if document.error is not None:
            raise self._http.failure(document.error)
        for result in document.results:
            if result.error is not None:
                raise self._http.failure(result.error)
            yield result

    def _documents(self, query: str, form: _Form) -> Iterator[Document]:
        parameters = self._parameters(query, in_chunks=form.in_chunks)
        try:
            with (
                self._http.ask(parameters, form.accept) as response,
                _pieces(response, form) as pieces,
            ):
                decode = unpacked if is_msgpack(response) else documents
                for content in decode(pieces):
                    yield self._parsed(Document, content, query)
        except requests.RequestException as error:
            raise self._http.transport_failure(error) from None
        except ValueError:
            raise SourceUnavailable(
                f"{self._settings.influx_url} answered something that is not InfluxDB's JSON, "
                "or broken off; check INFLUX_URL"
            ) from None

    def _parameters(self, query: str, *, in_chunks: bool) -> dict[str, str | int]:
        parameters: dict[str, str | int] = {
            "q": query,
            "db": self._settings.influx_bucket,
            "epoch": "ns",
        }
        if in_chunks:
            parameters |= {"chunked": "true", "chunk_size": self._settings.influx_chunk_rows}
        if self._settings.influx_retention_policy:
            parameters["rp"] = self._settings.influx_retention_policy
        return parameters

    def database_list(self) -> requests.Response:
        """The answer to SHOW DATABASES, whatever its status.

        InfluxDB 3 before 3.7 breaks it off at /query.
        """
        if is_like_1(self.version):
            return self.get("query", q=DATABASES)
        return self.get("api/v3/query_influxql", q=DATABASES, format="json")

    def databases(self) -> list[str]:
        """The names of the databases that the credentials may see."""
        if is_like_1(self.version):
            return [row.name for row in self.rows(DATABASES, Name)]
        answer = self.database_list()
        if answer.status_code != 200:
            raise self._http.refusal(answer)
        content = json_or_none(answer)
        if not isinstance(content, list):
            raise self._other_shape(DATABASES, "no list")
        databases = [self._parsed(Database3, part, DATABASES) for part in content]
        return [database.name for database in databases if not database.deleted]

    def buckets(self, **named: str) -> list[Bucket]:
        """The buckets that the token may see, or those of a name=...

        None unless the server is a 2.x, which lists a hundred at most in one answer.
        """
        buckets: dict[str, Bucket] = {}
        page = self._page_of_buckets(named)
        while page and page[-1].id not in buckets:
            buckets |= {bucket.id: bucket for bucket in page}
            page = self._page_of_buckets({**named, "after": page[-1].id})
        return list(buckets.values())

    def _page_of_buckets(self, parameters: dict[str, str]) -> list[Bucket]:
        return self._list_v2(Bucket, "buckets", "buckets", limit="100", **parameters)

    def mappings(self, buckets: Iterable[Bucket]) -> list[Mapping]:
        """How InfluxQL finds the buckets of 2.x in the organizations of the `buckets`."""
        mappings: list[Mapping] = []
        for org in sorted({bucket.org for bucket in buckets}):
            mappings += self._list_v2(Mapping, "dbrps", "content", orgID=org)
        return mappings

    def _list_v2[Part: Answer](
        self, kind: type[Part], path: str, key: str, **parameters: str
    ) -> list[Part]:
        """A list of the API of 2.x.

        It is empty if the server is another one, or if the token may not see it.
        """
        if self.major != "2":
            return []
        answer = self.get(f"api/v2/{path}", **parameters)
        if answer.status_code in UNSEEN:
            return []
        if answer.status_code != 200:
            raise self._http.refusal(answer)
        content = json_or_none(answer)
        listed = None
        if isinstance(content, dict):
            listed = content.get(key)
        if not isinstance(listed, list):
            raise self._other_shape(path, f"{key} is missing")
        return [self._parsed(kind, part, path) for part in listed]

    def _parsed[Part: Answer](self, kind: type[Part], content: object, question: str) -> Part:
        try:
            return parsed(kind, content)
        except ShapeError as error:
            raise self._other_shape(question, error) from None

    def _other_shape(self, question: str, what: object) -> SourceError:
        beginning = question[:60]
        return SourceError(
            f"{self._settings.influx_url} answered {beginning!r} in another way than InfluxDB: "
            f"{what}; check INFLUX_URL, and what stands between here and the server"
        )

    def get(self, path: str, **parameters: str) -> requests.Response:
        """What answers a GET of `path` below INFLUX_URL, whatever its status.

        SourceUnavailable if nothing answers, SourceError if the server stays busy.
        """
        return self._patiently(lambda: self._http.get(path, parameters))


def compare_clocks(settings: Settings) -> Clocks | None:
    """The clock of this machine and the server's, now.

    None where there is no server, it does not answer, or has no Date. None also in drills, where
    `now` gives the time.
    """
    if settings.now or not settings.is_server:
        return None
    http = InfluxHttp(settings)
    with contextlib.suppress(SourceUnavailable):  # who reads from it gets the error
        http.get("ping", {})
    return http.clocks


@contextlib.contextmanager
def _pieces(response: requests.Response, form: _Form) -> Generator[Iterator[bytes]]:
    """The bytes of an answer as they arrive."""
    pieces = response.iter_content(PIECE_BYTES)
    if not form.is_read_ahead:
        yield pieces
        return

    def interrupt() -> None:
        # all may have been read, and the connection given back
        with contextlib.suppress(OSError, ValueError, RuntimeError):
            response.raw.shutdown()

    with reading_ahead(pieces, interrupt) as read_ahead:
        yield read_ahead


def _begins_with_number(version: str) -> bool:
    return version[:1].isdigit()


def quote_ident(name: str) -> str:
    """The name of a measurement, field, tag or policy as InfluxQL writes it."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
