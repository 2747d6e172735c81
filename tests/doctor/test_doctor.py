"""What the doctor finds where no server is needed: exports, the archive's places, the database."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from homeiot_batch.archive.zone_record import record_zone
from homeiot_batch.config import Settings, load_settings
from homeiot_batch.core.files import write_json
from homeiot_batch.core.layout import PART, Layout
from homeiot_batch.doctor.archive import check_archive
from homeiot_batch.doctor.command import examine
from homeiot_batch.doctor.database import check_database
from homeiot_batch.doctor.finding import Finding, ok, problem, warning
from homeiot_batch.doctor.readings import check_readings
from homeiot_batch.doctor.source import check_source
from homeiot_batch.doctor.zone import differing_hour
from homeiot_batch.warehouse.database import open_database
from tests.sources.stub_server import Answer, Question, serving
from tests.sources.stub_server import json as json_answer

DATASET = "raw_meter_readings"
BRING_IN = "python -m homeiot_batch.run_archive brings them in, if the source still has them"


@pytest.fixture
def house(settings: Settings, layout: Layout) -> Callable[..., None]:
    """Makes an archive with these days of November 2026 (of `size` bytes each), markers and an empty database."""

    def make(*days: int, size: int = 1000) -> None:
        record_zone(layout, settings.tz)
        for day in days:
            part = layout.day(DATASET, date(2026, 11, day)) / PART
            part.parent.mkdir(parents=True)
            with part.open("wb") as file:
                file.truncate(size)
            write_json(layout.marker(DATASET, date(2026, 11, day)), {})
        with open_database(settings.duckdb_path) as connection:
            connection.execute("INSERT INTO archive.house VALUES (?)", [settings.tz])

    return make


def by_name(findings: Iterator[Finding]) -> dict[str, Finding]:
    """The findings by their names, each name once."""
    listed = list(findings)
    named = {finding.name: finding for finding in listed}
    assert len(named) == len(listed)
    return named


def tree(folder: Path) -> dict[str, tuple[int, int]]:
    """Everything that lies in the folder: kind and size."""
    return {
        str(path): (path.lstat().st_mode, path.lstat().st_size if path.is_file() else 0)
        for path in sorted(folder.rglob("*"))
    }


def given(settings: Settings, **changes: str) -> Settings:
    """The same settings with some changed."""
    places = {
        name: str(getattr(settings, name))
        for name in ("parquet_base_dir", "marker_dir", "report_dir", "duckdb_path")
    }
    house = {"tz": "Asia/Tokyo", "now": "2026-11-24T00:10:00+09:00"}
    return load_settings(places | house | changes)


def holding(code: str, path: Path) -> "subprocess.Popen[bytes]":
    """Another process that has done `code` to the path (sys.argv[1]) and stays."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"import sys, time; {code}; print(flush=True); time.sleep(3600)",
            str(path),
        ],
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.readline()
    return process


# the archive


def test_a_whole_archive_is_well(
    settings: Settings, layout: Layout, house: Callable[..., None], tmp_path: Path
) -> None:
    """Every finding of a house that was archived up to yesterday is well; nothing is changed, and no probe is left behind."""
    house(*range(10, 24))
    before = tree(tmp_path)
    found = by_name(check_archive(settings, layout))
    assert tree(tmp_path) == before
    disk = found.pop("disk")
    assert (disk.level, disk.found.split(" free for ")[1].split("; ")[0]) == (
        "ok",
        f"{layout.parquet}, {settings.duckdb_path.parent}, {layout.markers}",
    )
    assert list(found.values()) == [
        ok(
            "zone",
            "Asia/Tokyo, the archive was begun with it; now is 2026-11-24 00:10, yesterday 2026-11-23",
        ),
        ok(DATASET, "14 days, 2026-11-10 to 2026-11-23"),
        ok("run", "none is at work"),
        ok("PARQUET_BASE_DIR", f"{layout.parquet} can be written"),
        ok("MARKER_DIR", f"{layout.markers} can be written"),
        ok("REPORT_DIR", f"{settings.report_dir} is made by the first run, in {tmp_path}"),
        ok("DUCKDB_PATH", f"{settings.duckdb_path.parent} can be written"),
        ok("rename", f"one moves a day from {layout.staging} to {layout.parquet / DATASET}"),
        ok("hard links", f"work in {layout.staging}"),
    ]


def test_a_new_house_is_well(settings: Settings, layout: Layout, tmp_path: Path) -> None:
    """Before the first run nothing is there, nothing is wrong, and nothing is made."""
    before = tree(tmp_path)
    found = by_name(check_archive(settings, layout))
    disk = found.pop("disk")
    assert (disk.level, disk.found.split(" free for ")[1]) == (
        "ok",
        f"{layout.parquet}, {settings.duckdb_path.parent}, {layout.markers}",
    )
    assert list(found.values()) == [
        ok(
            "zone",
            "Asia/Tokyo, no day is archived yet; now is 2026-11-24 00:10, yesterday 2026-11-23",
        ),
        ok(DATASET, "no day is archived yet"),
        ok("run", "none is at work"),
        ok("PARQUET_BASE_DIR", f"{layout.parquet} is made by the first run, in {tmp_path}"),
        ok("MARKER_DIR", f"{layout.markers} is made by the first run, in {tmp_path}"),
        ok("REPORT_DIR", f"{settings.report_dir} is made by the first run, in {tmp_path}"),
        ok("DUCKDB_PATH", f"{settings.duckdb_path.parent} is made by the first run, in {tmp_path}"),
        ok("rename", f"not tried before the first run has made {layout.parquet}"),
    ]
    assert tree(tmp_path) == before


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (
            [1, 3, 5, 6, 9, 23],
            problem(
                DATASET,
                "6 days, 2026-11-01 to 2026-11-23; missing (17): 2026-11-02, 2026-11-04, 2026-11-07 to 2026-11-08, 2026-11-10 to 2026-11-22",
                BRING_IN,
            ),
        ),
        (
            [1, 3, 5, 7, 9, 11, 13],
            problem(
                DATASET,
                "7 days, 2026-11-01 to 2026-11-13; missing (6): 2026-11-02, 2026-11-04, 2026-11-06, 2026-11-08, 2026-11-10 and more",
                BRING_IN,
            ),
        ),
        ([21, 22], ok(DATASET, "2 days, 2026-11-21 to 2026-11-22")),
        (
            [20, 21],
            warning(
                DATASET,
                "2 days, 2026-11-20 to 2026-11-21: 2 days behind yesterday",
                f"{BRING_IN}; see that cron runs, and the failures in {{last_run}}",
            ),
        ),
    ],
)
def test_days_that_are_missing_are_named(
    settings: Settings,
    layout: Layout,
    house: Callable[..., None],
    days: list[int],
    expected: Finding,
) -> None:
    """Gaps are a problem; days behind are a warning, but for yesterday, which the night may not have reached yet."""
    house(*days)
    found = by_name(check_archive(settings, layout))[DATASET]
    assert found == Finding(
        expected.name,
        expected.level,
        expected.found,
        expected.cure.replace("{last_run}", str(layout.last_run)),
    )


def test_gaps_are_counted_by_the_calendar(settings: Settings, layout: Layout) -> None:
    """Month and year ends and 29 February are days like others."""
    days = [date(2023, 12, 31) + timedelta(days=n) for n in range(62)]
    for day in days:
        (layout.day(DATASET, day)).mkdir(parents=True)
    now = given(settings, now="2024-03-02T00:10:00+09:00")
    assert by_name(check_archive(now, layout))[DATASET] == ok(
        DATASET, "62 days, 2023-12-31 to 2024-03-01"
    )
    layout.day(DATASET, date(2024, 2, 29)).rmdir()
    assert by_name(check_archive(now, layout))[DATASET] == problem(
        DATASET, "61 days, 2023-12-31 to 2024-03-01; missing (1): 2024-02-29", BRING_IN
    )


def test_another_zone_is_a_problem(
    settings: Settings, layout: Layout, house: Callable[..., None]
) -> None:
    """The archive's zone and TZ must be one."""
    house(23)
    found = by_name(check_archive(given(settings, tz="Australia/Adelaide"), layout))
    assert found["zone"] == problem(
        "zone",
        f"TZ=Australia/Adelaide but the archive in {layout.parquet} was begun with Asia/Tokyo, its days would overlap",
        "set TZ=Asia/Tokyo, or another PARQUET_BASE_DIR, MARKER_DIR and DUCKDB_PATH for days of Australia/Adelaide",
    )


@pytest.mark.parametrize(
    ("now", "tz", "shown"),
    [
        (
            "2026-11-23T14:40:00+00:00",
            "Australia/Adelaide",
            "now is 2026-11-24 01:10, yesterday 2026-11-23",
        ),
        (
            "2026-03-29T01:00:00+00:00",
            "Europe/Berlin",
            "now is 2026-03-29 03:00, yesterday 2026-03-28",
        ),
        (
            "2026-10-25T01:30:00+00:00",
            "Europe/Berlin",
            "now is 2026-10-25 02:30, yesterday 2026-10-24",
        ),
        (
            "2028-02-29T23:30:00+00:00",
            "Europe/Berlin",
            "now is 2028-03-01 00:30, yesterday 2028-02-29",
        ),
        (
            "2026-12-31T15:00:00+00:00",
            "Asia/Tokyo",
            "now is 2027-01-01 00:00, yesterday 2026-12-31",
        ),
    ],
)
def test_the_house_s_clock_is_shown(
    settings: Settings, layout: Layout, now: str, tz: str, shown: str
) -> None:
    """Local time and yesterday by the house's zone, also in half-hour zones, on days of clock changes and at ends of months."""
    assert by_name(check_archive(given(settings, now=now, tz=tz), layout))["zone"] == ok(
        "zone", f"{tz}, no day is archived yet; {shown}"
    )


@pytest.mark.parametrize(
    ("tz", "other", "hour"),
    [
        ("Europe/Berlin", "Europe/Berlin", None),
        ("Australia/Adelaide", "Australia/Adelaide", None),
        ("Asia/Tokyo", "Asia/Tokyo", None),
        ("Europe/Berlin", "Africa/Algiers", "2025-03-30 01:00"),  # which has no summer time
        ("Africa/Algiers", "Europe/Berlin", "2025-03-30 01:00"),
    ],
)
def test_rules_that_differ_are_found(tz: str, other: str, hour: str | None) -> None:
    """DuckDB's rules of a zone against Python's, hour by hour: the first one that differs."""
    assert differing_hour(tz, ZoneInfo(other), 2026) == hour


def test_a_run_at_work_is_named_and_left_alone(
    settings: Settings, layout: Layout, house: Callable[..., None], tmp_path: Path
) -> None:
    """While another process holds the lock its id is told, and no probe is made."""
    house(23)
    hold = "from pathlib import Path; from homeiot_batch.archive import run_lock; run_lock.hold(Path(sys.argv[1]), 0)"
    with holding(hold, layout.lock) as run:
        found = by_name(check_archive(settings, layout))
        run.kill()
    assert [found["run"], found["rename"]] == [
        ok("run", f"one is at work (process {run.pid})"),
        ok("rename", "not tried while a run is at work"),
    ]
    assert "hard links" not in found
    assert by_name(check_archive(settings, layout))["run"] == ok("run", "none is at work")


@pytest.mark.parametrize(
    ("size", "level", "cure"),
    [
        (1_000_000, "ok", ""),
        (0.1, "warning", "make room, or move these folders to a larger disk"),
        (1.5, "problem", "make room, or move these folders to a larger disk"),
    ],
)
def test_room_is_measured_in_days(
    settings: Settings,
    layout: Layout,
    house: Callable[..., None],
    size: float,
    level: str,
    cure: str,
) -> None:
    """Less than a month is a warning, less than a day a problem; `size` in bytes, or as a share of what is free."""
    stat = os.statvfs(settings.parquet_base_dir.parent)
    house(22, 23, size=int(size if size > 10 else size * stat.f_bavail * stat.f_frsize))
    found = by_name(check_archive(settings, layout))["disk"]
    days = int(found.found.split(": room for ")[1].removesuffix(" days"))
    assert (found.level, found.cure) == (level, cure)
    assert days == {"warning": pytest.approx(10, abs=1), "problem": 0}.get(
        level, pytest.approx(days)
    )


def test_a_file_in_the_place_of_a_folder_is_a_problem(
    settings: Settings, layout: Layout, tmp_path: Path
) -> None:
    """What stands in the way of the first run is named."""
    (tmp_path / "duckdb").touch()
    assert by_name(check_archive(settings, layout))["DUCKDB_PATH"] == problem(
        "DUCKDB_PATH",
        f"{tmp_path / 'duckdb'} is no folder",
        "move it away, or set DUCKDB_PATH to another place",
    )


@pytest.mark.skipif(os.getuid() == 0, reason="everything can be written by root")
def test_what_cannot_be_written_is_named(
    settings: Settings, layout: Layout, house: Callable[..., None]
) -> None:
    """A dataset's folder that belongs to another user, say, and the database file."""
    house(23)
    closed = [layout.parquet / DATASET, settings.duckdb_path]
    modes = [path.stat().st_mode for path in closed]
    for path in closed:
        path.chmod(0o500)
    found = by_name(check_archive(settings, layout))
    for path, mode in zip(closed, modes, strict=True):
        path.chmod(mode)
    cure = "give the user of the batch the right, or run as its owner"
    assert [found["PARQUET_BASE_DIR"], found["DUCKDB_PATH"]] == [
        problem(
            "PARQUET_BASE_DIR", f"{closed[0]} cannot be written by this user ({os.getuid()})", cure
        ),
        problem("DUCKDB_PATH", f"{closed[1]} cannot be written by this user ({os.getuid()})", cure),
    ]
    assert (found["rename"].level, "Permission denied" in found["rename"].found) == (
        "problem",
        True,
    )


@pytest.mark.skipif(os.getuid() == 0, reason="everything can be read by root")
def test_what_cannot_be_read_is_named(
    settings: Settings, layout: Layout, house: Callable[..., None]
) -> None:
    """What stops a group's checks is a finding of it; the other groups are looked at."""
    house(23)
    layout.identity.chmod(0)
    report = examine(given(settings, influx_url=__file__), layout)
    layout.identity.chmod(0o600)
    assert report["archive"] == [
        problem(
            "files",
            f"{layout.identity} cannot be read (Permission denied)",
            "see to its permissions, or run as the user of the batch",
        )
    ]
    assert [finding.level for finding in report["source"] + report["database"]] == ["ok", "ok"]


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Path]:
    """A folder on another file system."""
    memory = Path("/dev/shm")
    if not memory.is_dir() or memory.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs a second file system at /dev/shm")
    with tempfile.TemporaryDirectory(dir=memory) as folder:
        yield Path(folder)


@pytest.mark.parametrize("odd", [".staging", DATASET])
def test_staging_and_archive_on_two_file_systems_are_a_problem(
    settings: Settings, layout: Layout, house: Callable[..., None], elsewhere: Path, odd: str
) -> None:
    """No rename moves a day between them: the one that lies elsewhere is named, and no probe is left behind."""
    house(23)
    place = layout.parquet / odd
    if place.exists():
        place.rename(layout.parquet / "old")
    place.symlink_to(elsewhere)
    before = tree(layout.parquet)
    found = by_name(check_archive(settings, layout))["rename"]
    mounts = {
        path: next(p for p in (path.resolve(), *path.resolve().parents) if p.is_mount())
        for path in (layout.staging, layout.parquet / DATASET)
    }
    (staging, at), (archive, there) = mounts.items()
    assert found == problem(
        "rename",
        f"{staging} lies on {at}, {archive} on {there}: no rename moves a day from one to the other",
        f"let {place} be a plain folder: mount {layout.parquet} as one, with no mount or link inside",
    )
    assert (tree(layout.parquet), list(elsewhere.iterdir())) == (before, [])


# the database


def test_a_database_that_is_free_is_well(
    settings: Settings, layout: Layout, house: Callable[..., None]
) -> None:
    """It opens, nobody holds it, and it is not written to."""
    house(23)
    before = settings.duckdb_path.read_bytes()
    assert list(check_database(settings, layout)) == [
        ok("file", f"{settings.duckdb_path}, {len(before) / 1e6:.1f} MB, opens, nobody has it open")
    ]
    assert settings.duckdb_path.read_bytes() == before
    settings.duckdb_path.unlink()
    assert list(check_database(settings, layout)) == [
        ok("file", f"{settings.duckdb_path} is not there; the next run builds it from the archive")
    ]
    assert not settings.duckdb_path.exists()


@pytest.mark.parametrize("read_only", [True, False])
def test_who_holds_the_database_is_named(
    settings: Settings, layout: Layout, house: Callable[..., None], read_only: bool
) -> None:
    """Another process with the file open, be it only to read, would make the next load fail: its id and name, as a warning."""
    house(23)
    with holding(
        f"import duckdb; connection = duckdb.connect(sys.argv[1], read_only={read_only})",
        settings.duckdb_path,
    ) as process:
        name = Path(f"/proc/{process.pid}/comm").read_text().strip()
        [found] = check_database(settings, layout)
        process.kill()
    size = f"{settings.duckdb_path.stat().st_size / 1e6:.1f}"
    if read_only:
        said = f"{settings.duckdb_path}, {size} MB, opens; process {process.pid} ({name}) reads it, and no load can write until that ends"
        assert found == warning("file", said, "close it there")
    else:
        program = Path(sys.executable).resolve()
        said = f"{settings.duckdb_path} is open in another process ({program} (PID {process.pid}))"
        assert found == Finding("file", "warning", said, "close it there and run again")


def test_a_damaged_database_is_named(
    settings: Settings, layout: Layout, house: Callable[..., None]
) -> None:
    """A file that is no DuckDB file is left alone: the next run is the one to replace it."""
    house(23)
    settings.duckdb_path.write_bytes(b"not a database" * 1000)
    [found] = check_database(settings, layout)
    assert (found.level, found.cure) == (
        "warning",
        "the next run sets it aside and builds it again from the archive",
    )
    assert found.found.startswith(f"{settings.duckdb_path} is damaged (")
    assert settings.duckdb_path.read_bytes().startswith(b"not a database")


def test_another_zone_and_days_not_loaded_are_found(
    settings: Settings, layout: Layout, house: Callable[..., None]
) -> None:
    """The database's own note of the zone, and archived days without a marker."""
    house(21, 22, 23)
    layout.marker(DATASET, "2026-11-22").unlink()
    size = f"{settings.duckdb_path.stat().st_size / 1e6:.1f}"
    assert list(check_database(given(settings, tz="Europe/Berlin"), layout)) == [
        problem(
            "file",
            f"{settings.duckdb_path}, {size} MB, opens; it holds days of Asia/Tokyo, TZ is Europe/Berlin",
            "set TZ=Asia/Tokyo, or another DUCKDB_PATH",
        ),
        warning(
            DATASET,
            "1 archived days are not loaded",
            "python -m homeiot_batch.run_archive loads them",
        ),
    ]


# an export


def test_an_export_is_looked_at(settings: Settings, tmp_path: Path) -> None:
    """Files, size and age of an export; a problem where there is none, or an empty file."""
    folder = tmp_path / "export"
    changed = given(settings, influx_url=str(folder))
    assert list(check_source(changed)) == [
        problem(
            "export",
            f"INFLUX_URL={str(folder)!r}: there is no file or folder {folder}",
            "give an existing export, or http://host:port of an InfluxDB",
        )
    ]
    folder.mkdir()
    for name in "ab":
        (folder / name).write_text("power value=1 1\n" * 1000)
        os.utime(folder / name, (1794193200, 1794193200))
    assert list(check_source(changed)) == [
        ok(
            "export",
            f"{folder}: 2 files, 0.03 MB, written 2026-11-09 12:00:00; read when a day is fetched",
        )
    ]
    (folder / "c").touch()
    assert list(check_source(changed)) == [
        problem("export", f"{folder / 'c'} is empty", "copy it again, or take it away")
    ]


# the command


def test_a_refused_question_is_no_missing_measurement(settings: Settings) -> None:
    """Where the server does not say which fields there are, its refusal is the finding."""
    policies = '{"results":[{"series":[{"columns":["name","default"],"values":[["p",true]]}]}]}'
    databases = '{"results":[{"series":[{"columns":["name"],"values":[["home"]]}]}]}'

    def answers(question: Question) -> Answer:
        if question.query.startswith("SHOW FIELD KEYS"):
            return json_answer('{"error": "no room\\u001b[31m"}', status=400)
        listing = databases if question.query == "SHOW DATABASES" else policies
        return json_answer(listing, X_Influxdb_Version="1.8.10")

    with serving(answers) as (url, _):
        findings = list(check_readings(given(settings, influx_url=url, influx_bucket="home")))
    refused = rf"{url} answered 400: no room\x1b[31m"
    assert [(finding.level, finding.name) for finding in findings] == [
        ("problem", "raw_meter_readings")
    ]
    assert findings[0].found == refused


def doctor(settings: Settings, *arguments: str, **env: str) -> "subprocess.CompletedProcess[str]":
    """Run the command as a user would."""
    places = {
        name.upper(): str(getattr(settings, name))
        for name in ("parquet_base_dir", "marker_dir", "report_dir", "duckdb_path")
    }
    command = [
        sys.executable,
        "-m",
        "homeiot_batch",
        "doctor",
        *arguments,
        "--config",
        "now=2026-11-24T08:00:00+09:00",
    ]
    environment = os.environ | {"TZ": "Asia/Tokyo"} | places | env
    return subprocess.run(command, env=environment, text=True, capture_output=True, check=False)


def test_the_command_lists_groups_and_cures(
    settings: Settings, house: Callable[..., None], tmp_path: Path
) -> None:
    """A line a finding, aligned under its group, a cure on the next; exit code 1 with a problem, 0 with warnings only; JSON says the same."""
    house(21, 23)
    export = tmp_path / "house.lp"
    done = doctor(settings, INFLUX_URL=str(export))
    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (1, "")
    assert lines[:5] == [
        "source",
        f"  problem  export              INFLUX_URL={str(export)!r}: there is no file or folder {export}",
        "                               cure: give an existing export, or http://host:port of an InfluxDB",
        "archive",
        "  ok       zone                Asia/Tokyo, the archive was begun with it; now is 2026-11-24 08:00, yesterday 2026-11-23",
    ]
    assert lines[-1] == "14 findings, problems: 2, warnings: 0"
    listed = json.loads(doctor(settings, "--json", INFLUX_URL=str(export)).stdout)
    groups = ["source", *["archive"] * 10, "database", *["house"] * 2]
    assert [entry["group"] for entry in listed] == groups
    assert listed[2] == {
        "group": "archive",
        "name": DATASET,
        "level": "problem",
        "found": "2 days, 2026-11-21 to 2026-11-23; missing (1): 2026-11-22",
        "cure": BRING_IN,
    }
    export.write_text("power value=1 1\n")
    settings.layout.day(DATASET, "2026-11-22").mkdir()
    well = doctor(settings, INFLUX_URL=str(export))
    assert (well.returncode, well.stdout.splitlines()[-1]) == (
        0,
        "15 findings, problems: 0, warnings: 1",
    )


def test_a_setting_that_cannot_be_used_is_an_error(settings: Settings) -> None:
    """One line, as everywhere."""
    done = doctor(settings, TZ="Tokyo")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(
        "error: environment variable TZ: tz='Tokyo' is not the IANA name of a time zone"
    )


def test_a_link_to_a_database_that_is_not_there(
    settings: Settings, layout: Layout, tmp_path: Path
) -> None:
    """Its disk is not mounted: the next run would be refused."""
    settings.duckdb_path.parent.mkdir()
    target = tmp_path / "disk/house.duckdb"
    settings.duckdb_path.symlink_to(target)
    assert list(check_database(settings, layout)) == [
        problem(
            "file",
            f"{settings.duckdb_path} is a link to {target}, whose folder is not there",
            "mount or make it, or set DUCKDB_PATH",
        )
    ]


@pytest.mark.parametrize("name", ["a#b.duckdb", "a;b.duckdb", "a\nb.duckdb"])
def test_a_name_that_dbt_takes_for_another(name: str, settings: Settings, layout: Layout) -> None:
    """Days can be loaded, but no tables can be built."""
    odd = given(settings, duckdb_path=str(settings.duckdb_path.with_name(name)))
    found = list(check_database(odd, layout))
    assert found[0] == problem(
        "name",
        f"{name!r} holds #, ; or a line break, and dbt cannot open it",
        "rename the file, and set DUCKDB_PATH to its new name",
    )
