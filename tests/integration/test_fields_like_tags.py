"""Points with a field of a declared tag's name, which InfluxDB mixes up in a SELECT."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from homeiot_batch.config import Settings, load_settings
from homeiot_batch.core.days import LocalDay
from homeiot_batch.doctor.finding import Finding, problem, warning
from homeiot_batch.doctor.readings import check_readings
from homeiot_batch.errors import SourceError
from homeiot_batch.sources.influx_reader import InfluxReader
from homeiot_batch.sources.influxdb.schema import deletion
from tests.integration.points import Point, at
from tests.integration.servers import Influx1, Influx2

DATASET = "raw_meter_readings"
DAY = LocalDay(date(2026, 11, 20), ZoneInfo("Asia/Tokyo"))  # a Friday
NOW = "2026-11-21T08:00:00+09:00"
NOON = at("2026-11-20T12:00")
READINGS = [
    Point(NOON + minute * 60 * 10**9, {"instant_power_w": minute + 0.5}, {"source": source})
    for minute in range(3)
    for source in ("main", "heat pump")
]
ROWS = [
    (NOON + minute * 60 * 10**9, source, minute + 0.5)
    for minute in range(3)
    for source in ("heat pump", "main")
]
Server = Influx1 | Influx2


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch, clean_environment: None) -> pytest.MonkeyPatch:
    """Only what a test sets is set."""
    return monkeypatch


def settings_of(server: Server, bucket: str, environment: pytest.MonkeyPatch) -> Settings:
    """The settings of a house that reads the bucket."""
    for name, value in server.environment(bucket).items():
        environment.setenv(name, value)
    return load_settings({"now": NOW})


def read(settings: Settings, day: LocalDay = DAY) -> list[tuple[Any, ...]]:
    """Time, source and power of the day's points."""
    batches = InfluxReader(settings).read(settings.datasets[DATASET], day)
    rows = [row for batch in batches for row in batch.to_pylist()]
    found = [(row["time"], row["source"], row["instant_power_w"]) for row in rows]
    return sorted(found, key=lambda row: (row[0], row[1] or ""))


def of_source(settings: Settings) -> list[Finding]:
    """What the doctor finds of the tag."""
    findings = check_readings(settings)
    return [finding for finding in findings if finding.name == f"{DATASET}.source"]


def delete(server: Server, bucket: str, statement: str) -> None:
    """Give the statement as it stands in a message."""
    assert "error" not in str(server.request("POST", "/query", q=statement, db=bucket))


@pytest.mark.parametrize(
    ("wall", "is_lately"),
    [
        ("2026-01-24T12:00", False),  # 300 days before
        ("2026-11-17T12:00", True),  # in the shard of the day, where a plain SELECT has no tags
        ("2026-11-19T23:59:59", True),
        ("2026-11-21T00:00", True),
    ],
)
@pytest.mark.parametrize("value", ["oops", 7, 7.5, True])
def test_such_a_point_on_another_day(
    server: Server, environment: pytest.MonkeyPatch, wall: str, is_lately: bool, value: Any
) -> None:
    """The day has its values and its tags. The doctor names the point, by its age."""
    bucket = f"other day {wall} {value!r}".replace(":", "")
    server.create(bucket)
    server.write(bucket, READINGS)
    server.write(bucket, [Point(at(wall), {"instant_power_w": 1.0, "source": value})])
    settings = settings_of(server, bucket, environment)
    assert read(settings) == ROWS
    shown = f"{wall.replace('T', ' ')}:00"[:19]
    finding = (problem if is_lately else warning)(
        f"{DATASET}.source",
        f"tag, and a field of some points, the last at {shown}: such a day is refused",
        "correct what writes it, and delete those points: a run of the day says how",
    )
    assert of_source(settings) == [finding]


ODD = 'it\'s a "test" \\ 居間'


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ("oops", {}),
        (7, {"host": "pi"}),
        (True, {"host": ODD, "the room": "1,2=3"}),
        (0.5, {"source": "main"}),
    ],
)
def test_such_a_point_on_the_day(
    server: Server, environment: pytest.MonkeyPatch, value: Any, tags: dict[str, str]
) -> None:
    """The day is refused. The statement in the message deletes this point, and no other."""
    bucket = f"the day {value}"
    server.create(bucket)
    others = [
        Point(NOON, {"instant_power_w": 8.0}, {"host": ODD}),
        Point(NOON + 1, {"instant_power_w": 9.0}, tags),
    ]
    server.write(bucket, [*READINGS, *others])
    settings = settings_of(server, bucket, environment)
    before = read(settings)
    assert len(before) == len(READINGS) + 2
    wrong = Point(NOON + 2, {"instant_power_w": 1.0, "source": value}, tags)
    server.write(bucket, [wrong])
    with pytest.raises(SourceError) as refused:
        read(settings)
    said = str(refused.value)
    assert (
        "on 2026-11-20 1 points have a field source, which is declared as a tag, so that it is "
        "not clear which source they are of; correct what writes them, write them again with the "
        "tag if they are wanted, and delete the old ones. The first is deleted by DELETE FROM "
    ) in said
    assert "\n" not in said
    delete(server, bucket, said[said.index("DELETE FROM") :])
    assert read(settings) == before


def test_many_such_points_are_deleted_one_by_one(
    server: Server, environment: pytest.MonkeyPatch
) -> None:
    """Each run names the first that is left."""
    server.create("many")
    wrong = [
        Point(NOON + number, {"instant_power_w": 1.0, "source": value}, tags)
        for number, (value, tags) in enumerate([("a", {}), ("b", {"host": "pi"}), ("c", {})])
    ]
    server.write("many", [*READINGS, *wrong])
    settings = settings_of(server, "many", environment)
    for left in (3, 2, 1):
        with pytest.raises(SourceError, match=f" {left} points have a field source") as refused:
            read(settings)
        said = str(refused.value)
        delete(server, "many", said[said.index("DELETE FROM") :])
    assert read(settings) == ROWS


def test_the_tag_is_a_field_everywhere(server: Server, environment: pytest.MonkeyPatch) -> None:
    """Where no point has the tag, the declaration is wrong: nothing is to be deleted."""
    server.create("everywhere")
    points = [Point(p.time, {**p.fields, **p.tags}) for p in READINGS]
    server.write("everywhere", points)
    settings = settings_of(server, "everywhere", environment)
    with pytest.raises(SourceError) as refused:
        read(settings)
    assert str(refused.value).endswith(": source is a field there, not a tag; correct config.yaml")
    assert of_source(settings) == [
        problem(
            f"{DATASET}.source",
            "is a field there, declared is a tag",
            "declare it under fields in config.yaml",
        )
    ]


def test_a_declared_field_that_is_a_tag_of_other_points(
    server: Server, environment: pytest.MonkeyPatch
) -> None:
    """Fields are asked for as fields: the text of a tag never stands for a reading."""
    server.create("tagged")
    tagged = Point(NOON + 5, {"energy_import_kwh": 2.5}, {"instant_power_w": "1.5", "source": "b"})
    older = Point(at("2026-10-01T12:00"), {"energy_import_kwh": 1.5}, tagged.tags)
    server.write("tagged", [*READINGS, tagged, older])
    settings = settings_of(server, "tagged", environment)
    expected = sorted([*ROWS, (NOON + 5, "b", None)])
    assert sorted(read(settings)) == expected
    october = LocalDay(date(2026, 10, 1), DAY.zone)
    assert read(settings, october) == [(older.time, "b", None)]


def test_deleting_in_another_policy_of_2x(
    influx2: Influx2, environment: pytest.MonkeyPatch
) -> None:
    """InfluxQL of 2.x would delete in the default policy, so that no statement is named."""
    for bucket in ("homes", "homes/long"):
        influx2.create(bucket)
    influx2.write("homes/long", [*READINGS, Point(NOON + 1, {"instant_power_w": 1.0, "source": 1})])
    environment.setenv("INFLUX_RETENTION_POLICY", "long")
    with pytest.raises(SourceError) as refused:
        read(settings_of(influx2, "homes", environment))
    assert "DELETE FROM" not in str(refused.value)
    assert str(refused.value).endswith("How to delete in another is in docs/how-to/influxdb.md")
    influx2.map("repair", "autogen", "homes/long")
    delete(influx2, "repair", deletion("power", {"source": ""}, NOON + 1))
    assert read(settings_of(influx2, "homes", environment)) == ROWS
