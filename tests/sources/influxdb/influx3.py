"""The answers of InfluxDB 3 Core to /query, as its source and its tests have them.

InfluxDB 3 cannot be had where these tests are written. What is played here was read in the source
of v3.0.0 to v3.10.1.

From 3.7 on (core/iox_v1_query_api and its snapshots, influxdb3_internal_api): documents without
anything between them, no document in chunks where there are no rows, `partial` and `error` as in
1.x, floats without fraction as integers, a retention policy that is named like its database.

Before (influxdb3_server/src/http/v1.rs): documents that end with CR LF, no `partial` and no
`error`, statuses 404 and 500 in their place, other forms than JSON and CSV refused, SHOW DATABASES
and SHOW RETENTION POLICIES broken off, and 3.0 names its version in the body of /ping only.
"""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.sources.stub_server import Answer, Question

Row = list[Any]
Series = dict[str, Any]
Point = dict[str, Any]
TEN_MINUTES = 600 * 10**9
HOUR = 3600 * 10**9
LIMIT_3_0 = (
    "error while planning query: External error: Query would exceed file limit of {} parquet "
    "files. Please specify a smaller time range for your query. You can increase the file limit "
    "with the `--query-file-limit` option in the serve command"
)
LIMIT_3_8 = (
    "datafusion error: External error: Query would scan {} Parquet files, exceeding the file "
    "limit. InfluxDB 3 Core caps file access to prevent performance degradation and memory issues. "
    "Use a narrower time range, or increase the limit with --query-file-limit"
)


class BeyondFilesError(Exception):
    """The question would read more files than the server's limit."""


@dataclass
class Influx3:
    """Answers for one database with one measurement."""

    database: str = "home_energy"
    measurement: str = "power"
    types: dict[str, str] = field(default_factory=dict)
    tags: Sequence[str] = ("source",)
    # time in ns, then each field and tag by name
    points: list[Point] = field(default_factory=list)
    version: str = "3.10.1"
    # what SHOW RETENTION POLICIES says of the database
    duration: str | None = "0s"
    # as --query-file-limit and --gen1-duration
    most_files: int = 432
    file_ns: int = TEN_MINUTES

    @property
    def is_like_1(self) -> bool:
        """Whether it is 3.7 or later."""
        return tuple(map(int, self.version.split(".")[:2])) >= (3, 7)

    def __call__(self, question: Question) -> Answer:
        if question.path == "/ping":
            return self._ping()
        if question.path == "/api/v3/query_influxql":
            return self._listed(question)
        if question.path != "/query":
            return Answer((b"not found",), 404)
        if not self.is_like_1 and question.accept not in ("application/json", "*/*"):
            return Answer((b"invalid mime type",), 400, {"Content-Type": "text/plain"})
        if question.parameters.get("db") not in (self.database, None):
            return self._unknown(question)
        if not self.is_like_1 and question.query.startswith(("SHOW DATABASES", "SHOW RETENTION")):
            return broken_off(Answer(()))
        try:
            return self._sent(question, self._results(question, self._answered(question.query)))
        except BeyondFilesError as error:
            return self._failed(question, str(error), 500)

    def _ping(self) -> Answer:
        headers = {"X-Influxdb-Version": self.version, "X-Influxdb-Build": "Core"}
        body = json.dumps({"version": self.version, "revision": "0000000"}).encode()
        return Answer((body,), 200, {} if self.version.startswith("3.0.") else headers)

    def _listed(self, question: Question) -> Answer:
        assert question.parameters == {"q": "SHOW DATABASES", "format": "json"}
        names = {"_internal": False, "gone-20260101T000000": True, self.database: False}
        rows = [{"iox::database": name, "deleted": gone} for name, gone in names.items()]
        return Answer((json.dumps(rows).encode(),))

    def _unknown(self, question: Question) -> Answer:
        name = question.parameters["db"]
        if self.is_like_1:
            return self._failed(question, f"Database {name} not found", 200)
        text = json.dumps({"error": f"query error: database not found: {name}"})
        return Answer((text.encode(),), 404)

    def _failed(self, question: Question, text: str, status: int) -> Answer:
        if self.is_like_1:
            return self._sent(question, [{"statement_id": 0, "error": text}])
        return Answer((f"query error: {text}".encode(),), status, {"Content-Type": "text/plain"})

    def _answered(self, query: str) -> list[Series]:
        if query == "SHOW DATABASES":
            return [_series("databases", ["name"], [["_internal"], [self.database]])]
        if query.startswith("SHOW RETENTION POLICIES"):
            rows: list[Row] = [[self.database, self.duration, True]]
            return [_series("retention_policies", ["name", "duration", "default"], rows)]
        if query.startswith("SHOW MEASUREMENTS"):
            return [_series("measurements", ["name"], [[self.measurement]])]
        if not self._is_here(query):
            return []
        if query.startswith("SHOW FIELD KEYS"):
            types: list[Row] = [[*pair] for pair in sorted(self.types.items())]
            return [_series(self.measurement, ["fieldKey", "fieldType"], types)]
        if query.startswith("SHOW TAG KEYS"):
            return [_series(self.measurement, ["tagKey"], [[tag] for tag in self.tags])]
        is_end = query.startswith(("SELECT first(", "SELECT last("))
        points = self._within(query)
        return self._ends(query, points) if is_end else self._selected(query, points)

    def _is_here(self, query: str) -> bool:
        """Whether FROM names the measurement here: a policy other than autogen joins the name."""
        name = re.search(r'FROM ((?:"[^"]*"\.?)+)', query)
        if name is None:
            return query == "SHOW FIELD KEYS"
        *place, measurement = re.findall(r'"([^"]*)"', name[1])
        database = place[0] if len(place) == 2 else self.database
        joined = "" if len(place) < 2 or place[1] in ("autogen", "default") else f"/{place[1]}"
        return (database + joined, measurement) == (self.database, self.measurement)

    def _within(self, query: str) -> list[Point]:
        """The points that are asked for. BeyondFilesError if they are in too many files."""
        bounds = re.search(r"time >= (\d+)(?: AND time < (\d+))?", query)
        first, end = bounds.groups() if bounds else (0, None)
        first, end = int(first), int(end or 2**63)
        points = [point for point in self.points if first <= point["time"] < end]
        files = {point["time"] // self.file_ns for point in points}
        if len(files) > self.most_files:
            text = LIMIT_3_8 if self.is_like_1 else LIMIT_3_0
            raise BeyondFilesError(text.format(self.most_files))
        return points

    def _ends(self, query: str, points: list[Point]) -> list[Series]:
        """SELECT first(field) or last(field), ..., by tags and hours."""
        selected = re.findall(r'(first|last)\("([^"]+)"::field\)(?: AS "([^"]+)")?', query)
        grouped = query.partition(" GROUP BY ")[2]
        tags = self.tags if "*" in grouped else re.findall(r'"([^"]+)"', grouped)
        groups: dict[tuple[str, ...], dict[int, Row]] = {}
        for point in points:
            key = tuple(point.get(tag) or "" for tag in tags)
            hour = point["time"] // HOUR * HOUR if "time(1h)" in grouped else 0
            for column, (end, name, _) in enumerate(selected, 1):
                if point.get(name) is None:
                    continue
                time = hour or point["time"]
                row = groups.setdefault(key, {}).setdefault(hour, [time] + [None] * len(selected))
                if end == "last" or row[column] is None:
                    row[0] = hour or point["time"]
                    row[column] = point[name]
        columns = ["time", *(alias or end for end, _, alias in selected)]
        return [
            _series(self.measurement, columns, list(rows.values()))
            | {"tags": dict(zip(tags, key, strict=True))}
            for key, rows in sorted(groups.items())
        ]

    def _selected(self, query: str, points: list[Point]) -> list[Series]:
        selection = query.removeprefix("SELECT ").partition(" FROM ")[0]
        names = re.findall(r'"([^"]+)"', selection)
        if "count(" not in selection:
            return [_series(self.measurement, ["time", *names], list(self._raw(points, names)))]
        counts = [sum(point.get(name) is not None for point in points) for name in names]
        columns = ["time", "count", *(f"count_{number}" for number in range(1, len(names)))]
        return [_series(self.measurement, columns, [[0, *counts]] if any(counts) else [])]

    def _raw(self, points: list[Point], names: list[str]) -> Iterator[Row]:
        for point in points:
            if any(point.get(name) is not None for name in names if name in self.types):
                yield [point["time"], *(self._number(point.get(name)) for name in names)]

    def _number(self, value: object) -> object:
        is_whole = isinstance(value, float) and value.is_integer()
        return int(value) if is_whole and self.is_like_1 else value

    def _results(self, question: Question, series: list[Series]) -> list[dict[str, Any]]:
        """The results of the one statement: in chunks 3.7 has none where there are no rows."""
        found = [part for part in series if part["values"]]
        empty = {"statement_id": 0}
        if question.parameters.get("chunked") != "true":
            return [empty | ({"series": found} if found else {})]
        if not found and not self.is_like_1:
            return [empty]
        size = int(question.parameters["chunk_size"])
        chunks = [
            part | {"values": part["values"][start : start + size]}
            for part in found
            for start in range(0, len(part["values"]), size)
        ]
        more = [{"partial": True} if self.is_like_1 else {}] * (len(chunks) - 1) + [{}]
        return [
            empty | {"series": [chunk | partial]} | partial
            for chunk, partial in zip(chunks, more, strict=False)
        ]

    def _sent(self, question: Question, results: list[dict[str, Any]]) -> Answer:
        between = b"" if self.is_like_1 else b"\r\n"
        if question.parameters.get("chunked") != "true":
            return Answer((_written({"results": results}) + between,))
        return Answer(tuple(_written({"results": [result]}) + between for result in results))


def holding(points: Sequence[Any], version: str) -> Influx3:
    """The points of tests/integration/points.py, at a server that reads few files at once."""
    held = [{"time": point.time, **point.fields, **point.tags} for point in points]
    held.sort(key=lambda point: point["time"])
    types = {name: "float" for point in points for name in point.fields}
    return Influx3(types=types, points=held, version=version, most_files=40)


def broken_off(answer: Answer) -> Answer:
    """The same answer in chunks of HTTP, without the last one: the server met an error."""
    framed = [b"%x\r\n%b\r\n" % (len(piece), piece) for piece in answer.pieces]
    return Answer(tuple(framed), 200, {"Transfer-Encoding": "chunked"})


def _series(name: str, columns: list[str], rows: list[Row]) -> Series:
    return {"name": name, "columns": columns, "values": rows}


def _written(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
