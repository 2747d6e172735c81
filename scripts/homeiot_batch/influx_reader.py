"""One local day from InfluxDB's /query (1.x and 2.x), whole or refused.

The answer is read as a stream of JSON documents, because InfluxDB reports what went wrong after the first rows only there; and the
server is asked separately how many values each field has in the day, so that an answer that merely looks complete is found out.
"""

import base64
import contextlib
import functools
import json
import re
import warnings
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pyarrow as pa
import pyarrow.compute as pc
import requests

from homeiot_batch.config import Settings
from homeiot_batch.datasets import ARROW_TYPES, Dataset
from homeiot_batch.days import LocalDay
from homeiot_batch.errors import SettingsError, SourceError, SourceUnavailable

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    from influxdb import InfluxDBClient
    from influxdb.exceptions import InfluxDBClientError, InfluxDBServerError
    from influxdb.line_protocol import quote_ident

# the types on the server that may stand in a column of the declared type; count(f::float) counts integers too, so it cannot tell them apart
COMPATIBLE = {
    "double": {"float", "integer", "unsigned"},
    "integer": {"integer", "float"},
    "boolean": {"boolean"},
    "string": {"string"},
}
# what their values are in the answer: a float without fraction looks like an integer
JSON_TYPES: dict[str, set[type]] = {
    "double": {float, int},
    "integer": {int},
    "boolean": {bool},
    "string": {str},
}
UNITS = {"h": timedelta(hours=1), "m": timedelta(minutes=1), "s": timedelta(seconds=1)}


class InfluxReader:
    """Reads days from one InfluxDB server."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._answer: requests.Response | None = None
        self._client = _client(settings, self._remember)

    def describe(self, dataset: Dataset) -> dict[str, Any]:
        """Server, database, retention policy and measurement."""
        return {
            "kind": "influxdb",
            "url": self._settings.influx_url,
            "database": self._settings.influx_bucket,
            "retention_policy": self._settings.influx_retention_policy,
            "measurement": dataset.measurement,
        }

    def doubts(self, dataset: Dataset, day: LocalDay) -> list[str]:  # noqa: ARG002
        """Whether retention may have taken the beginning of the day; all else is proven by `read`, or refused."""
        try:
            policy, kept = self.retention
        except SourceError as error:  # the day was read: it is not given up for a warning
            return [f"whether retention has taken some of it could not be asked: {error}"]
        edge = self._settings.instant() - kept
        if not kept or edge <= day.start:
            return []
        kept_since = f"{kept // UNITS['h']} hours, since {edge.astimezone(day.zone):%F %T}"
        gone = "the day's first readings, or all, may have been gone when it was read"
        cure = f"with an export or a backup of the server, run again with --date {day} --force"
        return [f"retention policy {policy!r} keeps {kept_since}: {gone}; {cure}"]

    def read(self, dataset: Dataset, day: LocalDay) -> Iterator[pa.RecordBatch]:
        """See `Source.read`."""
        self._refuse_other_types(dataset, day)
        self._refuse_other_policies(dataset, day)
        expected = self.counts(dataset, day)
        found = dict.fromkeys(dataset.fields, 0)
        for batch in self._batches(dataset, day):
            for field in dataset.fields:
                found[field] += len(batch) - batch.column(field).null_count
            yield batch
        if found != expected:
            raise SourceUnavailable(
                f"{self._where(dataset)}: the answer for {day} holds {_listed(found)} values, the server counts {_listed(expected)}; "
                "it was cut short, or points are still arriving: run again"
            )

    def _refuse_other_types(self, dataset: Dataset, day: LocalDay) -> None:
        keys = self._field_types(dataset)
        if not keys:
            raise SourceError(self._no_measurement(dataset))
        if not keys.keys() & dataset.fields.keys():
            raise SourceError(
                f"{self._where(dataset)} has none of the fields {', '.join(dataset.fields)} but {', '.join(sorted(keys))}; "
                "correct the dataset's fields in config.yaml"
            )
        if wrong_tags := keys.keys() & dataset.tags.keys():
            raise SourceError(
                f"{self._where(dataset)}: {', '.join(wrong_tags)} is a field there, not a tag; correct config.yaml"
            )
        for field, declared in dataset.fields.items():
            for other in sorted(keys.get(field, set()) - COMPATIBLE[declared]):
                selection = f"count({quote_ident(field)}::{other})"
                if count := self._single_row(dataset, day, selection)[1]:
                    raise SourceError(
                        f"{self._where(dataset)}: on {day} field {field} holds {count} values of type {other}, declared is {declared}; "
                        "InfluxDB would leave out one or the other. Correct the points on the server, or the type in config.yaml"
                    )

    def _refuse_other_policies(self, dataset: Dataset, day: LocalDay) -> None:
        """Where no policy is named, the default one may hold only a part of the day, or none: since it was changed, say."""
        if self._settings.influx_retention_policy:
            return
        for policy, _, is_default in self.policies(self._settings.influx_bucket):
            if not is_default and any(self.counts(dataset, day, policy).values()):
                raise SourceError(
                    f"{self._where(dataset)}: on {day} retention policy {policy!r} holds points of it too; "
                    "set INFLUX_RETENTION_POLICY to the one that has the readings"
                )

    def _field_types(self, dataset: Dataset) -> dict[str, set[str]]:
        types: dict[str, set[str]] = {}
        for field, kind in self.rows(f"SHOW FIELD KEYS FROM {quote_ident(dataset.measurement)}"):
            types.setdefault(field, set()).add(kind)
        return types

    def _no_measurement(self, dataset: Dataset) -> str:
        others = [row[0] for row in self.rows("SHOW MEASUREMENTS LIMIT 20")]
        there = f"there are {', '.join(others)}" if others else "nothing can be seen there"
        if dataset.measurement in others:
            there = "it is there in another retention policy"
        return (
            f"{self._where(dataset)} does not exist ({there}); check INFLUX_MEASUREMENT, INFLUX_RETENTION_POLICY, INFLUX_BUCKET, and "
            "that the credentials may read, not only write"
        )

    def counts(self, dataset: Dataset, day: LocalDay, policy: str | None = None) -> dict[str, int]:
        """Values of each field that the server has in the day, in `policy` or the one that is set."""
        row = self._single_row(
            dataset,
            day,
            ", ".join(f"count({quote_ident(field)})" for field in dataset.fields),
            policy,
        )
        return {field: count or 0 for field, count in zip(dataset.fields, row[1:], strict=True)}

    def query(self, query: str) -> list[dict[str, Any]]:
        """The series of a short InfluxQL answer, as InfluxDB has them: name, tags, columns, values (times in ns)."""
        return list(self._series(query))

    def rows(self, query: str) -> list[list[Any]]:
        """All rows of a short InfluxQL answer."""
        return [row for series in self._series(query) for row in series["values"]]

    def policies(self, database: str) -> Iterator[tuple[str, timedelta, bool]]:
        """Name of each retention policy, how long it keeps points (0: for ever; in 2.x always 0), and whether it is the default one."""
        for policy, kept, *_, is_default in self.rows(
            f"SHOW RETENTION POLICIES ON {quote_ident(database)}"
        ):
            yield policy, _duration(kept), is_default

    @functools.cached_property
    def retention(self) -> tuple[str, timedelta]:
        """The retention policy that is read, and how long it keeps points (0: for ever)."""
        wanted = self._settings.influx_retention_policy
        policies = (
            policy[:2]
            for policy in self.policies(self._settings.influx_bucket)
            if (policy[0] == wanted if wanted else policy[2])
        )
        policy, kept = next(policies, (wanted or "", timedelta()))
        return policy, kept or self._bucket_retention(policy)

    def _bucket_retention(self, policy: str) -> timedelta:
        """How long the bucket of 2.x keeps points: SHOW RETENTION POLICIES says for ever, whatever it is."""
        buckets = [
            mapping["bucketID"]
            for mapping in self.mappings(self.buckets())
            if mapping["retention_policy"] == policy
        ]
        rules = [
            rule["everySeconds"]
            for bucket in buckets
            for rule in self.listed(f"buckets/{bucket}", "retentionRules")
        ]
        return timedelta(seconds=min(rules, default=0))

    def buckets(self) -> list[dict[str, Any]]:
        """The first hundred buckets of 2.x that the token may see."""
        return self.listed("buckets", "buckets", limit="100")

    def mappings(self, buckets: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Which bucket of 2.x each retention policy of the database that is read stands for, in the organizations of the `buckets`."""
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
        """What answers a GET of `path` below INFLUX_URL, whatever its status; SourceUnavailable if nothing does."""
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

    def _single_row(
        self, dataset: Dataset, day: LocalDay, selection: str, policy: str | None = None
    ) -> list[Any]:
        rows = self.rows(_select(selection, dataset, day, policy))
        return rows[0] if rows else [0] + [0] * (selection.count("count("))

    def _batches(self, dataset: Dataset, day: LocalDay) -> Iterator[pa.RecordBatch]:
        columns = [*dataset.fields, *dataset.tags]
        query = _select(", ".join(quote_ident(column) for column in columns), dataset, day)
        last = day.start_ns
        for series in self._series(query):
            if series["columns"] != ["time", *columns]:
                raise SourceError(
                    f"{self._where(dataset)}: asked for {columns}, the server answered {series['columns'][1:]}; check INFLUX_URL, and what "
                    "stands between here and the server"
                )
            batch = _batch(dataset, series["columns"], series["values"])
            times = batch.column("time")
            ascending = pc.all(pc.less_equal(times[:-1], times[1:]), min_count=0).as_py()
            if not ascending or times[0].as_py() < last or times[-1].as_py() >= day.end_ns:
                raise SourceError(
                    f"{self._where(dataset)}: the answer for {day} holds points out of order or of another day; check INFLUX_URL, and what "
                    "stands between here and the server"
                )
            last = times[-1].as_py()
            yield batch

    def _series(self, query: str) -> Iterator[dict[str, Any]]:
        """The series of the one statement, document by document; raises unless the answer has come to its end."""
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
                f"{self._settings.influx_url}: the answer ended in the middle; run again, and read the server's log"
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
                f"{self._settings.influx_url} answered something that is not InfluxDB's JSON, or broken off; check INFLUX_URL"
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

    def _where(self, dataset: Dataset) -> str:
        policy = self._settings.influx_retention_policy or "the default retention policy"
        return f"measurement {dataset.measurement!r} in {self._settings.influx_bucket!r} ({policy}) at {self._settings.influx_url}"

    def _explained(self, message: str, code: int | None = None) -> str:
        """The server's own words with the cure."""
        if code in (401, 403):
            cure = "check INFLUX_TOKEN (2.x) or INFLUX_USERNAME and INFLUX_PASSWORD (1.x), and that they may read the database"
        elif code == 404:
            cure = "check the path in INFLUX_URL"
        elif "database not found" in message:
            cure = f"check INFLUX_BUCKET={self._settings.influx_bucket!r}, and that the credentials may read it, not only write"
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
            f"INFLUX_URL={settings.influx_url!r} names no host and port; give one like http://influxdb:8086"
        )
    if settings.influx_ca_file and not settings.influx_ca_file.is_file():
        raise SettingsError(
            f"INFLUX_CA_FILE={str(settings.influx_ca_file)!r} is no file; name one with the authority's certificate"
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


def _select(selection: str, dataset: Dataset, day: LocalDay, policy: str | None = None) -> str:
    source = (
        quote_ident(dataset.measurement)
        if policy is None
        else f"{quote_ident(policy)}.{quote_ident(dataset.measurement)}"
    )
    return f"SELECT {selection} FROM {source} WHERE time >= {day.start_ns} AND time < {day.end_ns}"


def _batch(dataset: Dataset, columns: list[str], rows: list[list[Any]]) -> pa.RecordBatch:
    values = dict(zip(columns, zip(*rows, strict=True), strict=True))
    schema = dataset.raw_schema()
    arrays = [
        _column(dataset, name, values[name])
        if name in dataset.fields
        else pa.array(values[name], schema.field(name).type)
        for name in schema.names
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _column(dataset: Dataset, field: str, values: tuple[Any, ...]) -> pa.Array:
    """The field's values, none of them bent to its type; Arrow alone would cut off fractions and refuse 1e17."""
    declared = dataset.fields[field]
    if {type(value) for value in values} <= {type(None), *JSON_TYPES[declared]}:
        fitting = (
            [None if value is None else float(value) for value in values]
            if declared == "double"
            else values
        )
        try:
            return pa.array(fitting, ARROW_TYPES[declared])
        except (pa.ArrowInvalid, OverflowError):
            pass
    raise SourceError(
        f"measurement {dataset.measurement!r}: field {field} holds a value that does not fit {declared}, its declared type; "
        "correct the type in config.yaml, or the points on the server"
    )


def _lines(response: requests.Response) -> Iterator[bytes]:
    # requests' iter_lines() is quadratic in the length of a line, and here a line is a chunk of 10,000 rows
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


def _duration(text: str) -> timedelta:
    """What Go writes as 168h0m0s."""
    return sum(
        (int(number) * UNITS[unit] for number, unit in re.findall(r"(\d+)([hms])", text)),
        timedelta(),
    )


def _transport_problem(error: Exception) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "has a certificate that cannot be verified; set INFLUX_CA_FILE to its authority's certificate"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "broke off its answer; run again, and read the server's log"
    # in the middle of an answer it is a ConnectionError
    if isinstance(error, requests.Timeout) or "Read timed out" in str(error):
        return "did not answer in time; check that it runs, or raise INFLUX_TIMEOUT_S"
    if isinstance(error, InfluxDBServerError):
        return f"answered with a server error: {' '.join(str(error).split())[:200]}; read the server's log"
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


def _listed(counts: dict[str, int]) -> str:
    return ", ".join(f"{field} {count}" for field, count in counts.items())
