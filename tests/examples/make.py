"""Write the readings of the example houses: examples/NAME/readings.lp.gz.

python -m tests.examples.make
"""

import gzip
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from homeiot_batch.config import ROOT
from tests.examples import dsmr, evcc, home_assistant, telegraf
from tests.examples.points import Point
from tests.examples.simulated import Truth

FOLDER = ROOT / "examples"
HEADER = """# INFLUXDB EXPORT: {begin} - {end}
# DDL
CREATE DATABASE home_energy WITH NAME autogen
# DML
# CONTEXT-DATABASE:home_energy
# CONTEXT-RETENTION-POLICY:autogen
"""


class Example(NamedTuple):
    """A house: what flows in it, and the points that its programs write."""

    truth: Callable[[], Truth]
    points: Callable[[], Iterable[Point]]


EXAMPLES = {
    house.NAME: Example(house.truth, house.points)
    for house in (home_assistant, evcc, dsmr, telegraf)
}


def readings_file(name: str) -> Path:
    """The file of a house's readings."""
    return FOLDER / name / "readings.lp.gz"


def lines(name: str) -> Iterator[str]:
    """The lines of the file: those of an export by influx_inspect, whole days."""
    example = EXAMPLES[name]
    truth = example.truth()
    begin, end = (datetime.fromtimestamp(at, UTC) for at in (truth.begin_s, truth.end_s))
    yield HEADER.format(begin=begin.isoformat(), end=end.isoformat())
    for point in example.points():
        yield point.line


def main() -> None:
    """Write all of them. Their bytes are the same each time."""
    for name in EXAMPLES:
        content = "".join(lines(name)).encode()
        file = readings_file(name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(gzip.compress(content, 9, mtime=0))
        print(f"{file}: {file.stat().st_size} bytes")


if __name__ == "__main__":
    main()
