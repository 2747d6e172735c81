"""The jobs of a run on Slurm, which live on when the run itself is killed.

A run notes their name in `<parquet>/.cluster.json`. The next run cancels them before it starts.
"""

import contextlib
import subprocess
import time

import structlog

from homeiot_batch.core.day_record import DayRecord
from homeiot_batch.core.files import is_there, read_json, write_json
from homeiot_batch.core.layout import Layout
from homeiot_batch.errors import ArchiveError, ClusterError
from homeiot_batch.warehouse.database import RecordedLoad
from homeiot_batch.workflow.day_history import Loads

PATIENCE_S = 60.0
ANSWER_S = 30
USABLE = ("idle", "mix", "alloc", "comp", "resv", "plnd")

log = structlog.get_logger()


def note_jobs(layout: Layout, name: str, loads: Loads) -> None:
    """Note the name of the run's jobs, and what the database records. No node opens it."""
    days = [[*day, load.load_id, load.record.as_dict()] for day, load in loads.items()]
    write_json(layout.cluster_note, {"job_name": name, "loads": days})


def noted_loads(layout: Layout) -> Loads:
    """On a node: what the database records, from the note. ClusterError if its run has ended."""
    note = read_json(layout.cluster_note)
    if note is None:
        raise ClusterError(
            f"{layout.cluster_note} is not there: the run that this job belongs to has ended, or "
            "the archive is not mounted on this node; start the run again"
        )
    loads = {}
    for dataset, dt, load_id, content in note["loads"]:
        if record := DayRecord.of(content):
            loads[dataset, dt] = RecordedLoad(load_id, record)
    return loads


def end_former_jobs(layout: Layout, patience_s: float = PATIENCE_S) -> None:
    """Cancel the jobs of a run that was killed, and wait until none of them works any more.

    ClusterError if one does not end, or Slurm does not answer: it could still write into staging.
    """
    if not is_there(layout.cluster_note):
        return
    name = _noted_name(layout)
    limit = time.monotonic() + patience_s
    cancelled: set[str] = set()
    while jobs := _jobs(name):
        if jobs - cancelled:
            log.warning("jobs of a run that was killed are cancelled", jobs=" ".join(sorted(jobs)))
            _slurm("scancel", f"--name={name}")
            cancelled |= jobs
        if time.monotonic() > limit:
            raise ClusterError(
                f"the Slurm jobs {', '.join(sorted(jobs))} of a former run do not end; see "
                f"`squeue --name={name}`, end them, and run again"
            )
        time.sleep(0.5)
    layout.cluster_note.unlink()


def forget_ended_jobs(layout: Layout) -> None:
    """Remove the note, if no job of it is left. If one is, or Slurm is silent, it stays."""
    with contextlib.suppress(ArchiveError, ClusterError, OSError):
        if not _jobs(_noted_name(layout)):
            layout.cluster_note.unlink()


def usable_nodes() -> int:
    """How many nodes would start a job now or later, as Slurm sees them."""
    states = _slurm("sinfo", "--noheader", "--Node", "--format=%t").split()
    return sum(state.startswith(USABLE) for state in states)


def _noted_name(layout: Layout) -> str:
    name = (read_json(layout.cluster_note) or {}).get("job_name")
    if not name:
        raise ArchiveError(
            f"{layout.cluster_note} names no jobs; see by `squeue` that none of this archive runs, "
            "and remove the file"
        )
    return str(name)


def _jobs(name: str) -> set[str]:
    """The ids of the jobs that wait, run or end just now."""
    return set(_slurm("squeue", "--noheader", f"--name={name}", "--format=%i").split())


def _slurm(*command: str) -> str:
    """What a command of Slurm prints. ClusterError if there is none, or it does not answer."""
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=ANSWER_S, errors="replace"
        )
    except subprocess.CalledProcessError as error:
        reason = " ".join(error.stderr.split()) or f"exit code {error.returncode}"
    except subprocess.TimeoutExpired:
        reason = f"no answer in {ANSWER_S} s"
    except OSError as error:
        reason = str(error.strerror)
    else:
        return done.stdout
    raise ClusterError(
        f"{command[0]} does not work here ({reason}); start the run where Slurm's commands answer"
    )
