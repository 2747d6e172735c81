"""A declaration that is changed by mistake.

The archive knows what it holds, and nothing that is filled in passes for readings.
"""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fast_set import few
from tests.house import Checkout
from tests.workflow import drills
from tests.workflow.drills import FIRST, LAST

NOON = 1794193200  # of 9 November 2026 in Japan
CLIMATE = """  room_climate:
    measurement: climate
    tags: {room: unknown}
    fields: {temperature_c: double, humidity: double}
"""
NEXT = ("2026-11-13", "--config", "now=2026-11-13T00:10:00+09:00")


@pytest.fixture(scope="module")
def two_datasets(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """Three days of two datasets, archived and loaded. The source has a fourth."""
    checkout = Checkout(tmp_path_factory.mktemp("two_datasets"))
    lines = []
    for n in range(4):
        at = NOON + n * 86400
        lines.append(f"power,source=a energy_import_kwh={n} {at}000000000")
        lines += [
            f"climate,room={room} temperature_c=2{n}.{k},humidity=5{n} {at}000000000"
            for k, room in enumerate(("kitchen", "attic"))
        ]
    checkout.export(*lines)
    replace(checkout, "datasets:\n", f"datasets:\n{CLIMATE}")
    assert checkout.night("2026-11-12", "--from", FIRST, "--to", LAST).code == 0
    return checkout


@pytest.fixture
def declared(two_datasets: Checkout, tmp_path: Path) -> Checkout:
    """The same in a checkout of one's own."""
    return drills.copy_of(two_datasets, tmp_path / "checkout")


def replace(checkout: Checkout, old: str, new: str) -> None:
    """Edit config.yaml."""
    config = checkout.folder / "config.yaml"
    assert old in config.read_text()
    config.write_text(config.read_text().replace(old, new))


MISTAKES = {
    "a mistyped field": (
        "temperature_c: double",
        "temperature: double",
        "'temperature_c' (double), as in ",
        "does not declare it",
    ),
    "a renamed tag": (
        "tags: {room: unknown}",
        "tags: {rooms: unknown}",
        "'room' (string), as in ",
        "does not declare it",
    ),
    "a removed field": (
        ", humidity: double",
        "",
        "'humidity' (double), as in ",
        "does not declare it",
    ),
    "another type": (
        "humidity: double",
        "humidity: integer",
        "'humidity' (double), as in ",
        "declares it as int64",
    ),
}


@pytest.mark.parametrize("lost", few([False, True], False), ids=["database there", "database lost"])
@pytest.mark.parametrize("name", few(MISTAKES, "a mistyped field"))
def test_what_is_archived_must_stay_declared(name: str, lost: bool, declared: Checkout) -> None:
    """The run is refused by name before it reads a day without the field.

    Verify says so too, and nothing is changed. Undone, the run goes on.
    """
    old, new, column, change = MISTAKES[name]
    before = declared.rows("room_climate")
    replace(declared, old, new)
    if lost:
        drills.remove_database(declared)
    else:
        verified = declared.python("homeiot_batch", "verify", "--from", FIRST, "--to", LAST)
        problems = [
            line
            for line in verified.stderr.splitlines()
            if line.startswith("room_climate 2026-11-")
        ]
        assert (verified.code, len(problems)) == (1, 3)
        assert all(column in problem and change in problem for problem in problems)
    state = drills.state(declared)
    night = declared.night("2026-11-13")
    assert (night.code, night.jobs) == (1, [])
    [failure] = night.failures
    assert column in failure
    assert change in failure
    assert drills.state(declared) == state
    replace(declared, CLIMATE.replace(old, new), CLIMATE)
    night = declared.night("2026-11-13")
    assert night.code == 0, night.stderr
    assert declared.rows("room_climate")[: len(before)] == before
    assert len(declared.rows("room_climate")) == 8


@pytest.mark.slow
def test_a_dataset_that_is_no_longer_declared_is_named(declared: Checkout) -> None:
    """Renamed or removed.

    The run, verify, status and doctor say that its archived days are shown nowhere.
    """
    replace(declared, CLIMATE, "")
    said: dict[str, Callable[[], str]] = {
        "run": lambda: declared.night("2026-11-13").stderr,
        "verify": lambda: declared.python("homeiot_batch", "verify", "--to", LAST).stderr,
        "status": lambda: declared.python("homeiot_batch", "status", *NEXT[1:]).stderr,
        "doctor": lambda: declared.python("homeiot_batch", "doctor", *NEXT[1:]).stderr,
    }
    for name, output in said.items():
        assert any(
            "room_climate" in line and "declared in config.yaml" in line
            for line in output().splitlines()
        ), name


@pytest.mark.slow
def test_marker_and_file_know_each_other(declared: Checkout) -> None:
    """Columns and the id of the writing are noted in the file, the id in the marker."""
    marker = json.loads(declared.marker(FIRST, "room_climate").read_text())
    [loaded] = declared.query(
        f"SELECT write_id, sha256 FROM archive.loads WHERE dataset = 'room_climate' AND dt = "
        f"'{FIRST}'"
    )
    assert loaded == (marker["write_id"], marker["sha256"])
    assert len(marker["write_id"]) == 32


@pytest.mark.slow
def test_a_staged_day_waits_for_its_dataset(declared: Checkout) -> None:
    """Staged by a killed run, then the dataset's name is mistyped for a night.

    The later read is put in place when it is declared again.
    """
    day, staged = (
        declared.day(FIRST, "room_climate"),
        declared.parquet / f".staging/room_climate/dt={FIRST}",
    )
    earlier = shutil.copytree(day, declared.folder / "earlier")
    with (declared.folder / "export.lp").open("a") as export:
        export.write(f"climate,room=cellar temperature_c=9.0,humidity=80 {NOON}000000000\n")
    assert declared.night("2026-11-12", "--date", FIRST, "--force").code == 0
    staged.parent.mkdir(parents=True, exist_ok=True)
    day.rename(staged)
    earlier.rename(day)
    replace(declared, "  room_climate:\n", "  room_climat:\n")
    declared.night("2026-11-12")
    assert staged.exists()
    replace(declared, "  room_climat:\n", "  room_climate:\n")
    assert declared.night("2026-11-12").code == 0
    assert {row["room"] for row in declared.archived(FIRST, "room_climate")} == {
        "kitchen",
        "attic",
        "cellar",
    }


@pytest.mark.slow
def test_a_day_of_another_dataset_under_another_name(declared: Checkout) -> None:
    """A file that was renamed by hand.

    Its load is refused by name, and tables and read copy are published all the same.
    """
    part = declared.day(FIRST, "room_climate") / "part-0.parquet"
    part.rename(part.with_name("data.parquet"))
    declared.marker(FIRST, "room_climate").unlink()
    night = declared.night("2026-11-13")
    assert night.code == 1
    assert "holds data.parquet beside part-0.parquet" in "".join(night.failures)
    assert {"dbt", "publish"} <= set(night.jobs)
