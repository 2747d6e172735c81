"""Days that are gone, or cannot be read.

Somebody misses them, and nothing takes their place that holds less.
"""

import contextlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fast_set import few
from tests.house import Checkout, House, Outcome
from tests.workflow import drills
from tests.workflow.drills import DATASET, FIRST, FORCED, LAST, MIDDLE, V1, jobs, span

NOW = ("--config", "now=2026-11-12T00:10:00+09:00")
PLAIN = [
    "setpriv",
    "--bounding-set",
    "-dac_override,-dac_read_search",
    "--inh-caps",
    "-dac_override,-dac_read_search",
]


@pytest.fixture
def archive(archived_checkout: Checkout) -> Checkout:
    """Three days archived and loaded."""
    return archived_checkout


def flip(house: House, day: str) -> None:
    """A byte of the day's data changed."""
    drills.flip_byte(house.day(day) / "part-0.parquet", 40)


def change_count(part: Path, digit: bytes) -> None:
    """Another count of values in what the file says of itself. Its size and time stay."""
    stat, content = part.stat(), part.read_bytes()
    place = content.index(b'"energy_import_kwh": 3') + len(b'"energy_import_kwh": ')
    part.write_bytes(content[:place] + digit + content[place + 1 :])
    os.utime(part, ns=(stat.st_atime_ns, stat.st_mtime_ns))


# the first days


@pytest.mark.parametrize("markers", few(["kept", "lost"], "kept"))
def test_the_first_archived_days_are_missed(markers: str, archive: Checkout) -> None:
    """By verify, status and doctor, and by the night, which brings them in again.

    Verify knows them from the database, if the markers are gone too.
    """
    for day in (FIRST, MIDDLE):
        shutil.rmtree(archive.day(day))
        if markers == "lost":
            archive.marker(day).unlink()
    verified = archive.python("homeiot_batch", "verify", *NOW)
    assert verified.code == 1
    assert [
        f"{DATASET} {day}: the day is not archived" for day in (FIRST, MIDDLE)
    ] == verified.stderr.splitlines()[1:3]
    if markers == "kept":
        status = archive.python("homeiot_batch", "status", *NOW)
        doctor = archive.python("homeiot_batch", "doctor", *NOW)
        assert (status.code, doctor.code) == (1, 1)
        assert "missing (2): 2026-11-09 to 2026-11-10" in doctor.stderr
        night = archive.night("2026-11-12")
        assert (night.code, night.jobs) == (
            0,
            jobs("fetch extract load", FIRST, MIDDLE, tables=True),
        ), night.stderr
        drills.assert_archived(archive, V1)


@pytest.mark.slow
def test_a_database_that_is_built_again_forgets_no_day(archive: Checkout) -> None:
    """First day and database deleted, its readings gone from the source.

    Refused by name, night after night, until the day is restored.
    """
    archive.day(FIRST).rename(archive.folder / "backup")
    drills.remove_database(archive)
    archive.export(*(line for day in (MIDDLE, LAST) for line in drills.lines(day, 1)))
    for _ in range(2):
        night = archive.night("2026-11-12")
        assert f"failed: fetch {DATASET} {FIRST}: " in night.stderr
        assert "would shrink from 3 rows" in night.stderr
    (archive.folder / "backup").rename(archive.day(FIRST))
    assert archive.night("2026-11-12").code == 0
    drills.assert_archived(archive, V1)
    assert archive.energy() == drills.energy_rows(V1)


@pytest.mark.slow
def test_an_archive_that_is_not_mounted(archive: Checkout) -> None:
    """PARQUET_BASE_DIR is empty, markers and database are there.

    No new archive is begun in its place, and nothing is changed.
    """
    archive.parquet.rename(archive.folder / "unmounted")
    drills.feed(archive, V1 | {"2026-11-12": 1})
    night = archive.night("2026-11-13")
    assert (night.code, night.jobs) == (1, [])
    [failure] = night.failures
    assert failure.startswith(
        "error: PARQUET_BASE_DIR=data/parquet holds no archive, but 3 days are known from "
        "data/markers and the database; mount"
    )
    for module in ("verify", "status", "doctor"):
        assert archive.python("homeiot_batch", module, *NOW).code == 1
    shutil.rmtree(archive.markers)
    assert "holds no archive, but 3 days are known" in archive.night("2026-11-13").failures[0]
    shutil.rmtree(archive.parquet)
    (archive.folder / "unmounted").rename(archive.parquet)
    assert archive.night("2026-11-13").code == 0
    drills.assert_archived(archive, V1 | {"2026-11-12": 1})


# staged days


@pytest.mark.slow
def test_a_staged_day_takes_the_place_of_a_damaged_one(archived: House) -> None:
    """Read again because the file is damaged, staged whole, killed.

    Then the source is gone: the staged day is the only copy.
    """
    flip(archived, MIDDLE)
    drills.die(archived, "fetch.staged", *FORCED, *span(MIDDLE, MIDDLE))
    drills.without_source(archived)
    outcome = archived.snakemake(*span())
    assert (outcome.code, outcome.jobs) == (0, jobs("load", MIDDLE, tables=True)), outcome.stderr
    drills.assert_archived(archived, V1)


@pytest.mark.slow
def test_late_readings_that_were_staged_are_not_lost(archived: House) -> None:
    """Staged by a forced run that is killed.

    The source has forgotten them before the next run: they are archived.
    """
    drills.feed(archived, V1 | {MIDDLE: 2})
    drills.die(archived, "fetch.staged", *FORCED, *span(MIDDLE, MIDDLE))
    drills.feed(archived, V1)
    assert archived.snakemake(*span()).code == 0
    drills.assert_archived(archived, V1 | {MIDDLE: 2})


# files that have changed, and files that cannot be read


@pytest.mark.slow
def test_a_footer_that_has_changed_since_it_was_loaded(archive: Checkout) -> None:
    """Size and time are the same, the database is gone.

    The day is named and not loaded, and the night after reads it again.
    """
    change_count(archive.day(MIDDLE) / "part-0.parquet", b"1")
    drills.remove_database(archive)
    outcome = archive.snakemake(*span())
    assert (outcome.code, outcome.jobs) == (1, jobs("load", FIRST, LAST))
    assert (
        f"failed: load {DATASET} {MIDDLE}: data/parquet/{DATASET}/dt={MIDDLE}/part-0.parquet is "
        "damaged" in outcome.stderr
    )
    assert "its checksum is no longer the one that it was loaded with" in outcome.stderr
    drills.feed(archive, V1)
    assert archive.night("2026-11-12").code == 0
    drills.assert_archived(archive, V1)


def as_plain_user(checkout: Checkout, name: str, *arguments: str) -> Outcome:
    """The command without root's power over permissions."""
    command = [*PLAIN, sys.executable, "-m", "homeiot_batch", name, *arguments]
    done = subprocess.run(
        command,
        cwd="/",
        env=checkout.env(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return Outcome(done.returncode, done.stdout)


@pytest.mark.skipif(os.getuid() != 0, reason="gives files to somebody else")
@pytest.mark.slow
def test_a_file_that_may_not_be_read_is_not_replaced(archive: Checkout) -> None:
    """Restored by somebody else, readable for him alone.

    The source has as many readings, but others, and the day stays as it is.
    """
    archive.export(
        *(
            line.replace("source=a", "source=b") if n == 3 else line
            for n, line in enumerate(line for d in V1 for line in drills.lines(d, 1))
        )
    )
    part = archive.day(MIDDLE) / "part-0.parquet"
    os.chown(part, 65534, 65534)
    part.chmod(0o600)
    content = part.read_bytes()
    night = as_plain_user(archive, "run", *NOW)
    assert night.code == 1
    assert f"{part.relative_to(archive.folder)} cannot be read (" in "".join(night.failures)
    assert part.read_bytes() == content
    part.chmod(0o644)
    assert "would lose 1 archived readings" in "".join(
        archive.night("2026-11-12", "--date", MIDDLE, "--force").failures
    )


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="gives folders to somebody else")
@pytest.mark.parametrize("place", ["data/duckdb", "data/markers", f"data/parquet/{DATASET}"])
def test_closed_doors_are_said_in_one_line(place: str, archive: Checkout) -> None:
    """A folder that belongs to somebody else.

    Every command ends with 1 and says so without a traceback.
    """
    folder = archive.folder / place
    os.chown(folder, 65534, 65534)
    folder.chmod(0o700)
    for module in ("run", "verify", "status", "doctor"):
        outcome = as_plain_user(archive, module, "--config", "now=2026-11-13T00:10:00+09:00")
        assert outcome.code == 1, (module, outcome.stderr)
        assert "Traceback" not in outcome.stderr, (module, outcome.stderr)
        if (module, place) != ("status", "data/duckdb"):  # which it does not look at
            assert place in outcome.stderr, (module, outcome.stderr)


# many days


@pytest.mark.slow
def test_more_missed_days_than_a_command_line_takes(archive: Checkout) -> None:
    """They are brought in by several runs of the workflow, the tables by the last.

    A day that fails holds up no other, and the code says so.
    """
    nightly = archive.folder / "scripts/homeiot_batch/commands/night.py"
    nightly.write_text(nightly.read_text().replace("MOST_TARGETS = 4000", "MOST_TARGETS = 4"))
    days = [f"2026-11-0{n}" for n in range(4, 9)]
    drills.feed(archive, dict.fromkeys([*days, MIDDLE, LAST], 1))
    shutil.rmtree(archive.day(FIRST))  # the source has forgotten it too
    night = archive.night("2026-11-12", ARCHIVE_START=days[0])
    assert (night.code, night.jobs) == (1, jobs("fetch extract load", *days, tables=True)), (
        night.stderr
    )
    assert {line.split(": ")[1] for line in night.failures} == {f"fetch {DATASET} {FIRST}"}
    assert night.stderr.count("summary: ") == 4


# what holds nobody up


@pytest.mark.slow
@pytest.mark.skipif(os.getuid() != 0, reason="gives folders to somebody else")
def test_an_archive_on_a_disk_of_its_own(archive: Checkout) -> None:
    """Its lost+found may be looked into by root alone, and is no concern of any command."""
    lost = archive.parquet / "lost+found"
    lost.mkdir(mode=0o700)
    os.chown(lost, 65534, 65534)
    for module in ("status", "verify", "doctor", "run"):
        outcome = as_plain_user(archive, module, "--config", "now=2026-11-12T00:10:00+09:00")
        assert outcome.code == 0, (module, outcome.stderr)
        assert "lost+found" not in outcome.stderr, module


@pytest.mark.slow
def test_another_zone_is_named_by_every_command(archive: Checkout) -> None:
    """A shell with TZ=UTC: no wrong gaps and no false alarms."""
    for module in ("status", "verify", "run"):
        outcome = archive.python("homeiot_batch", module, *NOW, TZ="UTC")
        assert (outcome.code, len(outcome.failures)) == (1, 1)
        assert "was begun with Asia/Tokyo" in outcome.failures[0]


@pytest.mark.slow
def test_old_days_may_be_left_aside(archive: Checkout) -> None:
    """Deleted on purpose, with ARCHIVE_START after them: night, status and doctor are content."""
    shutil.rmtree(archive.day(FIRST))
    assert archive.night("2026-11-12", ARCHIVE_START=MIDDLE).code == 0
    assert archive.python("homeiot_batch", "status", *NOW, ARCHIVE_START=MIDDLE).code == 0
    assert (
        "missing (1)"
        not in archive.python("homeiot_batch", "doctor", *NOW, ARCHIVE_START=MIDDLE).stderr
    )


@pytest.mark.slow
def test_a_day_that_cannot_be_had_any_more_does_not_hold_up_the_tables(archive: Checkout) -> None:
    """Deleted and forgotten by the source, but in the database.

    Named night after night with exit code 1, and the tables go on.
    """
    shutil.rmtree(archive.day(FIRST))
    drills.feed(archive, {"2026-11-12": 1, "2026-11-13": 1})
    for night, new in (("2026-11-13", "2026-11-12"), ("2026-11-14", "2026-11-13")):
        outcome = archive.night(night)
        assert (outcome.code, outcome.jobs) == (1, jobs("fetch extract load", new, tables=True)), (
            outcome.stderr
        )
        assert [line.split(": ")[1] for line in outcome.failures] == [f"fetch {DATASET} {FIRST}"]
    assert archive.energy() == drills.energy_rows(V1 | {"2026-11-12": 1, "2026-11-13": 1})


@pytest.mark.slow
def test_grown_counts_in_a_damaged_footer_are_no_witness(archive: Checkout) -> None:
    """Its checksum is another one: the day is read again by what the marker knows."""
    change_count(archive.day(MIDDLE) / "part-0.parquet", b"7")
    night = archive.night("2026-11-12")
    assert night.code == 0, night.stderr
    drills.assert_archived(archive, V1)


def only_duckdb_stumbles(part: Path) -> None:
    """Change a bit of a page's header: Arrow reads the file, and DuckDB does not.

    No checksum covers it.
    """
    content = part.read_bytes()
    columns = pq.ParquetFile(part).metadata.row_group(0)
    for place in (
        columns.column(n).data_page_offset + k
        for n in range(columns.num_columns)
        for k in range(24)
    ):
        changed = bytearray(content)
        changed[place] ^= 1
        part.write_bytes(changed)
        with contextlib.suppress(OSError, ValueError, pa.ArrowException):
            pq.ParquetFile(part, page_checksum_verification=True).read()
            try:
                duckdb.execute("FROM read_parquet(?)", [str(part)]).fetchall()
            except duckdb.Error:
                return
    raise AssertionError("every bit shows")


@pytest.mark.slow
def test_what_only_duckdb_cannot_read_is_damage(archive: Checkout) -> None:
    """It is named so, and the night reads the day again."""
    only_duckdb_stumbles(archive.day(MIDDLE) / "part-0.parquet")
    night = archive.night("2026-11-12")
    assert night.code == 0, night.stderr
    assert "part-0.parquet is damaged" in night.stderr
    drills.assert_archived(archive, V1)


@pytest.mark.parametrize("option", few(["-n", "-nq", "-nF", "--dry-run", "--dryrun"], "-nF"))
def test_a_dry_run_changes_nothing(option: str, house: House) -> None:
    """However it is spelled."""
    house.export("power,source=a energy_import_kwh=1 1794193200000000000")
    leftover = house.parquet / f".staging/{DATASET}/dt={FIRST}"
    leftover.mkdir(parents=True)
    assert house.snakemake(option, *span(FIRST, FIRST)).code == 0
    assert leftover.exists()


@pytest.mark.slow
def test_a_forced_day_alone_is_read_where_the_database_is_gone(archive: Checkout) -> None:
    """The other days are loaded from the archive: the source may have forgotten them."""
    drills.remove_database(archive)
    drills.feed(archive, {MIDDLE: 1, "2026-11-12": 1})
    night = archive.python("homeiot_batch.run_archive", "--date", MIDDLE, "--force", *NOW)
    loads = jobs("load", FIRST, MIDDLE, LAST, tables=True)
    assert (night.code, night.jobs) == (0, sorted([*jobs("fetch extract", MIDDLE), *loads]))
    drills.assert_archived(archive, V1)
