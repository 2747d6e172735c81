"""Whether the archive is whole, and whether the next day finds room and a way into it."""

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Generator, Iterator
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb

from homeiot_batch.archive.early_reads import early_reads
from homeiot_batch.archive.run_lock import holder
from homeiot_batch.archive.zone_record import check_zone, recorded_zone
from homeiot_batch.config import Settings
from homeiot_batch.core.days import EPOCH, each_day, yesterday
from homeiot_batch.core.layout import PART, Layout
from homeiot_batch.doctor.finding import Finding, of_error, ok, problem, warning
from homeiot_batch.doctor.locks import check_locks
from homeiot_batch.errors import HomeIotError, SettingsError
from homeiot_batch.workflow.machine_zone import zone_doubt
from homeiot_batch.workflow.preflight import refuse_undeclared_columns

MONTH_OF_DAYS = 31
NONE_YET = "no day is archived yet"


def check_archive(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """Zone, days, the run that holds it, permissions, room, and how days move into place."""
    yield from _check_zone(settings, layout)
    for dataset in settings.datasets:
        yield _check_days(settings, layout, dataset)
        yield from _check_early_reads(settings, layout, dataset)
    try:
        refuse_undeclared_columns(layout, settings)
    except SettingsError as error:
        yield of_error("declaration", error)
    for name, days in layout.undeclared(settings.datasets).items():
        yield warning(
            name,
            f"{days} archived days, but it is not declared in config.yaml",
            "declare it again, or move its folder away",
        )
    if not_locked := check_locks(layout.parquet, "PARQUET_BASE_DIR"):
        yield not_locked
    run = holder(layout.lock)
    yield ok("run", f"one is at work (process {run})" if run else "none is at work")
    yield from _check_permissions(settings, layout)
    yield from _check_room(settings, layout)
    if run or not layout.parquet.is_dir():
        yield ok(
            "rename",
            "not tried "
            + (
                "while a run is at work"
                if run
                else f"before the first run has made {layout.parquet}"
            ),
        )
    else:
        yield from _check_moves(settings, layout)


def _check_zone(settings: Settings, layout: Layout) -> Iterator[Finding]:
    try:
        check_zone(layout, settings.tz)
        begun = "the archive was begun with it" if recorded_zone(layout) else NONE_YET
        now = settings.instant().astimezone(settings.zone)
        yield ok(
            "zone",
            f"{settings.tz}, {begun}; now is {now:%F %H:%M}, yesterday {yesterday(now, settings.zone)}",
        )
        yield from _check_machine_zone(settings, layout)
    except HomeIotError as error:
        yield of_error("zone", error)
    if differing := _differing_hour(settings.tz, settings.zone, settings.instant().year):
        cure = "update the Python packages duckdb and tzdata together"
        yield problem(
            "zone rules",
            f"DuckDB's of {settings.tz} differ from Python's at {differing} UTC: such a day is refused",
            cure,
        )


def _check_machine_zone(settings: Settings, layout: Layout) -> Iterator[Finding]:
    if not (doubt := zone_doubt(settings)):
        return
    fix = f"set TZ to the zone of the house, to {settings.tz} if that is it"
    if recorded_zone(layout):
        fix = (
            f"set TZ={settings.tz} if that is the zone of the house; for another zone begin another "
            "archive: another PARQUET_BASE_DIR, MARKER_DIR and DUCKDB_PATH"
        )
    yield warning("machine zone", doubt, fix)


def _differing_hour(tz: str, zone: ZoneInfo, year: int) -> str | None:
    """The first hour (UTC), from the year before to the one after, to which DuckDB's rules and Python's give other wall times."""
    bounds = [f"{year - 1}-01-01", f"{year + 2}-01-01"]
    hours = "SELECT epoch_us(t), timezone(?, timezone('UTC', t)) FROM range(?::TIMESTAMP, ?::TIMESTAMP, INTERVAL 1 HOUR) AS hours(t)"
    with duckdb.connect() as connection:
        rows = connection.execute(hours, [tz, *bounds]).fetchall()
    for microseconds, wall in rows:
        utc = EPOCH + timedelta(microseconds=microseconds)
        if utc.astimezone(zone).replace(tzinfo=None) != wall:
            return f"{utc:%F %H:%M}"
    return None


def _check_days(settings: Settings, layout: Layout, dataset: str) -> Finding:
    days, known = layout.archived_days(dataset), layout.known_days(dataset)
    over = yesterday(settings.instant(), settings.zone)
    if not days:
        cure = "mount or restore the archive; a new one needs another MARKER_DIR and DUCKDB_PATH"
        return (
            problem(
                dataset, f"no day is archived, {len(known)} are known from {layout.markers}", cure
            )
            if known
            else ok(dataset, NONE_YET)
        )
    first = settings.archive_start or layout.first_day(dataset) or known[0]
    missing = sorted(set(each_day(first, min(known[-1], over))) - set(days))
    found = f"{len(days)} days, {days[0]} to {days[-1]}"
    cure = "python -m homeiot_batch.run_archive brings them in, if the source still has them"
    if missing:
        return problem(dataset, f"{found}; missing ({len(missing)}): {_spans(missing)}", cure)
    if days[-1] < over - timedelta(days=1):
        behind = (over - days[-1]).days
        return warning(
            dataset,
            f"{found}: {behind} days behind yesterday",
            f"{cure}; see that cron runs, and the failures in {layout.last_run}",
        )
    return ok(dataset, found)


def _check_early_reads(settings: Settings, layout: Layout, dataset: str) -> Iterator[Finding]:
    reads = early_reads(layout, settings, dataset)
    if over := [read.day.date for read in reads if read.is_over]:
        yield problem(
            f"{dataset} clock",
            f"read before they were over, by a wrong clock ({len(over)}): {_spans(over)}",
            "python -m homeiot_batch.run_archive reads them again",
        )
    if ahead := [read.day.date for read in reads if not read.is_over]:
        yield warning(
            f"{dataset} clock ahead" if over else f"{dataset} clock",
            f"archived, but not over yet ({len(ahead)}): {_spans(ahead)}",
            "see whether this machine's clock is behind; if it was ahead when they were read, "
            "each is read again when it is over",
        )


def _spans(days: list[date], shown: int = 5) -> str:
    """Ascending days, runs of them as first to last."""
    spans: list[tuple[date, date]] = []
    for day in days:
        if spans and day - spans[-1][1] == timedelta(days=1):
            spans[-1] = (spans[-1][0], day)
        else:
            spans.append((day, day))
    listed = ", ".join(
        str(first) if first == last else f"{first} to {last}" for first, last in spans[:shown]
    )
    return listed + (" and more" if len(spans) > shown else "")


def _check_permissions(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """The folders of the three places, and what lies in them that a run must write."""
    datasets = list(settings.datasets)
    places = {
        "PARQUET_BASE_DIR": [
            layout.parquet,
            layout.staging,
            layout.lock,
            layout.identity,
            *(layout.parquet / name for name in datasets),
        ],
        "MARKER_DIR": [layout.markers, *(layout.markers / name for name in datasets)],
        "REPORT_DIR": [settings.report_dir, settings.report],
        "DUCKDB_PATH": [settings.duckdb_path.parent, settings.duckdb_path],
    }
    for name, (folder, *others) in places.items():
        closed = [path for path in (folder, *others) if path.exists() and not _is_open(path)]
        if not (top := _existing(folder)).is_dir():
            yield problem(
                name, f"{top} is no folder", f"move it away, or set {name} to another place"
            )
        elif closed or not _is_open(top):
            shown = ", ".join(map(str, closed or [top]))
            yield problem(
                name,
                f"{shown} cannot be written by this user ({os.getuid()})",
                "give the user of the batch the right, or run as its owner",
            )
        else:
            yield ok(
                name,
                f"{folder} can be written"
                if folder.exists()
                else f"{folder} is made by the first run, in {top}",
            )


def _is_open(path: Path) -> bool:
    return os.access(path, os.W_OK | (os.X_OK if path.is_dir() else 0))


def _existing(path: Path) -> Path:
    """The path, or the nearest above it that is there."""
    absolute = path.absolute()
    return next(place for place in (absolute, *absolute.parents) if place.exists())


def _check_room(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """Free bytes of each file system against what a day took there on average."""
    days = len({day for name in settings.datasets for day in layout.archived_days(name)})
    parts = (
        layout.day(name, day) / PART
        for name in settings.datasets
        for day in layout.archived_days(name)
    )
    sizes = {
        layout.parquet: sum(map(_size, parts)),
        settings.duckdb_path.parent: _size(settings.duckdb_path),
        layout.markers: sum(map(_size, layout.markers.rglob("*"))),
    }
    disks: dict[int, list[Path]] = {}
    for place in sizes:
        disks.setdefault(_existing(place).stat().st_dev, []).append(place)
    for places in disks.values():
        yield _room(
            places,
            shutil.disk_usage(_existing(places[0])).free,
            sum(sizes[place] for place in places) / days if days else 0,
        )


def _room(places: list[Path], free: int, per_day: float) -> Finding:
    found = f"{_bytes(free)} free for {', '.join(map(str, places))}"
    if not per_day:
        return ok("disk", found)
    left = int(free / per_day)
    found += f"; a day took {_bytes(per_day)}: room for {left} days"
    if left >= MONTH_OF_DAYS:
        return ok("disk", found)
    return (warning if left else problem)(
        "disk", found, "make room, or move these folders to a larger disk"
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _bytes(size: float) -> str:
    for unit, factor in (("GB", 1e9), ("MB", 1e6)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size / 1e3:.1f} kB"


def _check_moves(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """What a day does: a folder of staging is renamed into each dataset's. The probes are removed again."""
    targets = [
        folder for name in settings.datasets if (folder := layout.parquet / name).is_dir()
    ] or [layout.parquet]
    try:
        with _probe(layout) as probe:
            refused = [
                finding for target in targets if (finding := _try_rename(layout, probe, target))
            ]
            yield from refused or [
                ok(
                    "rename",
                    f"one moves a day from {layout.staging} to {', '.join(map(str, targets))}",
                )
            ]
            yield _try_link(layout, probe)
    except OSError as error:
        yield problem(
            "rename",
            f"{layout.staging} cannot be written ({error.strerror})",
            "see to disk space and permissions",
        )


@contextlib.contextmanager
def _probe(layout: Layout) -> Generator[Path]:
    """A folder in staging, where the next run would clear it away if this process were killed now."""
    is_new = not layout.staging.exists()
    layout.staging.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="tmp-doctor-", dir=layout.staging))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if is_new:
            with contextlib.suppress(OSError):  # a run has begun meanwhile
                layout.staging.rmdir()


def _try_rename(layout: Layout, probe: Path, target: Path) -> Finding | None:
    """None if it works."""
    day, moved = probe / target.name, target / f".{probe.name}"
    day.mkdir()
    try:
        day.rename(moved)
        moved.rmdir()
    except OSError as error:
        if error.errno != errno.EXDEV:
            return problem(
                "rename",
                f"{day} cannot be renamed to {moved} ({error.strerror})",
                "see to the permissions of both folders",
            )
        odd = (
            layout.staging
            if layout.staging.stat().st_dev != layout.parquet.stat().st_dev
            else target
        )
        found = f"{layout.staging} lies on {_mount(layout.staging)}, {target} on {_mount(target)}: no rename moves a day from one to the other"
        return problem(
            "rename",
            found,
            f"let {odd} be a plain folder: mount {layout.parquet} as one, with no mount or link inside",
        )
    return None


def _mount(path: Path) -> Path:
    place = path.resolve()
    return next(parent for parent in (place, *place.parents) if parent.is_mount())


def _try_link(layout: Layout, probe: Path) -> Finding:
    file = probe / "file"
    file.touch()
    try:
        (probe / "link").hardlink_to(file)
    except OSError as error:
        cure = "put PARQUET_BASE_DIR on a file system that has them: ext4, xfs, btrfs or zfs, not FAT and not every network share"
        return warning("hard links", f"do not work in {layout.staging} ({error.strerror})", cure)
    return ok("hard links", f"work in {layout.staging}")
