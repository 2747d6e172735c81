"""What is measured, each as a function that returns seconds."""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.readings import LAST, days_up_to
from homeiot_batch.archive.shrink_guard import ShrinkGuard
from homeiot_batch.config import ROOT, Settings, load_settings
from homeiot_batch.core.days import LocalDay
from homeiot_batch.sources.source import open_source
from homeiot_batch.workflow.fetch import fetch_day
from tests.integration.servers import Server

NOW = f"now={LAST}T23:59:00+00:00"  # the next morning in Japan
CHUNK_ROWS = 10_000
COLUMNS = "instant_power_w, energy_import_kwh, energy_export_kwh, source"
BIN = Path(sys.executable).parent


class House:
    """A folder with an archive, and how commands find it."""

    def __init__(self, folder: Path, server: Server | None, database: str) -> None:
        self.folder = folder
        self.server = server
        self.database = database
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "house").mkdir(parents=True)

    def places(self) -> dict[str, str]:
        """The settings of this house."""
        return {
            "TZ": "Asia/Tokyo",
            "PARQUET_BASE_DIR": str(self.folder / "parquet"),
            "MARKER_DIR": str(self.folder / "markers"),
            "DUCKDB_PATH": str(self.folder / "home_energy.duckdb"),
            "REPORT_DIR": str(self.folder / "report"),
            "HOUSE_DIR": str(self.folder / "house"),
            **(self.server.environment(self.database) if self.server else {}),
        }

    def environment(self) -> dict[str, str]:
        """The settings, and what a command needs besides."""
        needed = {name: os.environ[name] for name in ("PATH", "HOME")}
        return needed | self.places()

    def clear(self) -> None:
        """Forget everything that was archived."""
        shutil.rmtree(self.folder)
        (self.folder / "house").mkdir(parents=True)


def seconds(command: Sequence[str], environment: Mapping[str, str]) -> float:
    """How long a command takes. RuntimeError with its last words if it fails."""
    began = time.monotonic()
    done = subprocess.run(
        command, cwd=ROOT, env=dict(environment), capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{command}: {done.stdout[-1000:]}{done.stderr[-2000:]}")
    return time.monotonic() - began


def until_load(days: Sequence[LocalDay]) -> list[str]:
    """The command that archives and loads the days, without tables."""
    bounds = [f"start={days[0]}", f"end={days[-1]}"]
    return [str(BIN / "snakemake"), "--until", "load", "--config", *bounds, NOW]


def load_days(house: House, days: Sequence[LocalDay]) -> float:
    """The workflow, on a house without anything."""
    house.clear()
    return seconds(until_load(days), house.environment())


def letter(house: House, days: Sequence[LocalDay]) -> float:
    """The same days by the request to the letter."""
    house.clear()
    assert house.server
    bounds = [str(days[0]), str(days[-1])]
    script = [sys.executable, "-m", "benchmarks.letter", house.server.url, house.database]
    return seconds([*script, str(house.folder), *bounds], house.environment())


def curl(server: Server, database: str, day: LocalDay, accept: str) -> float:
    """The answer of the server for a day, to nowhere."""
    bounds = f"time >= {day.start_ns} AND time < {day.end_ns}"
    query = f"SELECT {COLUMNS} FROM power WHERE {bounds}"
    parameters = {
        "q": query,
        "db": database,
        "epoch": "ns",
        "chunked": "true",
        "chunk_size": str(CHUNK_ROWS),
    }
    command = ["curl", "--silent", "--fail", "--output", os.devnull, "--get"]
    for name, value in parameters.items():
        command += ["--data-urlencode", f"{name}={value}"]
    for name, value in {"Accept": accept, **server.headers}.items():
        command += ["--header", f"{name}: {value}"]
    return seconds([*command, f"{server.url}/query"], os.environ)


def stage(house: House, day: LocalDay) -> float:
    """A day from the server into a Parquet file in staging, in this process, with all checks."""
    settings = settings_of(house)
    dataset = settings.datasets["raw_meter_readings"]
    began = time.monotonic()
    source = open_source(settings, {}, settings.layout.staging)
    guard = ShrinkGuard(f"raw_meter_readings {day}", [], allow_shrink=False)
    staged = fetch_day(source, dataset, day, guard, settings)
    took = time.monotonic() - began
    shutil.rmtree(staged.folder)
    return took


def settings_of(house: House) -> Settings:
    """The settings as a command would read them."""
    os.environ.update(house.places())
    return load_settings({"now": NOW.removeprefix("now=")})


def parflux(program: str, house: House, days: Sequence[LocalDay]) -> float:
    """A peer that copies the same days of an InfluxDB 2.x to Parquet."""
    house.clear()
    assert house.server
    bounds = ["--start", days[0].start.isoformat(), "--end", days[-1].end.isoformat()]
    place = {
        "INFLUXDB_V2_URL": house.server.url,
        "INFLUXDB_V2_ORG": "house",
        "INFLUXDB_V2_TOKEN": house.environment()["INFLUX_TOKEN"],
        "INFLUXDB_V2_TIMEOUT": "300000",
    }
    command = [program, f"{house.database}/power", *bounds, "--dest", str(house.folder)]
    return seconds(command, house.environment() | place)


def night(house: House) -> float:
    """The nightly command, on the next day or with nothing to do."""
    command = [sys.executable, "-m", "homeiot_batch.run_archive", "--config", NOW]
    return seconds(command, house.environment())


def night_yardstick(house: House, day: LocalDay) -> float:
    """What must start in any night: Snakemake, and dbt on tables that lack the new day.

    The day is read and loaded before, which is not counted.
    """
    environment = house.environment()
    seconds(until_load([day]), environment)
    project = ["--project-dir", str(ROOT / "dbt"), "--profiles-dir", str(ROOT / "dbt")]
    target = str(house.folder / "target")
    build = [str(BIN / "dbt"), "build", "--exclude-resource-type", "unit_test", *project]
    variables = json.dumps(settings_of(house).dbt_vars)
    build += ["--vars", variables, "--target-path", target, "--log-path", target]
    return seconds([str(BIN / "snakemake"), "--version"], environment) + seconds(build, environment)


def month() -> list[LocalDay]:
    """The days of which a month is measured."""
    return days_up_to(LAST, 31)
