"""Real servers with their limits set, and a proxy that limits addresses: what a run makes of it."""

import contextlib
import http.client
import itertools
import socket
import threading
import time
from collections.abc import Generator
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlencode

import pytest

from homeiot_batch.config import Settings, load_settings
from homeiot_batch.doctor.finding import Finding, of_error, ok, problem
from homeiot_batch.doctor.readings import check_readings
from homeiot_batch.doctor.yesterday import check_yesterday
from homeiot_batch.errors import SourceError
from homeiot_batch.sources.influxdb.client import InfluxClient
from tests.house import House
from tests.http_server import QuietHandler, running
from tests.integration import proxy
from tests.integration.points import Point, at, every, in_order, rows
from tests.integration.servers import PASSWORD, START_S, Influx1, Influx2, Server

DATASET = "raw_meter_readings"
NOW = "2025-11-11T08:00:00+09:00"
SECTION = "in the section [coordinator] of the server's configuration"
A_DAY = ("--until", "load", "--config", "start=2025-11-10", "end=2025-11-10")

pytestmark = pytest.mark.usefixtures("clean_environment")


class Limited1(Influx1):
    """InfluxDB 1.x whose limits can be set while it is stopped."""

    coordinator = ""
    http = ""

    def command(self) -> list[str]:
        program, option, configuration = super().command()
        text = Path(configuration).read_text()
        text = text.replace("[coordinator]\n", f"[coordinator]\n{self.coordinator}\n")
        Path(configuration).write_text(text.replace("[http]\n", f"[http]\n{self.http}\n"))
        return [program, option, configuration]

    def limit(self, *, coordinator: str = "", http: str = "", query_timeout: str = "0s") -> None:
        """Start it again with these limits."""
        self.stop()
        self._query_timeout = query_timeout
        self.coordinator, self.http = coordinator, http
        self.start()


class Limited2(Influx2):
    """InfluxDB 2.x with few series a query."""

    def command(self) -> list[str]:
        return [*super().command(), "--influxql-max-select-series", "2"]


def day_of(sources: int, day: str = "2025-11-10") -> list[Point]:
    """A reading a minute of so many meters."""
    return [
        Point(
            at(f"{day}T00:00") + minute * 60 * 10**9,
            {"instant_power_w": minute + 0.5, "energy_import_kwh": minute / 8},
            {"source": f"m{number}"},
        )
        for minute in range(1440)
        for number in range(sources)
    ]


def noise() -> list[Point]:
    """More than the buffers between a server and a program that does not read."""
    return [
        Point(number, {"f": 1.5}, {"n": f"{'x' * 1000}{number}"}, "noise")
        for number in range(20_000)
    ]


@pytest.fixture
def limited(tmp_path_factory: pytest.TempPathFactory) -> Generator[Limited1]:
    """A server with five meters on 10 November 2025, and no limits yet."""
    with Limited1(tmp_path_factory.mktemp("limited")) as server:
        server.create("home_energy")
        server.write("home_energy", day_of(5))
        yield server


def looked(server: Influx1) -> list[Finding]:
    """What the doctor finds of the readings, on the morning after the day."""
    environment = {name.lower(): text for name, text in server.environment("home_energy").items()}
    return found_by_doctor(load_settings(environment | {"now": NOW}))


def found_by_doctor(settings: Settings) -> list[Finding]:
    """What the doctor finds of the readings, yesterday's read last."""
    found = list(check_readings(settings))
    return [*found, *check_yesterday(settings, found)]


@contextlib.contextmanager
def slow_reader(server: Server, query: str) -> Generator[socket.socket]:
    """A program whose query runs, because it does not read the answer.

    The server may still count a connection that has just ended: then it is asked again.
    """
    parameters = urlencode({"q": query, "db": "home_energy", "chunked": "true"})
    request = f"GET /query?{parameters} HTTP/1.1\r\nHost: x\r\n\r\n".encode()
    limit = time.monotonic() + START_S
    while not (reader := _accepted(server, request)):
        assert time.monotonic() < limit, "the server accepts no connection"
        time.sleep(0.1)
    with reader:
        yield reader


def _accepted(server: Server, request: bytes) -> socket.socket | None:
    """A connection on which the answer has begun, or None if the server closed it."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    try:
        reader.connect(("127.0.0.1", server.port))
        reader.sendall(request)
        if reader.recv(100):
            return reader
    except ConnectionError:
        pass
    reader.close()
    return None


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ({"coordinator": "max-concurrent-queries = 1"}, "max-concurrent-queries limit exceeded"),
        ({"http": "max-connection-limit = 1"}, "closed the connection without an answer"),
    ],
)
def test_another_program_uses_up_the_limit(
    limited: Limited1, limit: dict[str, str], said: str
) -> None:
    """As long as it does, the server refuses. Then the same question is answered."""
    limited.write("home_energy", noise())
    limited.limit(**limit)
    waits: list[float] = []
    settings = load_settings({"influx_url": limited.url, "influx_bucket": "home_energy"})
    with slow_reader(limited, 'SELECT * FROM "noise"') as other:

        def wait(seconds: float) -> None:
            waits.append(seconds)
            other.close()
            threading.Event().wait(seconds)

        once = settings.model_copy(update={"influx_retries": 1})
        with pytest.raises(SourceError, match=said):
            InfluxClient(once).series('SELECT * FROM "power" LIMIT 1').__next__()
        client = InfluxClient(settings, wait)
        assert client.get("ping").status_code == 204
        assert len(list(client.series('SELECT * FROM "power" LIMIT 1'))) == 1
    assert waits


def test_a_run_under_a_limit_of_one_query(limited: Limited1, house: House) -> None:
    """Days that are read side by side refuse each other at first. All are archived whole."""
    points = every(1, "2025-11-01", "2025-11-08", "Asia/Tokyo")
    limited.write("home_energy", points)
    limited.limit(coordinator="max-concurrent-queries = 1")
    house.environment |= limited.environment("home_energy") | {"INFLUX_RETRIES": "3"}
    outcome = house.snakemake("--until", "load", "--config", "start=2025-11-01", "end=2025-11-08")
    assert (outcome.code, outcome.failures) == (0, []), outcome.stderr
    assert in_order(house.rows()) == in_order(rows(points, "2025-11-01", "2025-11-08"))


@pytest.mark.parametrize(
    "message", ["max-concurrent-queries limit exceeded(5, 4)", "429: too many requests"]
)
def test_busy_in_the_middle_of_a_day(limited: Limited1, house: House, message: str) -> None:
    """An answer that ends as busy after the first rows is asked for again, as a whole."""
    times = itertools.count()

    def once(documents: proxy.Documents) -> proxy.Documents:
        whole = list(documents)
        if len(whole) == 1 or next(times):  # one document: a short answer, not the day's
            return whole
        busy = f'{{"results":[{{"statement_id":0,"error":"{message}"}}]}}\n'.encode()
        return [whole[0], busy]

    house.environment |= limited.environment("home_energy")
    with proxy.spoiling(limited, once) as url:
        settings = {"INFLUX_URL": url, "INFLUX_RETRIES": "2", "INFLUX_CHUNK_ROWS": "1000"}
        outcome = house.snakemake(*A_DAY, **settings)
    assert (outcome.code, outcome.failures, next(times)) == (0, [], 2), outcome.stderr
    assert in_order(house.rows()) == in_order(rows(day_of(5), "2025-11-10", "2025-11-10"))


def test_more_series_than_the_server_selects(limited: Limited1, house: House) -> None:
    """A run and the doctor name the limit and where it is set. The day is not archived in part."""
    limited.limit(coordinator="max-select-series = 2")
    house.environment |= limited.environment("home_energy") | {"INFLUX_RETRIES": "3"}
    outcome = house.snakemake(*A_DAY)
    what_to_do = (
        f"raise max-select-series {SECTION} (in 2.x it is influxql-max-select-series), "
        "where 0 means no limit"
    )
    said = f"{limited.url} answered: max-select-series limit exceeded: (3/2)"
    expected = f"failed: fetch {DATASET} 2025-11-10: {said}; {what_to_do}"
    assert (outcome.code, outcome.failures) == (1, [expected])
    assert "trying again" not in outcome.stderr
    assert house.snapshot() == {}
    found = {finding.name: finding for finding in looked(limited)}
    assert found[f"{DATASET} 2025-11-10"] == problem(f"{DATASET} 2025-11-10", said, what_to_do)
    assert found[f"{DATASET} sources"] == of_error(
        f"{DATASET} sources", SourceError(f"{said}; {what_to_do}"), "warning"
    )
    limited.limit(coordinator="max-select-series = 5")
    house.environment |= limited.environment("home_energy")
    outcome = house.snakemake(*A_DAY)
    assert (outcome.code, len(house.rows())) == (0, 5 * 1440), outcome.stderr


def test_more_series_than_influxdb_2_selects(tmp_path: Path, house: House) -> None:
    """InfluxDB 2.x has the same limit."""
    with Limited2(tmp_path / "server") as server:
        server.create("home_energy")
        server.write("home_energy", day_of(5))
        house.environment |= server.environment("home_energy")
        outcome = house.snakemake(*A_DAY)
    assert len(outcome.failures) == 1
    assert "max-select-series limit exceeded: (3/2); raise max-select-series" in outcome.failures[0]
    assert house.snapshot() == {}


def test_limits_that_a_day_does_not_meet(limited: Limited1, house: House) -> None:
    """These limits are for other questions: the day is whole."""
    limited.limit(
        coordinator="max-select-buckets = 2", http="max-row-limit = 10\nmax-body-size = 9"
    )
    house.environment |= limited.environment("home_energy")
    outcome = house.snakemake(*A_DAY)
    assert (outcome.code, outcome.failures) == (0, []), outcome.stderr
    assert in_order(house.rows()) == in_order(rows(day_of(5), "2025-11-10", "2025-11-10"))
    last = looked(limited)[-1]
    assert last == ok(f"{DATASET} 2025-11-10", "can be read as a run reads it: 7200 points")


def test_a_question_that_takes_too_long(limited: Limited1) -> None:
    """The limit of the time of a query is named by the doctor too."""
    limited.limit(query_timeout="1ms")
    said = f"{limited.url} answered: query-timeout limit exceeded"
    fix = f"run again when the server is less busy, or raise query-timeout {SECTION}"
    assert looked(limited)[-1] == problem(f"{DATASET} 2025-11-10", said, fix)


def test_a_point_limit_in_the_middle_of_a_day(limited: Limited1) -> None:
    """The server looks at this limit every ten seconds, so it ends an answer in the middle."""
    limited.write("home_energy", noise())
    limited.limit(coordinator="max-select-point = 100")
    settings = load_settings(
        {"influx_url": limited.url, "influx_bucket": "home_energy", "influx_chunk_rows": "100"}
    )
    series = InfluxClient(settings).series('SELECT * FROM "noise"')
    next(series)
    threading.Event().wait(12)
    with pytest.raises(SourceError, match=r"max-select-point limit .*; raise max-select-point in"):
        list(series)


# a proxy


@contextlib.contextmanager
def gatekeeper(server: Server, longest: int, methods: str) -> Generator[str]:
    """A proxy that takes addresses up to a length, as nginx does, and only some methods."""

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            self._pass_on(None)

        def do_POST(self) -> None:
            self._pass_on(self.rfile.read(int(self.headers["Content-Length"])))

        def _pass_on(self, body: bytes | None) -> None:
            if self.command not in methods:
                return self._answer(403, b"<html>Forbidden</html>")
            if len(self.path) > longest:
                return self._answer(414, b"<html>Request-URI Too Large</html>")
            passed = {"Authorization", "Content-Type"}
            headers = {name: text for name, text in self.headers.items() if name in passed}
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", server.port)) as up:
                up.request(self.command, self.path, body, headers)
                answer = up.getresponse()
                return self._answer(answer.status, answer.read())

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

    gate = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with running(gate) as port:
        yield f"http://127.0.0.1:{port}"


FIELDS = [f"a_field_with_a_long_name_{number:03}" for number in range(400)]
MANY = f"""
datasets:
  {DATASET}:
    measurement: power
    tags: {{source: meter1}}
    fields: {{{", ".join(f"{field}: double" for field in FIELDS)}}}
"""


@pytest.fixture
def reader(influx1_auth: Influx1) -> dict[str, str]:
    """The settings of a user that may only read a database with 400 fields."""
    influx1_auth.create("fields")
    influx1_auth.query(
        f"CREATE USER many WITH PASSWORD '{PASSWORD}'", 'GRANT READ ON "fields" TO many'
    )
    fields = dict.fromkeys(FIELDS, 1.5)
    influx1_auth.write("fields", [Point(at("2025-11-10T10:00"), fields, {"source": "a"})])
    return influx1_auth.environment("fields") | {"INFLUX_USERNAME": "many"}


def test_many_fields_behind_a_proxy(
    house: House, influx1_auth: Influx1, reader: dict[str, str]
) -> None:
    """A question that is too long for the proxy is asked by POST, also by a mere reader."""
    house.environment |= reader
    (house.folder / "many.yaml").write_text(MANY)
    with gatekeeper(influx1_auth, 8_000, "GET POST") as url:
        outcome = house.snakemake("--configfile", "many.yaml", *A_DAY, INFLUX_URL=url)
    assert (outcome.code, outcome.failures) == (0, []), outcome.stderr
    archived = house.archived("2025-11-10")
    assert [[row[field] for field in FIELDS] for row in archived] == [[1.5] * len(FIELDS)]


def test_a_proxy_that_takes_only_short_addresses_by_get(
    house: House,
    influx1_auth: Influx1,
    reader: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The run and the doctor name the proxy's limit."""
    house.environment |= reader
    for name, value in reader.items():
        monkeypatch.setenv(name, value)
    many = house.folder / "many.yaml"
    many.write_text(MANY)
    with gatekeeper(influx1_auth, 8_000, "GET") as url:
        outcome = house.snakemake("--configfile", "many.yaml", *A_DAY, INFLUX_URL=url)
        monkeypatch.setenv("INFLUX_URL", url)
        [*_, last] = found_by_doctor(load_settings({"now": NOW}, many))
    assert len(outcome.failures) == 1, outcome.stderr
    said = f"fetch {DATASET} 2025-11-10: {url}: a proxy before the server takes no question of "
    assert said in outcome.failures[0]
    assert "answers 403 to it by POST; let it pass such a POST to /query" in outcome.failures[0]
    assert (last.level, last.name) == ("problem", f"{DATASET} 2025-11-10")
    assert last.found.startswith(f"{url}: a proxy before the server takes no question of ")
    assert last.fix.startswith("let it pass such a POST to /query")
    assert house.snapshot() == {}


QUERY = 'SELECT "w", "source" FROM "power" WHERE time > 0'


def test_all_servers_take_post(monkeypatch: pytest.MonkeyPatch, server: Influx1 | Influx2) -> None:
    """The same rows come by GET and by POST."""
    server.create("posted")
    server.write("posted", [Point(at("2025-11-10T10:00"), {"w": 1.5}, {"source": "a"})])
    environment = server.environment("posted")
    token = environment.pop("INFLUX_TOKEN", "")
    monkeypatch.setenv("INFLUX_TOKEN", token)
    given = {name.lower(): text for name, text in environment.items()}
    with gatekeeper(server, 60, "GET POST") as url:
        answers = [
            list(InfluxClient(load_settings(given | {"influx_url": door})).series(QUERY))
            for door in (server.url, url)
        ]
    assert answers[0] == answers[1]
    assert len(answers[0]) == 1
