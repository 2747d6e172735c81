"""Three meters publish, and each part of the house is killed in turn: every reading is archived.

mosquitto, Telegraf and InfluxDB are real, with the files of collect/. COLLECT_SECONDS=600
COLLECT_RATE=1 is ten minutes with a reading a second.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from json import dumps
from pathlib import Path
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest

from tests.house import House
from tests.integration.collectors import COLLECT, QOS, Broker, Gateway, client
from tests.integration.servers import ORG, Influx1, Influx2

SECONDS = float(os.environ.get("COLLECT_SECONDS", "6"))
RATE = float(os.environ.get("COLLECT_RATE", "10"))  # readings of a meter in a second
AWAY = 0.12  # share of the time for which a killed part is away
METERS = ("main", "roof", "heat_pump")
BUCKET = "home_energy"
STORED_S = 60 + SECONDS
ZONE = ZoneInfo("Asia/Tokyo")
POISON = '{"time": 1, "instant_power_w": "unavailable"}'
Row = tuple[datetime, str, float, float, float]


@dataclass
class Meters:
    """Meters that publish until they are told to stop. Their clocks run at yesterday's noon."""

    broker: Broker
    published: list[Row] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)
    _failed: list[BaseException] = field(default_factory=list)

    def start(self) -> None:
        """Start a thread for each meter."""
        for name in METERS:
            self._threads.append(threading.Thread(target=self._guarded, args=(name,)))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop, and wait until the broker has taken all that was published."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        assert self._failed == []

    def _guarded(self, name: str) -> None:
        try:
            self._publish(name)
        except BaseException as error:  # noqa: BLE001 - the test's thread must fail, not this one
            self._failed.append(error)

    def _publish(self, name: str) -> None:
        with client(self.broker, "meters", name) as connected:
            sent, taken = set(), set()
            connected.on_publish = lambda *answer: taken.add(answer[2])
            for number, row in enumerate(_readings(name)):
                self.published.append(row)
                sent.add(connected.publish(f"home/power/{name}", _payload(row), QOS).mid)
                if number % 10 == 5:
                    sent.add(connected.publish(f"home/power/{name}", POISON, QOS).mid)
                if self._over.wait(1 / RATE):
                    break
            _wait_until(lambda: sent <= taken, f"the broker does not take what {name} sends")


def yesterday() -> datetime:
    """Noon of the house's yesterday."""
    day = datetime.now(ZONE) - timedelta(days=1)
    return day.replace(hour=12, minute=0, second=0, microsecond=0).astimezone(UTC)


def _readings(name: str) -> Iterator[Row]:
    """A reading a second by the meter's own clock, each different from all others."""
    noon, offset = yesterday(), METERS.index(name) * 1000.0
    for number in range(10_000):
        power = offset + number % 977 + 0.5
        energy = offset + number / 64
        yield noon + timedelta(seconds=number), name, power, energy, energy / 2


def _payload(row: Row) -> str:
    fields = ("instant_power_w", "energy_import_kwh", "energy_export_kwh")
    return dumps({"time": int(row[0].timestamp()), **dict(zip(fields, row[2:], strict=True))})


@dataclass(frozen=True)
class Storage:
    """A server of the test, what the gateway needs to write to it, and the batch to read."""

    server: Influx1 | Influx2
    output: Path
    writer: str
    reader: dict[str, str]

    def stored(self) -> int:
        """How many readings it has."""
        question = 'SELECT count("instant_power_w") FROM power'
        answer = self.server.request("GET", "/query", None, db=BUCKET, q=question)
        [result] = answer["results"]
        return result["series"][0]["values"][0][1] if "series" in result else 0


def _storage_1(folder: Path) -> Storage:
    server = Influx1(folder, auth=True)
    server.create(BUCKET)
    server.query(
        "CREATE USER writer WITH PASSWORD 'only-writes'",
        "CREATE USER reader WITH PASSWORD 'only-reads'",
        f"GRANT WRITE ON {BUCKET} TO writer",
        f"GRANT READ ON {BUCKET} TO reader",
    )
    login = {"INFLUX_USERNAME": "reader", "INFLUX_PASSWORD": "only-reads"}
    output = COLLECT / "telegraf/influxdb-1.8.conf"
    return Storage(server, output, "only-writes", _reading(server) | login)


def _storage_2(folder: Path) -> Storage:
    server = Influx2(folder)
    server.create(BUCKET)
    login = {"INFLUX_TOKEN": server.token(BUCKET, "read")}
    output = COLLECT / "telegraf/influxdb-2.7.conf"
    return Storage(server, output, server.token(BUCKET, "write"), _reading(server) | login)


def _reading(server: Influx1 | Influx2) -> dict[str, str]:
    return {"INFLUX_URL": server.url, "INFLUX_BUCKET": BUCKET}


STORAGES: dict[str, Callable[[Path], Storage]] = {"1.6": _storage_1, "2.7": _storage_2}


@pytest.mark.parametrize("version", STORAGES)
def test_what_is_published_is_archived_once(version: str, tmp_path: Path, house: House) -> None:
    """InfluxDB, the gateway and the broker are killed with -9 and come back, one by one.

    The gateway starts before there is a server. Users have the rights of their part alone.
    """
    storage = STORAGES[version](tmp_path / "influxdb")
    broker = Broker(tmp_path / "broker")
    settings = {"INFLUX_URL": storage.server.url, "INFLUX_BUCKET": BUCKET, "INFLUX_ORG": ORG}
    gateway = Gateway(tmp_path / "gateway", broker, storage.output, (), settings, storage.writer)
    meters = Meters(broker)
    with storage.server, broker, gateway:
        storage.server.kill()
        gateway.start()
        broker.start()
        broker.wait_for_subscriptions(1)
        broker.save()
        meters.start()
        try:
            _kill_each(storage, gateway, broker, meters)
        finally:
            meters.stop()
        _wait_until(lambda: storage.stored() >= len(meters.published), "readings are missing")
        rows = _archived(house, storage)
    assert rows == sorted(meters.published)
    print(f"{version}: {len(rows)} published, {len(rows)} archived, {SECONDS:.0f} s")


def _kill_each(storage: Storage, gateway: Gateway, broker: Broker, meters: Meters) -> None:
    """Every part is away for a while, the others run. Between them is time to recover.

    The broker is killed when nothing waits in it: its last ten seconds are not on the disk.
    """
    away, between = SECONDS * AWAY, SECONDS * (1 - 3 * AWAY) / 3
    time.sleep(away)
    storage.server.start()
    time.sleep(between)
    gateway.kill()
    time.sleep(away)
    gateway.start()
    time.sleep(between)
    published = len(meters.published)
    _wait_until(lambda: storage.stored() >= published, "the gateway does not catch up")
    broker.kill()
    time.sleep(away)
    broker.start()
    time.sleep(between)


def _wait_until(is_so: Callable[[], bool], otherwise: str) -> None:
    limit = time.monotonic() + STORED_S
    while not is_so():
        assert time.monotonic() < limit, otherwise
        time.sleep(0.1)


def _archived(house: House, storage: Storage) -> list[Row]:
    """The rows of yesterday that the batch has archived, as a user that may only read."""
    house.environment |= storage.reader
    day = yesterday().astimezone(ZONE).date().isoformat()
    outcome = house.snakemake("--until", "extract", "--config", f"start={day}", f"end={day}")
    assert outcome.code == 0, outcome.stderr
    columns = (
        "ts_utc",
        "source",
        "instant_power_w",
        "energy_import_kwh",
        "energy_export_kwh",
    )
    table = pq.ParquetFile(house.day(day) / "part-0.parquet").read(columns).to_pylist()
    return sorted(tuple(row[name] for name in columns) for row in table)
