"""Whether a day can move from staging into the archive by one rename. The probes are removed."""

import contextlib
import errno
import shutil
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

from homeiot_batch.config import Settings
from homeiot_batch.core.layout import Layout
from homeiot_batch.doctor.finding import Finding, ok, problem, warning


def check_moves(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """What a run does with a day: a folder of staging is renamed into each dataset's."""
    try:
        with _probe(layout) as probe:
            yield from _check_renames(settings, layout, probe)
            yield _try_link(layout, probe)
    except OSError as error:
        found = f"{layout.staging} cannot be written ({error.strerror})"
        yield problem("rename", found, "see to disk space and permissions")


@contextlib.contextmanager
def _probe(layout: Layout) -> Generator[Path]:
    """A folder in staging, where the next run clears it away if this process is killed now."""
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


def _check_renames(settings: Settings, layout: Layout, probe: Path) -> Iterator[Finding]:
    targets = _targets(settings, layout)
    refused = False
    for target in targets:
        finding = _try_rename(layout, probe, target)
        if finding:
            refused = True
            yield finding
    if not refused:
        shown = ", ".join(map(str, targets))
        yield ok("rename", f"one moves a day from {layout.staging} to {shown}")


def _targets(settings: Settings, layout: Layout) -> list[Path]:
    """The datasets' folders, or the archive's as long as it has none."""
    folders = [layout.parquet / dataset for dataset in settings.datasets]
    there = [folder for folder in folders if folder.is_dir()]
    return there or [layout.parquet]


def _try_rename(layout: Layout, probe: Path, target: Path) -> Finding | None:
    """None if it works."""
    day = probe / target.name
    moved = target / f".{probe.name}"
    day.mkdir()
    try:
        day.rename(moved)
        moved.rmdir()
    except OSError as error:
        if error.errno == errno.EXDEV:
            return _two_file_systems(layout, target)
        found = f"{day} cannot be renamed to {moved} ({error.strerror})"
        return problem("rename", found, "see to the permissions of both folders")
    return None


def _two_file_systems(layout: Layout, target: Path) -> Finding:
    staging = layout.staging
    odd = target
    if staging.stat().st_dev != layout.parquet.stat().st_dev:
        odd = staging
    return problem(
        "rename",
        f"{staging} lies on {_mount(staging)}, {target} on {_mount(target)}: "
        "no rename moves a day from one to the other",
        f"let {odd} be a plain folder: mount {layout.parquet} as one, with no mount or link inside",
    )


def _mount(path: Path) -> Path:
    """The mount point that the path lies on."""
    place = path.resolve()
    while not place.is_mount():
        place = place.parent
    return place


def _try_link(layout: Layout, probe: Path) -> Finding:
    file = probe / "file"
    link = probe / "link"
    file.touch()
    try:
        link.hardlink_to(file)
    except OSError as error:
        return warning(
            "hard links",
            f"do not work in {layout.staging} ({error.strerror})",
            "put PARQUET_BASE_DIR on a file system that has them: "
            "ext4, xfs, btrfs or zfs, not FAT and not every network share",
        )
    return ok("hard links", f"work in {layout.staging}")
