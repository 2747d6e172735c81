"""The answers of InfluxDB 3 Core to /query, as its source and its tests have them.

InfluxDB 3 cannot be had where these tests are written. What is played here was read in
core/iox_v1_query_api and its snapshots, influxdb3_internal_api and influxdb3_server, v3.10.1:
documents without anything between them, no document in chunks where there are no rows, a retention
policy that is named like its database, /ping with the version, 401 with {"error": ...}.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.sources.stub_server import Answer, Question

Row = list[Any]
Series = dict[str, Any]


@dataclass
class Influx3:
    """Answers for one database with one measurement."""

    database: str = "home_energy"
    measurement: str = "power"
    types: dict[str, str] = field(default_factory=dict)
    tags: Sequence[str] = ("source",)
    # time in ns, then each field and tag by name
    points: list[dict[str, Any]] = field(default_factory=list)
    version: str = "3.10.1"

    def __call__(self, question: Question) -> Answer:
        if question.path == "/ping":
            headers = {"X-Influxdb-Version": self.version, "X-Influxdb-Build": "Core"}
            return Answer((b"{}",), 200, headers)
        if question.path != "/query":
            return Answer((b"not found",), 404)
        if question.parameters.get("db") not in (self.database, None):
            text = f"Database {question.parameters['db']} not found"
            return self._sent(question, [{"statement_id": 0, "error": text}])
        return self._sent(question, self._results(question, self._answered(question.query)))

    def _answered(self, query: str) -> list[Series]:
        if query == "SHOW DATABASES":
            return [_series("databases", ["name"], [["_internal"], [self.database]])]
        if query.startswith("SHOW RETENTION POLICIES"):
            rows: list[Row] = [[self.database, "0s", True]]
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
        return self._ends(query) if is_end else self._selected(query)

    def _is_here(self, query: str) -> bool:
        """Whether FROM names the measurement here: a policy other than autogen joins the name."""
        name = re.search(r'FROM ((?:"[^"]*"\.?)+)', query)
        assert name, query
        *place, measurement = re.findall(r'"([^"]*)"', name[1])
        database = place[0] if len(place) == 2 else self.database
        joined = "" if len(place) < 2 or place[1] in ("autogen", "default") else f"/{place[1]}"
        return (database + joined, measurement) == (self.database, self.measurement)

    def _ends(self, query: str) -> list[Series]:
        """SELECT first(field) or last(field), by tags."""
        selected = re.search(r'SELECT (first|last)\("([^"]+)"::field\)', query)
        assert selected, query
        end, name = selected.groups()
        tags = re.findall(r'"([^"]+)"', query.partition("GROUP BY")[2])
        groups: dict[tuple[str, ...], Row] = {}
        for point in self.points:
            key = tuple(point.get(tag) or "" for tag in tags)
            if point.get(name) is not None and (end == "last" or key not in groups):
                groups[key] = [point["time"], point[name]]
        return [
            _series(self.measurement, ["time", end], [row])
            | {"tags": dict(zip(tags, key, strict=True))}
            for key, row in sorted(groups.items())
        ]

    def _selected(self, query: str) -> list[Series]:
        bounds = re.search(r"time >= (\d+) AND time < (\d+)", query)
        assert bounds, query
        first, end = map(int, bounds.groups())
        points = [point for point in self.points if first <= point["time"] < end]
        selection = query.removeprefix("SELECT ").partition(" FROM ")[0]
        names = re.findall(r'"([^"]+)"', selection)
        if "count(" not in selection:
            return [_series(self.measurement, ["time", *names], self._raw(points, names))]
        counts = [sum(point.get(name) is not None for point in points) for name in names]
        columns = ["time", "count", *(f"count_{number}" for number in range(1, len(names)))]
        return [_series(self.measurement, columns, [[first, *counts]] if any(counts) else [])]

    def _raw(self, points: list[dict[str, Any]], names: list[str]) -> list[Row]:
        chosen = [p for p in points if any(p.get(n) is not None for n in names if n in self.types)]
        return [[point["time"], *(point.get(name) for name in names)] for point in chosen]

    def _results(self, question: Question, series: list[Series]) -> list[dict[str, Any]]:
        """The results of the one statement: in chunks there is none where there are no rows."""
        found = [part for part in series if part["values"]]
        if question.parameters.get("chunked") != "true":
            return [{"statement_id": 0, "series": found} if found else {"statement_id": 0}]
        size = int(question.parameters["chunk_size"])
        chunks = [
            part | {"values": part["values"][start : start + size]}
            for part in found
            for start in range(0, len(part["values"]), size)
        ]
        more = [{"partial": True}] * (len(chunks) - 1) + [{}]
        return [
            {"statement_id": 0, "series": [chunk | partial]} | partial
            for chunk, partial in zip(chunks, more, strict=False)
        ]

    def _sent(self, question: Question, results: list[dict[str, Any]]) -> Answer:
        if question.parameters.get("chunked") != "true":
            return Answer((_written({"results": results}),))
        return Answer(tuple(_written({"results": [result]}) for result in results))


def _series(name: str, columns: list[str], rows: list[Row]) -> Series:
    return {"name": name, "columns": columns, "values": rows}


def _written(document: dict[str, Any]) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
