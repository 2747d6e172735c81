"""InfluxDB 3 Core as a source, whole or in pieces. Documented answers are played: influx3.py."""

import dataclasses
import itertools
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from homeiot_batch.config import load_settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.doctor.finding import Finding, ok, problem, warning
from homeiot_batch.doctor.readings import check_readings
from homeiot_batch.doctor.source import check_source
from homeiot_batch.doctor.yesterday import check_yesterday
from homeiot_batch.errors import SourceError, SourceLimit, SourceUnavailable
from tests.sources.influxdb.influx3 import Influx3, broken_off
from tests.sources.influxdb.reading import reader, rows
from tests.sources.stub_server import Answer, Question, Reply, serving

TYPES = {"instant_power_w": "float", "energy_import_kwh": "float"}
SECOND = 10**9
STEP = 30 * SECOND
# the first one, the last whose answers end with no sign, and the newest that was read
VERSIONS = ["3.0.0", "3.6.0", "3.10.1"]
UPDATE = "update it to 3.7 or later"


def points(first_ns: int, count: int) -> list[dict[str, Any]]:
    """A reading every half minute."""
    return [
        {
            "time": first_ns + step * STEP,
            "instant_power_w": step / 2,
            "energy_import_kwh": None if step % 7 == 0 else float(step),
            "source": "main" if step % 2 else None,
        }
        for step in range(count)
    ]


@pytest.fixture(params=VERSIONS)
def server(request: pytest.FixtureRequest, day: LocalDay) -> Influx3:
    """A reading every half minute of the day, and one on each side of it. Each version."""
    held = points(day.start_ns - STEP, 2882)
    return Influx3(types=TYPES, points=held, version=request.param)


only_newest = pytest.mark.parametrize("server", ["3.10.1"], indirect=True)
only_old = pytest.mark.parametrize("server", ["3.6.0"], indirect=True)


def expected(server: Influx3, day: LocalDay) -> list[dict[str, Any]]:
    """The points of the day as rows."""
    fields = ("time", "source", "instant_power_w", "energy_import_kwh")
    return [
        {name: point[name] for name in fields} | {"energy_export_kwh": None}
        for point in server.points
        if day.start_ns <= point["time"] < day.end_ns
    ]


def test_a_day(server: Influx3, dataset: Dataset, day: LocalDay) -> None:
    """Every point of the day, once, and all numbers as doubles, with or without a fraction."""
    with serving(server) as (url, asked):
        read = rows(url, dataset, day)
    assert len(read) == 2880
    assert read == expected(server, day)
    assert {type(row["instant_power_w"]) for row in read} == {float}
    assert {question.accept for question in asked} <= {"application/json", "*/*"}


def test_an_empty_day(server: Influx3, dataset: Dataset, day: LocalDay) -> None:
    """From 3.7 on an answer in chunks is empty then: the count is asked for in one piece too."""
    server.points = [point for point in server.points if point["time"] < day.start_ns]
    with serving(server) as (url, asked):
        assert rows(url, dataset, day) == []
    counts = [question for question in asked if "count(" in question.query]
    assert ("chunked" in counts[-1].parameters) is not server.is_like_1


def without_body(reply: Reply, is_cut: Callable[[Question], bool]) -> Reply:
    """The same server behind something that now and then passes on no body."""

    def answer(question: Question) -> Answer:
        whole = reply(question)
        return dataclasses.replace(whole, pieces=()) if is_cut(question) else whole

    return answer


@pytest.mark.parametrize(
    ("is_cut", "said"),
    [
        (
            lambda q: q.query.startswith('SELECT "'),
            "the server counts instant_power_w 2880|ended in the middle",
        ),
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


def changed(reply: Reply, change: Callable[[Answer], Answer]) -> Reply:
    """The same server with another answer where rows are asked for."""

    def answer(question: Question) -> Answer:
        whole = reply(question)
        return change(whole) if question.query.startswith('SELECT "') else whole

    return answer


@pytest.mark.parametrize("kept", [slice(0, 3), slice(1, None), slice(0, -1)])
def test_documents_that_are_lost(
    server: Influx3, dataset: Dataset, day: LocalDay, kept: slice
) -> None:
    """A cut between two documents leaves whole JSON: it is found by partial, or by the counts."""

    def cut(whole: Answer) -> Answer:
        return dataclasses.replace(whole, pieces=whole.pieces[kept])

    with serving(changed(server, cut)) as (url, _), pytest.raises(SourceUnavailable):
        rows(url, dataset, day)


def test_an_answer_that_is_broken_off(server: Influx3, dataset: Dataset, day: LocalDay) -> None:
    """Before 3.7 an error in the middle only closes the connection, as a crash does later."""

    def broken(whole: Answer) -> Answer:
        return broken_off(dataclasses.replace(whole, pieces=whole.pieces[:4]))

    with serving(changed(server, broken)) as (url, _), pytest.raises(SourceUnavailable) as caught:
        rows(url, dataset, day)
    assert str(caught.value) == f"{url} broke off its answer; run again, and read the server's log"


@only_newest
def test_an_error_beside_rows(server: Influx3, dataset: Dataset, day: LocalDay) -> None:
    """From 3.7 on it may stand in the result that has the last rows before it."""

    def failed(whole: Answer) -> Answer:
        last = whole.pieces[3].replace(b'"partial":true}]}', b'"error":"out of memory"}]}')
        assert last != whole.pieces[3]
        return dataclasses.replace(whole, pieces=(*whole.pieces[:3], last))

    with serving(changed(server, failed)) as (url, _), pytest.raises(SourceError) as caught:
        rows(url, dataset, day)
    assert str(caught.value) == f"{url} answered: out of memory; read the server's log"


@only_newest
def test_numbers_that_json_does_not_have(server: Influx3, dataset: Dataset, day: LocalDay) -> None:
    """Infinity is an error in place of a document, NaN a null that the server counts as a value."""

    def infinite(whole: Answer) -> Answer:
        error = b'{"error":"json: unsupported value: +Inf"}'
        return dataclasses.replace(whole, pieces=(*whole.pieces[:3], error, *whole.pieces[4:]))

    with serving(changed(server, infinite)) as (url, _), pytest.raises(SourceError) as caught:
        rows(url, dataset, day)
    said = f"{url} answered: json: unsupported value: +Inf; read the server's log"
    assert str(caught.value) == said

    def not_a_number(whole: Answer) -> Answer:
        first = whole.pieces[0].replace(b",2,4,", b",null,4,", 1)
        assert first != whole.pieces[0]
        return dataclasses.replace(whole, pieces=(first, *whole.pieces[1:]))

    with serving(changed(server, not_a_number)) as (url, _), pytest.raises(SourceError) as caught:
        rows(url, dataset, day)
    assert "2879, energy_import_kwh" in str(caught.value)


def spans(asked: list[Question], beginning: str) -> list[tuple[int, int]]:
    """The times that were asked about, ns."""
    found = []
    for question in asked:
        if question.query.startswith(beginning):
            words = question.query.split()
            found.append((int(words[words.index(">=") + 1]), int(words[words.index("<") + 1])))
    return found


def test_a_day_in_pieces_below_the_file_limit(
    server: Influx3, dataset: Dataset, day: LocalDay
) -> None:
    """A day of 144 files where 40 are allowed: in quarters of it, each point once.

    There is a point at each boundary, and one a nanosecond before it.
    """
    server.most_files = 40
    noon = day.start_ns + 12 * 3600 * SECOND
    assert any(point["time"] == noon for point in server.points)
    before = {"time": noon - 1, "instant_power_w": 0.5, "energy_import_kwh": 1.0, "source": "main"}
    server.points = sorted([*server.points, before], key=lambda point: point["time"])
    with serving(server) as (url, asked):
        read = rows(url, dataset, day)
    assert read == expected(server, day)
    hours = [round((end - first) / (3600 * SECOND)) for first, end in spans(asked, 'SELECT "')]
    assert hours == [24, 12, 6, 6, 12, 6, 6]
    assert len(spans(asked, "SELECT count(")) == len(hours)


@only_old
@pytest.mark.parametrize(
    ("zone", "name", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Australia/Darwin", "2024-02-29", 24),
    ],
)
def test_days_of_other_lengths_in_pieces(
    server: Influx3, dataset: Dataset, zone: str, name: str, hours: int
) -> None:
    """The pieces join, and are the local day."""
    day = LocalDay(date.fromisoformat(name), ZoneInfo(zone))
    server.points = points(day.start_ns - STEP, hours * 120 + 2)
    server.most_files = 30
    with serving(server) as (url, asked):
        read = rows(url, dataset, day, tz=zone)
    assert len(read) == hours * 120
    assert read == expected(server, day)
    asked_for = spans(asked, 'SELECT "')
    answered = [(first, end) for first, end in asked_for if end - first < 4 * 3600 * SECOND]
    assert [answered[0][0], answered[-1][1]] == [day.start_ns, day.end_ns]
    assert all(end == begin for (_, end), (begin, _) in itertools.pairwise(answered))


def test_a_limit_that_no_piece_is_below(server: Influx3, dataset: Dataset, day: LocalDay) -> None:
    """It ends after a few questions, and the message names what to raise on the server."""
    server.most_files, server.file_ns = 1, SECOND
    with serving(server) as (url, asked), pytest.raises(SourceLimit) as caught:
        rows(url, dataset, day)
    found, what_to_do = str(caught.value).split("; ")
    assert found.startswith(f"even for 2026-11-08 15:00:00 to 2026-11-08 15:01:24 UTC, {url} answ")
    assert "file limit" in found
    assert what_to_do == "raise --query-file-limit of the server"
    assert len(spans(asked, "SELECT count(")) == 11


def test_the_first_reading_below_the_limit(
    server: Influx3, dataset: Dataset, day: LocalDay
) -> None:
    """Where a question about all time is refused, halves of the time lead to the first reading."""
    now = {"now": "2026-11-24T08:00:00+09:00"}
    since = datetime(1970, 1, 1, tzinfo=UTC)
    with serving(server) as (url, asked):
        first = reader(url, **now).first_reading(dataset, since)
        assert first == day.start - timedelta(seconds=30)
        few = len(asked)
        server.most_files = 40
        assert reader(url, **now).first_reading(dataset, since) == first
    assert len(asked) - few < 150


@pytest.mark.parametrize(
    ("version", "duration", "hours"),
    [
        ("3.10.1", "0s", 0),
        ("3.10.1", "720h0m0s", 720),
        ("3.7.0", None, 0),
        ("3.7.0", "30days", 720),
        ("3.8.0", "1day 2h", 26),
    ],
)
def test_how_long_it_keeps_readings(version: str, duration: str | None, hours: float) -> None:
    """3.7 and 3.8 write a duration in words, and null for ever."""
    with serving(Influx3(version=version, duration=duration)) as (url, _):
        assert reader(url).retention == ("autogen", timedelta(hours=hours))


@pytest.mark.parametrize("server", ["3.0.0", "3.6.0"], indirect=True)
def test_before_3_7_it_does_not_say_how_long_it_keeps_readings(
    server: Influx3, dataset: Dataset, day: LocalDay
) -> None:
    """Each day has a warning: what was deleted before it was read would not be noticed."""
    with serving(server) as (url, _):
        warnings = reader(url).warnings(dataset, day)
    untold = f"InfluxDB {server.version} does not tell by /query how long it keeps readings"
    unasked = f"whether retention has taken some of it could not be asked: {untold}; {UPDATE}"
    assert warnings == [unasked]


def test_it_knows_no_policies(server: Influx3, dataset: Dataset, day: LocalDay) -> None:
    """It ignores the parameter rp: another database than meant would be read."""
    with serving(server) as (url, _), pytest.raises(SourceError) as caught:
        rows(url, dataset, day, influx_retention_policy="long")
    assert str(caught.value) == (
        f"INFLUX_RETENTION_POLICY='long': InfluxDB {server.version} ignores it; leave it unset, "
        "and set INFLUX_BUCKET to the whole name of the database, such as 'home_energy/long'"
    )


def test_a_database_that_it_does_not_have(server: Influx3, dataset: Dataset, day: LocalDay) -> None:
    """The message names the setting, as for other servers."""
    with serving(server) as (url, _), pytest.raises(SourceError) as caught:
        rows(url, dataset, day, influx_bucket="home")
    said = "404: query error: database not found: home"
    if server.is_like_1:
        said = ": Database home not found"
    assert str(caught.value) == (
        f"{url} answered{' ' * (not server.is_like_1)}{said}; check INFLUX_BUCKET='home', "
        "and that the credentials may read it, not only write"
    )


def found_by_doctor(
    server: Influx3, day: LocalDay, folder: Path
) -> tuple[str, list[list[Finding]]]:
    """The URL, and what is said of the source, its readings and yesterday."""
    after = {"now": f"{day.date + timedelta(days=1)}T06:00:00+09:00"}
    with serving(server) as (url, _):
        nowhere = {"parquet_base_dir": str(folder / "parquet")}
        settings = load_settings(after | nowhere | {"influx_url": url})
        source = list(check_source(settings))
        readings = list(check_readings(settings))
        return url, [source, readings, list(check_yesterday(settings, readings))]


def test_what_doctor_says(server: Influx3, day: LocalDay, tmp_path: Path) -> None:
    """It reads all that it reads of other servers, and says that no real one was tried."""
    url, [source, readings, trial] = found_by_doctor(server, day, tmp_path)
    untold = warning(
        "retention",
        f"InfluxDB {server.version} does not tell by /query how long it keeps readings",
        UPDATE,
    )
    assert source == [
        warning(
            "server",
            f"InfluxDB {server.version} at {url}: the batch was tested with played answers of "
            "InfluxDB 3, not with a real server",
            "compare the first days by verify",
        ),
        ok("clock", "the server's agrees with this machine's"),
        ok("credentials", "whoever asks may read 'home_energy'"),
        *([] if server.is_like_1 else [untold]),
    ]
    # a field that no point has, and a day that is not archived yet
    levels = [finding.level for finding in readings]
    assert levels == ["ok"] * 4 + ["warning"] + ["ok"] * 2 + ["warning"]
    place = "measurement 'power' is in home_energy/autogen (default, read now)"
    assert readings[0] == ok("raw_meter_readings", place)
    assert trial == [ok(f"raw_meter_readings {day}", "can be read as a run reads it: 2880 points")]


@only_newest
def test_what_doctor_says_below_the_limit(server: Influx3, day: LocalDay, tmp_path: Path) -> None:
    """The sources by their points of the last days, and that earlier ones are not shown."""
    _, [_, whole, _] = found_by_doctor(server, day, tmp_path)
    server.most_files = 40
    _, [_, readings, trial] = found_by_doctor(server, day, tmp_path)
    lately = ok(
        "raw_meter_readings sources",
        "only their points of the last 7 days are shown here: the server's --query-file-limit "
        "allows no question about all time",
    )
    assert readings == [*whole[:5], lately, *whole[5:]]
    assert [finding.level for finding in trial] == ["ok"]


@pytest.mark.parametrize("server", ["3.6.0", "3.10.1"], indirect=True)
def test_doctor_without_a_token(server: Influx3, day: LocalDay, tmp_path: Path) -> None:
    """It says what to set."""

    def closed(question: Question) -> Answer:
        if question.path == "/ping":
            return server(question)
        return Answer((b'{"error":"the request was not authenticated"}',), 401)

    with serving(closed) as (url, _):
        found = list(check_source(load_settings({"influx_url": url})))
    assert found[2:] == [
        problem(
            "credentials",
            "the server asks for credentials, and none are set (the request was not authenticated)",
            "set INFLUX_TOKEN (or INFLUX_TOKEN_FILE) to a token of the server",
        )
    ]
