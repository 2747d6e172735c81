"""A server that lies about a day: every lie ends in one line, and no row of it is taken."""

import itertools
import json
import math
import threading
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgpack
import pyarrow as pa
import pytest
import structlog

from homeiot_batch.config import load_settings
from homeiot_batch.core.days import LocalDay
from homeiot_batch.errors import SourceError
from homeiot_batch.logging_conf import configure, job_log
from homeiot_batch.sources.influx_reader import InfluxReader
from tests.sources.influxdb.packing import document
from tests.sources.stub_server import Answer, Question, Reply, packed, serving

pytestmark = pytest.mark.usefixtures("clean_environment")
DAY = LocalDay(date(2026, 11, 9), ZoneInfo("Asia/Tokyo"))
TIME = DAY.start_ns
COLUMNS = ["time", "instant_power_w", "energy_import_kwh", "energy_export_kwh", "source"]
LONGEST_WAIT_S = 60  # only a test that fails waits so long
TYPES = [["instant_power_w", "float"], ["energy_import_kwh", "float"]]


def of_series(columns: list[str], rows: list[Any]) -> bytes:
    """A whole answer of one series."""
    series = [{"name": "power", "columns": columns, "values": rows}]
    return json.dumps({"results": [{"statement_id": 0, "series": series}]}).encode()


def in_json(day: bytes) -> Answer:
    """The answer as a server writes it that has no msgpack, or whose proxy asks for JSON."""
    return Answer((day,), 200, {"X-Influxdb-Version": "1.8.10"})


def in_msgpack(day: bytes) -> Answer:
    """The same as a server writes it that has msgpack."""
    answer = packed(json.loads(day))
    return Answer(answer.pieces, 200, {**answer.headers, "X-Influxdb-Version": "1.8.10"})


FORMS = pytest.mark.parametrize("form", [in_json, in_msgpack])
Form = Callable[[bytes], Answer]


def whole(day: bytes | Answer, version: str) -> Answer:
    """An answer as it is, or of the bytes in JSON."""
    if isinstance(day, Answer):
        return day
    return Answer((day,), 200, {"X-Influxdb-Version": version})


def with_a_day(day: bytes | Answer, version: str = "1.8.10") -> Reply:
    """A server that answers all questions well, and the one for a day's rows with `day`."""

    def body(query: str) -> bytes:
        if query.startswith("SHOW FIELD KEYS"):
            return of_series(["fieldKey", "fieldType"], TYPES)
        if query.startswith("SHOW RETENTION POLICIES"):
            return of_series(["name", "duration", "default"], [["a", "0s", True]])
        if "count(" in query:
            return of_series(["time", "count", "count_1", "count_2"], [[0, 1, 1, 0]])
        return b""

    def answers(question: Question) -> Answer:
        if is_for_rows(question) or question.path.startswith("/api"):
            return whole(day, version)
        return Answer((body(question.query),), 200, {"X-Influxdb-Version": version})

    return answers


def is_for_rows(question: Question) -> bool:
    """Whether it asks for the rows of the day."""
    return question.query.startswith("SELECT") and "count(" not in question.query


def read(url: str, influx_retries: int = 1) -> list[dict[str, Any]]:
    """The rows of the day, asked for once if nothing else is said."""
    given = {"influx_url": url, "influx_bucket": "home", "influx_retries": influx_retries}
    settings = load_settings(given)
    batches = InfluxReader(settings).read(settings.datasets["raw_meter_readings"], DAY)
    return [row for batch in batches for row in batch.to_pylist()]


@FORMS
def test_a_day_that_is_well(form: Form) -> None:
    """The answer that the lies below are made from is read."""
    day = form(of_series(COLUMNS, [[TIME, 1, 2.5, None, "main"]]))
    with serving(with_a_day(day)) as (url, _):
        assert read(url) == [
            {
                "time": TIME,
                "source": "main",
                "instant_power_w": 1.0,
                "energy_import_kwh": 2.5,
                "energy_export_kwh": None,
            }
        ]


def test_the_server_counts_while_it_sends_the_rows() -> None:
    """The count is answered only when the rows have been asked for, and the day is read."""
    answered = with_a_day(of_series(COLUMNS, [[TIME, 1, 2.5, None, "main"]]))
    rows_are_asked_for = threading.Event()

    def one_beside_the_other(question: Question) -> Answer:
        if is_for_rows(question):
            rows_are_asked_for.set()
        elif "count(" in question.query and not rows_are_asked_for.wait(LONGEST_WAIT_S):
            return Answer(status=500)
        return answered(question)

    with serving(one_beside_the_other) as (url, _):
        assert len(read(url)) == 1


@pytest.fixture
def log_lines() -> Iterator[None]:
    """Log lines as a run has them."""
    configure("keyvalue")
    yield
    structlog.reset_defaults()


@pytest.mark.usefixtures("log_lines")
def test_a_busy_count_is_in_the_log_of_its_job(tmp_path: Path) -> None:
    """A line about the count has the job's names, and is in the job's own file too."""
    answered = with_a_day(of_series(COLUMNS, [[TIME, 1, 2.5, None, "main"]]))
    counts = itertools.count()

    def busy_at_first(question: Question) -> Answer:
        if "count(" in question.query and next(counts) == 0:
            return Answer(status=503)
        return answered(question)

    file = tmp_path / "job.log"
    with (
        serving(busy_at_first) as (url, _),
        job_log(file),
        structlog.contextvars.bound_contextvars(dt="2026-11-09"),
    ):
        assert len(read(url, influx_retries=2)) == 1
    [line] = file.read_text().splitlines()
    assert 'event="trying again"' in line
    assert "dt=2026-11-09" in line


def test_a_count_that_is_refused() -> None:
    """Whole rows are no day when the server refuses to count them."""
    answered = with_a_day(of_series(COLUMNS, [[TIME, 1, 2.5, None, "main"]]))

    def no_counts(question: Question) -> Answer:
        if "count(" in question.query:
            return Answer((b'{"error":"max-select-point limit exceeded"}',), 400)
        return answered(question)

    with (
        serving(no_counts) as (url, _),
        pytest.raises(SourceError, match="max-select-point limit exceeded"),
    ):
        read(url)


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
    """A value in a row of the day that cannot be what it should be: one line, not a traceback.

    It is the same line in JSON and in msgpack, if msgpack can hold the value.
    """
    messages = []
    for form in forms_that_hold(row):
        day = form(of_series(COLUMNS, [row]))
        with serving(with_a_day(day)) as (url, _), pytest.raises(SourceError) as refused:
            read(url)
        messages.append(str(refused.value).replace(url, "URL"))
    assert said in messages[0]
    assert "\n" not in messages[0]
    assert set(messages) == {messages[0]}


def forms_that_hold(row: object) -> list[Form]:
    """The forms in which a server can write the row."""
    try:
        msgpack.packb(row)
    except (OverflowError, UnicodeEncodeError):
        return [in_json]
    return [in_json, in_msgpack]


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


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(
    ("column", "said"), [(1, "does not fit double"), (4, "should hold text"), (0, "hold times")]
)
def test_a_number_that_is_none_in_msgpack(number: float, column: int, said: str) -> None:
    """The same where a server could send one."""
    row: list[object] = [TIME, 1.5, 2.5, None, "main"]
    row[column] = number
    series = {"name": "power", "columns": COLUMNS, "values": [row]}
    day = packed({"results": [{"statement_id": 0, "series": [series]}]})
    with serving(with_a_day(day)) as (url, _), pytest.raises(SourceError, match=said) as refused:
        read(url)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        *((0, value) for value in (None, 1.5, "2026", -1)),
        *((1, value) for value in ("1.5", math.nan, math.inf)),
        *((4, value) for value in (1.5, 7)),
    ],
)
def test_rows_of_one_form_with_a_value_of_another_type(column: int, value: object) -> None:
    """Many rows that all have it, and many of which one has it: the message is that of one row."""
    row: list[object] = [TIME, 1.5, 2.5, None, "main"]
    wrong = [*row[:column], value, *row[column + 1 :]]
    messages = set()
    in_turn = [wrong, row] * 20
    for rows in ([wrong], [wrong] * 40, in_turn, [row] * 40 + [wrong], [wrong, *[row] * 40]):
        day = Answer((document(rows, COLUMNS),), 200, packed().headers)
        with serving(with_a_day(day)) as (url, _), pytest.raises(SourceError) as refused:
            read(url)
        messages.add(str(refused.value).replace(url, "URL"))
    assert len(messages) == 1


@pytest.mark.parametrize("meters", [["main"], ["main", "solar", ""]])
def test_rows_of_one_form(meters: list[str]) -> None:
    """They become what they are in JSON: minus zero is zero, and what is missing is NULL."""
    rows: list[list[object]] = []
    for second in range(100):
        rows += [[TIME + second, -0.0, second / 7, None, meter or None] for meter in meters]
        rows[-1][3] = float(second)
    days = [Answer((document(rows, COLUMNS),), 200, packed().headers)]
    days.append(in_json(of_series(COLUMNS, rows)))
    found = []
    for day in days:
        with serving(with_a_day(day)) as (url, _):
            found.append(str(read_batch(url).to_pylist()))
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("json_number", "number", "stored"),
    [
        (10, 10.0, 10),
        (-0, -0.0, 0),
        (2**53, 2.0**53, 2**53),
        (1e17, 1e17, "refused"),
        (9007199254740993, 9007199254740993, 9007199254740993),
        (-(2**63), -(2**63), -(2**63)),
        (None, None, None),
        (10.5, 10.5, "refused"),
        (1e21, 1e21, "refused"),
        (2**63, 2**63, "refused"),
        (True, True, "refused"),
    ],
)
def test_a_float_where_an_integer_is_declared(
    json_number: float, number: float, stored: object
) -> None:
    """JSON has 10 for the float 10, msgpack has 10.0: both are the integer 10, digit by digit.

    A float above 2**53 may be an integer that the server has rounded, because the field is a float
    in another shard. It is refused.
    """
    found = []
    for form, value in ((in_json, json_number), (in_msgpack, number)):
        day = form(of_series(COLUMNS, [[TIME, value, 2.5, None, "main"]]))
        with serving(with_a_day(day)) as (url, _):
            found.append(stored_integer(url))
    assert found == [stored, stored]


def stored_integer(url: str) -> object:
    """What a value of a field that is declared as integer becomes."""
    try:
        return read_first(url, instant_power_w="integer")["instant_power_w"]
    except SourceError as error:
        if "does not fit integer" in str(error):
            return "refused"
        raise


@FORMS
def test_minus_zero(form: Form) -> None:
    """It is zero, in JSON as in msgpack."""
    day = form(of_series(COLUMNS, [[TIME, 0, 2.5, 0, "main"]]))
    if form is in_msgpack:
        series = {"name": "power", "columns": COLUMNS, "values": [[TIME, -0.0, 2.5, -0.0, "main"]]}
        day = packed({"results": [{"series": [series]}]})
    with serving(with_a_day(day)) as (url, _):
        row = read_first(url)
    assert math.copysign(1, row["instant_power_w"]) == 1


def read_first(url: str, **types: str) -> dict[str, Any]:
    """The first row of the day, before the day is compared with the server's counts."""
    settings = load_settings({"influx_url": url, "influx_bucket": "home"})
    dataset = settings.datasets["raw_meter_readings"]
    declared = dataset.model_copy(update={"fields": {**dataset.fields, **types}})
    batches = InfluxReader(settings).read(declared, DAY)
    return next(batches).to_pylist()[0]


def read_batch(url: str) -> pa.RecordBatch:
    """The first rows of the day."""
    settings = load_settings({"influx_url": url, "influx_bucket": "home"})
    return next(InfluxReader(settings).read(settings.datasets["raw_meter_readings"], DAY))


SERIES = {"name": "power", "columns": COLUMNS, "values": [[TIME, 1, 2.5, None, "main"]]}
FIRST = {"results": [{"statement_id": 0, "series": [SERIES], "partial": True}]}
LAST = {"results": [{"statement_id": 0, "series": [SERIES]}]}
NO_JSON = "answered something that is not InfluxDB's JSON, or broken off; check INFLUX_URL"


def cut(answer: Answer) -> Answer:
    """The answer without its last bytes."""
    return Answer((b"".join(answer.pieces)[:-5],), answer.status, answer.headers)


LIES: dict[str, tuple[Answer, str]] = {
    "cut after a document": (packed(FIRST), "the answer ended in the middle"),
    "cut in a document": (cut(packed(FIRST, LAST)), NO_JSON),
    "nothing": (packed(), "the answer ended in the middle"),
    "a newline at the end": (Answer((*packed(LAST).pieces, b"\n"), 200, packed().headers), NO_JSON),
    "JSON that is called msgpack": (Answer((b'{"results":[]}',), 200, packed().headers), NO_JSON),
    "msgpack that is called JSON": (Answer(packed(LAST).pieces), NO_JSON),
    "msgpack that is called a page": (
        Answer(packed(LAST).pieces, 200, {"Content-Type": "text/html"}),
        NO_JSON,
    ),
    "arrays, as InfluxDB 3 has them": (packed([[[0, [["power", COLUMNS, []]]]]]), NO_JSON),
    "another map": (
        packed({"data": []}),
        "in another way than InfluxDB: neither results nor error",
    ),
    "an error at the top": (
        packed(FIRST, {"error": "query interrupted"}),
        "query interrupted; run",
    ),
    "an error of the statement": (
        packed(FIRST, {"results": [{"statement_id": 0, "error": "query-timeout limit exceeded"}]}),
        "query-timeout limit exceeded; run again when the server is less busy",
    ),
    "a refusal": (
        packed({"error": "error parsing query: x"}, status=400),
        "answered 400: error parsing query: x; read the server's log",
    ),
    "a refusal that is cut": (cut(packed({"error": "x" * 9}, status=400)), "answered 400: "),
    "a refusal of no form": (packed([1], status=400), "answered 400: "),
    "a password": (
        packed({"error": "authorization failed"}, status=401),
        "answered 401: authorization failed; check INFLUX_TOKEN",
    ),
    "busy": (packed({"error": "too many requests"}, status=503), "answered 503: too many requests"),
}


@pytest.mark.parametrize("lie", LIES)
def test_msgpack_that_is_not_a_whole_day(lie: str) -> None:
    """Whatever is wrong with it, the error is one line, with the message that JSON has."""
    answer, said = LIES[lie]
    with serving(with_a_day(answer)) as (url, _), pytest.raises(SourceError) as refused:
        read(url)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("version", "accept"),
    [
        ("1.6.7", "application/x-msgpack"),
        ("v2.7.12", "application/x-msgpack"),
        ("3.7.0", "application/json"),
        ("", "application/json"),
        ("dev", "application/x-msgpack"),
        ("4.0.0", "application/json"),
    ],
)
def test_who_is_asked_for_msgpack(version: str, accept: str) -> None:
    """The rows of a day of a 1.x or 2.x, also of a build without a number. All else is JSON."""
    day = of_series(COLUMNS, [[TIME, 1, 2.5, None, "main"]])
    with serving(with_a_day(day, version)) as (url, asked):
        assert len(read(url)) == 1
    accepted = {question.query: question.accept for question in asked}
    of_rows = [query for query in accepted if query.startswith("SELECT") and "count(" not in query]
    assert [accepted.pop(query) for query in of_rows] == [accept]
    assert set(accepted.values()) == {"application/json"}


@pytest.mark.parametrize("status", [406, 415])
def test_a_proxy_that_knows_no_msgpack(status: int) -> None:
    """Where it refuses the form, the same rows are asked for in JSON."""
    answer = with_a_day(in_json(of_series(COLUMNS, [[TIME, 1, 2.5, None, "main"]])))

    def answers(question: Question) -> Answer:
        if question.accept != "application/json":
            return Answer((b"no such form",), status)
        return answer(question)

    with serving(answers) as (url, _):
        assert len(read(url)) == 1


@pytest.mark.parametrize(
    "name",
    ["application/x-msgpack; charset=utf-8", "Application/X-MsgPack ", "application/msgpack"],
)
def test_other_names_of_msgpack(name: str) -> None:
    """A proxy may write the type of the answer in another way."""
    day = in_msgpack(of_series(COLUMNS, [[TIME, 1, 2.5, None, "main"]]))
    with serving(with_a_day(Answer(day.pieces, 200, {"Content-Type": name}))) as (url, _):
        assert len(read(url)) == 1


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
