"""Exports that the real tools write become the same tables as reading the server did."""

import gzip
import os
import random
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.house import House
from tests.integration.climate import CLIMATE, climate, climate_rows
from tests.integration.points import SECOND, Point, Row, at, in_order, rows, three_days
from tests.integration.servers import Influx1, Influx2

RANGE = ("--config", "start=2025-11-09", "end=2025-11-11")
PEAK_MB = 500
LINE = re.compile(
    r"(?P<series>(?:\\.|[^\\ ])*) (?P<field>(?:\\.|[^\\=])*)="
    r'(?:"(?:\\.|[^"\\])*"|[^" ]+) (?P<time>-?\d+)\n',
    re.DOTALL,
)


@dataclass(frozen=True)
class Exported:
    """An export, and the tables that reading its server has made."""

    path: Path
    power: list[Row]
    climate: list[Row]


def rewritten(points: list[Point], times: int) -> list[Point]:
    """Every seventh point again with another power, its other fields left as they are.

    And the first one with another counter only.
    """
    power = [
        replace(point, fields={"instant_power_w": 1000.0 * times + number})
        for number, point in enumerate(points[::7])
    ]
    return [*power, replace(points[1], fields={"energy_import_kwh": 0.5 * times})]


def fill(server: Influx1 | Influx2) -> list[Point]:
    """Write a house in three rounds, beside what must be left out. The points in order.

    Only the log of writes holds the last round.
    """
    first = [point for day in three_days() for point in day]
    other = [replace(point, measurement="weather") for point in first[:50]]
    server.create("cabin")
    server.create("home_energy")
    server.write(
        "cabin", [replace(point, fields={"instant_power_w": -1.0}) for point in first[:50]]
    )
    server.write("home_energy", [*first, *other, *climate()])
    server.wait_for_files(3)
    server.write("home_energy", rewritten(first, 1))
    server.wait_for_files(5)
    server.write_no_more_files()
    server.write("home_energy", rewritten(first, 2)[::2])
    return first + rewritten(first, 1) + rewritten(first, 2)[::2]


def archived(folder: Path, environment: dict[str, str]) -> tuple[list[Row], list[Row]]:
    """Both tables of a new house in `folder` that has read the three days."""
    house = House(folder)
    folder.mkdir(exist_ok=True)
    (folder / "climate.yaml").write_text(CLIMATE)
    outcome = house.snakemake(
        "--until", "load", "--configfile", "climate.yaml", *RANGE, **environment
    )
    assert (outcome.code, outcome.failures) == (0, []), outcome.stderr
    assert list(house.parquet.glob(".staging/tmp-*")) == []
    return house.rows(), house.rows("room_climate")


@pytest.fixture(scope="module")
def exported_1(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """All databases of an InfluxDB 1.x, by `influx_inspect export -compress`."""
    folder = tmp_path_factory.mktemp("export-1")
    with Influx1(folder / "server", flush="1s") as server:
        points = fill(server)
        files = server.files()
        power, rooms = archived(folder / "house", server.environment("home_energy"))
    assert server.files() == files
    server.export(folder / "all.lp.gz")
    assert in_order(power) == in_order(rows(points, "2025-11-09", "2025-11-11"))
    return Exported(folder / "all.lp.gz", power, rooms)


@pytest.fixture(scope="module")
def exported_2(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A bucket of an InfluxDB 2.x, by `influxd inspect export-lp`."""
    folder = tmp_path_factory.mktemp("export-2")
    with Influx2(folder / "server", flush="1s") as server:
        points = fill(server)
        files = server.files()
        power, rooms = archived(folder / "house", server.environment("home_energy"))
    assert server.files() == files
    server.export("home_energy", folder / "bucket.lp")
    assert in_order(power) == in_order(rows(points, "2025-11-09", "2025-11-11"))
    return Exported(folder / "bucket.lp", power, rooms)


@pytest.mark.parametrize("export", ["exported_1", "exported_2"])
def test_a_real_export(tmp_path: Path, request: pytest.FixtureRequest, export: str) -> None:
    """The export makes the same tables as the server did, of points written again the last.

    Other databases and measurements are left out.
    """
    exported: Exported = request.getfixturevalue(export)
    power, rooms = archived(tmp_path, {"INFLUX_URL": exported.path.as_uri()})
    assert power == exported.power
    assert rooms == exported.climate
    assert in_order(rooms) == in_order(climate_rows("2025-11-09", "2025-11-11"))


@pytest.mark.parametrize("export", ["exported_1", "exported_2"])
def test_its_lines_in_any_order(
    tmp_path: Path, request: pytest.FixtureRequest, export: str
) -> None:
    """So do its lines in any order over three gzip files in a folder.

    What was written again stays in its order.
    """
    exported: Exported = request.getfixturevalue(export)
    lines = shuffled(list(lines_of(exported.path)))
    folder = tmp_path / "export"
    folder.mkdir()
    for number, name in enumerate(("a.lp.gz", "b.gz", "c")):
        part = lines[number * len(lines) // 3 : (number + 1) * len(lines) // 3]
        (folder / name).write_bytes(gzip.compress("".join(part).encode()))
    assert archived(tmp_path / "house", {"INFLUX_URL": str(folder)}) == (
        exported.power,
        exported.climate,
    )


@pytest.fixture(scope="module")
def halves(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Exported]:
    """A folder of exports of the same server: until and from the noon of the middle day."""
    folder = tmp_path_factory.mktemp("halves")
    with Influx1(folder / "server", flush="1s") as server:
        points = fill(server)
        power, rooms = archived(folder / "house", server.environment("home_energy"))
    for name, bounds in {
        "until-noon.gz": ("-end", "2025-11-10T11:59:59+09:00"),
        "until-ten.gz": ("-end", "2025-11-10T10:00:00+09:00"),
        "from-noon.gz": ("-start", "2025-11-10T12:00:00+09:00"),
        "other.gz": ("-database", "cabin"),
    }.items():
        server.export(folder / name, *bounds)
    assert in_order(power) == in_order(rows(points, "2025-11-09", "2025-11-11"))
    return folder, Exported(folder / "until-noon.gz", power, rooms)


@pytest.mark.parametrize("is_joined", [False, True])
def test_exports_of_spans_that_meet(
    tmp_path: Path, halves: tuple[Path, Exported], is_joined: bool
) -> None:
    """Two exports that meet within a second are one, in files of their own or joined by `cat`."""
    folder, expected = halves
    parts = [(folder / f"{name}.gz").read_bytes() for name in ("until-noon", "from-noon", "other")]
    (tmp_path / "export").mkdir()
    for number, part in enumerate([b"".join(parts)] if is_joined else parts):
        (tmp_path / f"export/{number}.lp.gz").write_bytes(part)
    power, rooms = archived(tmp_path / "house", {"INFLUX_URL": str(tmp_path / "export")})
    assert (power, rooms) == (expected.power, expected.climate)


def test_exports_of_spans_with_a_hole(tmp_path: Path, halves: tuple[Path, Exported]) -> None:
    """The day with the hole is refused by its bounds. The days before and after it are taken."""
    folder, _ = halves
    (tmp_path / "export").mkdir()
    for name in ("until-ten.gz", "from-noon.gz", "other.gz"):
        (tmp_path / "export" / name).write_bytes((folder / name).read_bytes())
    house = House(tmp_path / "house")
    house.folder.mkdir()
    outcome = house.snakemake("--until", "load", *RANGE, INFLUX_URL=str(tmp_path / "export"))
    [failure] = outcome.failures
    assert failure.startswith(
        f"failed: fetch raw_meter_readings 2025-11-10: {tmp_path / 'export'} does not cover "
        "2025-11-10 from 2025-11-10 10:00:01 (Asia/Tokyo) to 2025-11-10 12:00:00 (Asia/Tokyo): "
    )
    assert [path.split("/")[1] for path in house.snapshot()] == ["dt=2025-11-09", "dt=2025-11-11"]


def test_a_long_export(house: House) -> None:
    """300,000 lines of three days go through the spool on disk, which is removed.

    A line has one field, and the lines are in no order.
    """
    start = at("2025-11-09T00:00")
    points = [
        Point(
            start + second * SECOND + 7,
            {"instant_power_w": second / 8, "energy_import_kwh": second / 1024},
            {"source": f"m{second % 3}"},
        )
        for second in range(0, 3 * 86_400, 2)
    ]
    more = [replace(point, time=point.time + SECOND) for point in points[: 150_000 - len(points)]]
    lines = [
        replace(point, fields={name: value}).line()
        for point in points + more
        for name, value in point.fields.items()
    ]
    assert len(lines) == 300_000
    random.Random(5).shuffle(lines)
    house.export(*lines)
    process = house.start("--until", "load", *RANGE)
    assert process.stdout is not None
    with process.stdout as stream:
        said = stream.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, said
    assert house.rows() == sorted(rows(points + more, "2025-11-09", "2025-11-11"))
    assert list(house.parquet.glob(".staging/tmp-*")) == []
    assert usage.ru_maxrss / 1024 < PEAK_MB


def lines_of(export: Path) -> Iterator[str]:
    """The lines of points of the database `home_energy`, each with its end.

    A text of a point may hold line breaks.
    """
    with gzip.open(export, "rt") if export.suffix == ".gz" else export.open() as stream:
        database, pending, in_ddl = "home_energy", "", False
        for line in stream:
            if not pending and line.startswith("#"):
                database = (
                    line.split(":")[1].strip()
                    if line.startswith("# CONTEXT-DATABASE:")
                    else database
                )
                in_ddl = line.startswith("# DDL") or (in_ddl and not line.startswith("# DML"))
                continue
            pending += line
            if in_ddl or LINE.fullmatch(pending):
                yield from [pending] * (not in_ddl and database == "home_energy")
                pending = ""


def shuffled(lines: list[str]) -> list[str]:
    """The lines in another order.

    Of those that write the same field of the same point the last one stays the last.
    """
    new = random.Random(7).sample(lines, len(lines))
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for place, line in enumerate(new):
        places[_written(line)].append(place)
    queues = {key: iter(found) for key, found in places.items()}
    for line in lines:
        new[next(queues[_written(line)])] = line
    assert len(lines) > len(queues)
    assert new != lines
    return new


def _written(line: str) -> tuple[str, ...]:
    match = LINE.fullmatch(line)
    assert match
    return match.group("series", "field", "time")
