"""Servers that answer /query beside InfluxDB 1.x and 2.x: InfluxDB 3 and VictoriaMetrics.

Both are played. The answer of VictoriaMetrics was taken from 1.79.5 and 1.136.23, which were run.
"""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from homeiot_batch.config import load_settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.doctor.finding import ok, problem, warning
from homeiot_batch.doctor.readings import check_readings
from homeiot_batch.doctor.source import check_source
from homeiot_batch.doctor.yesterday import check_yesterday
from homeiot_batch.errors import SourceError, SourceUnavailable
from homeiot_batch.sources.influx_reader import InfluxReader
from tests.sources.influxdb.influx3 import Influx3
from tests.sources.stub_server import Answer, Question, Reply, json, serving

TYPES = {"instant_power_w": "float", "energy_import_kwh": "float"}
SECOND = 10**9


@pytest.fixture
def server(day: LocalDay) -> Influx3:
    """A reading every ten seconds of the day, and one on each side of it."""
    points: list[dict[str, Any]] = [
        {
            "time": day.start_ns + step * 10 * SECOND,
            "instant_power_w": step / 2,
            "energy_import_kwh": None if step % 7 == 0 else step,
            "source": "main" if step % 2 else None,
        }
        for step in range(-1, 8641)
    ]
    return Influx3(types=TYPES, points=points)


def rows(url: str, dataset: Dataset, day: LocalDay, **given: str) -> list[dict[str, Any]]:
    """The rows that a run reads."""
    values = {"influx_url": url, "influx_retries": "1", "influx_chunk_rows": "1000", **given}
    batches = list(InfluxReader(load_settings(values)).read(dataset, day))
    return pa.Table.from_batches(batches, dataset.raw_schema()).to_pylist()


def expected(server: Influx3, day: LocalDay) -> list[dict[str, Any]]:
    """The points of the day as rows."""
    fields = ("time", "source", "instant_power_w", "energy_import_kwh")
    return [
        {name: point[name] for name in fields} | {"energy_export_kwh": None}
        for point in server.points
        if day.start_ns <= point["time"] < day.end_ns
    ]


def test_a_day_of_influxdb_3(server: Influx3, dataset: Dataset, day: LocalDay) -> None:
    """Documents that follow each other directly: every point of the day, once."""
    with serving(server) as (url, _):
        read = rows(url, dataset, day)
    assert len(read) == 8640
    assert read == expected(server, day)


def test_an_empty_day_of_influxdb_3(server: Influx3, dataset: Dataset, day: LocalDay) -> None:
    """An answer in chunks is empty then. The server says in one piece that it counts nothing."""
    server.points = [point for point in server.points if point["time"] < day.start_ns]
    with serving(server) as (url, asked):
        assert rows(url, dataset, day) == []
    counts = [question for question in asked if "count(" in question.query]
    assert "chunked" not in counts[-1].parameters


def without_body(reply: Reply, is_cut: Callable[[Question], bool]) -> Reply:
    """The same server behind something that now and then passes on no body."""

    def answer(question: Question) -> Answer:
        whole = reply(question)
        return dataclasses.replace(whole, pieces=()) if is_cut(question) else whole

    return answer


@pytest.mark.parametrize(
    ("is_cut", "said"),
    [
        (lambda q: q.query.startswith('SELECT "'), "the server counts instant_power_w 8640"),
        (lambda q: "count(" in q.query, "the answer ended in the middle"),
        (lambda q: q.path == "/query", "the answer ended in the middle"),
    ],
)
def test_a_lost_body_is_no_empty_day(
    server: Influx3,
    dataset: Dataset,
    day: LocalDay,
    is_cut: Callable[[Question], bool],
    said: str,
) -> None:
    """An empty body proves nothing by itself: such a day is refused."""
    with (
        serving(without_body(server, is_cut)) as (url, _),
        pytest.raises(SourceUnavailable, match=said),
    ):
        rows(url, dataset, day)


def test_documents_that_are_lost(server: Influx3, dataset: Dataset, day: LocalDay) -> None:
    """A cut between two documents leaves whole JSON: it is found by partial, or by the counts."""
    for kept in (slice(0, 3), slice(1, None), slice(0, -1)):

        def reply(question: Question, kept: slice = kept) -> Answer:
            whole = server(question)
            return dataclasses.replace(whole, pieces=whole.pieces[kept])

        def cut(question: Question, reply: Reply = reply) -> Answer:
            return reply(question) if question.query.startswith('SELECT "') else server(question)

        with serving(cut) as (url, _), pytest.raises(SourceUnavailable):
            rows(url, dataset, day)


def test_what_doctor_says_of_influxdb_3(server: Influx3, day: LocalDay, tmp_path: Path) -> None:
    """It reads all that it reads of other servers, and says that no real one was tried."""
    after = {"now": f"{day.date + timedelta(days=1)}T06:00:00+09:00"}
    with serving(server) as (url, _):
        nowhere = {"parquet_base_dir": str(tmp_path / "parquet")}
        settings = load_settings(after | nowhere | {"influx_url": url})
        source = list(check_source(settings))
        readings = list(check_readings(settings))
        trial = list(check_yesterday(settings, readings))
    assert source == [
        warning(
            "server",
            f"InfluxDB 3.10.1 at {url}, and the batch was tried with played answers of it only",
            "compare the first days by verify",
        ),
        ok("clock", "the server's agrees with this machine's"),
        ok("credentials", "whoever asks may read 'home_energy'"),
    ]
    # a field that no point has, and a day that is not archived yet
    levels = [finding.level for finding in readings]
    assert levels == ["ok"] * 4 + ["warning"] + ["ok"] * 2 + ["warning"]
    place = "measurement 'power' is in home_energy/autogen (default, read now)"
    assert readings[0] == ok("raw_meter_readings", place)
    assert trial == [ok(f"raw_meter_readings {day}", "can be read as a run reads it: 8640 points")]


@pytest.mark.parametrize("version", ["3.0.0", "3.6.0", "3.0.0-beta.1"])
def test_influxdb_3_before_3_7(
    server: Influx3, dataset: Dataset, day: LocalDay, version: str
) -> None:
    """Its answers show neither their end nor an error in the middle: it is refused in one line."""
    server.version = version
    with serving(server) as (url, asked), pytest.raises(SourceError) as caught:
        rows(url, dataset, day)
    assert str(caught.value) == (
        f"{url} is InfluxDB {version}, whose /query cannot show that a day is whole; "
        "update it to 3.7 or later"
    )
    assert [question.path for question in asked] == ["/ping"]
    with serving(server) as (url, _):
        found = list(check_source(load_settings({"influx_url": url})))
    assert [(finding.level, finding.fix) for finding in found] == [
        ("problem", "update it to 3.7 or later")
    ]


def test_influxdb_3_knows_no_policies(server: Influx3, dataset: Dataset, day: LocalDay) -> None:
    """It ignores the parameter rp: another database than meant would be read."""
    with serving(server) as (url, _), pytest.raises(SourceError) as caught:
        rows(url, dataset, day, influx_retention_policy="long")
    assert str(caught.value) == (
        "INFLUX_RETENTION_POLICY='long': InfluxDB 3.10.1 ignores it; leave it unset, and set "
        "INFLUX_BUCKET to the whole name of the database, such as 'home_energy/long'"
    )


def test_a_database_that_influxdb_3_does_not_have(
    server: Influx3, dataset: Dataset, day: LocalDay
) -> None:
    """The message names the setting, as for other servers."""
    with serving(server) as (url, _), pytest.raises(SourceError) as caught:
        rows(url, dataset, day, influx_bucket="home")
    assert str(caught.value) == (
        f"{url} answered: Database home not found; check INFLUX_BUCKET='home', "
        "and that the credentials may read it, not only write"
    )


@pytest.mark.parametrize("databases", ['["_internal"]', '["home_energy"]', '["a"],["home_energy"]'])
def test_victoriametrics(dataset: Dataset, day: LocalDay, databases: str) -> None:
    """It gives its list of databases to every question: refused in one line, whatever it lists."""
    listing = json(
        '{"results":[{"statement_id":0,"series":[{"name":"databases","columns":["name"],'
        f'"values":[{databases}]}}]}}]}}',
        X_Influxdb_Version="1.8.0",
        X_Server_Hostname="vm",
    )
    ping = Answer((), 204, {"X-Server-Hostname": "vm"})
    with serving(lambda question: ping if question.path == "/ping" else listing) as (url, _):
        with pytest.raises(SourceError) as caught:
            rows(url, dataset, day)
        found = list(check_source(load_settings({"influx_url": url})))
    said = (
        f"{url} answers every question with a list of databases, as VictoriaMetrics does, so no "
        "reading can be asked for"
    )
    what_to_do = "name an InfluxDB or an export in INFLUX_URL"
    assert str(caught.value) == f"{said}; {what_to_do}"
    assert found == [problem("server", said, what_to_do)]
