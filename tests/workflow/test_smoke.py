"""The main job from end to end on an export."""

import subprocess
import sys
from pathlib import Path

import pytest

from homeiot_batch.config import ROOT
from tests.house import SNAKEMAKE, House


def test_two_days_reach_the_table(house: House) -> None:
    """An export of two days becomes Parquet, raw rows and daily energy."""
    house.export(
        "power,source=a energy_import_kwh=1.5 1794150000000000000",
        "power,source=a energy_import_kwh=4.0 1794160000000000000",
        "power,source=a instant_power_w=700 1794160000000000000",
        "power energy_import_kwh=9 1794236400000000000",
    )
    outcome = house.snakemake("--config", "start=2026-11-09", "end=2026-11-10")
    assert (outcome.code, outcome.failures) == (0, [])
    assert outcome.jobs == sorted(
        [
            f"{step} raw_meter_readings 2026-11-{day}"
            for step in ("fetch", "extract", "load")
            for day in ("09", "10")
        ]
        + ["dbt", "publish", "report"]
    )
    assert [row[2:] for row in house.rows()] == [
        ("a", 0.0, 1.5, 0.0),
        ("a", 700.0, 4.0, 0.0),
        ("meter1", 0.0, 9.0, 0.0),
    ]
    assert [row[1:4] for row in house.energy()] == [("a", 2.5, 700.0), ("meter1", 0.0, 0.0)]


def test_no_job_waits_for_a_limit_of_jobs_a_second(house: House) -> None:
    """Snakemake keeps to its own by a timer after each job. Without timers the run goes on."""
    house.export("power,source=a energy_import_kwh=1.5 1794150000000000000")
    days = ["start=2026-11-09", "end=2026-11-09"]
    arguments = house.snakemake_command("--until", "load", "--config", *days)[1:]
    without_timers = "import threading; from snakemake.cli import main; del threading.Timer"
    command = [sys.executable, "-c", f"{without_timers}; main()", *arguments]
    assert house.run_in(ROOT, command).code == 0
    assert len(house.rows()) == 1


def test_a_failed_day_ends_in_one_line_without_a_traceback(house: House) -> None:
    """What, where and the fix, last on stderr. Exit code not 0. Nothing archived."""
    house.environment["INFLUX_URL"] = "/nowhere"
    outcome = house.snakemake("yesterday", "--config", "now=2026-11-10T00:10:00+09:00")
    lines = outcome.stderr.splitlines()
    assert outcome.code == 1
    assert lines[-1] == (
        "failed: fetch raw_meter_readings 2026-11-09: INFLUX_URL='/nowhere': there is no file or "
        "folder /nowhere; "
        "give an existing export, or http://host:port of an InfluxDB"
    )
    assert (
        lines[-2]
        == "next step: fix what is named below and run the same command again. What is done is kept"
    )
    assert [line for line in lines if "Traceback" in line or line.startswith("  File ")] == []
    assert house.snapshot() == {}


def test_an_empty_day_is_archived_and_named(house: House) -> None:
    """The measurement is there, the day has no points.

    An empty day, and a warning at the end of the run.
    """
    house.export(
        "power,source=a energy_import_kwh=1.5 1794150000000000000",
        "power,source=a energy_import_kwh=3 1794322800000000000",
    )
    outcome = house.snakemake("--until", "load", "--config", "start=2026-11-09", "end=2026-11-10")
    assert (outcome.code, len(house.archived("2026-11-09")), len(house.archived("2026-11-10"))) == (
        0,
        1,
        0,
    )
    assert (
        "warning: raw_meter_readings 2026-11-10: the source holds no readings for this day, so it "
        "is archived empty" in outcome.stderr
    )


def test_two_datasets_are_archived_at_once(house: House) -> None:
    """A second dataset needs nothing but its declaration. What it does not measure stays NULL."""
    house.export(
        "power,source=a energy_import_kwh=1.5 1794150000000000000",
        'climate,room=bath temperature_c=21.5,note="window" 1794150000000000000',
        "climate temperature_c=20 1794150000000000001",
    )
    declared = house.folder / "house.yaml"
    declared.write_text(
        "datasets: {room_climate: {measurement: climate, tags: {room: unknown}, fields: "
        "{temperature_c: double, open: boolean, note: string}}}\n"
    )
    outcome = house.snakemake(
        "--until",
        "load",
        "--configfile",
        str(declared),
        "--config",
        "start=2026-11-09",
        "end=2026-11-09",
    )
    assert (outcome.code, outcome.failures) == (0, [])
    assert outcome.jobs == sorted(
        f"{step} {name} 2026-11-09"
        for step in ("fetch", "extract", "load")
        for name in ("raw_meter_readings", "room_climate")
    )
    assert [row[2:] for row in house.rows()] == [("a", 0.0, 1.5, 0.0)]
    assert [row[2:] for row in house.rows("room_climate")] == [
        ("bath", 21.5, None, "window"),
        ("unknown", 20.0, None, None),
    ]


@pytest.mark.slow
def test_the_models_pass_their_own_tests(house: House) -> None:
    """`dbt build` with the unit tests, and `dbt run` from the project's folder.

    The database was made by the workflow.
    """
    house.export("power,source=a energy_import_kwh=1.5 1794150000000000000")
    assert (
        house.snakemake("--until", "load", "--config", "start=2026-11-09", "end=2026-11-09").code
        == 0
    )
    dbt = [str(Path(SNAKEMAKE).with_name("dbt")), "--no-use-colors"]
    places = {
        "DUCKDB_PATH": str(house.database),
        "DBT_TARGET_PATH": str(house.folder / "target"),
        "DBT_LOG_PATH": str(house.folder / "logs"),
    }
    for command in ("build", "run"):
        done = subprocess.run(
            [*dbt, command],
            cwd=ROOT / "dbt",
            env=house.env(**places),
            text=True,
            capture_output=True,
            check=False,
        )
        assert (done.returncode, "WARN=0 ERROR=0 SKIP=0" in done.stdout) == (0, True), done.stdout
    assert house.query("SELECT source, daily_energy_kwh FROM fct_daily_energy") == [("a", 0.0)]
