"""How a server is asked: what is asked again, what by POST, and what each refusal says.

A stub answers what a real server or a proxy answers only now and then. The texts of InfluxDB's
limits are those that 1.6.7 and 2.7.12 answered with such limits set. Tests/integration/
test_limits.py asks the real ones.
"""

import threading
from collections.abc import Iterable
from urllib.parse import urlencode

import pytest

from homeiot_batch.config import Settings, load_settings
from homeiot_batch.errors import SourceBusy, SourceError, SourceUnavailable
from homeiot_batch.sources.influxdb.client import InfluxClient, quote_ident
from tests.sources.stub_server import Answer, Question, Reply, json, page, serving

ROWS = '{"results":[{"statement_id":0,"series":[{"name":"m","columns":["f"],"values":[["w"]]}]}]}'
FIRST = ROWS.replace('"]]}]', '"]]}],"partial":true')
CROWDED = "max-concurrent-queries limit exceeded(1, 1)"
LATER = "run again later, or let fewer programs ask the server at once"
SECTION = "in the section [coordinator] of the server's configuration"


def refused(message: str) -> str:
    """A document in which a statement failed."""
    return f'{{"results":[{{"statement_id":0,"error":"{message}"}}]}}'


def in_order(answers: Iterable[Answer]) -> Reply:
    """The answers one after the other, whatever is asked."""
    left = iter(answers)
    return lambda _: next(left)


class Asked:
    """A client that notes its waits instead of waiting."""

    def __init__(self, url: str, retries: int = 3, **given: str) -> None:
        self.waits: list[float] = []
        values = {"influx_url": url, "influx_retries": retries, "influx_timeout_s": 60, **given}
        self.settings: Settings = load_settings(values)
        self.client = InfluxClient(self.settings, self.waits.append)

    def rows(self, query: str = "SHOW FIELD KEYS") -> list[list[object]]:
        """The rows of the answer."""
        return [row for series in self.client.series(query) for row in series.values]


@pytest.fixture(autouse=True)
def _clean(clean_environment: None) -> None:
    """The machine's environment sets nothing."""


BUSY: dict[str, Answer] = {
    "429": page(429, "Too Many Requests"),
    "429 of 2.x": json('{"code":"too many requests","message":"slow down"}', status=429),
    "503": page(503, "Service Unavailable"),
    "503 of 1.x": Answer((b"request throttled, queue full\n",), 503),
    "max-concurrent-queries": json(refused(CROWDED)),
    "top-level": json('{"error":"max-concurrent-queries limit exceeded(9, 8)"}'),
    "429 in a 200": json(refused("429: too many requests")),
    "connection closed": Answer(closes=True),
}


@pytest.mark.parametrize("kind", BUSY)
def test_a_busy_server_is_asked_again(kind: str) -> None:
    """However a server says that it is busy, the same question is asked until it has time."""
    with serving(in_order([BUSY[kind], BUSY[kind], json(ROWS)])) as (url, asked):
        house = Asked(url)
        assert house.rows() == [["w"]]
    assert len(asked) == 3
    assert asked[0] == asked[1] == asked[2]
    assert [1 <= house.waits[0] <= 2, 2 <= house.waits[1] <= 3] == [True, True]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        (
            "429",
            f"answered 429: <html><head><title>Too Many Requests</title></head></html>; {LATER}",
        ),
        ("429 of 2.x", f"answered 429: slow down; {LATER}"),
        ("503 of 1.x", f"answered 503: request throttled, queue full; {LATER}"),
        (
            "max-concurrent-queries",
            (
                f"answered: {CROWDED}; run again when fewer programs ask the server, "
                f"or raise max-concurrent-queries {SECTION}"
            ),
        ),
        ("429 in a 200", f"answered: 429: too many requests; {LATER}"),
        (
            "connection closed",
            (
                "closed the connection without an answer; "
                "check that it runs, or raise max-connection-limit in its configuration"
            ),
        ),
    ],
)
def test_a_server_that_stays_busy(kind: str, said: str) -> None:
    """After INFLUX_RETRIES tries the error says what the server said. It is not tried elsewhere."""
    with serving(lambda _: BUSY[kind]) as (url, asked):
        house = Asked(url)
        with pytest.raises(SourceError) as caught:
            house.rows()
        assert str(caught.value) == f"{url} {said}"
        assert not isinstance(caught.value, SourceUnavailable)
        assert (len(asked), len(house.waits)) == (3, 2)
        with pytest.raises(SourceError):  # and it is not waited for a second time
            house.rows()
        assert (len(asked), len(house.waits)) == (4, 2)


@pytest.mark.parametrize(
    ("header", "wait"), [("7", 7), ("3600", 60), ("Tue, 24 Nov 2037 00:00:00 GMT", 60)]
)
def test_a_server_says_how_long_to_wait(header: str, wait: float) -> None:
    """Retry-After is kept to, as seconds or as a date, for a minute at most."""
    answers = [page(429, "Too Many Requests", Retry_After=header), json(ROWS)]
    with serving(in_order(answers)) as (url, _):
        house = Asked(url)
        assert house.rows() == [["w"]]
    assert house.waits == [wait]


@pytest.mark.parametrize("path", ["ping", "api/v2/buckets"])
def test_other_paths_of_a_busy_server(path: str) -> None:
    """What is asked beside /query waits for a busy server in the same way."""
    with serving(in_order([BUSY["503"], json("{}")])) as (url, asked):
        assert Asked(url).client.get(path, limit="100").status_code == 200
        assert [question.path for question in asked] == [f"/{path}", f"/{path}"]
    with serving(lambda _: BUSY["503"]) as (url, asked), pytest.raises(SourceError, match="503"):
        Asked(url).client.get(path)


def test_busy_after_the_first_rows() -> None:
    """Rows that were given cannot be taken back: the whole day is asked for again by the run."""
    with serving(lambda _: json(FIRST, refused(CROWDED))) as (url, asked):
        house = Asked(url)
        series = house.client.series("SELECT f FROM m")
        assert next(series).values == [["w"]]
        with pytest.raises(SourceBusy, match="max-concurrent-queries"):
            next(series)
    assert (len(asked), house.waits) == (1, [])


def test_questions_form_a_line_after_a_refusal() -> None:
    """Once the server had too many at once, a question waits for the end of the answer before."""
    with serving(in_order([BUSY["429"], json(FIRST, ROWS), json(ROWS)])) as (url, asked):
        house = Asked(url)
        day = house.client.series("SELECT f FROM m")
        next(day)
        other = threading.Thread(target=house.rows)
        other.start()
        other.join(0.2)
        assert len(asked) == 2
        assert len(list(day)) == 1
        other.join()
        assert [question.query for question in asked[2:]] == ["SHOW FIELD KEYS"]


LIMITS: dict[str, tuple[str, str]] = {
    "max-select-point": (
        "max-select-point limit exceeed: (4000/100)",
        (
            f"raise max-select-point {SECTION} (in 2.x it is influxql-max-select-point), "
            "where 0 means no limit"
        ),
    ),
    "max-select-series": (
        "max-select-series limit exceeded: (3/2)",
        (
            f"raise max-select-series {SECTION} (in 2.x it is influxql-max-select-series), "
            "where 0 means no limit"
        ),
    ),
    "max-select-buckets": (
        "max-select-buckets limit exceeded: (24/2)",
        (
            f"raise max-select-buckets {SECTION} (in 2.x it is influxql-max-select-buckets), "
            "where 0 means no limit"
        ),
    ),
    "query-timeout": (
        "query-timeout limit exceeded",
        f"run again when the server is less busy, or raise query-timeout {SECTION}",
    ),
    "another limit": (
        "max-series-per-database limit exceeded: (1000000)",
        "raise max-series-per-database in the server's configuration",
    ),
    "interrupted": ("query interrupted", "run again when the server is less busy"),
    "files of InfluxDB 3": (
        (
            "External error: Query would scan 432 Parquet files, exceeding the file limit. Use a "
            "narrower time range, or increase the limit with --query-file-limit"
        ),
        "raise --query-file-limit of the server",
    ),
}


@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("begins", [False, True])
def test_a_limit_is_named(limit: str, begins: bool) -> None:
    """The error names the limit and what to do. Asking again would not help, so it is not done."""
    message, what_to_do = LIMITS[limit]
    documents = [FIRST] * begins + [refused(message)]
    with serving(lambda _: json(*documents)) as (url, asked):
        house = Asked(url)
        with pytest.raises(SourceError) as caught:
            house.rows()
    assert str(caught.value) == f"{url} answered: {message}; {what_to_do}"
    assert not isinstance(caught.value, SourceUnavailable)
    assert (len(asked), house.waits) == (1, [])


def test_a_message_of_several_lines() -> None:
    """An error is one line, and not a page."""
    with (
        serving(lambda _: json(refused(f"one\\n\\ntwo {'x' * 500}"))) as (url, _),
        pytest.raises(SourceError) as caught,
    ):
        Asked(url).rows()
    text = f"one two {'x' * 192}"
    assert str(caught.value) == f"{url} answered: {text}; read the server's log"


# long questions

LONG = f"SELECT {', '.join(f'field_{number}' for number in range(900))} FROM m"


def no_longer_than(limit: int, refusal: Answer, post: Answer) -> Reply:
    """A proxy that takes addresses up to a limit only, and answers POST in its way."""

    def reply(question: Question) -> Answer:
        if question.method == "POST":
            return post
        return refusal if question.address > limit else json(ROWS)

    return reply


TOO_LONG = {
    "nginx": page(414, "414 Request-URI Too Large"),
    "a header limit": page(431, "Request Header Fields Too Large"),
    "haproxy": page(400, "400 Bad request"),
    "iis": page(404, "404.15 Query String Too Long"),
}


@pytest.mark.parametrize("proxy", TOO_LONG)
def test_a_long_question_is_asked_by_post(proxy: str) -> None:
    """Where a proxy takes no such address, the same parameters are sent as a body, from then on."""
    with serving(no_longer_than(8_000, TOO_LONG[proxy], json(ROWS))) as (url, asked):
        house = Asked(url)
        assert house.rows(LONG) == house.rows(LONG) == house.rows() == [["w"]]
    assert [question.method for question in asked] == ["GET", "POST", "POST", "GET"]
    assert asked[0].parameters == asked[1].parameters == asked[2].parameters
    assert [question.address for question in asked[1:3]] == [len("/query")] * 2


@pytest.mark.parametrize(
    ("post", "status"),
    [
        (page(405, "Not Allowed"), 405),
        (page(403, "Forbidden"), 403),
        (page(413, "Request Entity Too Large"), 413),
        (page(414, "Request-URI Too Large"), 414),
    ],
)
def test_a_proxy_that_takes_neither(post: Answer, status: int) -> None:
    """The error names the length, both refusals, and the settings of the usual proxies."""
    with serving(no_longer_than(8_000, TOO_LONG["nginx"], post)) as (url, asked):
        with pytest.raises(SourceError) as caught:
            Asked(url).rows(LONG)
        assert Asked(url).rows() == [["w"]]
    size = len(urlencode(asked[0].parameters))
    assert str(caught.value) == (
        f"{url}: a proxy before the server takes no question of {size} bytes in an address, and "
        f"answers {status} to it by POST; let it pass such a POST to /query, "
        "or longer addresses (nginx: large_client_header_buffers, Apache: LimitRequestLine, "
        "HAProxy: tune.bufsize)"
    )
    assert [question.method for question in asked] == ["GET", "POST", "GET"]


def test_a_busy_proxy_after_a_long_question() -> None:
    """POST is asked again like GET."""
    answers = [TOO_LONG["nginx"], BUSY["429"], TOO_LONG["nginx"], json(ROWS)]
    with serving(in_order(answers)) as (url, asked):
        assert Asked(url).rows(LONG) == [["w"]]
    assert [question.method for question in asked] == ["GET", "POST", "GET", "POST"]


def test_a_refusal_that_is_not_for_the_length() -> None:
    """What InfluxDB refuses, or a proxy in the same way by POST, keeps its own message."""
    parse = json('{"error":"error parsing query: found x"}', status=400)
    with serving(lambda _: parse) as (url, asked):
        with pytest.raises(SourceError) as caught:
            Asked(url).rows(LONG)
        expected = f"{url} answered 400: error parsing query: found x; read the server's log"
        assert str(caught.value) == expected
        assert len(asked) == 1
    with serving(lambda _: page(404, "Not Found")) as (url, asked):
        with pytest.raises(SourceError, match="answered 404: .*; check the path in INFLUX_URL"):
            Asked(url).rows(LONG)
        assert len(asked) == 2


def test_names_are_quoted() -> None:
    """Quotes, backslashes and newlines of a name are escaped."""
    names = ["plain", 'a "b"', "a\\b", "a\nb", "居間"]
    assert [quote_ident(name) for name in names] == [
        '"plain"',
        '"a \\"b\\""',
        '"a\\\\b"',
        '"a\\nb"',
        '"居間"',
    ]
