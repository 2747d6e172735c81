"""docs/how-to/upgrade.md: from InfluxDB 1.6 to 2.7 by its commands, and nothing is lost."""

import re
import sys
from datetime import date, datetime, timedelta
from pathlib import Path

from tests.docs.pages import between, blocks, page
from tests.house import House, Outcome
from tests.integration.servers import Influx1, Influx2

PAGE = page("how-to/upgrade.md")
NAME = "moving_house"
STEP = 1800


def lines(day: int, first_hour: int = 0, last_hour: int = 24) -> bytes:
    """The readings of a day of November 2025 in Japan, or of a part of it."""
    midnight = datetime.fromisoformat(f"2025-11-{day:02}T00:00:00+09:00").timestamp()
    found = []
    for second in range(first_hour * 3600, last_hour * 3600, STEP):
        at = int(midnight) + second
        kwh = day * 100 + second / 3600
        found.append(f"power,source=a energy_import_kwh={kwh} {at}000000000")
    return "\n".join(found).encode()


def give(house: House, marker: str, **environment: str) -> list[Outcome]:
    """Give the page's commands one after the other. Each must end well."""
    [block] = blocks(between(PAGE, marker), "sh") or blocks(
        re.sub("^   ", "", between(PAGE, marker), flags=re.MULTILINE), "sh"
    )
    path = f"{Path(sys.executable).parent}:/usr/bin:/bin"
    outcomes = []
    block = block.replace("/srv/exports", str(house.folder / "exports"))
    for command in block.splitlines():
        done = house.run_in(house.folder, ["bash", "-c", command], PATH=path, **environment)
        assert done.code == 0, done.stderr
        outcomes.append(done)
    return outcomes


def test_the_house_moves_to_another_server(
    house: House, influx16: Influx1, influx2: Influx2
) -> None:
    """Days that only one server has, a day that both have, and one in two halves."""
    influx16.create(NAME)
    influx2.create(NAME)
    for day in (9, 10, 11):
        influx16.write_lines(NAME, lines(day))
    for day in (11, 12):
        influx2.write_lines(NAME, lines(day))

    _, old = give(house, "old", **influx16.environment(NAME))
    assert "3 days verified, 144 rows, 0 with problems" in old.stderr
    before = house.snapshot()
    both, _, whole = give(house, "new", **influx2.environment(NAME))
    assert "1 days verified, 48 rows, 0 with problems" in both.stderr
    assert "note" not in both.stderr, "the new server was asked"
    assert "4 days verified, 192 rows, 0 with problems" in whole.stderr
    noted = re.findall(r"^note: raw_meter_readings (\S+):", whole.stderr, re.MULTILINE)
    assert noted == ["2025-11-09", "2025-11-10"]
    after = house.snapshot()
    assert {name: after[name] for name in before} == before
    assert len(after) == 4

    exports = house.folder / "exports"
    exports.mkdir()
    influx16.write_lines(NAME, lines(13, 0, 14))
    influx16.export(exports / "old.lp.gz", "-database", NAME)
    (exports / "new.lp").write_bytes(lines(13, 14, 24) + b"\n")
    give(house, "moved", **influx2.environment(NAME))
    rows = house.query(
        "SELECT ts_utc, energy_import_kwh FROM raw_meter_readings "
        "WHERE ts_jst::DATE = '2025-11-13' ORDER BY 1"
    )
    begin = datetime.combine(date(2025, 11, 12), datetime.min.time()) + timedelta(hours=15)
    assert rows == [
        (begin + timedelta(seconds=second), 1300 + second / 3600)
        for second in range(0, 86400, STEP)
    ]


def test_compose_archives_the_day_of_the_move_as_the_tested_block_does() -> None:
    """Its own commands do not run here. What they call is the block that does."""
    [tested] = blocks(re.sub("^   ", "", between(PAGE, "moved"), flags=re.MULTILINE), "sh")
    compose = between(PAGE, "moved-compose").partition("homeiot ")[2].splitlines()
    assert tested.partition("homeiot ")[2].splitlines() == compose[:1]
