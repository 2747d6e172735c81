"""How a register is written is learned from its first readings, and in doubt it is an interval."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from homeiot_batch.config import Settings, load_settings
from homeiot_batch.warehouse.learned_reports import DAYS, learn_reports
from tests.fast_set import few

pytestmark = pytest.mark.usefixtures("clean_environment")

ENERGY = {"measurement": "kWh", "tags": {"entity": "none"}, "fields": {"value": "double"}}
BEGIN = datetime(2026, 3, 1)  # UTC
Points = Iterator[tuple[datetime, float]]


def sun_w(at: datetime) -> float:
    """Power of a roof."""
    return max(0.0, 4000 - 110 * (at.hour + at.minute / 60 - 12) ** 2)


def base_w(at: datetime) -> float:
    """Power of a house that never rests."""
    return 90.0 + 250 * (at.hour in range(7, 22)) + 900 * (at.hour in (7, 12, 18, 19))


def pump_w(at: datetime) -> float:
    """A heat pump that runs a third of the time."""
    return 1500.0 if at.hour % 3 == 0 and at.day % 5 else 0.0


def car_w(at: datetime) -> float:
    """A car that is charged on two days of three."""
    return 11000.0 if at.hour < 3 and at.day % 3 else 0.0


def shown(
    watts: Callable[[datetime], float],
    *,
    poll_s: int,
    digits: int,
    days: int = 20,
    on_change: bool = False,
    lost: float = 0.0,
) -> Points:
    """What a counter shows at an interval, all of it or each other value, some readings lost."""
    chance = random.Random(7)
    kwh = 1000.0
    last = None
    for number in range(days * 86400 // poll_s):
        at = BEGIN + timedelta(seconds=number * poll_s)
        value = round(kwh, digits)
        kwh += watts(at) * chance.uniform(0.8, 1.2) * poll_s / 3.6e6
        if chance.random() < lost or (on_change and value == last):
            continue
        last = value
        yield at, value


def learn(tmp_path: Path, points: Points, **declared: object) -> str:
    """What is learned of a register with these points."""
    settings = house(tmp_path, declared)
    with duckdb.connect(settings.duckdb_path) as connection:
        put(connection, settings, points)
        [found] = learn_reports(connection, settings).values()
    return found


def house(tmp_path: Path, declared: dict[str, Any]) -> Settings:
    """A house with one register."""
    series = {"dataset": "energy", "where": {"entity": "a"}}
    meter = {"kind": "load", "import": series} | declared
    given = {"datasets": {"energy": ENERGY}, "meters": {"pump": meter}}
    file = tmp_path / "config.yaml"
    file.write_text(json.dumps(given | {"duckdb_path": str(tmp_path / "home.duckdb")}))
    return load_settings({}, file)


def put(connection: duckdb.DuckDBPyConnection, settings: Settings, points: Points) -> None:
    """The points of the register, beside those of another one."""
    connection.execute(settings.datasets["energy"].ddl())
    times, values = zip(*points, strict=True)
    connection.execute(
        """
        INSERT INTO energy BY NAME
        SELECT ts_utc, ts_utc AS ts_jst, unnest(['a', 'b']) AS entity, value, ts_utc AS ingested_at
        FROM (SELECT unnest(?::TIMESTAMP[]) AS ts_utc, unnest(?::DOUBLE[]) AS value)
        """,
        [list(times), list(values)],
    )


ON_CHANGE = {
    "roof, float": (sun_w, 600, 9),
    "roof, every five minutes": (sun_w, 300, 2),
    "pump": (pump_w, 600, 3),
    "pump, a digit": (pump_w, 60, 1),
    "car": (car_w, 600, 2),
    "house, coarse": (base_w, 60, 1),
    "house, smart meter": (base_w, 60, 2),
}
INTERVAL = {
    "roof": (sun_w, 600, 3),
    "roof, float": (sun_w, 300, 9),
    "pump": (pump_w, 300, 3),
    "car": (car_w, 600, 2),
    "house, coarse": (base_w, 60, 1),
    "house, fine": (base_w, 60, 3),
    "house, float": (base_w, 300, 9),
    "house, hourly": (base_w, 3600, 1),
}


@pytest.mark.parametrize("series", few(ON_CHANGE, "roof, float", "house, coarse"))
def test_a_series_on_change(series: str, tmp_path: Path) -> None:
    """Hardly any equal neighbours, and more time brings no more energy."""
    watts, poll_s, digits = ON_CHANGE[series]
    points = shown(watts, poll_s=poll_s, digits=digits, on_change=True)
    assert learn(tmp_path, points) == "on_change"


@pytest.mark.parametrize("lost", [0.0, 0.3])
@pytest.mark.parametrize("series", few(INTERVAL, "roof", "house, float"))
def test_a_series_at_an_interval(series: str, lost: float, tmp_path: Path) -> None:
    """An idle counter shows equal values. Readings that were lost leave higher rises."""
    watts, poll_s, digits = INTERVAL[series]
    points = shown(watts, poll_s=poll_s, digits=digits, lost=lost)
    assert learn(tmp_path, points) == "interval"


def test_a_few_readings_tell_nothing(tmp_path: Path) -> None:
    """In doubt it is an interval, which marks more."""
    points = list(shown(sun_w, poll_s=600, digits=9, on_change=True))
    assert learn(tmp_path, iter(points[:50])) == "interval"


def test_the_first_days_tell(tmp_path: Path) -> None:
    """Later days, written in another way, change nothing: the tables are not built anew."""
    points = list(shown(sun_w, poll_s=600, digits=9, days=DAYS, on_change=True))
    begin, value = points[-1]
    points += [(begin + timedelta(minutes=n), value) for n in range(1440, 30 * 1440, 10)]
    assert learn(tmp_path, iter(points)) == "on_change"


def test_a_counter_that_runs_down(tmp_path: Path) -> None:
    """Its falls are what others' rises are."""
    points = shown(pump_w, poll_s=600, digits=3, on_change=True)
    down = ((at, -value) for at, value in points)
    assert learn(tmp_path, down, direction="down") == "on_change"


@pytest.mark.parametrize("said", ["interval", "on_change"])
def test_what_is_said_is_not_learned(said: str, tmp_path: Path) -> None:
    """The declaration holds."""
    settings = house(tmp_path, {"reports": said})
    with duckdb.connect(settings.duckdb_path) as connection:
        assert learn_reports(connection, settings) == {}
