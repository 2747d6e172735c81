"""A Slurm of one node on this machine: munged, slurmctld and slurmd of the distribution."""

import contextlib
import fcntl
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

from tests.integration.servers import free_port

# a job step finds the configuration only here: it drops SLURM_CONF
CONFIGURATION = Path("/etc/slurm/slurm.conf")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scancel", "scontrol", "sinfo")
PATH = f"{os.environ['PATH']}:/usr/sbin:/sbin"
PATIENCE_S = 60


def reason_against() -> str:
    """Why no Slurm can be started here, or "" if one can."""
    lacking = [name for name in PROGRAMS if not shutil.which(name, path=PATH)]
    if lacking:
        return f"{', '.join(lacking)} missing; install Debian's slurm-wlm and munge"
    if os.geteuid() != 0:
        return "Slurm's daemons need root"
    if CONFIGURATION.exists() and not CONFIGURATION.is_symlink():
        return f"{CONFIGURATION} is there: this machine belongs to a cluster"
    return ""


class SlurmNode:
    """Starts with `with`. Its node has `slots` CPUs, whatever the machine has."""

    def __init__(self, folder: Path, slots: int = 8) -> None:
        self.folder = folder
        self._slots = slots
        self._daemons: list[subprocess.Popen[bytes]] = []
        self._ends = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.folder.mkdir(parents=True, exist_ok=True)
        lock = self._ends.enter_context(CONFIGURATION.with_name(".test.lock").open("w"))
        fcntl.flock(lock, fcntl.LOCK_EX)  # of another run of the tests on this machine
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(subprocess.SubprocessError):
            self.command("scancel", "--user=root", "--full", "--signal=KILL")
        for daemon in reversed(self._daemons):
            daemon.terminate()
            try:
                daemon.wait(10)
            except subprocess.TimeoutExpired:
                daemon.kill()
                daemon.wait()
        with contextlib.suppress(FileNotFoundError):
            if CONFIGURATION.readlink() == self.folder / "slurm.conf":
                CONFIGURATION.unlink()
        self._ends.close()

    def _start(self) -> None:
        key, socket_ = self.folder / "munge.key", self.folder / "munge.socket"
        key.write_bytes(secrets.token_bytes(128))
        key.chmod(0o400)
        (self.folder / "slurm.conf").write_text(self._configuration(socket_))
        CONFIGURATION.unlink(missing_ok=True)
        CONFIGURATION.symlink_to(self.folder / "slurm.conf")
        files = [f"--{name}-file={self.folder}/munged.{name}" for name in ("pid", "log", "seed")]
        self._daemon("munged", "--foreground", "--force", f"--key-file={key}", *files,
                     f"--socket={socket_}")  # fmt: skip
        self._wait("munged", socket_.exists)
        self._daemon("slurmctld", "-D", "-c")
        self._daemon("slurmd", "-D", "-c")
        self._wait("slurmctld and slurmd", lambda: self.node_state() == "idle")

    def _configuration(self, munge: Path) -> str:
        host, folder = socket.gethostname().partition(".")[0], self.folder
        return "\n".join(
            [
                f"ClusterName=tests\nSlurmctldHost={host}(127.0.0.1)\nSlurmUser=root",
                f"AuthType=auth/munge\nAuthInfo=socket={munge}",
                f"StateSaveLocation={folder}/state\nSlurmdSpoolDir={folder}/spool",
                f"SlurmctldPidFile={folder}/slurmctld.pid\nSlurmdPidFile={folder}/slurmd.pid",
                f"SlurmctldPort={free_port()}\nSlurmdPort={free_port()}",
                "ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none",
                "JobAcctGatherType=jobacct_gather/none\nMpiDefault=none\nSwitchType=switch/none",
                "AccountingStorageType=accounting_storage/none",
                "SelectType=select/cons_tres\nSelectTypeParameters=CR_Core",
                "SlurmdParameters=config_overrides\nReturnToService=2\nMinJobAge=300\nKillWait=5",
                "SchedulerParameters=batch_sched_delay=0,sched_interval=1,sched_min_interval=0",
                f"NodeName={host} NodeAddr=127.0.0.1 CPUs={self._slots} RealMemory=16000",
                f"PartitionName=main Nodes={host} Default=YES\n",
            ]
        )

    def _daemon(self, program: str, *arguments: str) -> None:
        path = shutil.which(program, path=PATH)
        assert path, program
        with (self.folder / f"{program}.out").open("wb") as out:
            self._daemons.append(
                subprocess.Popen([path, *arguments], stdout=out, stderr=subprocess.STDOUT)
            )

    def _wait(self, what: str, is_so: Callable[[], bool]) -> None:
        limit = time.monotonic() + PATIENCE_S
        while not is_so():
            logs = {path.name: path.read_text()[-800:] for path in self.folder.glob("*.out")}
            assert time.monotonic() < limit, f"{what} does not start: {logs}"
            time.sleep(0.1)

    def command(self, *command: str) -> str:
        """What a command of Slurm prints."""
        path = shutil.which(command[0], path=PATH)
        assert path, command
        done = subprocess.run(
            [path, *command[1:]], capture_output=True, text=True, check=True, timeout=60
        )
        return done.stdout

    def node_state(self) -> str:
        """As `sinfo` has it. Empty while the controller does not answer."""
        try:
            return self.command("sinfo", "--noheader", "--format=%t").strip()
        except subprocess.SubprocessError:
            return ""

    def jobs(self, state: str = "") -> list[str]:
        """The ids of the jobs that are there, or are in a state such as PENDING."""
        states = [f"--states={state}"] if state else []
        return self.command("squeue", "--noheader", "--format=%i", *states).split()

    def drain(self) -> None:
        """Let the node take no more jobs."""
        self._update("State=DRAIN", "Reason=maintenance")

    def resume(self) -> None:
        """Let it take jobs again."""
        self._update("State=RESUME")

    def _update(self, *changes: str) -> None:
        host = socket.gethostname().partition(".")[0]
        self.command("scontrol", "update", f"NodeName={host}", *changes)


def end_process(process: "subprocess.Popen[str]") -> None:
    """Kill -9, as a power cut of the machine that leads the run."""
    process.send_signal(signal.SIGKILL)
    process.communicate()
