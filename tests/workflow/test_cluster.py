"""What the main process and the nodes of a run on Slurm do, without a Slurm.

tests/integration/test_slurm.py has a real one.
"""

import json
from pathlib import Path

import pytest

from homeiot_batch.config import Settings, is_secret, load_settings
from homeiot_batch.core.day_record import DayRecord
from homeiot_batch.core.files import read_json
from homeiot_batch.core.layout import Layout
from homeiot_batch.errors import ClusterError, SettingsError
from homeiot_batch.warehouse.database import RecordedLoad
from homeiot_batch.workflow.cluster import refuse_unshared
from homeiot_batch.workflow.cluster_jobs import (
    end_former_jobs,
    forget_ended_jobs,
    note_jobs,
    noted_loads,
    usable_nodes,
)
from homeiot_batch.workflow.node_reports import how_it_ended, leave_report, take_report
from homeiot_batch.workflow.summary import Summary
from tests.house import House
from tests.workflow import drills
from tests.workflow.drills import DATASET, MIDDLE, span

LOADS = {("raw", "2026-11-09"): RecordedLoad("a1", DayRecord(3, {"instant_power_w": 2}))}
SECRETS = [name for name, field in Settings.model_fields.items() if is_secret(field)]


@pytest.fixture
def stub_slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Commands that note their calls. The jobs are the lines of a file; scancel empties it."""
    programs = {
        "squeue": f'echo "squeue $*" >>{tmp_path}/calls; /bin/cat {tmp_path}/jobs',
        "scancel": f'echo "scancel $*" >>{tmp_path}/calls; : >{tmp_path}/jobs',
        "sinfo": f"/bin/cat {tmp_path}/nodes",
    }
    (tmp_path / "bin").mkdir()
    for name, text in programs.items():
        program = tmp_path / "bin" / name
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin")
    return tmp_path


def test_jobs_of_a_killed_run_are_cancelled(stub_slurm: Path, layout: Layout) -> None:
    """By the name that it noted, once, and the run goes on only when none is left."""
    note_jobs(layout, "homeiot_1", LOADS)
    (stub_slurm / "jobs").write_text("17\n18\n")
    end_former_jobs(layout)
    asked = "squeue --noheader --name=homeiot_1 --format=%i"
    calls = (stub_slurm / "calls").read_text().splitlines()
    assert calls == [asked, "scancel --name=homeiot_1", asked]
    assert not layout.cluster_note.exists()


def test_a_run_without_a_note_asks_no_slurm(
    layout: Layout, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As on every machine without one."""
    monkeypatch.setenv("PATH", str(tmp_path))
    end_former_jobs(layout)


def test_jobs_that_do_not_end_stop_the_start(stub_slurm: Path, layout: Layout) -> None:
    """They could still write. The note stays for the next start."""
    note_jobs(layout, "homeiot_1", {})
    (stub_slurm / "jobs").write_text("17\n")
    (stub_slurm / "bin/scancel").write_text("#!/bin/sh\n")
    with pytest.raises(ClusterError) as refused:
        end_former_jobs(layout, patience_s=0)
    assert str(refused.value) == (
        "the Slurm jobs 17 of a former run do not end; see `squeue --name=homeiot_1`, end them, "
        "and run again"
    )
    assert layout.cluster_note.exists()


@pytest.mark.parametrize(
    ("squeue", "reason"),
    [
        ("", "No such file or directory"),
        ("#!/bin/sh\necho Unable to contact >&2\nexit 1\n", "Unable to contact"),
    ],
)
def test_a_silent_slurm_stops_the_start(
    squeue: str, reason: str, stub_slurm: Path, layout: Layout
) -> None:
    """Nobody knows then what the former run's jobs do."""
    note_jobs(layout, "homeiot_1", {})
    program = stub_slurm / "bin/squeue"
    program.write_text(squeue)
    if not squeue:
        program.unlink()
    with pytest.raises(ClusterError) as refused:
        end_former_jobs(layout)
    assert str(refused.value) == (
        f"squeue does not work here ({reason}); start the run where Slurm's commands answer"
    )
    forget_ended_jobs(layout)
    assert layout.cluster_note.exists()


def test_nodes_know_what_the_database_records(layout: Layout) -> None:
    """From the note, and nothing without it: then their run has ended."""
    note_jobs(layout, "homeiot_1", LOADS)
    assert noted_loads(layout) == LOADS
    layout.cluster_note.unlink()
    with pytest.raises(ClusterError, match="the run that this job belongs to has ended"):
        noted_loads(layout)


@pytest.mark.parametrize(("states", "usable"), [("drain\ndown*\n", 0), ("idle\nmix\ndrng\n", 2)])
def test_nodes_that_take_jobs_are_counted(states: str, usable: int, stub_slurm: Path) -> None:
    """Not drained ones, nor those that are lost."""
    (stub_slurm / "nodes").write_text(states)
    assert usable_nodes() == usable


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_in_the_environment_is_refused(
    name: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Slurm keeps each job's environment. A file's name may be there."""
    monkeypatch.setenv(f"{name.upper()}", "s3cret")
    with pytest.raises(SettingsError) as refused:
        refuse_unshared(settings)
    advice = "unset it for this run"
    if f"{name}_file" in Settings.model_fields:
        advice = (
            f"write it into a file that only you can read, and name that in {name.upper()}_FILE"
        )
    assert str(refused.value) == (
        f"{name.upper()} is set, and Slurm would keep it in its own files and give it to each "
        f"node; {advice}"
    )
    monkeypatch.delenv(f"{name.upper()}")
    monkeypatch.setenv("INFLUX_TOKEN_FILE", "/etc/homeiot/token")
    refuse_unshared(settings)


def test_an_export_is_refused(clean_environment: None) -> None:
    """Each node would read all of it for one day."""
    with pytest.raises(SettingsError) as refused:
        refuse_unshared(load_settings({"influx_url": "/srv/export.lp"}))
    assert str(refused.value) == (
        "INFLUX_URL='/srv/export.lp' is an export, which each node would read from its begin to "
        "its end for one day; run without profiles/slurm"
    )


def test_a_nodes_report_comes_into_the_summary(layout: Layout) -> None:
    """Rows, warnings and failures. What two nodes say in the same words is there once."""
    node = Summary()
    node.read(5)
    node.warn("the clocks differ")
    for dt in ("2026-11-09", "2026-11-10"):
        leave_report(layout, "raw", dt, node)
    failed = Summary()
    failed.fail("fetch raw 2026-11-11: refused")
    leave_report(layout, "raw", "2026-11-11", failed)
    main = Summary()
    taken = [take_report(layout, "raw", f"2026-11-{day:02}", main) for day in (9, 10, 11, 12)]
    assert taken == [False, False, True, False]
    assert (main.read_days, main.read_rows) == (2, 10)
    assert main.warnings == ["the clocks differ"]
    assert main.failures == ["fetch raw 2026-11-11: refused"]
    assert list(layout.node_reports.rglob("*.json")) == []


def test_the_end_of_a_job_without_a_report_is_told(tmp_path: Path) -> None:
    """As Slurm names it, with what to do."""
    log = tmp_path / "17.log"
    log.write_text("Building DAG\nerror: TZ='x' is not a zone; give one\n")
    said = "SLURM-job '17' failed, SLURM status is: '{}'. Detailed failure reason unavailable"

    def told(state: str, *logs: str) -> str:
        return how_it_ended(said.format(state), "17", list(logs))

    assert told("CANCELLED") == "the Slurm job 17 was cancelled; run the same command again"
    assert told("DEADLINE") == (
        "the Slurm job 17 was started by no node before its deadline; see `sinfo -R`, and run again"
    )
    assert told("FAILED", str(log)) == (
        "the Slurm job 17 ended as FAILED: TZ='x' is not a zone; give one"
    )
    assert told("FAILED", "/gone/17.log") == ("the Slurm job 17 ended as FAILED; see /gone/17.log")
    refused = "SLURM sbatch failed. The error message was 'sbatch: error: Invalid'.\n  sbatch call:"
    assert how_it_ended(refused, None, []) == (
        "Slurm did not take the job (SLURM sbatch failed. The error message was "
        "'sbatch: error: Invalid'.); see to it, and run again"
    )


def test_a_node_writes_only_into_staging(archived: House) -> None:
    """As Slurm starts it, while the main process holds archive and database.

    It waits for neither, and the report and the staged day are all that it leaves.
    """
    note = archived.parquet / ".cluster.json"
    note.write_text(json.dumps({"job_name": "homeiot_1", "loads": []}))
    before = drills.state(archived)
    target = f"fetch:dataset={DATASET},dt={MIDDLE}"
    options = "--force --no-hooks --nolock --ignore-incomplete --cores 1 --force-use-threads"
    with drills.locked(archived), archived.held():
        outcome = archived.snakemake(
            *("--mode", "remote", "--target-jobs", target, "--allowed-rules", "fetch"),
            *options.split(),
            *span(),
        )
    assert outcome.code == 0, outcome.stderr
    new = set(drills.state(archived)) - set(before)
    staged = f"parquet/.staging/{DATASET}/dt={MIDDLE}/part-0.parquet"
    report = f"parquet/.staging/.reports/{DATASET}/dt={MIDDLE}.json"
    assert new == {staged, report}
    assert {name: old for name, old in drills.state(archived).items() if name not in new} == before
    assert read_json(archived.parquet.parent / report) == {
        "rows": len(drills.rows(MIDDLE, 1)),
        "warnings": [],
        "failures": [],
    }
