"""What the doctor says of a server: real InfluxDB 1.x and 2.x, and things that are none."""

import json
import ssl
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest
import trustme

from homeiot_batch.config import Settings, load_settings
from homeiot_batch.doctor.finding import Finding, ok, problem, warning
from homeiot_batch.doctor.readings import check_readings
from homeiot_batch.doctor.source import check_source
from tests.house import Checkout, Outcome
from tests.http_server import QuietHandler, running
from tests.integration.points import Point, at
from tests.integration.servers import ADMIN, PASSWORD, TOKEN, Influx1, Influx2, free_port

NOW = "2026-11-24T08:00:00+09:00"
DATASET = "raw_meter_readings"
CLOCK = ok("clock", "the server's agrees with this machine's")
NO_DATE = warning(
    "clock",
    "the server's cannot be compared with this machine's: its answer has no Date",
    "let the proxy before the server hand the header Date on",
)
SET_USER = (
    "set INFLUX_USERNAME and INFLUX_PASSWORD (or INFLUX_PASSWORD_FILE) to a user with READ on the "
    "database"
)
SET_TOKEN = "set INFLUX_TOKEN (or INFLUX_TOKEN_FILE) to a token that may read the bucket"
SET_POLICY = "set INFLUX_RETENTION_POLICY to the one that has the readings"
SECRET_FORMS = ("p@ss:w/örd", "p@ss:w", "9f1c77e4", TOKEN, "secret-planted")
Look = Callable[..., Settings]


@pytest.fixture
def look(monkeypatch: pytest.MonkeyPatch, clean_environment: None) -> Look:
    """Settings of an environment, as a run would have them."""

    def make(environment: Mapping[str, str], **given: str) -> Settings:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        return load_settings({"now": NOW, **given})

    return make


def reading(
    wall: str, measurement: str, source: str | None = "main", **fields: float | str
) -> Point:
    """A point of a meter."""
    declared = {"instant_power_w": 1.5, "energy_import_kwh": 2.5, "energy_export_kwh": 0.5}
    return Point(at(wall), fields or declared, {"source": source} if source else {}, measurement)


# what answers, and whether the credentials read


def test_a_1x_that_asks_nobody(look: Look, influx1: Influx1) -> None:
    """Product, clock and bucket are well.

    A bucket that is not there is told with those that look like it, or else with those there are.
    """
    for bucket in ("doctor", "doctors"):
        influx1.create(bucket)
    server = ok("server", f"InfluxDB {influx1.shown_version()} at {influx1.url}")
    assert list(check_source(look(influx1.environment("doctor")))) == [
        server,
        CLOCK,
        ok("credentials", "whoever asks may read 'doctor'"),
    ]
    missing = list(check_source(look(influx1.environment("docter"))))
    found = "whoever asks sees no database 'docter'; near it are 'doctor', 'doctors'"
    assert missing == [
        server,
        CLOCK,
        problem("database", found, "correct INFLUX_BUCKET, or let the credentials read it"),
    ]
    assert list(check_source(look(influx1.environment("zz"))))[2].found.startswith(
        "whoever asks sees no database 'zz'; there are "
    )


@pytest.fixture(scope="module")
def guarded(influx1_auth: Influx1) -> Influx1:
    """A 1.x with users of all kinds for `guarded`."""
    influx1_auth.create("guarded")
    for user in ("reader", "writer", "nobody"):
        influx1_auth.query(f"CREATE USER {user} WITH PASSWORD 'secret-planted'")
    influx1_auth.query("GRANT READ ON guarded TO reader", "GRANT WRITE ON guarded TO writer")
    return influx1_auth


AUTHORIZE = (
    "error authorizing query: writer not authorized to execute statement 'SHOW RETENTION POLICIES "
    "ON guarded', requires READ on guarded"
)
USERS: dict[str, tuple[dict[str, str], Finding]] = {
    "administrator": (
        {"INFLUX_USERNAME": ADMIN, "INFLUX_PASSWORD": PASSWORD},
        ok("credentials", f"user '{ADMIN}' may read 'guarded'"),
    ),
    "reader": (
        {"INFLUX_USERNAME": "reader"},
        ok("credentials", "user 'reader' may read 'guarded'"),
    ),
    "writer": (
        {"INFLUX_USERNAME": "writer"},
        problem(
            "credentials",
            f"user 'writer' may not read 'guarded', only write it: {AUTHORIZE}",
            'GRANT READ ON "guarded" TO that user, or name another',
        ),
    ),
    "without rights": (
        {"INFLUX_USERNAME": "nobody"},
        problem(
            "database",
            "user 'nobody' sees no database 'guarded'; there is nothing that can be seen",
            "correct INFLUX_BUCKET, or let the credentials read it",
        ),
    ),
    "another bucket": (
        {"INFLUX_USERNAME": "reader", "INFLUX_BUCKET": "guard"},
        problem(
            "database",
            "user 'reader' sees no database 'guard'; near it is 'guarded'",
            "correct INFLUX_BUCKET, or let the credentials read it",
        ),
    ),
    "wrong password": (
        {"INFLUX_USERNAME": "reader", "INFLUX_PASSWORD": "secret-planted-elsewhere"},
        problem("credentials", "the server refuses user 'reader' (authorization failed)", SET_USER),
    ),
    "none": (
        {"INFLUX_PASSWORD": ""},
        problem(
            "credentials",
            "the server asks for credentials, and none are set (unable to parse authentication "
            "credentials)",
            SET_USER,
        ),
    ),
    "no password": (
        {"INFLUX_USERNAME": "reader", "INFLUX_PASSWORD": ""},
        problem(
            "credentials",
            "the server asks for credentials (unable to parse authentication credentials), and "
            "INFLUX_USERNAME without a password is not sent",
            SET_USER,
        ),
    ),
    "a token": (
        {"INFLUX_TOKEN": TOKEN},
        problem(
            "credentials",
            "InfluxDB 1.x takes no INFLUX_TOKEN (unable to parse authentication credentials)",
            SET_USER,
        ),
    ),
}


@pytest.mark.parametrize("user", USERS)
def test_users_of_1x(look: Look, guarded: Influx1, user: str) -> None:
    """Each kind of user, and what it can and cannot do, in words."""
    login, expected = USERS[user]
    settings = look(
        {"INFLUX_URL": guarded.url, "INFLUX_BUCKET": "guarded", "INFLUX_PASSWORD": "secret-planted"}
        | login
    )
    assert list(check_source(settings)) == [
        ok("server", f"InfluxDB {guarded.shown_version()} at {guarded.url}"),
        CLOCK,
        expected,
    ]


@pytest.fixture(scope="module")
def buckets(influx2: Influx2) -> Influx2:
    """A 2.x with buckets of which one is also mapped to another name."""
    for bucket in ("examined", "examined/long", "other"):
        influx2.create(bucket)
    influx2.map("mapped", "fine", "other")
    return influx2


WRITE_ONLY = (
    "the token is accepted, but sees no bucket: it may at most write. InfluxDB 2.x says so only in "
    "this way: queries answer 200 with "
    '"database not found" and an empty list of measurements, as if there were no readings'
)
UNSEEN = ". A token that may only write a bucket does not see it"
MAY_READ = ok("credentials", "the token may read 'examined'")
TOKENS: dict[str, tuple[Callable[[Influx2], str], str, list[Finding]]] = {
    "all": (
        lambda _: TOKEN,
        "examined",
        [
            MAY_READ,
            ok(
                "mapping",
                "examined/autogen (default) is bucket 'examined'; examined/long is bucket "
                "'examined/long'",
            ),
        ],
    ),
    "read": (
        lambda s: s.token("examined", "read"),
        "examined",
        [MAY_READ, ok("mapping", "examined/autogen (default) is bucket 'examined'")],
    ),
    "a mapped name": (
        lambda _: TOKEN,
        "mapped",
        [
            ok("credentials", "the token may read 'mapped'"),
            ok("mapping", "mapped/fine (default) is bucket 'other'"),
        ],
    ),
    "write": (
        lambda s: s.token("examined", "write"),
        "examined",
        [
            problem(
                "credentials",
                WRITE_ONLY,
                "make a token with read permission on bucket 'examined', and set INFLUX_TOKEN to "
                "it",
            )
        ],
    ),
    "of another bucket": (
        lambda s: s.token("other", "read"),
        "examined",
        [
            problem(
                "database",
                f"the token sees no bucket 'examined'; there are 'mapped', 'other'{UNSEEN}",
                "correct INFLUX_BUCKET, or let the credentials read it",
            )
        ],
    ),
    "a wrong bucket": (
        lambda s: s.token("examined", "read"),
        "examine",
        [
            problem(
                "database",
                f"the token sees no bucket 'examine'; near it is 'examined'{UNSEEN}",
                "correct INFLUX_BUCKET, or let the credentials read it",
            )
        ],
    ),
    "wrong": (
        lambda _: "secret-planted",
        "examined",
        [problem("credentials", "the server refuses the token (Unauthorized)", SET_TOKEN)],
    ),
    "none": (
        lambda _: "",
        "examined",
        [
            problem(
                "credentials",
                "the server asks for credentials, and none are set (unauthorized access)",
                SET_TOKEN,
            )
        ],
    ),
}


@pytest.mark.parametrize("name", TOKENS)
def test_tokens_of_2x(look: Look, buckets: Influx2, name: str) -> None:
    """Each kind of token, among them the one that may only write and is told nothing."""
    token, bucket, expected = TOKENS[name]
    settings = look(buckets.environment(bucket) | {"INFLUX_TOKEN": token(buckets)})
    assert list(check_source(settings)) == [
        ok("server", f"InfluxDB {buckets.shown_version()} at {buckets.url}"),
        CLOCK,
        *expected,
    ]


# things that are no InfluxDB, or not where it is


@contextmanager
def answering(
    answers: Callable[[str], tuple[int, dict[str, str], bytes]], tls: ssl.SSLContext | None = None
) -> Generator[str]:
    """The URL of something that answers each path as `answers` says."""

    class Handler(QuietHandler):
        def do_GET(self) -> None:
            status, headers, body = answers(self.path)
            self.send_response_only(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

    class Stub(ThreadingHTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            """A client that does not trust the certificate hangs up."""

    stub = Stub(("127.0.0.1", 0), Handler)
    if tls is not None:
        stub.socket = tls.wrap_socket(stub.socket, server_side=True)
    with running(stub) as port:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"


DATABASES = (
    b'{"results":[{"statement_id":0,"series":'
    b'[{"name":"databases","columns":["name"],"values":[["examined"]]}]}]}\n'
)
BUCKET = b'{"buckets":[{"id":"0a1b","name":"examined","orgID":"1","retentionRules":[]}]}'
NOTHING = b'{"results":[{"statement_id":0}]}\n'


def queried(path: str) -> bytes:
    """The answer to a query of an InfluxDB that has one database, without a policy."""
    return DATABASES if "DATABASES" in path else NOTHING


def influxdb_3(path: str) -> tuple[int, dict[str, str], bytes]:
    """As InfluxDB 3 Core describes its answers."""
    if path.startswith("/ping"):
        return (
            200,
            {
                "Content-Type": "application/json",
                "X-Influxdb-Version": "3.8.0",
                "X-Influxdb-Build": "Core",
            },
            b'{"version":"3.8.0"}',
        )
    return 200, {"Content-Type": "application/json"}, queried(path)


def test_a_page_is_no_influxdb(look: Look) -> None:
    """A router's login page, and a proxy that has nothing behind it."""
    page = {"Content-Type": "text/html", "Server": "lighttpd"}
    with answering(lambda _: (200, page, b"<!doctype html><title>Welcome</title>")) as url:
        found = (
            f"what answers at {url} is no InfluxDB: lighttpd: /ping answers 200 (text/html), "
            "/query answers 200 (text/html)"
        )
        assert list(check_source(look({"INFLUX_URL": url}))) == [
            problem(
                "server", found, "check host, port and path in INFLUX_URL, and the proxy's rules"
            )
        ]
    with answering(lambda _: (502, {}, b"")) as url:
        found = (
            f"what answers at {url} is no InfluxDB: /ping answers 502 (no type), /query answers "
            "502 (no type)"
        )
        assert list(check_source(look({"INFLUX_URL": url}))) == [
            problem(
                "server", found, "check host, port and path in INFLUX_URL, and the proxy's rules"
            )
        ]


def test_a_path_that_is_not_its(look: Look, influx1: Influx1) -> None:
    """InfluxDB answers, but somewhere else."""
    url = f"{influx1.url}/influx"
    assert list(check_source(look({"INFLUX_URL": url}))) == [
        problem(
            "server",
            f"InfluxDB {influx1.version()} is at {url}, but not at this path (/ping answers 404)",
            "correct the path in INFLUX_URL. Without a proxy in front, InfluxDB has none",
        )
    ]


def test_a_path_of_its_pages(look: Look) -> None:
    """A 2.x with its user interface answers every unknown path with a page."""
    page = {"Content-Type": "text/html; charset=utf-8", "X-Influxdb-Version": "v2.7.12"}
    with answering(lambda _: (200, page, b"<!doctype html>")) as url:
        assert list(check_source(look({"INFLUX_URL": f"{url}/influx"}))) == [
            problem(
                "server",
                f"InfluxDB 2.7.12 is at {url}/influx, but not at this path (/ping answers 200)",
                "correct the path in INFLUX_URL. Without a proxy in front, InfluxDB has none",
            )
        ]


def test_nothing_answers(look: Look) -> None:
    """No server at the port."""
    url = f"http://127.0.0.1:{free_port()}"
    assert list(check_source(look({"INFLUX_URL": url}))) == [
        problem("server", f"{url} cannot be reached", "check INFLUX_URL and that the server runs")
    ]


def test_a_certificate_that_cannot_be_verified(look: Look) -> None:
    """One of an unknown authority."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
    with answering(influxdb_3, tls) as url:
        assert list(check_source(look({"INFLUX_URL": url}))) == [
            problem(
                "server",
                f"{url} has a certificate that cannot be verified",
                "set INFLUX_CA_FILE to its authority's certificate",
            )
        ]


def test_a_version_that_is_hidden_or_not_supported(look: Look) -> None:
    """A proxy that hands only queries on, below a path, is no harm. InfluxDB 3 is a warning."""

    def proxy(path: str) -> tuple[int, dict[str, str], bytes]:
        return (
            (200, {"Content-Type": "application/json"}, queried(path))
            if path.startswith("/home/influx/query")
            else (403, {}, b"")
        )

    with answering(proxy) as url:
        assert list(
            check_source(look({"INFLUX_URL": f"{url}/home/influx", "INFLUX_BUCKET": "examined"}))
        ) == [
            ok(
                "server",
                f"InfluxDB of a version that is not told, at {url}/home/influx (/ping answers 403)",
            ),
            NO_DATE,
            ok("credentials", "whoever asks may read 'examined'"),
        ]
    with answering(influxdb_3) as url:
        assert next(
            check_source(look({"INFLUX_URL": url, "INFLUX_BUCKET": "examined"}))
        ) == warning(
            "server",
            f"InfluxDB 3.8.0 at {url}: the batch was tested with played answers of InfluxDB 3, not "
            "with a real server",
            "compare the first days by verify",
        )


def test_a_bucket_without_a_mapping(look: Look) -> None:
    """Before 2.4 a bucket cannot be queried until a database is mapped to it.

    The token sees the bucket, but no database.
    """

    def influxdb_23(path: str) -> tuple[int, dict[str, str], bytes]:
        empty = (
            b'{"results":[{"statement_id":0,"series":[{"name":"databases","columns":["name"]}]}]}\n'
        )
        body = {"buckets": BUCKET, "dbrps": b'{"content":[]}'}.get(
            path[8:].split("?", maxsplit=1)[0], empty
        )
        return 200, {"Content-Type": "application/json", "X-Influxdb-Version": "v2.3.0"}, body

    with answering(influxdb_23) as url:
        assert list(
            check_source(
                look({"INFLUX_URL": url, "INFLUX_BUCKET": "examined", "INFLUX_TOKEN": TOKEN})
            )
        ) == [
            ok("server", f"InfluxDB 2.3.0 at {url}"),
            NO_DATE,
            problem(
                "database",
                "bucket 'examined' is there, but no database is mapped to it, and this version "
                "makes none by itself",
                "influx v1 dbrp create --bucket-id 0a1b --db examined --rp autogen --default",
            ),
        ]


@pytest.mark.parametrize(("seconds", "side"), [(0, ""), (90, "ahead of"), (-3600, "behind")])
def test_clocks_that_differ(look: Look, seconds: int, side: str) -> None:
    """The server's Date, which is cut to seconds, against this machine's clock."""

    def skewed(path: str) -> tuple[int, dict[str, str], bytes]:
        date = format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)
        return (
            200,
            {"Content-Type": "application/json", "X-Influxdb-Version": "1.8.10", "Date": date},
            queried(path),
        )

    with answering(skewed) as url:
        clock = list(check_source(look({"INFLUX_URL": url, "INFLUX_BUCKET": "examined"})))[1]
    near = [
        f"the server's is {abs(seconds) + more} s {side} this machine's" for more in range(-2, 3)
    ]
    assert clock in (
        [warning("clock", found, "let both follow a time server (NTP)") for found in near]
        if side
        else [CLOCK]
    )


# what the server holds


def lying(server: Influx1 | Influx2, bucket: str) -> dict[str, str]:
    """The environment that reads a measurement of the bucket's name in it.

    Other tests have the usual one in other buckets.
    """
    return server.environment(bucket) | {"INFLUX_MEASUREMENT": bucket}


def healthy(measurement: str, places: str) -> list[Finding]:
    """The findings of a measurement as it is declared."""
    fields = ("instant_power_w", "energy_import_kwh", "energy_export_kwh")
    return [
        ok(DATASET, f"measurement {measurement!r} is in {places}"),
        ok(f"{DATASET}.source", "tag"),
        *(ok(f"{DATASET}.{field}", "field, float, declared double") for field in fields),
    ]


def test_readings_as_declared(look: Look, server: Influx1 | Influx2) -> None:
    """Tags, fields, and the span of each source.

    One that delivers, one that has fallen silent, one whose clock is wrong, one without the tag.
    """
    server.create("declared")
    walls = ["2025-01-01T00:00", "2026-11-24T07:59:30"]
    points = [reading(wall, "declared") for wall in walls]
    points += [
        reading("2026-11-22T07:00", "declared", "attic"),
        reading("2026-11-24T09:00", "declared", "shed"),
    ]
    points += [reading("2026-11-23T12:00", "declared", None)]
    server.write("declared", points)
    at_it = "see whether the meter and its gateway still deliver"
    future = (
        "set the clock of what writes it. Points of the future are archived on the day that they "
        "name"
    )
    assert list(check_readings(look(lying(server, "declared")))) == [
        *healthy("declared", "declared/autogen (default, read now)"),
        warning(
            f"{DATASET} source=attic",
            "2026-11-22 07:00:00 to 2026-11-22 07:00:00, 2 days ago",
            at_it,
        ),
        ok(f"{DATASET} source=meter1", "2026-11-23 12:00:00 to 2026-11-23 12:00:00, 20 h ago"),
        ok(f"{DATASET} source=main", "2025-01-01 00:00:00 to 2026-11-24 07:59:30, 30 s ago"),
        warning(
            f"{DATASET} source=shed",
            "2026-11-24 09:00:00 to 2026-11-24 09:00:00, 60 min from now",
            future,
        ),
        warning(  # a single day long before the others does not count
            f"{DATASET} begin",
            "the source has readings from 2026-11-22 on, "
            "and the first run begins the archive with 2026-11-23",
            "`homeiot run --from 2026-11-22 --to 2026-11-22` archives the days before, "
            "as long as the source keeps them, or set ARCHIVE_START=2026-11-23",
        ),
    ]


def test_many_sources_are_cut_short(look: Look, server: Influx1 | Influx2) -> None:
    """The twenty that have been silent for longest, and how many more there are."""
    server.create("many")
    server.write(
        "many",
        [reading(f"2026-11-24T07:{minute}", "many", f"m{minute}") for minute in range(10, 32)],
    )
    found = list(check_readings(look(lying(server, "many"))))[5:]
    assert [finding.name for finding in found] == [
        *(f"{DATASET} source=m{minute}" for minute in range(10, 30)),
        f"{DATASET} sources",
    ]
    assert found[-1] == ok(f"{DATASET} sources", "2 more, with later last points")


def test_readings_of_other_types_and_tags(look: Look, server: Influx1 | Influx2) -> None:
    """A field of another type, lately or long ago, and one of two types that go together.

    One that no point has, and tags that are not declared.
    """
    server.create("types")
    server.write(
        "types",
        [
            Point(
                at("2026-11-24T07:00"),
                {"instant_power_w": 1.0, "energy_import_kwh": 2.0},
                {"source": "a", "phase": "1", "host": "pi"},
                "types",
            ),
            Point(
                at("2026-10-01T07:00"),
                {"instant_power_w": 1, "energy_import_kwh": "2 kWh"},
                {"source": "a", "phase": "2", "host": "pi"},
                "types",
            ),
            Point(at("2026-11-24T07:30"), {"energy_exports_kwh": 2.0}, {"source": "a"}, "types"),
        ],
    )
    other = "correct what writes it and the points on the server, or the type in config.yaml"
    findings = [
        ok(DATASET, "measurement 'types' is in types/autogen (default, read now)"),
        ok(f"{DATASET}.source", "tag"),
        ok(
            f"{DATASET}.host",
            "tag that is not declared. It has one value, so it keeps no readings apart",
        ),
        warning(
            f"{DATASET}.phase",
            "tag that is not declared, with 2 values: readings that differ in it alone become rows "
            "of one source and time",
            "declare it under tags in config.yaml, or if days are archived already, in a dataset "
            "of "
            "another name",
        ),
        warning(
            f"{DATASET}.instant_power_w",
            "field of two types, by shard: float and integer; read as double",
            "let what writes it write one type only",
        ),
        warning(
            f"{DATASET}.energy_import_kwh",
            "field, float and string, declared double; last written as string at 2026-10-01 "
            "07:00:00: such a day is refused",
            other,
        ),
        warning(
            f"{DATASET}.energy_export_kwh",
            "field that no point has: every row gets 0.0; there is 'energy_exports_kwh'",
            "correct its name in config.yaml, if the house has such a reading",
        ),
        ok(f"{DATASET} source=a", "2026-10-01 07:00:00 to 2026-11-24 07:00:00, 60 min ago"),
    ]
    assert list(check_readings(look(lying(server, "types")))) == findings
    server.write(
        "types",
        [Point(at("2026-11-18T07:00"), {"energy_import_kwh": "3 kWh"}, {"source": "a"}, "types")],
    )
    findings[5] = problem(
        findings[5].name, findings[5].found.replace("2026-10-01", "2026-11-18"), other
    )
    assert list(check_readings(look(lying(server, "types")))) == findings


def test_tags_and_fields_that_changed_places(
    look: Look, server: Influx1 | Influx2, tmp_path: Path
) -> None:
    """A declared tag that is a field, a declared field that is a tag: named, with the fix."""
    server.create("places")
    server.write(
        "places",
        [
            Point(
                at("2026-11-24T07:00"),
                {"instant_power_w": 1.0, "source": "a"},
                {"energy_import_kwh": "2"},
                "places",
            )
        ],
    )
    found = {finding.name: finding for finding in check_readings(look(lying(server, "places")))}
    assert [
        found[f"{DATASET}.source"],
        found[f"{DATASET}.energy_import_kwh"],
        found[f"{DATASET} points"],
    ] == [
        problem(
            f"{DATASET}.source",
            "is a field there, declared is a tag",
            "declare it under fields in config.yaml",
        ),
        problem(
            f"{DATASET}.energy_import_kwh",
            "is a tag there, declared is a field",
            "declare it under tags in config.yaml",
        ),
        ok(f"{DATASET} points", "2026-11-24 07:00:00 to 2026-11-24 07:00:00, 60 min ago"),
    ]


def test_no_declared_field_and_no_measurement(look: Look, server: Influx1 | Influx2) -> None:
    """A measurement of other fields, and one that is not there.

    The latter with those that look like it, and the bucket that has it.
    """
    server.create("afield")
    server.create("bfield")
    server.write("afield", [reading("2026-11-24T07:00", "afield", watts=1.0)])
    server.write("bfield", [Point(at("2026-11-24T07:00"), {"x": 1.0}, {}, "powers")])
    assert list(check_readings(look(lying(server, "afield"))))[2:] == [
        problem(
            DATASET,
            "has none of the declared fields but watts",
            "correct the dataset's fields in config.yaml",
        )
    ]
    fix = (
        "correct the dataset's measurement in config.yaml, or INFLUX_MEASUREMENT. If it is new, "
        "wait for its first point. If your house has no such measurement, `homeiot init` declares "
        "those that it has"
    )
    nowhere = look(server.environment("bfield"), influx_measurement="powerz")
    assert list(check_readings(nowhere)) == [
        problem(
            DATASET, "there is no measurement 'powerz' in bfield/autogen; near it is 'powers'", fix
        ),
    ]
    elsewhere = look(server.environment("afield"), influx_measurement="powers")
    assert list(check_readings(elsewhere)) == [
        problem(
            DATASET,
            "measurement 'powers' is in bfield/autogen (default), read is afield/autogen",
            "set INFLUX_BUCKET to the one that has the readings",
        )
    ]


def test_several_retention_policies(look: Look, influx1: Influx1) -> None:
    """The one that is read and the others. Several with points are a problem unless one is named.

    A name that does not exist.
    """
    influx1.create("policies")
    influx1.query('CREATE RETENTION POLICY "long" ON "policies" DURATION INF REPLICATION 1')
    influx1.write("policies", [reading("2026-11-24T07:00", "policies")], "long")
    environment = lying(influx1, "policies")
    assert list(check_readings(look(environment))) == [
        problem(
            DATASET,
            "measurement 'policies' is in policies/long, read is policies/autogen",
            SET_POLICY,
        )
    ]
    last = ok(f"{DATASET} source=main", "2026-11-24 07:00:00 to 2026-11-24 07:00:00, 60 min ago")
    assert list(check_readings(look(environment, influx_retention_policy="long"))) == [
        *healthy("policies", "policies/long (read now)"),
        last,
    ]
    influx1.write("policies", [reading("2026-11-24T06:00", "policies")])
    both = "measurement 'policies' is in policies/autogen (default, read now), policies/long"
    assert next(check_readings(look(environment))) == problem(
        DATASET, f"{both}: a day with points in several policies is refused", SET_POLICY
    )
    named = look(environment, influx_retention_policy="long")
    assert list(check_readings(named)) == [
        *healthy("policies", "policies/autogen (default), policies/long (read now)"),
        last,
    ]
    wrong = look(environment, influx_retention_policy="lang")
    assert list(check_readings(wrong)) == [
        problem(DATASET, "'policies' has no retention policy 'lang'; near it is 'long'", SET_POLICY)
    ]


# the command


@pytest.mark.parametrize("version1", ["1.6"], indirect=True)
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_no_secret_is_printed(
    checkout: Checkout, guarded: Influx1, buckets: Influx2, form: tuple[str, ...]
) -> None:
    """Neither password nor token is in the output, whether they are taken or refused."""
    logins = [
        (
            {"INFLUX_USERNAME": ADMIN, "INFLUX_PASSWORD": PASSWORD},
            guarded.environment("guarded"),
            ok("", ""),
        ),
        (
            {"INFLUX_USERNAME": "reader", "INFLUX_PASSWORD": "secret-planted-elsewhere"},
            guarded.environment("guarded"),
            problem("", "", ""),
        ),
        ({"INFLUX_TOKEN": TOKEN}, guarded.environment("guarded"), problem("", "", "")),
        ({"INFLUX_TOKEN": "secret-planted"}, buckets.environment("examined"), problem("", "", "")),
        (
            {"INFLUX_TOKEN": buckets.token("examined", "write")},
            buckets.environment("examined"),
            problem("", "", ""),
        ),
    ]
    for login, environment, expected in logins:
        outcome = checkout.python("homeiot_batch", "doctor", *form, **(environment | login))
        assert "credentials" in outcome.stderr
        assert expected.level in outcome.stderr
        assert outcome.code == 1
        assert not [
            secret
            for secret in (*SECRET_FORMS, login.get("INFLUX_TOKEN", TOKEN))
            if secret in outcome.stderr
        ]


@pytest.mark.parametrize("version1", ["1.6"], indirect=True)
def test_a_house_that_works_is_healthy(checkout: Checkout, influx1: Influx1) -> None:
    """After a night with a real server nothing is wrong: exit code 0. The same as JSON.

    A stopped server is 1.
    """
    influx1.create("healthy")
    today = datetime.now(UTC) + timedelta(hours=9)
    yesterday = today - timedelta(days=1)
    influx1.write(
        "healthy",
        [reading(f"{yesterday:%F}T12:00", "power"), reading(f"{today:%F}T00:00", "power")],
    )
    checkout.environment |= influx1.environment("healthy")
    assert checkout.python("homeiot_batch.run_archive").code == 0
    outcome = checkout.python("homeiot_batch", "doctor")
    assert (outcome.code, counts(outcome)) == (0, "problems: 0, warnings: 0")
    listed = json.loads(checkout.python("homeiot_batch", "doctor", "--json").stderr)
    assert {entry["level"] for entry in listed} == {"ok"}
    assert {entry["group"] for entry in listed} >= {"source", "readings", "archive", "database"}
    stopped = checkout.python(
        "homeiot_batch", "doctor", INFLUX_URL=f"http://127.0.0.1:{free_port()}"
    )
    assert (stopped.code, counts(stopped)) == (1, "problems: 1, warnings: 0")


def counts(outcome: Outcome) -> str:
    """What the last line counts, behind the number of findings."""
    return outcome.stderr.splitlines()[-1].partition(" findings, ")[2]


def test_a_policy_that_keeps_less_than_is_looked_back(
    look: Look, server: Influx1 | Influx2
) -> None:
    """A retention that ends within the look-back is a warning. One day more is none."""
    server.create("short", 7 * 24)
    server.create("enough", 8 * 24)
    fix = "let it keep more than LOOKBACK_DAYS=7 and a day, or look at the runs every day"
    found = [
        finding
        for finding in check_source(look(server.environment("short")))
        if finding.level != "ok"
    ]
    assert found == [
        warning(
            "retention",
            "policy 'autogen' keeps 168 hours: what a run has missed is gone after that",
            fix,
        )
    ]
    assert [
        finding
        for finding in check_source(look(server.environment("enough")))
        if finding.level != "ok"
    ] == []
