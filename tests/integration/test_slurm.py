"""Days that the nodes of a real Slurm read, and what becomes of them when something ends early."""

import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from homeiot_batch.config import ROOT
from tests.house import House
from tests.integration.points import three_days
from tests.integration.servers import Influx1
from tests.integration.slurm import SlurmNode, end_process, reason_against
from tests.workflow import drills

PYTHON = ROOT / ".tools/cluster/bin/python"
PROFILE = ("--workflow-profile", str(ROOT / "profiles/slurm"))
DAYS = ("2025-11-09", "2025-11-10")
SPAN = ("--config", f"start={DAYS[0]}", f"end={DAYS[-1]}")
SECRET = "tok-71b0c2d4"

pytestmark = pytest.mark.skipif(bool(reason_against()), reason=reason_against())


class ClusterHouse(House):
    """A house whose Snakemake has the executor for Slurm."""

    def snakemake_command(self, *arguments: str) -> list[str]:
        assert PYTHON.exists(), f"{PYTHON} is missing; run `make cluster`"
        return [str(PYTHON), "-m", "snakemake", *super().snakemake_command(*arguments)[1:]]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SlurmNode]:
    with SlurmNode(tmp_path_factory.mktemp("slurm")) as node:
        yield node


@pytest.fixture(scope="module")
def environment(influx16: Influx1) -> dict[str, str]:
    """The settings of a house on a server."""
    influx16.create("cluster")
    for day in three_days():
        influx16.write("cluster", day)
    return influx16.environment("cluster")


def new_house(folder: Path, environment: dict[str, str]) -> ClusterHouse:
    house = ClusterHouse(folder)
    house.environment |= environment
    return house


@pytest.fixture(scope="module")
def wrapped(
    slurm: SlurmNode, environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> ClusterHouse:
    """Its days, archived by one job that runs the whole workflow."""
    house = new_house(tmp_path_factory.mktemp("wrapped"), environment)
    run = shlex.join(house.snakemake_command(*SPAN))
    log = house.folder / "job.log"
    done = house.run_in(
        house.folder, ["sbatch", "--wait", "-c", "2", f"--output={log}", f"--wrap={run}"]
    )
    assert done.code == 0, log.read_text()
    return house


def test_a_killed_run_is_taken_up_by_the_next(
    slurm: SlurmNode,
    wrapped: ClusterHouse,
    environment: dict[str, str],
    tmp_path: Path,
) -> None:
    """Kill -9 of the main process while nodes have read two days and not staged them yet.

    Its jobs live on. The next run cancels them before it does anything else. Archive and tables are
    then those of a run without nodes, whole rows, and nothing is left over.
    """
    house = new_house(tmp_path, environment)
    run = house.start(*PROFILE, *SPAN, HOMEIOT_FAULT="fetch.read:pause")
    drills.wait_until(lambda: len(list((house.parquet / ".staging").glob("tmp-*"))) == 2)
    end_process(run)
    orphans = slurm.jobs("RUNNING")
    assert len(orphans) == 2
    outcome = house.snakemake(*PROFILE, *SPAN)
    assert outcome.code == 0, outcome.stderr
    assert "jobs of a run that was killed are cancelled" in outcome.stderr
    assert set(orphans) <= set(slurm.jobs("CANCELLED"))
    assert slurm.jobs() == []
    assert not (house.parquet / ".cluster.json").exists()
    assert drills.leftovers(house) == []
    assert len(house.rows()) == 383
    for day in DAYS:
        assert drills.parquet_rows(house, day) == drills.parquet_rows(wrapped, day)
    tables = ("raw_meter_readings", "fct_daily_energy", "fct_hourly_energy")
    for table in tables:
        columns = "* EXCLUDE (ingested_at)" if table.startswith("raw") else "*"
        query = f"SELECT {columns} FROM {table} ORDER BY ALL"
        assert house.query(query) == wrapped.query(query)


def test_failed_and_cancelled_jobs_keep_the_old_days(
    slurm: SlurmNode, wrapped: ClusterHouse
) -> None:
    """On a node that was drained at first: the jobs wait, and the run says so at once.

    One is cancelled by somebody, the other is refused by the server. Each day is named with its
    reason, and stays as it was.
    """
    before = drills.state(wrapped)
    slurm.drain()
    run = wrapped.start(
        *PROFILE,
        *("--until", "load", "--forcerun", "extract"),
        *SPAN,
        INFLUX_RETENTION_POLICY="gone",
    )
    drills.wait_until(lambda: len(slurm.jobs("PENDING")) == 2)
    first, second = slurm.jobs("PENDING")
    slurm.command("scancel", first)
    slurm.resume()
    [outcome] = drills.together([run])
    assert outcome.code == 1
    assert "no node of Slurm takes jobs now: they wait, see `sinfo -R`" in outcome.stderr
    cancelled = f"the Slurm job {first} was cancelled; run the same command again"
    texts = sorted(line.partition(": ")[2] for line in outcome.failures)
    by_day = {text.split()[2].rstrip(":"): text.partition(": ")[2] for text in texts}
    assert set(by_day) == set(DAYS)
    assert cancelled in by_day.values()
    [refused] = set(by_day.values()) - {cancelled}
    assert "retention policy" in refused
    assert "Traceback" not in outcome.stderr
    assert drills.state(wrapped) == before
    assert drills.leftovers(wrapped) == []
    assert not (wrapped.parquet / ".cluster.json").exists()
    assert second not in slurm.jobs()


def test_a_secret_in_the_environment_goes_to_no_node(
    slurm: SlurmNode, wrapped: ClusterHouse
) -> None:
    """One line, exit code 1, nothing is submitted, and nothing has changed."""
    before, jobs = drills.state(wrapped), slurm.jobs("all")
    outcome = wrapped.snakemake(
        *PROFILE, *("--until", "load", "--forcerun", "extract"), *SPAN, INFLUX_TOKEN=SECRET
    )
    assert outcome.code == 1
    assert drills.said(outcome).startswith("error: INFLUX_TOKEN is set, and Slurm would keep it")
    assert SECRET not in outcome.stderr
    assert slurm.jobs("all") == jobs
    assert drills.state(wrapped) == before
