"""A file system without locks: the folder is named with what to do, and nothing is begun in it."""

import os
import sys
from pathlib import Path

import pytest

from homeiot_batch.config import ROOT
from tests.fast_set import few
from tests.house import House, Outcome
from tests.workflow import drills
from tests.workflow.drills import FIRST, UNTIL_LOAD, span

# what file systems without locks are known to say: NFS, FUSE, 9p and others
SAID = {
    "ENOLCK": "No locks available",
    "EOPNOTSUPP": "Operation not supported",
    "ENOSYS": "Function not implemented",
    "EINVAL": "Invalid argument",
}
FIX = "mount it with locks (NFS without `nolock`), or set {} to a local disk"
TWICE = ": two runs could meet in it; "


def without_locks(house: House, call: str, error: str, *command: str, **env: str) -> Outcome:
    """What a command says for which the kernel refuses locks by that call."""
    start = [sys.executable, "-m", "tests.without_locks", call, error]
    places = {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'scripts'}"}
    return house.run_in(house.folder, [*start, *command], **places, **env)


@pytest.mark.parametrize("error", few(SAID, "ENOLCK"))
@pytest.mark.parametrize("call", ["flock", "fcntl"])
def test_a_run_is_refused(call: str, error: str, house: House) -> None:
    """By either kind of lock: a run takes one, DuckDB the other."""
    drills.feed(house, drills.V1)
    command = house.snakemake_command(*UNTIL_LOAD, *span())
    said = drills.said(without_locks(house, call, error, *command))
    assert said == (
        f"error: data/parquet lies on a file system without locks ({SAID[error]})"
        + TWICE
        + FIX.format("PARQUET_BASE_DIR")
    )
    assert not house.parquet.exists()
    assert not house.markers.exists()
    assert not house.database.exists()


@pytest.mark.parametrize("error", few(SAID, "ENOLCK"))
def test_a_database_without_locks(error: str, archived: House) -> None:
    """DuckDB names process 0 as its holder: the folder is named instead, at once, everywhere."""
    folder = archived.database.parent
    before = drills.state(archived)
    script = (
        "import sys; from pathlib import Path; from homeiot_batch.warehouse.database import "
        "open_database\n"
        "try:\n    with open_database(Path(sys.argv[1]), wait_s=600): print('opened')\n"
        "except Exception as error: print(f'{type(error).__name__}: {error}')"
    )
    command = [sys.executable, "-c", script, str(archived.database)]
    said = without_locks(archived, "fcntl", error, *command).stderr.strip()
    message = f"lies on a file system without locks ({SAID[error]}){TWICE}"
    assert said == f"DatabaseError: data/duckdb {message}{FIX.format('DUCKDB_PATH')}"
    assert drills.state(archived) == before
    assert folder.is_dir()


@pytest.mark.parametrize("call", ["flock", "fcntl"])
def test_doctor_names_both_folders(call: str, house: House, tmp_path: Path) -> None:
    """Before the first run too, and it leaves nothing behind."""
    drills.feed(house, drills.V1)
    command = [sys.executable, "-m", "homeiot_batch", "doctor"]
    report = without_locks(house, call, "ENOLCK", *command)
    lines = [" ".join(line.split()) for line in report.stderr.splitlines()]
    found = [line for line in lines if line.startswith("problem locks")]
    reason = "lies on a file system without locks (No locks available): two runs could meet in it"
    assert report.code == 1
    assert found == [f"problem locks data/{place} {reason}" for place in ("parquet", "duckdb")]
    fixes = [line for line in lines if "mount it with locks" in line]
    for line, setting in zip(fixes, ("PARQUET_BASE_DIR", "DUCKDB_PATH"), strict=True):
        assert line.endswith(FIX.format(setting))
    assert not house.parquet.exists()
    assert not house.database.parent.exists()


def test_where_locks_work_nothing_is_said(archived: House) -> None:
    """The same command without the refusal goes on."""
    run = archived.snakemake(*UNTIL_LOAD, *span(FIRST, FIRST))
    assert (run.code, "without locks" in run.stderr) == (0, False)
