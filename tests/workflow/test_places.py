"""Relative paths start at the checkout, wherever a command is given."""

from pathlib import Path

import pytest

from tests.fast_set import few
from tests.house import SNAKEMAKE, Checkout, Outcome
from tests.workflow import drills
from tests.workflow.drills import DATASET, DAYS, FIRST, MIDDLE, UNTIL_LOAD, V1, jobs, span

PLACES = {"duckdb", "markers", "parquet"}


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that has nothing to do with the house."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture
def fed(checkout: Checkout) -> Checkout:
    """A checkout whose source is a file in it, named by a relative path."""
    drills.feed(checkout, V1)
    checkout.environment["INFLUX_URL"] = "export.lp"
    return checkout


def given_in(folder: Path, house: Checkout, *arguments: str) -> Outcome:
    """What `snakemake ARGUMENTS` says if it is given in the folder."""
    return house.run_in(folder, [SNAKEMAKE, *arguments])


def content(folder: Path) -> list[str]:
    """What lies in the folder, but for Snakemake's own notes."""
    return sorted(path.name for path in folder.iterdir() if path.name != ".snakemake")


def test_given_in_another_folder(fed: Checkout, elsewhere: Path) -> None:
    """`-s` from elsewhere works on the checkout's archive: nothing begins where it was given.

    Afterwards the checkout has nothing left to do.
    """
    snakefile = str(fed.folder / "Snakefile")
    run = given_in(elsewhere, fed, "-s", snakefile, *UNTIL_LOAD, *span())
    assert (run.code, run.jobs) == (0, jobs("fetch extract load", *DAYS)), run.stderr
    assert content(elsewhere) == []
    assert set(content(fed.folder / "data")) >= PLACES
    assert (fed.markers / "last_run.json").exists()
    drills.assert_archived(fed, V1)
    assert fed.snakemake(*UNTIL_LOAD, *span()).jobs == []


@pytest.mark.parametrize(
    "directory", few(["notes", "{elsewhere}"], "notes"), ids=["inside", "outside"]
)
def test_with_a_directory(directory: str, fed: Checkout, elsewhere: Path) -> None:
    """--directory takes Snakemake's own notes and nothing of the house."""
    notes = fed.folder / directory.format(elsewhere=elsewhere)
    run = given_in(fed.folder, fed, "--directory", str(notes), *UNTIL_LOAD, *span())
    assert (run.code, run.jobs) == (0, jobs("fetch extract load", *DAYS)), run.stderr
    assert content(notes) == []
    assert (notes / ".snakemake").is_dir()
    drills.assert_archived(fed, V1)
    assert fed.snakemake(*UNTIL_LOAD, *span()).jobs == []


def test_paths_of_a_command_line(fed: Checkout, elsewhere: Path) -> None:
    """Those of --config and of targets start at the checkout too: a command means one thing."""
    base = "parquet_base_dir=data/other"
    target = f"data/other/{DATASET}/dt={FIRST}"
    snakefile = str(fed.folder / "Snakefile")
    run = given_in(elsewhere, fed, "-s", snakefile, target, "--config", base)
    assert (run.code, run.jobs) == (0, jobs("fetch extract", FIRST)), run.stderr
    assert (fed.folder / target / "part-0.parquet").exists()
    assert content(elsewhere) == []


@pytest.mark.slow
def test_a_former_run_from_elsewhere_goes_on(fed: Checkout, elsewhere: Path) -> None:
    """A run from elsewhere is killed with a day staged: the next one in the checkout goes on."""
    snakefile = ("-s", str(fed.folder / "Snakefile"))
    fed.environment["HOMEIOT_FAULT"] = "fetch.staged:kill"
    assert given_in(elsewhere, fed, *snakefile, *UNTIL_LOAD, *span(MIDDLE, MIDDLE)).code < 0
    del fed.environment["HOMEIOT_FAULT"]
    fed.environment["INFLUX_URL"] = "gone.lp"
    run = fed.snakemake(*UNTIL_LOAD, *span(MIDDLE, MIDDLE))
    assert (run.code, run.jobs) == (0, jobs("load", MIDDLE)), run.stderr
    drills.assert_archived(fed, {MIDDLE: 1})
