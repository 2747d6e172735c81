"""Runs that begin in a prepared server are processes of their own."""

import os
import subprocess
from pathlib import Path

from tests import prepared

SCRIPT = """
import os, sys, time
how, = sys.argv[1:]
print(os.getcwd(), os.environ["HOUSE"], time.strftime("%Z"), "MARK" in os.environ, sys.stdin.read())
os.environ["MARK"] = "1"
if how == "killed":
    sys.stdout.flush()
    os.kill(os.getpid(), 9)
if how == "broken":
    raise ValueError(how)
sys.exit(int(how))
"""


def test_a_run_is_its_own(tmp_path: Path) -> None:
    """Folder, environment, zone, exit code and signal are as in a process that is started."""
    (tmp_path / "script.py").write_text(SCRIPT)
    for zone, short in (("Asia/Tokyo", "JST"), ("Australia/Darwin", "ACST")):
        environment = {**os.environ, "HOUSE": "a", "TZ": zone}
        said = f"{tmp_path} a {short} False \n"
        for how, code in (("0", 0), ("7", 7), ("killed", -9)):
            assert prepared.run("script", [how], tmp_path, environment) == (code, said)
        code, out = prepared.run("script", ["broken"], tmp_path, environment)
        assert (code, said in out, "ValueError: broken\n" in out) == (1, True, True)


def test_a_stand_in_ends_as_the_run_does(tmp_path: Path) -> None:
    """It hands its input and output on, and ends by the signal that ended the run."""
    (tmp_path / "script.py").write_text(SCRIPT.replace("how, = sys.argv[1:]", 'how = "killed"'))
    environment = {**os.environ, "HOUSE": "b", "TZ": "Asia/Tokyo"}
    *command, _, own = prepared.stand_ins("house")[prepared.DBT_PROCESS]
    done = subprocess.run(
        [*command, "script", own],
        cwd=tmp_path,
        env=environment,
        input="asked",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (-9, f"{tmp_path} b JST False asked\n")


def test_what_python_reads_at_its_start() -> None:
    """A run whose environment changes how Python starts is not prepared."""
    assert prepared.can_run({**os.environ, "TZ": "UTC", "PYTHONPATH": "scripts"})
    for name in ("PYTHONUTF8", "LC_ALL", "LD_PRELOAD"):
        assert not prepared.can_run({**os.environ, name: "1"})
