"""What the drills on a house share.

Days of known readings in several versions, and what an archive of them must hold.
"""

import contextlib
import fcntl
import json
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from homeiot_batch.config import load_settings
from homeiot_batch.core.files import write_json
from homeiot_batch.warehouse.read_copy import publish
from tests.house import House, Outcome
from tests.prepared import LONGEST_RUN_S

DATASET = "raw_meter_readings"
DAYS = ["2026-11-09", "2026-11-10", "2026-11-11"]
FIRST, MIDDLE, LAST = DAYS
NEXT = "2026-11-12"  # a night on that day brings in LAST
V1 = dict.fromkeys(DAYS, 1)
UNTIL_LOAD = ("--until", "load")
FORCED = ("--forcerun", "extract")

Row = tuple[Any, ...]


def span(first: str = FIRST, last: str = LAST, *more: str) -> tuple[str, ...]:
    """The arguments that ask for the days from `first` to `last`."""
    return ("--config", f"start={first}", f"end={last}", *more)


def jobs(steps: str, *days: str, tables: bool = False) -> list[str]:
    """What `Outcome.jobs` says when each of `steps` was done for each of `days`."""
    return sorted(
        [f"{step} {DATASET} {day}" for step in steps.split() for day in days]
        + (["dbt", "publish", "report"] if tables else [])
    )


# readings


def _points(day: str, version: int) -> list[tuple[datetime, float | None, float, float | None]]:
    """Time (UTC), watts, import and export of a day's points.

    Each version has other values, and one more of them up to 14.
    """
    midnight = datetime.fromisoformat(f"{day}T00:00:00+09:00").astimezone(UTC)
    counter = 100.0 * date.fromisoformat(day).day + version / 8
    return [
        (
            midnight + timedelta(minutes=90 * k),
            None if k == 0 else 10.0 * k + version,
            counter + k,
            None if k == 1 else 0.5 * k,
        )
        for k in range(2 + min(version, 12))
    ]


def lines(day: str, version: int) -> list[str]:
    """The day's points as line protocol."""
    written = []
    for at, watts, imported, exported in _points(day, version):
        fields = {
            "instant_power_w": watts,
            "energy_import_kwh": imported,
            "energy_export_kwh": exported,
        }
        said = ",".join(f"{name}={value}" for name, value in fields.items() if value is not None)
        written.append(f"power,source=a {said} {int(at.timestamp()) * 10**9}")
    return written


def rows(day: str, version: int) -> list[Row]:
    """The day's rows in the table but for `ingested_at`.

    UTC, wall time in Japan, source, watts, import, export. Missing is 0.0.
    """
    found = []
    for at, watts, imported, exported in _points(day, version):
        utc = at.replace(tzinfo=None)
        found.append((utc, utc + timedelta(hours=9), "a", watts or 0.0, imported, exported or 0.0))
    return found


def counts(day: str, version: int) -> dict[str, Any]:
    """Rows, and values by field, of the day."""
    points = _points(day, version)
    values = [sum(point[k] is not None for point in points) for k in (1, 2, 3)]
    return {
        "rows": len(points),
        "values": dict(
            zip(["instant_power_w", "energy_import_kwh", "energy_export_kwh"], values, strict=True)
        ),
    }


def feed(house: House, versions: Mapping[str, int]) -> None:
    """Let the house's source hold these versions of these days."""
    house.export(*(line for day, version in versions.items() for line in lines(day, version)))


def without_source(house: House) -> None:
    """Let the source be gone."""
    house.environment["INFLUX_URL"] = str(house.folder / "gone.lp")


# archives


def parquet_rows(house: House, day: str) -> list[Row]:
    """The archived day's rows as the table has them, without `ingested_at`.

    Times have no zone.
    """
    return [
        tuple(
            value.replace(tzinfo=None) if isinstance(value, datetime) else value
            for name, value in row.items()
            if name != "ingested_at"
        )
        for row in house.archived(day)
    ]


def energy_rows(versions: Mapping[str, int]) -> list[Row]:
    """The daily table: date, source, kWh, peak watts and when, first and last reading, readings."""
    found = []
    for day, version in sorted(versions.items()):
        known = rows(day, version)
        peak = max(row[3] for row in known)
        at = next(row[1] for row in known if row[3] == peak)
        found.append(
            (
                date.fromisoformat(day),
                "a",
                known[-1][4] - known[0][4],
                peak,
                at,
                known[0][1],
                known[-1][1],
                len(known),
            )
        )
    return found


def assert_archived(house: House, versions: Mapping[str, int]) -> None:
    """The archive holds exactly these days, once each, in Parquet, in the table and in its records.

    Nothing is left over.
    """
    expected = {day: rows(day, version) for day, version in sorted(versions.items())}
    assert {
        path.name[3:]: parquet_rows(house, path.name[3:])
        for path in sorted((house.parquet / DATASET).glob("dt=*"))
    } == expected
    assert house.rows() == [row for day in expected.values() for row in day]
    markers = {
        path.stem[3:]: json.loads(path.read_text())
        for path in sorted((house.markers / DATASET).glob("dt=*.json"))
    }
    assert {
        day: {name: marker[name] for name in ("rows", "values")} for day, marker in markers.items()
    } == {day: counts(day, version) for day, version in sorted(versions.items())}
    assert house.query("SELECT dt::VARCHAR, load_id, rows FROM archive.loads ORDER BY ALL") == [
        (day, marker["load_id"], marker["rows"]) for day, marker in markers.items()
    ]
    assert leftovers(house) == []


def leftovers(house: House) -> list[str]:
    """What staging holds, and parts of files that a run did not finish."""
    staged = [
        path
        for path in (house.parquet / ".staging").glob("*/*")
        if path.name != ".snakemake_timestamp"
    ]
    spools = list((house.parquet / ".staging").glob("tmp-*"))
    return sorted({path.name for path in [*staged, *spools]})


def state(house: House) -> dict[str, Any]:
    """Everything a run may change but its logs: files byte for byte, tables row for row.

    A marker that is set aside is still there.
    """
    folders = {"parquet": house.parquet, "markers": house.markers}
    files = {
        f"{name}/{path.relative_to(folder)}".replace("/former/", "/"): path.read_bytes()
        for name, folder in folders.items()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
        and path.name not in (".lock", ".snakemake_timestamp", "last_run.json")
        and "log" not in path.relative_to(folder).parts
    }
    tables = (
        (DATASET, "archive.loads", "archive.builds", "fct_daily_energy")
        if house.database.exists()
        else ()
    )
    return files | {name: house.query(f"FROM {name} ORDER BY ALL") for name in tables}


# runs


@contextlib.contextmanager
def locked(house: House) -> Generator[None]:
    """While it lasts, the archive is held as by another run."""
    with (house.parquet / ".lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def die(house: House, point: str, *arguments: str) -> None:
    """Run `snakemake ARGUMENTS`, which is killed (kill -9) when it comes to the named point."""
    assert house.snakemake(*arguments, HOMEIOT_FAULT=f"{point}:kill").code == -signal.SIGKILL


def kill(process: "subprocess.Popen[str]") -> None:
    """End the process with kill -9. What it had started lives on."""
    process.kill()
    process.wait()
    if process.stdout is not None:
        process.stdout.close()


def together(processes: "Sequence[subprocess.Popen[str]]") -> list[Outcome]:
    """The outcomes of runs that were started, when all have ended."""
    outputs = [process.communicate(timeout=LONGEST_RUN_S)[0] for process in processes]
    return [
        Outcome(process.returncode, output)
        for process, output in zip(processes, outputs, strict=True)
    ]


def wait_until(condition: Callable[[], object], seconds: float = 300) -> None:
    """Return as soon as the condition holds. AssertionError if it does not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.02)


def copy_of[Copied: House](template: Copied, folder: Path) -> Copied:
    """Another house with the same archive, file times too. It has a read copy of its own."""
    shutil.copytree(template.folder, folder, ignore=shutil.ignore_patterns(".read", ".*.read"))
    house = type(template)(folder)
    source = Path(template.environment["INFLUX_URL"])
    house.environment["INFLUX_URL"] = str(folder / source.name)
    places = {
        "parquet_base_dir": house.parquet,
        "marker_dir": house.markers,
        "duckdb_path": house.database,
    }
    own_config = folder / "config.yaml"
    settings = load_settings(
        {name: str(path) for name, path in places.items()} | {"tz": "Asia/Tokyo"},
        own_config if own_config.exists() else None,
    )
    layout = settings.layout
    # the template's views name the template's files
    write_json(layout.read_marker, publish(settings, layout, wait_s=0))
    layout.report_marker.touch()  # it shows the same tables
    return house


def flip_byte(file: Path, place: int) -> None:
    """Change all bits of a byte. A negative place is counted from the file's end."""
    content = bytearray(file.read_bytes())
    content[place] ^= 255
    file.write_bytes(content)


def remove_database(house: House) -> None:
    """Lose the DuckDB file."""
    house.database.unlink()


def said(outcome: Outcome) -> str:
    """The run's only failure line.

    AssertionError if there are none or several, a traceback, or exit code 0.
    """
    assert outcome.code != 0
    assert "Traceback" not in outcome.stderr
    [line] = outcome.failures
    return line
