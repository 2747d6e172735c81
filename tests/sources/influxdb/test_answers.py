"""What a server is, and that an answer of another shape than InfluxDB's ends in one line."""

import datetime as dt
import json
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from homeiot_batch.config import Settings, load_settings
from homeiot_batch.core.days import LocalDay
from homeiot_batch.errors import SourceError, SourceUnavailable
from homeiot_batch.sources.influx_reader import InfluxReader
from homeiot_batch.sources.influxdb.answers import FieldKey, Name, Retention, RetentionPolicy
from homeiot_batch.sources.influxdb.client import InfluxClient
from tests.sources.stub_server import Answer, Question, Reply, serving

pytestmark = pytest.mark.usefixtures("clean_environment")
DAY = LocalDay(dt.date(2026, 11, 9), ZoneInfo("Asia/Tokyo"))
BROKEN = "check INFLUX_URL, and what stands between here and the server"


def settings_of(url: str) -> Settings:
    """The settings of a house that reads from `url`."""
    return load_settings({"influx_url": url, "influx_bucket": "home"})


def saying(version: str | None, health: object, **paths: object) -> Reply:
    """The answers of a server that names this version, and JSON at /health and other paths."""
    headers = {} if version is None else {"X-Influxdb-Version": version}
    contents = {"health": health, **paths}

    def answers(question: Question) -> Answer:
        content = contents.get(question.path.removeprefix("/"))
        if question.path == "/ping":
            return Answer((), 204, headers)
        if content is None:
            return Answer((b"404 page not found\n",), 404, headers)
        return Answer((json.dumps(content).encode(),), 200, headers)

    return answers


@pytest.mark.parametrize(
    ("version", "health", "major"),
    [
        ("1.6.7~rc0", None, "1"),
        ("1.13.2", {"name": "influxdb", "version": "1.13.2"}, "1"),
        ("unknown", {"name": "influxdb", "version": "unknown"}, "1"),
        ("v2.7.12", {"name": "influxdb", "version": "v2.7.12", "commit": "ec9dcde5d6"}, "2"),
        ("dev", {"name": "influxdb", "version": "dev", "commit": "none"}, "2"),
        ("3.8.0", None, "3"),
        (None, {"name": "influxdb", "version": "2.7.12", "commit": "ec9dcde5d6"}, "2"),
        (None, {"name": "influxdb", "version": "v1.8.10"}, "1"),
        (None, None, ""),
        (None, {"name": 7, "version": ["2"]}, ""),
        (None, ["healthy"], ""),
        (None, {"name": "a router", "version": ""}, ""),
    ],
)
def test_a_server_is_what_it_says_that_it_is(
    version: str | None, health: object, major: str
) -> None:
    """By its header, else by /health, of which 2.x alone names a commit. Else nothing is said."""
    with serving(saying(version, health)) as (url, _):
        assert InfluxClient(settings_of(url)).major == major


@pytest.mark.parametrize("version", ["1.10.0", "1.13.2", "3.8.0", None])
def test_only_a_2x_is_asked_for_buckets(version: str | None) -> None:
    """InfluxDB 1.10 to 1.13 answer there too, with other keys: they are not asked."""
    other = {"buckets": [{"id": "home/autogen", "name": "home/autogen", "orgId": ""}]}
    with serving(saying(version, None, **{"api/v2/buckets": other})) as (url, _):
        client = InfluxClient(settings_of(url))
        assert client.buckets() == []
        assert client.mappings(client.buckets()) == []


BUCKET = {"id": "1", "name": "home", "orgID": "2", "retentionRules": [{"everySeconds": 3600}]}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ({"buckets": [BUCKET | {"orgID": 2}]}, "orgID should be a valid string"),
        ({"buckets": [{"id": "1", "name": "home", "orgId": ""}]}, "orgID is missing"),
        ({"buckets": [BUCKET | {"retentionRules": [{}]}]}, "everySeconds is missing"),
        ({"buckets": [BUCKET | {"retentionRules": None}]}, "retentionRules should be a valid list"),
        ({"buckets": ["home"]}, "should be a valid dictionary"),
        ({"buckets": {"home": BUCKET}}, "buckets is missing"),
        ({"Buckets": [BUCKET]}, "buckets is missing"),
        ([BUCKET], "buckets is missing"),
        ("buckets", "buckets is missing"),
    ],
)
def test_a_list_of_buckets_of_another_shape(content: object, said: str) -> None:
    """A key that is missing, renamed or of another type: one line that names it."""
    with serving(saying("v2.7.12", None, **{"api/v2/buckets": content})) as (url, _):
        with pytest.raises(SourceError) as refused:
            InfluxClient(settings_of(url)).buckets()
        assert str(refused.value).startswith(
            f"{url} answered 'buckets' in another way than InfluxDB"
        )
        assert said in str(refused.value)
        assert str(refused.value).endswith(f"; {BROKEN}")
        assert "\n" not in str(refused.value)


def series(columns: object, *values: object) -> dict[str, Any]:
    """An answer of one statement with one series."""
    return {"results": [{"statement_id": 0, "series": [{"columns": columns, "values": values}]}]}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (series(["fieldKey", "fieldType"], ["w"]), "a row of 1 values in 2 columns"),
        (series(["fieldKey", "fieldType"], ["w", 1]), "fieldType should be a valid string"),
        (series(["fieldKey", "type"], ["w", "float"]), "fieldType is missing"),
        (series("fieldKey", ["w"]), "columns should be a valid list"),
        (series(["fieldKey", "fieldType"], "w"), "values.0 should be a valid list"),
        ({"results": [{"series": [{"values": [[1]]}]}]}, "columns is missing"),
        ({"results": [{"series": {"columns": []}}]}, "series should be a valid list"),
        ({"results": [{"partial": "no"}]}, "partial should be a valid boolean"),
        ({"results": [{"error": 7}]}, "error should be a valid string"),
        ({"results": {"series": []}}, "results should be a valid list"),
        ({"result": []}, "neither results nor error"),
    ],
)
def test_an_answer_of_another_shape(answer: object, said: str) -> None:
    """A query's answer of which a key is missing, renamed or of another type: one line."""
    with serving(saying("1.8.10", None, query=answer)) as (url, _):
        with pytest.raises(SourceError) as refused:
            InfluxClient(settings_of(url)).rows("SHOW FIELD KEYS", FieldKey)
        assert type(refused.value) is SourceError
        assert said in str(refused.value)
        assert str(refused.value).endswith(f"; {BROKEN}")
        assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "body",
    [
        b"null and void",
        b"[]",
        b'"power"',
        b'{"results":[{"series":[{"columns":["a"],"values":[[NaN]]}]}]}',
        b'{"results":' + b"[" * 100_000,
        b'{"results":[{"series":[{"columns":["name"],"values":[["\\uD800"]]}]}]}',
        b'{"error":"\\ud800"}',
    ],
)
def test_an_answer_that_is_no_json(body: bytes) -> None:
    """What is no JSON may be an answer that was broken off: it is worth asking again."""
    with (
        serving(lambda _: Answer((body,))) as (url, _),
        pytest.raises(SourceUnavailable, match="not InfluxDB's JSON, or broken off"),
    ):
        InfluxClient(settings_of(url)).rows("SHOW DATABASES", Name)


def test_lists_that_are_null() -> None:
    """Where Go writes null for a list without elements, nothing is there."""
    for answer in (
        {"results": [{"series": None}]},
        {"results": [{"series": [{"columns": ["name"], "values": None}]}]},
    ):
        with serving(saying("1.8.10", None, query=answer)) as (url, _):
            assert InfluxClient(settings_of(url)).rows("SHOW DATABASES", Name) == []


@pytest.mark.parametrize(
    ("duration", "hours"), [("0s", 0), ("168h0m0s", 168), ("90m0s", 1.5), ("INF", None), (7, None)]
)
def test_the_duration_of_a_policy(duration: object, hours: float | None) -> None:
    """What Go writes. Something else ends in one line."""
    answer = series(["name", "duration", "default"], ["autogen", duration, True])
    with serving(saying("1.8.10", None, query=answer)) as (url, _):
        client = InfluxClient(settings_of(url))
        if hours is None:
            with pytest.raises(SourceError, match=f"duration {duration!r} is no duration; check"):
                client.rows("SHOW RETENTION POLICIES", Retention)
            return
        policy = client.rows("SHOW RETENTION POLICIES", Retention)[0]
        assert (policy.kept.total_seconds(), policy.is_default) == (hours * 3600, True)


@pytest.mark.parametrize("duration", ["2562048h0m0s", "9" * 30 + "h0m0s"])
def test_a_duration_that_no_server_can_keep(duration: str) -> None:
    """More than the 292 years that Go can count: one line, not an overflow."""
    answer = series(["name", "duration", "default"], ["autogen", duration, True])
    with (
        serving(saying("1.8.10", None, query=answer)) as (url, _),
        pytest.raises(SourceError, match="is longer than InfluxDB can keep points; check"),
    ):
        InfluxClient(settings_of(url)).rows("SHOW RETENTION POLICIES", Retention)


def test_a_duration_that_is_none_fails_no_day() -> None:
    """How long a policy keeps points is only needed for a warning, so the policies are listed."""
    answer = series(["name", "duration", "default"], ["autogen", "INF", True])
    with serving(saying("1.8.10", None, query=answer)) as (url, _):
        reader = InfluxReader(settings_of(url))
        assert reader.policies("home") == [RetentionPolicy(name="autogen", default=True)]
        dataset = settings_of(url).datasets["raw_meter_readings"]
        question = "'SHOW RETENTION POLICIES ON \"home\"'"
        (warning,) = reader.warnings(dataset, DAY)
        assert warning == (
            f"whether retention has taken some of it could not be asked: {url} answered "
            f"{question} in another way than InfluxDB: duration 'INF' is no duration; {BROKEN}"
        )


@pytest.mark.parametrize("seconds", [-5, 2**62, 2**63 // 10**9 + 1, True, 1.5])
def test_a_bucket_that_keeps_points_for_no_time_that_exists(seconds: float) -> None:
    """A retention rule of 2.x that is negative, too long or no whole number: one line."""
    content = {"buckets": [BUCKET | {"retentionRules": [{"everySeconds": seconds}]}]}
    with (
        serving(saying("v2.7.12", None, **{"api/v2/buckets": content})) as (url, _),
        pytest.raises(SourceError, match=f"retentionRules.0.everySeconds should be .*; {BROKEN}"),
    ):
        InfluxClient(settings_of(url)).buckets()


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"version": "2.7", "name": "\\ud800"}'])
def test_a_health_that_is_no_json(body: bytes) -> None:
    """A page at /health that cannot be decoded names no version."""
    with serving(lambda _: Answer((body,))) as (url, _):
        assert InfluxClient(settings_of(url)).major == ""


def test_a_version_without_an_end() -> None:
    """No more of it stands in a message than fits."""
    with serving(saying("1." + "9" * 5000, None)) as (url, _):
        assert InfluxClient(settings_of(url)).version == "1." + "9" * 58


@pytest.mark.parametrize("address", ["http://[::bad/", "http://a..b/"])
def test_a_redirect_to_no_address(address: str) -> None:
    """A proxy that sends a question on to something else: one line."""
    reply = Answer((), 302, {"Location": address})
    with serving(lambda _: reply) as (url, _), pytest.raises(SourceError) as refused:
        InfluxClient(settings_of(url)).rows("SHOW DATABASES", Name)
    assert str(refused.value).startswith(url)
    assert "; check INFLUX_URL" in str(refused.value)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ([0, 1], "1 counts, not 2"),
        ([0, 1, "2"], "numbers.1 should be a valid integer"),
        ([0, 1, 2.5], "numbers.1 should be a valid integer"),
        ([0, True, 2], "numbers.0 should be a valid integer"),
        ([], "0 counts, not 2"),
    ],
)
def test_counts_of_another_shape(row: list[object], said: str) -> None:
    """Counts that are none, or fewer than were asked for, are never taken for 0."""
    answer = series([str(column) for column in range(len(row))], row)
    with (
        serving(saying("1.8.10", None, query=answer)) as (url, _),
        pytest.raises(SourceError, match=said),
    ):
        InfluxClient(settings_of(url)).counts("SELECT count(a), count(b) FROM power", 2)
