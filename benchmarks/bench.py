"""How fast the batch is beside what its work must cost at least: one table of medians and ratios.

Each contestant runs several times, in turn with those that it is compared with. Real servers:
InfluxDB 1.x from the distribution, and 1.13 and 2.7 where `make servers` built them.

python -m benchmarks.bench [--rounds 3] [--only stage month year night memory ...] [--write]
"""

import argparse
import os
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import chain
from pathlib import Path

from benchmarks import contestants
from benchmarks.contestants import House, until_load
from benchmarks.memory import peak_mb
from benchmarks.readings import LAST, days_up_to, lines, write
from homeiot_batch.config import ROOT
from tests.integration.servers import Influx1, Influx2, Influx113, Server

PAGE = ROOT / "docs/benchmarks.md"
DAY_ROWS = 86_400
YEAR_ROWS = 1_440
SHORT = 7  # as many times more rounds for what takes a tenth of a second
SERVERS: dict[str, type[Server]] = {"1.x": Influx1, "1.13": Influx113, "2.7": Influx2}
LAST_DAY = days_up_to(LAST, 1)[0]
JSON, MSGPACK = "application/json", "application/x-msgpack"
HEADER = """# Benchmarks

`make bench` measures the batch beside what its work must cost at least, and writes this page. Each
figure is the median of {rounds} runs, of {short} runs for a single day. Batch and yardstick take
turns. Ratios say more than seconds, which depend on the machine.

`letter` does the work in one simple process, without any checks. parflux is a program that copies
InfluxDB 2.x to Parquet.

Measured on {day}: {cores} cores shared with the server, Python {python}, Snakemake {snakemake},
DuckDB {duckdb}, dbt-duckdb {dbt}.

| what | yardstick | yardstick's figure | batch | ratio |
| --- | --- | ---: | ---: | ---: |
"""


@dataclass(frozen=True)
class Row:
    """A line of the table: seconds (or MB) of the batch and of its yardstick."""

    what: str
    yardstick: str
    other: float
    ours: float
    unit: str = "s"

    def __str__(self) -> str:
        figures = [f"{value:.2f} {self.unit}" for value in (self.other, self.ours)]
        cells = [self.what, self.yardstick, *figures, f"{self.ours / self.other:.2f}"]
        return f"| {' | '.join(cells)} |"


@dataclass(frozen=True)
class Bench:
    """Where the measuring happens, and how often each contestant runs."""

    folder: Path
    rounds: int

    def medians(self, times: int = 1, **runs: Callable[[], float]) -> dict[str, float]:
        """The median of each contestant, all run in turn. `times` as many rounds for short ones."""
        took: dict[str, list[float]] = {name: [] for name in runs}
        for _ in range(self.rounds * times):
            for name, run in runs.items():
                took[name].append(run())
        return {name: statistics.median(values) for name, values in took.items()}

    @contextmanager
    def house(self, name: str, days: int, rows: int, meters: int = 1) -> Iterator[House]:
        """A server with so many days, and a house that reads it."""
        with SERVERS[name](self.folder / f"server-{name}") as server:
            points = (lines(day, rows // meters, meters) for day in days_up_to(LAST, days))
            write(server, "bench", chain.from_iterable(points))
            yield House(self.folder / "house", server, "bench")
        shutil.rmtree(self.folder / f"server-{name}")


def month(bench: Bench, name: str) -> Iterator[Row]:
    """A day and a month of a reading a second."""
    days = contestants.month()
    with bench.house(name, len(days), DAY_ROWS) as house:
        server = house.server
        assert server
        took = bench.medians(
            SHORT,
            json=lambda: contestants.curl(server, "bench", LAST_DAY, JSON),
            msgpack=lambda: contestants.curl(server, "bench", LAST_DAY, MSGPACK),
            stage=lambda: contestants.stage(house, LAST_DAY),
        )
        yield Row(
            f"{name}: a day of 86,400 to staged Parquet", "curl, JSON", took["json"], took["stage"]
        )
        yield Row("the same", "curl, msgpack", took["msgpack"], took["stage"])
        runs = {
            "one": lambda: contestants.load_days(house, days[-1:]),
            "all": lambda: contestants.load_days(house, days),
        }
        if server.major == "1":
            runs["letter"] = lambda: contestants.letter(house, days)
        program = os.environ.get("PARFLUX") or shutil.which("parflux")
        if server.major == "2" and program:
            runs["parflux"] = lambda: contestants.parflux(program, house, days)
        loaded = bench.medians(**runs)
        marginal = (loaded["all"] - loaded["one"]) / (len(days) - 1)
        yield Row(f"{name}: one more day, loaded and proven", "curl, JSON", took["json"], marginal)
        for other in loaded.keys() & {"letter", "parflux"}:
            yield Row(f"{name}: 31 days, loaded and proven", other, loaded[other], loaded["all"])


def year(bench: Bench) -> Iterator[Row]:
    """A year of a reading a minute, beside the letter."""
    days = days_up_to(LAST, 365)
    with bench.house("1.x", len(days), YEAR_ROWS) as house:
        took = bench.medians(
            letter=lambda: contestants.letter(house, days),
            all=lambda: contestants.load_days(house, days),
        )
    yield Row("1.x: 365 days of 1,440, loaded and proven", "letter", took["letter"], took["all"])


def night(bench: Bench) -> Iterator[Row]:
    """A night of 86,400 readings after a month, and a night with nothing to do."""
    days = contestants.month()
    with bench.house("1.x", len(days), DAY_ROWS) as house:
        contestants.load_days(house, days[:-1])
        contestants.night(house)

        def without_last(run: Callable[[], float]) -> float:
            day = house.folder / f"parquet/raw_meter_readings/dt={LAST}"
            shutil.rmtree(day, ignore_errors=True)
            return run()

        took = bench.medians(
            yardstick=lambda: without_last(lambda: contestants.night_yardstick(house, LAST_DAY)),
            night=lambda: without_last(lambda: contestants.night(house)),
            idle=lambda: contestants.night(house),
        )
    must = "snakemake --version, dbt build"
    yield Row("1.x: a night of 86,400", must, took["yardstick"], took["night"])
    yield Row("nothing to do", must, took["yardstick"], took["idle"])


def memory(bench: Bench) -> Iterator[Row]:
    """The peak of a day of ten million readings beside that of one million."""
    peaks = []
    for rows in (1_000_000, 10_000_000):
        with bench.house("1.x", 1, rows, meters=10) as house:
            _, peak = peak_mb(until_load([LAST_DAY]), house.environment())
            peaks.append(peak)
    yield Row("1.x: a day of 10 million, peak", "of 1 million", *peaks, unit="MB")


SECTIONS: Mapping[str, Callable[[Bench], Iterator[Row]]] = {
    **{f"month-{name}": lambda bench, name=name: month(bench, name) for name in SERVERS},
    "year": year,
    "night": night,
    "memory": memory,
}


def measured(section: str, bench: Bench) -> Iterator[Row]:
    """The rows of a section. None, with a word of why, where its server is missing."""
    try:
        yield from SECTIONS[section](bench)
    except AssertionError as error:
        print(f"{section} is left out: {error}", file=sys.stderr)


def header(rounds: int) -> str:
    """What stands above the table."""
    versions = {name: version(name) for name in ("snakemake", "duckdb")}
    return HEADER.format(
        rounds=rounds,
        short=rounds * SHORT,
        day=datetime.now(UTC).date(),
        cores=os.cpu_count(),
        python=platform.python_version(),
        dbt=version("dbt-duckdb"),
        **versions,
    )


def main() -> None:
    """Measure, and print each row as it is known."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=SECTIONS, default=list(SECTIONS))
    parser.add_argument("--write", action="store_true", help=f"also into {PAGE.name}")
    arguments = parser.parse_args()
    page = header(arguments.rounds)
    print(page, end="", flush=True)
    with tempfile.TemporaryDirectory() as temporary:
        bench = Bench(Path(temporary), arguments.rounds)
        for section in arguments.only:
            for row in measured(section, bench):
                print(row, flush=True)
                page += f"{row}\n"
    if arguments.write:
        PAGE.write_text(page)


if __name__ == "__main__":
    main()
