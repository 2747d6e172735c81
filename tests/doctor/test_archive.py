"""What the doctor finds in the archive: its days, its places and their room."""

import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from homeiot_batch.config import Settings
from homeiot_batch.core.layout import Layout
from homeiot_batch.doctor.archive import check_archive
from homeiot_batch.doctor.command import examine
from homeiot_batch.doctor.finding import Finding, ok, problem, warning
from tests.doctor.findings import BRING_IN, DATASET, by_name, given, holding, tree


def test_a_whole_archive_is_well(
    settings: Settings, layout: Layout, house: Callable[..., None], tmp_path: Path
) -> None:
    """Every finding of a house that was archived up to yesterday is well.

    Nothing is changed, and no probe is left behind.
    """
    house(*range(10, 24))
    before = tree(tmp_path)
    found = by_name(check_archive(settings, layout))
    assert tree(tmp_path) == before
    disk = found.pop("disk")
    assert (disk.level, disk.found.split(" free for ")[1].split(", a day took")[0]) == (
        "ok",
        f"{layout.parquet}, {settings.duckdb_path.parent}, {layout.markers}",
    )
    assert list(found.values()) == [
        ok(
            "zone",
            "Asia/Tokyo, the archive was begun with it, now is 2026-11-24 00:10, yesterday "
            "2026-11-23",
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
            "Asia/Tokyo, no day is archived yet, now is 2026-11-24 00:10, yesterday 2026-11-23",
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
                "6 days, 2026-11-01 to 2026-11-23, missing (17): 2026-11-02, 2026-11-04, "
                "2026-11-07 to 2026-11-08, 2026-11-10 to 2026-11-22",
                BRING_IN,
            ),
        ),
        (
            [1, 3, 5, 7, 9, 11, 13],
            problem(
                DATASET,
                "7 days, 2026-11-01 to 2026-11-13, missing (6): 2026-11-02, 2026-11-04, "
                "2026-11-06, 2026-11-08, 2026-11-10 and more",
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
    """Gaps are a problem.

    Days behind are a warning, but for yesterday, which the night may not have reached yet.
    """
    house(*days)
    found = by_name(check_archive(settings, layout))[DATASET]
    assert found == Finding(
        expected.name,
        expected.level,
        expected.found,
        expected.fix.replace("{last_run}", str(layout.last_run)),
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
        DATASET, "61 days, 2023-12-31 to 2024-03-01, missing (1): 2024-02-29", BRING_IN
    )


def test_another_zone_is_a_problem(
    settings: Settings, layout: Layout, house: Callable[..., None]
) -> None:
    """The archive's zone and TZ must be one."""
    house(23)
    found = by_name(check_archive(given(settings, tz="Australia/Adelaide"), layout))
    assert found["zone"] == problem(
        "zone",
        f"TZ=Australia/Adelaide but the archive in {layout.parquet} was begun with Asia/Tokyo, its "
        "days would overlap",
        "set TZ=Asia/Tokyo, or another PARQUET_BASE_DIR, MARKER_DIR and DUCKDB_PATH for days of "
        "Australia/Adelaide",
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
    """Local time and yesterday by the house's zone.

    Also in half-hour zones, on days of clock changes and at ends of months.
    """
    assert by_name(check_archive(given(settings, now=now, tz=tz), layout))["zone"] == ok(
        "zone", f"{tz}, no day is archived yet, {shown}"
    )


def test_a_run_at_work_is_named_and_left_alone(
    settings: Settings, layout: Layout, house: Callable[..., None], tmp_path: Path
) -> None:
    """While another process holds the lock its id is told, and no probe is made."""
    house(23)
    hold = (
        "from pathlib import Path; from homeiot_batch.archive import run_lock; "
        "run_lock.hold(Path(sys.argv[1]), 0)"
    )
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
    ("size", "level", "fix"),
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
    fix: str,
) -> None:
    """Less than a month is a warning, less than a day a problem.

    `size` in bytes, or as a share of what is free.
    """
    stat = os.statvfs(settings.parquet_base_dir.parent)
    house(22, 23, size=int(size if size > 10 else size * stat.f_bavail * stat.f_frsize))
    found = by_name(check_archive(settings, layout))["disk"]
    days = int(found.found.split(": room for ")[1].removesuffix(" days"))
    assert (found.level, found.fix) == (level, fix)
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
    fix = "give the user of the batch the right, or run as its owner"
    assert [found["PARQUET_BASE_DIR"], found["DUCKDB_PATH"]] == [
        problem(
            "PARQUET_BASE_DIR", f"{closed[0]} cannot be written by this user ({os.getuid()})", fix
        ),
        problem("DUCKDB_PATH", f"{closed[1]} cannot be written by this user ({os.getuid()})", fix),
    ]
    assert (found["rename"].level, "Permission denied" in found["rename"].found) == (
        "problem",
        True,
    )


@pytest.mark.skipif(os.getuid() == 0, reason="everything can be read by root")
def test_what_cannot_be_read_is_named(
    settings: Settings, layout: Layout, house: Callable[..., None]
) -> None:
    """What stops a group's checks is a finding of it. The other groups are looked at."""
    house(23)
    layout.archive_file.chmod(0)
    report = examine(given(settings, influx_url=__file__), layout)
    layout.archive_file.chmod(0o600)
    assert report["archive"] == [
        problem(
            "files",
            f"{layout.archive_file} cannot be read (Permission denied)",
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
    """No rename moves a day between them.

    The one that lies elsewhere is named, and no probe is left behind.
    """
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
        f"{staging} lies on {at}, {archive} on {there}: no rename moves a day from one to the "
        "other",
        f"let {place} be a plain folder: mount {layout.parquet} as one, with no mount or link "
        "inside",
    )
    assert (tree(layout.parquet), list(elsewhere.iterdir())) == (before, [])
