"""What goes wrong at a source fails the run and leaves the archive as it was.

The line names the fix.
"""

import itertools
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.house import House
from tests.integration import proxy
from tests.integration.climate import CLIMATE, climate
from tests.integration.points import Point, Row, Value, at, in_order, rows
from tests.integration.servers import PASSWORD, TOKEN, Influx1, Influx2, free_port

Environment = dict[str, str]
DATASET = "raw_meter_readings"
WRONG = "wr0ng-c5d1f0a9b3e7"
RANGE = ("--config", "start=2025-11-10", "end=2025-11-11")
FIRST_DAY = ("--config", "start=2025-11-10", "end=2025-11-10")


def points() -> list[Point]:
    """A reading every five minutes of two days.

    The first is a Monday, in whose middle InfluxDB begins another shard.
    """
    return [
        Point(
            at("2025-11-10T00:00") + step * 300 * 10**9,
            {"instant_power_w": float(step), "energy_import_kwh": 10 + step / 8},
        )
        for step in range(2 * 288)
    ]


@dataclass(frozen=True)
class State:
    """All that a failed run must leave as it was."""

    files: dict[str, bytes]
    table: list[Row]
    markers: dict[str, bytes]

    @classmethod
    def of(cls, house: House) -> "State":
        markers = {
            str(path): path.read_bytes()
            for path in house.markers.rglob("*.json")
            if path.name != "last_run.json"
        }
        return cls(
            house.snapshot(), house.query("SELECT * FROM raw_meter_readings ORDER BY ALL"), markers
        )


@pytest.fixture(scope="module")
def kept(
    tmp_path_factory: pytest.TempPathFactory,
    influx16: Influx1,
    influx113: Influx1,
    influx16_auth: Influx1,
    influx113_auth: Influx1,
    influx2: Influx2,
) -> House:
    """A house whose first day is archived. All servers hold both days as `kept`."""
    house = House(tmp_path_factory.mktemp("kept"))
    for server in (influx16, influx113, influx16_auth, influx113_auth, influx2):
        server.create("kept")
        server.write("kept", points())
    house.environment = influx16.environment("kept") | {"INFLUX_CHUNK_ROWS": "100"}
    outcome = house.snakemake("--until", "load", *FIRST_DAY)
    assert (outcome.code, outcome.failures) == (0, []), outcome.stderr
    return house


def assert_refused(
    house: House,
    said: str | tuple[str, ...],
    environment: Environment,
    span: tuple[str, ...] = RANGE,
) -> None:
    """Reading the archived day again, and the next one, fails with `said` and changes nothing.

    The fix is at the end.
    """
    before = State.of(house)
    assert len(before.table) == 288
    outcome = house.snakemake("--until", "load", "--forcerun", "extract", *span, **environment)
    assert outcome.code != 0
    fetches = [f"fetch {DATASET} 2025-11-{day}" for day in range(10, int(span[-1][-2:]) + 1)]
    # days that fail for one reason have one line
    together = [f"{fetches[0]} to {fetches[-1].split()[-1]} ({len(fetches)} days)"]
    named = [line.split(": ")[1] for line in outcome.failures]
    assert named in (fetches, together), outcome.stderr
    assert outcome.stderr.splitlines()[-len(named) :] == outcome.failures
    assert all(
        part in line
        for line in outcome.failures
        for part in ((said,) if isinstance(said, str) else said)
    ), outcome.failures
    assert "Traceback" not in outcome.stderr
    assert outcome.jobs == []
    assert State.of(house) == before
    assert list(house.parquet.glob(".staging/tmp-*")) == []
    for secret in (PASSWORD, TOKEN, WRONG):
        assert secret not in outcome.stderr


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"INFLUX_BUCKET": "nope"},
            "database not found: nope; check INFLUX_BUCKET='nope'",
        ),
        (
            {"INFLUX_RETENTION_POLICY": "nope"},
            "retention policy not found: nope; check INFLUX_RETENTION_POLICY='nope'",
        ),
        (
            {"INFLUX_MEASUREMENT": "nope"},
            (
                "does not exist (there are power); check INFLUX_MEASUREMENT, "
                "INFLUX_RETENTION_POLICY, INFLUX_BUCKET, and that the credentials may read, not "
                "only write. If your house has no such measurement, `homeiot init` declares those "
                "that it has"
            ),
        ),
    ],
)
def test_names_that_the_server_does_not_know(
    kept: House, server: Influx1 | Influx2, changes: Environment, said: str
) -> None:
    """A database, retention policy or measurement that is not there is never an empty day."""
    assert_refused(kept, said, server.environment("kept") | changes)


@pytest.mark.parametrize(
    ("server", "changes"),
    [
        ("1.6 with a password", {"INFLUX_PASSWORD": WRONG}),
        ("1.6 with a password", {"INFLUX_USERNAME": "", "INFLUX_PASSWORD": ""}),
        ("1.13 with a password", {"INFLUX_PASSWORD": WRONG}),
        ("1.13 with a password", {"INFLUX_USERNAME": "", "INFLUX_PASSWORD": ""}),
        ("2.7", {"INFLUX_TOKEN": WRONG}),
        ("2.7", {"INFLUX_TOKEN": ""}),
    ],
    indirect=["server"],
)
def test_credentials_that_the_server_does_not_know(
    kept: House, server: Influx1 | Influx2, changes: Environment
) -> None:
    """A wrong password or token, or none, is refused by the server. The line names the settings."""
    said = (
        "answered 401: ",
        "check INFLUX_TOKEN (2.x) or INFLUX_USERNAME and INFLUX_PASSWORD (1.x)",
    )
    assert_refused(kept, said, server.environment("kept") | changes)


def test_a_user_of_influxdb_1_that_may_only_write(kept: House, influx1_auth: Influx1) -> None:
    """Credentials of the gateway that writes are refused, not taken for an empty house."""
    influx1_auth.query(
        f"CREATE USER gateway WITH PASSWORD '{WRONG}'", 'GRANT WRITE ON "kept" TO gateway'
    )
    login = {"INFLUX_USERNAME": "gateway", "INFLUX_PASSWORD": WRONG}
    assert_refused(
        kept, "that they may read the database", influx1_auth.environment("kept") | login
    )


def test_a_token_of_influxdb_2_that_may_only_write(kept: House, influx2: Influx2) -> None:
    """To such a token the server says that there is no such bucket. The line says both."""
    token = influx2.token("kept", "write")
    assert_refused(
        kept,
        "that the credentials may read it, not only write",
        influx2.environment("kept") | {"INFLUX_TOKEN": token},
    )


def test_points_in_another_retention_policy(kept: House, influx1: Influx1) -> None:
    """Points outside the default retention policy are no empty day.

    The line names the setting, which then reads them.
    """
    influx1.create("policies")
    influx1.query('CREATE RETENTION POLICY "long" ON "policies" DURATION INF REPLICATION 1')
    influx1.write("policies", points(), "long")
    environment = influx1.environment("policies")
    assert_refused(
        kept, ("(it is in retention policy 'long')", "INFLUX_RETENTION_POLICY"), environment
    )
    outcome = kept.snakemake(
        "--until",
        "load",
        "--forcerun",
        "extract",
        *FIRST_DAY,
        **environment,
        INFLUX_RETENTION_POLICY="long",
    )
    assert (outcome.code, outcome.failures) == (0, [])
    assert in_order(kept.rows()) == in_order(rows(points(), "2025-11-10", "2025-11-10"))


def test_points_in_two_retention_policies(
    kept: House, influx1: Influx1, influx1_auth: Influx1
) -> None:
    """A default policy that was changed in the course of the day holds a part of it only.

    Refused until the policy is named, by a mere reader too.
    """
    for server in (influx1, influx1_auth):
        server.create("changed")
        half = points()[::2]
        server.write("changed", half)
        server.query(
            'CREATE RETENTION POLICY "long" ON "changed" DURATION INF REPLICATION 1 DEFAULT'
        )
        server.write("changed", points()[1::2])
    influx1_auth.query(
        f"CREATE USER analyst WITH PASSWORD '{WRONG}'", 'GRANT READ ON "changed" TO analyst'
    )
    said = ("retention policy 'autogen' holds points of it too", "set INFLUX_RETENTION_POLICY")
    assert_refused(kept, said, influx1.environment("changed"))
    assert_refused(
        kept,
        said,
        influx1_auth.environment("changed")
        | {"INFLUX_USERNAME": "analyst", "INFLUX_PASSWORD": WRONG},
    )


def test_a_stopped_server(kept: House, tmp_path: Path) -> None:
    """A server that has been stopped."""
    with Influx1(tmp_path) as server:
        server.create("kept")
    assert_refused(
        kept,
        "cannot be reached; check INFLUX_URL and that the server runs",
        server.environment("kept"),
    )


def test_nobody_has_ever_listened(house: House) -> None:
    """The very first run of a house, without a server: no day, no marker, one line."""
    outcome = house.snakemake(
        *RANGE, INFLUX_URL=f"http://127.0.0.1:{free_port()}", INFLUX_RETRIES="1"
    )
    assert outcome.code != 0
    assert len(outcome.failures) == 1
    assert outcome.stderr.splitlines()[-1].endswith(
        "cannot be reached; check INFLUX_URL and that the server runs"
    )
    assert (house.snapshot(), list(house.markers.rglob("dt=*.json"))) == ({}, [])


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (proxy.cut_after_a_document, "the answer ended in the middle; run again"),
        (proxy.cut_inside_a_document, "or broken off; check INFLUX_URL"),
        (proxy.broken_off, "broke off its answer; run again"),
        (proxy.emptied, "the answer ended in the middle; run again"),
        (proxy.without_rows, "it was cut short, or points are still arriving: run again"),
        (
            proxy.without_a_middle_document,
            "it was cut short, or points are still arriving: run again",
        ),
        (proxy.of_another_day, "points out of order or of another day; check INFLUX_URL"),
        (proxy.of_other_columns, "'energy_export_kwh', 'source']; check INFLUX_URL"),
        (proxy.a_page, "not InfluxDB's JSON, or broken off; check INFLUX_URL"),
    ],
)
def test_a_spoiled_answer(kept: House, influx1: Influx1, spoil: proxy.Spoil, said: str) -> None:
    """A real server's answer that is not whole when it arrives is found out, however it looks."""
    with proxy.spoiling(influx1, spoil) as url:
        assert_refused(kept, said, {"INFLUX_URL": url})


def test_an_answer_that_stalls(kept: House, influx1: Influx1) -> None:
    """A server that falls silent in the middle is given up after INFLUX_TIMEOUT_S."""
    with proxy.spoiling(influx1, _pausing(2.5)) as url:
        assert_refused(
            kept,
            "did not answer in time; check that it runs, or raise INFLUX_TIMEOUT_S",
            {"INFLUX_URL": url, "INFLUX_TIMEOUT_S": "1"},
        )


def test_a_spoiled_answer_is_asked_for_again(kept: House, influx1: Influx1) -> None:
    """An answer that was cut short once is read again, and the run succeeds."""
    times = itertools.count()

    def once(documents: proxy.Documents) -> proxy.Documents:
        return documents if next(times) else proxy.cut_after_a_document(documents)

    with proxy.spoiling(influx1, once) as url:
        outcome = kept.snakemake(
            "--until",
            "load",
            "--forcerun",
            "extract",
            *FIRST_DAY,
            INFLUX_URL=url,
            INFLUX_RETRIES="2",
        )
    assert (outcome.code, outcome.failures, next(times)) == (0, [], 2)
    assert in_order(kept.rows()) == in_order(rows(points(), "2025-11-10", "2025-11-10"))


def test_a_query_that_the_server_ends_in_the_middle(kept: House, tmp_path: Path) -> None:
    """The server's own query time-out comes after some of the rows, with status 200."""
    long = {"source": "x" * 1000}
    many = [
        Point(at("2025-11-10T00:00") + step * 10**9, {"instant_power_w": float(step)}, long)
        for step in range(20_000)
    ]
    with Influx1(tmp_path, query_timeout="1s") as server:
        server.create("many")
        server.write("many", many)
        with proxy.spoiling(server, _pausing(2.5)) as url:
            environment = server.environment("many") | {
                "INFLUX_URL": url,
                "INFLUX_CHUNK_ROWS": "500",
            }
            assert_refused(
                kept,
                "query-timeout limit exceeded; run again when the server is less busy",
                environment,
                FIRST_DAY,
            )


@pytest.mark.parametrize(
    ("server", "kind", "other"),
    [
        ("1.6", "string", "12.5"),
        ("1.13", "string", "12.5"),
        ("2.7", "string", "12.5"),
        ("1.6", "boolean", True),
        ("1.13", "boolean", True),
    ],
    indirect=["server"],
)
def test_a_shard_of_another_type(
    kept: House, server: Influx1 | Influx2, kind: str, other: Value
) -> None:
    """The server leaves out a field's values of another type without a word.

    The field is a number before Monday 09:00 and something else after.
    """
    bucket = f"{kind} shard"
    boundary = at("2025-11-10T09:00")
    server.create(bucket)
    server.write(bucket, points()[:108])
    server.write(
        bucket,
        [
            Point(boundary + step * 10**9, {"instant_power_w": other, "energy_import_kwh": 9.5})
            for step in range(400)
        ],
    )
    assert_refused(
        kept,
        f"holds 400 values of type {kind}, declared is double",
        server.environment(bucket),
        FIRST_DAY,
    )


def test_a_fraction_in_an_integer_field(house: House, influx1: Influx1) -> None:
    """A number with a fraction is not cut off to fit the declared type."""
    influx1.create("fraction")
    influx1.write("fraction", [*climate(), Point(at("2025-10-01T00:00"), {"instant_power_w": 1.5})])
    (house.folder / "climate.yaml").write_text(CLIMATE)
    a_day = ("--config", "start=2025-10-01", "end=2025-10-01")
    outcome = house.snakemake(
        "--until", "load", "--configfile", "climate.yaml", *a_day, **influx1.environment("fraction")
    )
    assert outcome.code != 0
    assert outcome.failures == outcome.stderr.splitlines()[-1:]
    assert (
        "field co2_ppm holds a value that does not fit integer, its declared type; correct the "
        "type in config.yaml" in outcome.failures[0]
    )
    assert list(house.snapshot()) == ["raw_meter_readings/dt=2025-10-01/part-0.parquet"]


def test_a_zone_that_changed(kept: House) -> None:
    """Days of another zone would overlap those that are archived.

    The line names the zone that they have.
    """
    before = State.of(kept)
    outcome = kept.snakemake("--until", "load", "--forcerun", "extract", *RANGE, TZ="Europe/Berlin")
    assert outcome.code != 0
    assert "set TZ=Asia/Tokyo, or another PARQUET_BASE_DIR" in outcome.stderr.splitlines()[-1]
    assert State.of(kept) == before


def test_after_all_that_the_house_is_well(kept: House) -> None:
    """With the server back, the same command reads both days."""
    outcome = kept.snakemake("--until", "load", "--forcerun", "extract", *RANGE)
    assert (outcome.code, outcome.failures) == (0, [])
    assert in_order(kept.rows()) == in_order(rows(points(), "2025-11-10", "2025-11-11"))


def _pausing(seconds: float) -> Callable[[Any], Iterator[bytes]]:
    def spoil(documents: proxy.Documents) -> Iterator[bytes]:
        for number, document in enumerate(documents):
            if number == 1:
                time.sleep(seconds)
            yield document

    return spoil
