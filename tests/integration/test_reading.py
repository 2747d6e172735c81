"""What real servers hold is what the tables say."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.house import House, Outcome
from tests.integration.climate import CLIMATE, TYPES, climate, climate_rows
from tests.integration.points import Point, at, energies, every, in_order, rows, three_days
from tests.integration.servers import PASSWORD, TOKEN, Influx1, Influx2


def archive(house: House, *arguments: str) -> Outcome:
    """Run the workflow. It must succeed."""
    outcome = house.snakemake(*arguments)
    assert (outcome.code, outcome.failures) == (0, []), outcome.stderr
    return outcome


def assert_nowhere(house: House, outcome: Outcome, *secrets: str) -> None:
    """No secret is in what the run said, nor in any file of the house."""
    files = [path for path in house.folder.rglob("*") if path.is_file()]
    assert any(".snakemake" in path.parts for path in files)
    for secret in secrets:
        assert secret not in outcome.stderr
        assert [path for path in files if secret.encode() in path.read_bytes()] == []


def assert_three_days(house: House, server: Influx1 | Influx2) -> Outcome:
    """Archive two days, then write the third with a new field, and archive it."""
    days = three_days()
    points = [point for day in days for point in day]
    server.create("home_energy")
    server.write("home_energy", days[0] + days[1])
    house.environment |= server.environment("home_energy")
    archive(house, "--until", "load", "--config", "start=2025-11-09", "end=2025-11-10")
    server.write("home_energy", days[2])
    outcome = archive(house, "--config", "start=2025-11-09", "end=2025-11-11")
    assert outcome.jobs == [
        "dbt",
        *(f"{step} raw_meter_readings 2025-11-11" for step in ("extract", "fetch", "load")),
        "publish",
        "report",
    ]
    assert in_order(house.rows()) == in_order(rows(points, "2025-11-09", "2025-11-11"))
    assert in_order(house.energy()) == in_order(energies(points, "2025-11-09", "2025-11-11"))
    return outcome


def test_two_datasets_from_influxdb_1(house: House, influx1: Influx1) -> None:
    """Without a login.

    A second dataset, declared in a file of its own, is archived by the same run and keeps NULL for
    what is missing.
    """
    assert_three_days(house, influx1)
    influx1.write("home_energy", climate())
    (house.folder / "climate.yaml").write_text(CLIMATE)
    outcome = archive(
        house,
        "--until",
        "load",
        "--configfile",
        "climate.yaml",
        "--config",
        "start=2025-11-09",
        "end=2025-11-12",
    )
    assert outcome.jobs == sorted(
        [
            f"{step} room_climate 2025-11-{day:02}"
            for step in ("fetch", "extract", "load")
            for day in (9, 10, 11, 12)
        ]
        + [f"{step} raw_meter_readings 2025-11-12" for step in ("fetch", "extract", "load")]
    )
    assert in_order(house.rows("room_climate")) == in_order(
        climate_rows("2025-11-09", "2025-11-12")
    )
    types = dict(
        house.query(
            "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = 'room_climate'"
        )
    )
    assert {field: types[field] for field in TYPES} == TYPES
    power = [point for day in three_days() for point in day]
    assert in_order(house.rows()) == in_order(rows(power, "2025-11-09", "2025-11-12"))
    warned = [line for line in outcome.stderr.splitlines() if line.startswith("warning: ")]
    assert [line.split(": ")[1] for line in warned] == [
        "room_climate 2025-11-10",
        "room_climate 2025-11-12",
    ]


@pytest.mark.parametrize("version1", ["1.6"], indirect=True)
def test_influxdb_1_with_a_password(house: House, influx1_auth: Influx1) -> None:
    """With user and password, which are found nowhere afterwards."""
    outcome = assert_three_days(house, influx1_auth)
    assert_nowhere(house, outcome, PASSWORD)


def test_influxdb_2_with_a_token(house: House, influx2: Influx2) -> None:
    """With a token, which is found nowhere afterwards.

    The archived files name zone, bounds and what they hold.
    """
    outcome = assert_three_days(house, influx2)
    assert_nowhere(house, outcome, TOKEN)
    schema = pq.read_schema(house.day("2025-11-11") / "part-0.parquet")
    assert schema.field("ts_utc").type == pa.timestamp("us", tz="UTC")
    assert schema.field("ts_jst").type == pa.timestamp("us", tz="Asia/Tokyo")
    assert schema.field("ingested_at").type == pa.timestamp("us", tz="UTC")
    assert (
        len(
            {
                row[0]
                for row in house.query(
                    "SELECT ingested_at FROM raw_meter_readings WHERE ts_jst >= '2025-11-11'"
                )
            }
        )
        == 1
    )


def test_token_and_password_from_files(
    house: House, influx1_auth: Influx1, influx2: Influx2, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Files that hold the secrets serve as well as the variables. A read-only token is enough."""
    points = [Point(at("2025-11-09T10:00"), {"instant_power_w": 4.5})]
    secrets = tmp_path_factory.mktemp("secrets")
    for server in (influx1_auth, influx2):
        server.create("files")
        server.write("files", points)
    token = influx2.token("files", "read")
    (secrets / "token").write_text(f"{token}\n")
    (secrets / "password").write_text(f"{PASSWORD}\n")
    range_of_a_day = ("--until", "load", "--config", "start=2025-11-09", "end=2025-11-09")
    house.environment = influx1_auth.environment("files") | {
        "INFLUX_PASSWORD": "",
        "INFLUX_PASSWORD_FILE": str(secrets / "password"),
    }
    outcome = archive(house, *range_of_a_day)
    assert_nowhere(house, outcome, PASSWORD)
    house.environment = influx2.environment("files") | {
        "INFLUX_TOKEN": "",
        "INFLUX_TOKEN_FILE": str(secrets / "token"),
    }
    outcome = archive(house, "--forcerun", "extract", *range_of_a_day)
    assert_nowhere(house, outcome, token)
    assert in_order(house.rows()) == in_order(rows(points, "2025-11-09", "2025-11-09"))


@pytest.mark.parametrize(
    ("zone", "first", "last", "hours", "server"),
    [
        ("Europe/Berlin", "2025-03-29", "2025-03-31", [24, 23, 24], "1.6"),
        ("Europe/Berlin", "2025-10-25", "2025-10-27", [24, 25, 24], "2.7"),
        ("Australia/Adelaide", "2025-10-04", "2025-10-06", [24, 23, 24], "1.13"),
        ("Asia/Kathmandu", "2025-10-25", "2025-10-26", [24, 24], "2.7"),
    ],
    indirect=["server"],
)
def test_days_of_other_zones(
    house: House,
    zone: str,
    first: str,
    last: str,
    hours: list[int],
    server: Influx1 | Influx2,
) -> None:
    """A day is the zone's own, also where the clock changes.

    Every point once, by its wall clock, in files that name the zone.
    """
    points = every(15, first, last, zone)
    bucket = f"{zone} {first}".replace("/", " ")  # a slash would part database and retention policy
    server.create(bucket)
    server.write(bucket, points)
    house.environment |= server.environment(bucket) | {"TZ": zone}
    archive(house, "--until", "load", "--config", f"start={first}", f"end={last}")
    assert in_order(house.rows()) == in_order(rows(points, first, last, zone=zone))
    files = sorted(Path(house.parquet).glob("raw_meter_readings/dt=*/*.parquet"))
    assert [pq.read_metadata(file).num_rows for file in files] == [4 * length for length in hours]
    assert {pq.read_schema(file).field("ts_jst").type.tz for file in files} == {zone}
    archived = [row for file in files for row in pq.ParquetFile(file).read().to_pylist()]
    assert [row["ts_jst"].replace(tzinfo=None) for row in archived] == [
        row[1] for row in sorted(house.rows())
    ]
    assert [row["ts_jst"].timestamp() for row in archived] == [
        row["ts_utc"].timestamp() for row in archived
    ]
