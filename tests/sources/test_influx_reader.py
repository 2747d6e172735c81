"""A server that lies about a day: every lie ends in one line, and no row of it is taken."""

import json
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from homeiot_batch.config import load_settings
from homeiot_batch.core.days import LocalDay
from homeiot_batch.errors import SourceError
from homeiot_batch.sources.influx_reader import InfluxReader
from tests.sources.stub_server import Answer, Question, Reply, serving

pytestmark = pytest.mark.usefixtures("clean_environment")
DAY = LocalDay(date(2026, 11, 9), ZoneInfo("Asia/Tokyo"))
TIME = DAY.start_ns
COLUMNS = ["time", "instant_power_w", "energy_import_kwh", "energy_export_kwh", "source"]
TYPES = [["instant_power_w", "float"], ["energy_import_kwh", "float"]]


def of_series(columns: list[str], rows: list[Any]) -> bytes:
    """A whole answer of one series."""
    series = [{"name": "power", "columns": columns, "values": rows}]
    return json.dumps({"results": [{"statement_id": 0, "series": series}]}).encode()


def with_a_day(day: bytes, version: str = "1.8.10") -> Reply:
    """A server that answers all questions well, and the one for a day's rows with `day`."""

    def body(query: str) -> bytes:
        if query.startswith("SHOW FIELD KEYS"):
            return of_series(["fieldKey", "fieldType"], TYPES)
        if query.startswith("SHOW RETENTION POLICIES"):
            return of_series(["name", "duration", "default"], [["a", "0s", True]])
        if "count(" in query:
            return of_series(["time", "count", "count_1", "count_2"], [[0, 1, 1, 0]])
        return day

    def answers(question: Question) -> Answer:
        return Answer((body(question.query),), 200, {"X-Influxdb-Version": version})

    return answers


def read(url: str) -> list[dict[str, Any]]:
    """The rows of the day."""
    settings = load_settings({"influx_url": url, "influx_bucket": "home"})
    batches = InfluxReader(settings).read(settings.datasets["raw_meter_readings"], DAY)
    return [row for batch in batches for row in batch.to_pylist()]


def test_a_day_that_is_well() -> None:
    """The answer that the lies below are made from is read."""
    with serving(with_a_day(of_series(COLUMNS, [[TIME, 1, 2.5, None, "main"]]))) as (url, _):
        assert read(url) == [
            {
                "time": TIME,
                "source": "main",
                "instant_power_w": 1.0,
                "energy_import_kwh": 2.5,
                "energy_export_kwh": None,
            }
        ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ([TIME, 1.5, 2.5, None, 7], "column source of the answer should hold text, but holds 7"),
        ([TIME, 1.5, 2.5, None, True], "column source of the answer should hold text, but holds T"),
        ([TIME, 1.5, 2.5, None, {"a": 1}], "should hold text, but holds {'a': 1}"),
        ([TIME, 1.5, 2.5, None, "\ud800"], "answered something that is not InfluxDB's JSON"),
        ([TIME, "1.5", 2.5, None, "main"], "field instant_power_w holds a value that does not fit"),
        ([TIME, True, 2.5, None, "main"], "field instant_power_w holds a value that does not fit"),
        ([TIME, [1.5], 2.5, None, "main"], "field instant_power_w holds a value that does not fit"),
        ([TIME, 10**400, 2.5, None, "main"], "field instant_power_w holds a value that does not"),
        (
            ["2026-11-09", 1.5, 2.5, None, "main"],
            "column time of the answer should hold times, but",
        ),
        (
            [f"{TIME}", 1.5, 2.5, None, "main"],
            "column time of the answer should hold times, but ho",
        ),
        (
            [TIME + 0.5, 1.5, 2.5, None, "main"],
            "column time of the answer should hold times, but h",
        ),
        (
            [None, 1.5, 2.5, None, "main"],
            "column time of the answer should hold times, but holds N",
        ),
        (
            [True, 1.5, 2.5, None, "main"],
            "column time of the answer should hold times, but holds T",
        ),
        ([10**30, 1.5, 2.5, None, "main"], "should hold times, but holds a value that cannot be"),
        ([-1, 1.5, 2.5, None, "main"], "holds points out of order or of another day"),
        ([TIME, 1.5, 2.5, None], "a row of 4 values in 5 columns"),
        ([TIME, 1.5, 2.5, None, "main", 1], "a row of 6 values in 5 columns"),
        ([], "a row of 0 values in 5 columns"),
        (None, "values.0 should be a valid list"),
        ("main", "values.0 should be a valid list"),
    ],
)
def test_a_value_of_another_type_than_asked_for(row: object, said: str) -> None:
    """A value in a row of the day that cannot be what it should be: one line, not a traceback."""
    with (
        serving(with_a_day(of_series(COLUMNS, [row]))) as (url, _),
        pytest.raises(SourceError) as refused,
    ):
        read(url)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"1e400", b"-1e400"])
@pytest.mark.parametrize("column", [1, 4])
def test_a_number_that_is_none(number: bytes, column: int) -> None:
    """NaN and the infinite are refused in the column of a field and of a tag."""
    row: list[object] = [TIME, 1.5, 2.5, None, "main"]
    row[column] = "HERE"
    day = of_series(COLUMNS, [row]).replace(b'"HERE"', number)
    with serving(with_a_day(day)) as (url, _), pytest.raises(SourceError) as refused:
        read(url)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "columns", [COLUMNS[:-1], COLUMNS[::-1], [*COLUMNS, "more"], ["time"], [], COLUMNS[1:]]
)
def test_other_columns_than_asked_for(columns: list[str]) -> None:
    """Fewer columns, more, or in another order: nothing is taken for something else."""
    with (
        serving(with_a_day(of_series(columns, [[1.0] * len(columns)]))) as (url, _),
        pytest.raises(SourceError, match="asked for .*, the server answered") as refused,
    ):
        read(url)
    assert "\n" not in str(refused.value)


def test_a_warning_that_cannot_be_computed() -> None:
    """A 2.x whose buckets are of another shape: the day stays, and a warning says why."""
    with serving(with_a_day(b'{"buckets":[{"orgId":""}]}', version="v2.7.12")) as (url, _):
        settings = load_settings({"influx_url": url, "influx_bucket": "home"})
        warnings = InfluxReader(settings).warnings(settings.datasets["raw_meter_readings"], DAY)
    assert warnings == [
        (
            f"whether retention has taken some of it could not be asked: {url} answered 'buckets' "
            "in "
            "another way than InfluxDB: id is missing; check INFLUX_URL, and what stands between "
            "here "
            "and the server"
        )
    ]
