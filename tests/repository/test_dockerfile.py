"""The image of the batch, as far as it can be held without a Docker engine."""

import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import yaml

from homeiot_batch.config import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
PACKAGES = Path(sysconfig.get_path("purelib"))
# what a run, a report, an export and a message import
MODULES = """
import homeiot_batch.commands.mirror, homeiot_batch.second_copy.s3_place
import apprise, babel.numbers, dbt.adapters.duckdb, dbt.cli.main, duckdb, networkx, pulp
import pyarrow.compute, pyarrow.csv, pyarrow.dataset, pyarrow.fs, pyarrow.parquet
import homeiot_batch.cli, homeiot_batch.workflow.run, snakemake.cli, xlsxwriter
import agate
assert pyarrow.fs.S3FileSystem
assert agate.Number().cast("1,234.5") == __import__("decimal").Decimal("1234.5")
assert apprise.Apprise().add("json://localhost")
assert apprise.Apprise().add("mailto://a:b@example.net")
"""


def removing() -> str:
    """The commands of the Dockerfile that take parts of the packages away."""
    [commands] = re.findall(r"( && rm -rf pulp.*?)^WORKDIR", DOCKERFILE, re.DOTALL | re.MULTILINE)
    return commands.lstrip(" &")


@pytest.fixture(scope="module")
def without(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packages of this environment, without what the Dockerfile removes."""
    folder = tmp_path_factory.mktemp("image") / "packages"

    def link(source: str, target: str) -> None:
        Path(target).hardlink_to(source)

    try:
        shutil.copytree(PACKAGES, folder, copy_function=link, symlinks=True)
    except (OSError, shutil.Error):
        shutil.rmtree(folder)
        shutil.copytree(PACKAGES, folder, symlinks=True)
    subprocess.run(["sh", "-ec", removing()], cwd=folder, check=True)
    return folder


def test_what_is_removed_is_there(without: Path) -> None:
    """Each name of the list, or the list is of another version of the packages."""
    listed = re.sub(r"\\\n", " ", removing()).partition("&&")[0].split()[2:]
    assert listed
    missing = [name for name in listed if not list(PACKAGES.glob(name))]
    assert missing == []
    assert [name for name in listed if list(without.glob(name))] == []
    languages = {file.stem[:2] for file in without.glob("babel/locale-data/*.dat")}
    assert languages == {"en", "ro"}  # root


def test_no_library_that_stays_needs_one_that_is_removed(without: Path) -> None:
    """A library has the names of those that it needs."""
    removed = {
        file.name
        for file in PACKAGES.glob("pyarrow/*.so*")
        if not (without / "pyarrow" / file.name).exists()
    }
    assert removed
    for file in without.glob("pyarrow/*.so*"):
        content = file.read_bytes()
        assert [name for name in removed if name.encode() + b"\0" in content] == []


def test_all_that_a_run_imports_is_still_there(without: Path) -> None:
    """In an interpreter that has the remaining packages only."""
    environment = {"PYTHONPATH": f"{without}:{ROOT / 'scripts'}", "HOME": str(without.parent)}
    command = [sys.executable, "-S", "-W", "ignore", "-c", MODULES]
    done = subprocess.run(
        command, env=environment, cwd=without, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_image_says_what_it_is() -> None:
    """Each of the labels is there once. What changes from build to build comes as an argument."""
    labels = dict(re.findall(r"org\.opencontainers\.image\.(\w+)=(\S+)", DOCKERFILE))
    assert set(labels) == {"title", "description", "licenses", "source", "version", "revision"}
    assert labels["licenses"] == "MIT"
    assert {labels[name] for name in ("source", "version", "revision")} == {
        "$SOURCE",
        "$VERSION",
        "$REVISION",
    }
    assert re.search(r"^ARG SOURCE= VERSION=unreleased REVISION=$", DOCKERFILE, re.MULTILINE)


def test_the_batch_runs_with_as_little_as_possible() -> None:
    """As an ordinary user, with no file system to write to but the mounts."""
    batch = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["batch"]
    assert re.search(r"^USER 1000:1000$", DOCKERFILE, re.MULTILINE)
    assert batch["read_only"] is True
    assert batch["cap_drop"] == ["ALL"]
    assert batch["security_opt"] == ["no-new-privileges:true"]
    assert batch["tmpfs"] == ["/app/.snakemake:mode=1777"]
    assert "/tmp" in batch["volumes"]
