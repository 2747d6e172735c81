"""Which retention policy or bucket is read: what the doctor and a run say of each arrangement."""

import json
from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from homeiot_batch.config import Settings, load_settings
from homeiot_batch.core.days import LocalDay
from homeiot_batch.doctor.finding import Finding, ok, problem, warning
from homeiot_batch.doctor.readings import check_readings
from homeiot_batch.doctor.source import check_source
from homeiot_batch.errors import SourceError
from homeiot_batch.sources.influx_reader import InfluxReader
from tests.integration.points import Point, at
from tests.integration.servers import Influx1, Influx2
from tests.sources.stub_server import Answer, Question, serving

DATASET = "raw_meter_readings"
DAY = LocalDay(date(2026, 11, 20), ZoneInfo("Asia/Tokyo"))
NOW = "2026-11-21T08:00:00+09:00"
NOON = at("2026-11-20T12:00")
Server = Influx1 | Influx2

pytestmark = pytest.mark.usefixtures("clean_environment")


@pytest.fixture
def upgraded(influx2: Influx2) -> Influx2:
    """A 2.x as `influxd upgrade` makes it of a 1.x with two retention policies."""
    for policy, is_default in (("autogen", True), ("long", False)):
        bucket = f"upgraded/{policy}"
        influx2.create(bucket, kept_hours=24 * 400)
        influx2.map("upgraded", policy, bucket, is_default=is_default)
        influx2.write(bucket, [of_policy(policy)])
    return influx2


def of_policy(policy: str) -> Point:
    """A point whose tags are in this policy only."""
    tags = {"source": "main", f"only_{policy}": "1"} if policy == "long" else {"room": "hall"}
    return Point(NOON, {"instant_power_w": 1.5}, tags)


def settings_of(
    server: Server, monkeypatch: pytest.MonkeyPatch, bucket: str, policy: str | None = None
) -> Settings:
    """The settings of a house that reads this."""
    for name, value in server.environment(bucket).items():
        monkeypatch.setenv(name, value)
    return load_settings({"now": NOW, **({"influx_retention_policy": policy} if policy else {})})


def read(settings: Settings) -> list[tuple[Any, ...]]:
    """Source and power of the day's points."""
    batches = InfluxReader(settings).read(settings.datasets[DATASET], DAY)
    rows = [row for batch in batches for row in batch.to_pylist()]
    return [(row["source"], row["instant_power_w"]) for row in rows]


def database_of(settings: Settings) -> Finding:
    """What the doctor says of the database."""
    return next(f for f in check_source(settings) if f.name in ("database", "mapping"))


@pytest.mark.parametrize("policy", ["autogen", "long"])
@pytest.mark.parametrize("is_mapped", [False, True])
def test_a_bucket_with_a_slash_is_named_by_its_parts(
    influx2: Influx2, monkeypatch: pytest.MonkeyPatch, policy: str, *, is_mapped: bool
) -> None:
    """The doctor names the two settings, which then read the bucket, virtual or as upgraded."""
    database = f"parts-{policy}-{is_mapped}"
    bucket = f"{database}/{policy}"
    influx2.create(bucket)
    influx2.write(bucket, [of_policy("long")])
    if is_mapped:
        influx2.map(database, policy, bucket, is_default=policy == "autogen")
    assert database_of(settings_of(influx2, monkeypatch, bucket)) == problem(
        "database",
        f"bucket {bucket!r} is there, but InfluxQL finds it as database {database!r} with "
        f"retention policy {policy!r}",
        f"set INFLUX_BUCKET={database} INFLUX_RETENTION_POLICY={policy}",
    )
    settings = settings_of(influx2, monkeypatch, database, policy)
    shown = f"{database}/{policy}{' (default)' if is_mapped else ''} is bucket {bucket!r}"
    assert database_of(settings) == ok("mapping", shown)
    assert read(settings) == [("main", 1.5)]


def test_a_bucket_under_another_name(influx2: Influx2, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name with a slash that is mapped to a database of any other name."""
    influx2.create("old house/weekly")
    influx2.map("cellar", "w", "old house/weekly")
    assert database_of(settings_of(influx2, monkeypatch, "old house/weekly")) == problem(
        "database",
        "bucket 'old house/weekly' is there, but InfluxQL finds it as database 'cellar' with "
        "retention policy 'w'",
        "set INFLUX_BUCKET=cellar INFLUX_RETENTION_POLICY=w",
    )


def test_the_tags_of_a_policy_that_is_not_the_default_one(
    upgraded: Influx2, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2.x would show the tags of the default policy, whichever is named."""
    settings = settings_of(upgraded, monkeypatch, "upgraded", "long")
    found = [f for f in check_readings(settings) if f.name.startswith(f"{DATASET}.")]
    fill = "field that no point has: every row gets 0.0"
    fix = "correct its name in config.yaml, if the house has such a reading"
    one_value = "tag that is not declared. It has one value, so it keeps no readings apart"
    assert found == [
        ok(f"{DATASET}.source", "tag"),
        ok(f"{DATASET}.only_long", one_value),
        ok(f"{DATASET}.instant_power_w", "field, float, declared double"),
        warning(f"{DATASET}.energy_import_kwh", fill, fix),
        warning(f"{DATASET}.energy_export_kwh", fill, fix),
    ]
    assert read(settings) == [("main", 1.5)]
    assert InfluxReader(settings).retention[1].days == 400


def test_the_retention_of_each_of_many_buckets(
    influx2: Influx2, monkeypatch: pytest.MonkeyPatch
) -> None:
    """2.x lists at most a hundred buckets in one answer. How long each keeps points is found."""
    names = [f"one_of_many_{number}" for number in range(120)]
    for name in names:
        influx2.create(name, kept_hours=72)
    kept = {name: InfluxReader(settings_of(influx2, monkeypatch, name)).retention for name in names}
    assert kept == dict.fromkeys(names, ("autogen", timedelta(hours=72)))
    last = max(names, key=influx2.id_of)
    settings_of(influx2, monkeypatch, last)
    monkeypatch.setenv("INFLUX_TOKEN", influx2.token(last, "read"))
    settings = load_settings({"now": NOW})
    assert InfluxReader(settings).retention == ("autogen", timedelta(hours=72))


def test_a_measurement_that_is_in_another_policy(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both name the policy that has it."""
    with_policies(server, "elsewhere")
    settings = settings_of(server, monkeypatch, "elsewhere")
    finding = next(f for f in check_readings(settings) if f.name == DATASET)
    assert finding.found.startswith("measurement 'power' is in elsewhere/long, ")
    assert finding.found.endswith("read is elsewhere/autogen")
    with pytest.raises(SourceError, match=r"does not exist \(it is in retention policy 'long'\)"):
        read(settings)


def with_policies(server: Server, database: str, *, has_default: bool = True) -> None:
    """A database with readings in the policy `long`, and a default policy without any."""
    if isinstance(server, Influx2):
        server.create(f"{database}/long")
        if has_default:
            server.create(f"{database}/autogen")
            server.map(database, "autogen", f"{database}/autogen")
        server.write(f"{database}/long", [of_policy("long")])
        return
    server.create(database)
    server.query(f'CREATE RETENTION POLICY "long" ON "{database}" DURATION INF REPLICATION 1')
    if not has_default:
        server.query(f'DROP RETENTION POLICY "autogen" ON "{database}"')
    server.write(database, [of_policy("long")], "long")


def test_no_default_policy(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run names the policies there are, the doctor the one with the readings. None is no name."""
    with_policies(server, "without", has_default=False)
    settings = settings_of(server, monkeypatch, "without")
    with pytest.raises(SourceError) as refused:
        read(settings)
    assert str(refused.value) == (
        f"database 'without' at {server.url} has no default retention policy; "
        "set INFLUX_RETENTION_POLICY to the one that has the readings: 'long'"
    )
    finding = next(f for f in check_readings(settings) if f.name == DATASET)
    assert finding.level == "problem"
    assert "read is without, which has no default policy" in finding.found
    assert finding.fix == "set INFLUX_RETENTION_POLICY to the one that has the readings"
    with pytest.raises(SourceError) as refused:  # as the look back does
        InfluxReader(settings).counts(settings.datasets[DATASET], DAY)
    assert str(refused.value).endswith(
        "; the database has no default retention policy: set INFLUX_RETENTION_POLICY to the one "
        "that has the readings (homeiot doctor names it)"
    )
    assert read(settings_of(server, monkeypatch, "without", "long")) == [("main", 1.5)]


@pytest.mark.parametrize(
    ("bucket", "database", "policy"),
    [
        ("garage", "garage", "autogen"),  # no bucket of another test: the server is shared
        ("my house", "my_house", "autogen"),
        ("db/rp", "db", "rp"),
        ("a/b/c", "a", "b"),
        ("居間 1", "居間_1", "autogen"),
        ("$(reboot)/x;y", "__reboot_", "x_y"),
        ("/", "_", "_"),
    ],
)
def test_the_command_that_maps_a_bucket_is_one_that_2x_takes(
    influx2: Influx2,
    monkeypatch: pytest.MonkeyPatch,
    bucket: str,
    database: str,
    policy: str,
) -> None:
    """Before 2.4, where no bucket is mapped by itself: the names in the command may be mapped."""
    listed = {"id": "0a1b", "name": bucket, "orgID": "1", "retentionRules": []}
    contents = {"/api/v2/buckets": {"buckets": [listed]}, "/api/v2/dbrps": {"content": []}}
    nothing: dict[str, Any] = {"results": [{"statement_id": 0}]}

    def influxdb_23(question: Question) -> Answer:
        content = contents.get(question.path, nothing)
        headers = {"X-Influxdb-Version": "v2.3.0"}
        return Answer((json.dumps(content).encode(),), 200, headers)

    monkeypatch.setenv("INFLUX_TOKEN", "t")
    with serving(influxdb_23) as (url, _):
        found = database_of(load_settings({"influx_url": url, "influx_bucket": bucket}))
    create = f"influx v1 dbrp create --bucket-id 0a1b --db {database} --rp {policy} --default"
    assert found == problem(
        "database",
        f"bucket {bucket!r} is there, but no database is mapped to it, and this version makes "
        "none by itself",
        create if database == bucket else f"{create}, and set INFLUX_BUCKET={database}",
    )
    influx2.create(f"of {bucket}")
    influx2.map(database, policy, f"of {bucket}")
