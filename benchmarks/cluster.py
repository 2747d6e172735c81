"""What reading on a Slurm cluster costs, and what it survives, beside a run on this machine alone.

python -m benchmarks.cluster FOLDER [--days 60] [--sources 20] [--step 60] [--slots 2]

Needs root, Debian's slurm-wlm, munge and influxdb, and `make cluster`. Takes half an hour. It
starts a Slurm of one node, fills an InfluxDB, and archives the same days in four ways, each into an
empty archive: in this process, as one Slurm job (--wrap), with a job for each day, and the last
once more with a failing source, scancel, a drained node and kill -9. Each archive and its
tables must equal the first, whole rows.
"""

import argparse
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from homeiot_batch.config import ROOT
from tests.house import House
from tests.integration.servers import Influx1
from tests.integration.slurm import SlurmNode

FIRST = date(2026, 8, 1)
PYTHON = Path(os.environ.get("CLUSTER_PYTHON") or ROOT / ".tools/cluster/bin/python")
PROFILE = ["--workflow-profile", str(ROOT / "profiles/slurm")]
TABLES = ("fct_daily_energy", "fct_hourly_energy")


def lines(day: date, sources: int, step: int) -> Iterator[str]:
    """Line protocol of the day in Japan: counters that rise, and the power that they show."""
    midnight = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()) - 9 * 3600
    for source in range(sources):
        watts = 100 + 10 * source
        for second in range(0, 86_400, step):
            at = midnight + second
            kwh = watts * (at - 1_780_000_000) / 3.6e6
            values = f"instant_power_w={watts},energy_import_kwh={kwh:.6f}"
            yield f"power,source=m{source:02} {values} {at}000000000"


def fill(server: Influx1, days: int, sources: int, step: int) -> None:
    """Write every reading."""
    server.create("home")
    for number in range(days):
        text = list(lines(FIRST + timedelta(days=number), sources, step))
        for start in range(0, len(text), 50_000):
            server.write_lines("home", "\n".join(text[start : start + 50_000]).encode())


class Bench:
    """The houses in a folder, which read the same days."""

    def __init__(self, folder: Path, server: Influx1, slurm: SlurmNode, days: int) -> None:
        self._folder, self._server, self._slurm, self._days = folder, server, slurm, days
        last = FIRST + timedelta(days=days - 1)
        self._span = ["--config", f"start={FIRST}", f"end={last}"]

    def house(self, name: str) -> House:
        """An empty one."""
        house = House(self._folder / name)
        house.folder.mkdir()
        house.environment |= self._server.environment("home")
        house.environment |= {"PYTHONPATH": str(ROOT / "scripts"), "INFLUX_RETRIES": "3"}
        return house

    def command(self, house: House, *options: str) -> list[str]:
        """The run of all days."""
        _, *arguments = house.snakemake_command(*options, *self._span)
        return [str(PYTHON), "-m", "snakemake", *arguments]

    def run(self, house: House, *options: str) -> tuple[int, float]:
        """Exit code and seconds."""
        return _timed(self.command(house, *options), house)

    def wrap(self, house: House) -> tuple[int, float]:
        """The same as one job of Slurm."""
        run = shlex.join(self.command(house))
        out = f"--output={house.folder}/job.log"
        return _timed(["sbatch", "--wait", "--cpus-per-task=2", out, f"--wrap={run}"], house)

    def start(self, house: House) -> "subprocess.Popen[bytes]":
        """Start a run with a job for each day."""
        with (house.folder / "run.log").open("ab") as log:
            return subprocess.Popen(
                self.command(house, *PROFILE), env=house.env(), stdout=log, stderr=log
            )

    def drill(self, house: House) -> list[tuple[str, object]]:
        """Every fault, at a fourth, a third and a half of the days. What was seen."""
        seen: list[tuple[str, object]] = []
        run = self.start(house)
        self._until(house, self._days // 6, run)
        cancelled = self._slurm.jobs("RUNNING")
        self._slurm.command("scancel", *cancelled)
        seen.append(("cancelled", len(cancelled)))
        self._until(house, self._days // 4, run)
        self._server.kill()
        time.sleep(30)
        self._server.start()
        self._until(house, self._days // 3, run)
        self._slurm.drain()
        _wait(lambda: not self._slurm.jobs("RUNNING"))
        before = _archived(house)
        time.sleep(20)
        seen.append(("days archived while drained", _archived(house) - before))
        self._slurm.resume()
        self._until(house, self._days // 2, run)
        run.send_signal(signal.SIGKILL)
        run.wait()
        seen.append(("jobs alive after kill -9", len(self._slurm.jobs())))
        seen.append(("days archived by then", _archived(house)))
        for number in (2, 3):
            start = time.monotonic()
            again = self.start(house)
            seen.append((f"exit code of run {number}", again.wait()))
            seen.append((f"seconds of run {number}", round(time.monotonic() - start, 1)))
        return seen

    def _until(self, house: House, days: int, run: "subprocess.Popen[bytes]") -> None:
        _wait(lambda: _archived(house) >= days or run.poll() is not None)
        assert run.poll() is None, "the run has ended before its time"


def _wait(is_so: Callable[[], bool]) -> None:
    limit = time.monotonic() + 1800
    while not is_so():
        assert time.monotonic() < limit
        time.sleep(0.5)


def _archived(house: House) -> int:
    return len(list(house.parquet.glob("*/dt=*/part-0.parquet")))


def _timed(command: list[str], house: House) -> tuple[int, float]:
    with (house.folder / "run.log").open("ab") as log:
        start = time.monotonic()
        done = subprocess.run(command, env=house.env(), stdout=log, stderr=log, check=False)
    return done.returncode, round(time.monotonic() - start, 1)


def content(house: House) -> dict[str, Any]:
    """Every row of archive and tables."""
    files = house.parquet.glob("*/dt=*/part-0.parquet")
    days = sorted(file.parent.name.removeprefix("dt=") for file in files)
    rows = {
        day: [{k: v for k, v in row.items() if k != "ingested_at"} for row in house.archived(day)]
        for day in days
    }
    tables = {name: house.query(f"SELECT * FROM {name} ORDER BY ALL") for name in TABLES}
    return {"days": rows, "raw": house.rows(), "energy": house.energy(), **tables}


def show(*said: object) -> None:
    """Print it now."""
    print(*said, flush=True)


def main() -> None:
    """Run all, and print a line for each."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    for name, default in (("days", 60), ("sources", 20), ("step", 60), ("slots", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--no-drill", action="store_true")
    given = parser.parse_args()
    given.folder.mkdir()
    size = f"{given.days} days x {given.sources} sources, every {given.step} s"
    show(size, "load", os.getloadavg())
    with (
        Influx1(given.folder / "influx") as server,
        SlurmNode(given.folder / "slurm", given.slots) as slurm,
    ):
        fill(server, given.days, given.sources, given.step)
        bench = Bench(given.folder, server, slurm, given.days)
        local = bench.house("local")
        show("in this process", bench.run(local))
        expected = content(local)
        show("days, rows", len(expected["days"]), len(expected["raw"]))
        wrapped = bench.house("wrap")
        show("--wrap", bench.wrap(wrapped), content(wrapped) == expected)
        nodes = bench.house("nodes")
        show("a job a day", bench.run(nodes, *PROFILE), content(nodes) == expected)
        if not given.no_drill:
            drilled = bench.house("drilled")
            show("faults", bench.drill(drilled), content(drilled) == expected)


if __name__ == "__main__":
    sys.exit(main())
