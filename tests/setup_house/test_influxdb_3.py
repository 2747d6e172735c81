"""`homeiot init` on InfluxDB 3 Core, whose documented answers are played."""

from pathlib import Path

import pytest

from homeiot_batch.setup_house.command import set_up_house
from homeiot_batch.setup_house.server_survey import UNTOLD
from tests.setup_house.houses import BEGIN, HOUR_S, HOURS, counter, entity, export_of
from tests.sources.influxdb.influx3 import Influx3
from tests.sources.stub_server import serving

NOW = "2026-11-24T08:00:00+09:00"
NAMES = {"p1_import": 5000, "p1_export": 70, "cupboard": 10}
FIRST_DAY = "archive_start: 2026-11-21 # the first day with readings\n"
RETENTION = {
    "3.6.0": "InfluxDB 3.6.0 does not tell by /query how long it keeps readings; update it to 3.7 "
    "or later",
    "3.10.1": "policy 'autogen' keeps readings for ever",
}


def played(version: str) -> Influx3:
    """The house as InfluxDB 3 has it: 72 files."""
    house = {name: counter(entity("kWh", name), begin) for name, begin in NAMES.items()}
    points = [
        {
            "time": (BEGIN + hour * HOUR_S) * 10**9,
            "value": one.value(hour),
            "domain": "sensor",
            "entity_id": name,
        }
        for hour in range(HOURS)
        for name, one in house.items()
    ]
    tags = ("domain", "entity_id")
    return Influx3("home_energy", "kWh", {"value": "float"}, tags, points, version)


@pytest.mark.parametrize("version", RETENTION)
@pytest.mark.parametrize("most_files", [432, 20])
def test_a_server_is_told_as_its_export(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    clean_environment: None,
    capsys: pytest.CaptureFixture[str],
    version: str,
    most_files: int,
) -> None:
    """The same settings, also where the server allows few files for a question."""
    monkeypatch.setenv("HOUSE_DIR", str(tmp_path))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    said = {}
    server = played(version)
    server.most_files = most_files
    export = export_of(tmp_path, [counter(entity("kWh", name), at) for name, at in NAMES.items()])
    with serving(server) as (url, _):
        for address in (url, str(export)):
            monkeypatch.setenv("INFLUX_URL", address)
            set_up_house(only_print=True, force=False, shows_all=False, config=[f"now={NOW}"])
            said[address] = capsys.readouterr()
    of_server, of_export = said[url].out, said[str(export)].out
    assert FIRST_DAY in of_server
    silent = f"# - {UNTOLD}\n"
    assert (silent in of_server) == (most_files == 20)
    assert of_server.replace(FIRST_DAY, "").replace(silent, "") == of_export
    assert said[url].err.splitlines()[3:] == [
        "readings: since 2026-11-21",
        f"retention: {RETENTION[version]}",
        "zone: Asia/Tokyo. A day begins at its midnight. The first run fixes it",
        "next: `homeiot run` archives 3 days, 2026-11-21 to 2026-11-23",
    ]
