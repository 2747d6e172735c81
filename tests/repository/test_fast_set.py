"""What `make test` runs, and what it leaves out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from homeiot_batch.config import ROOT
from tests.fast_set import LEFT_OUT

INI = "[pytest]\ntestpaths = cases\nmarkers =\n" + "".join(f"    {mark}\n" for mark in LEFT_OUT)
HOOKS = (ROOT / "tests/conftest.py").read_text()
HOOKS = HOOKS[HOOKS.index("from tests.fast_set import") :].partition(")\n")[0] + ")\n"
CASES = """
import signal, subprocess, sys, pytest

def test_ctrl_c_reaches_a_run():
    program = "import os, signal, time; os.kill(os.getpid(), signal.SIGINT); time.sleep(60)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True)
    assert b"KeyboardInterrupt" in done.stderr

@pytest.mark.slow
def test_slow(): pass

@pytest.mark.crash
def test_crash(): pass

@pytest.mark.integration
def test_integration(): pass

@pytest.mark.soak
def test_soak(): pass
"""


def in_background(folder: Path, *arguments: str, **env: str) -> str:
    """What pytest says in a project with a test of each mark, started as a shell starts `&`."""
    (folder / "pytest.ini").write_text(INI)
    (folder / "conftest.py").write_text(HOOKS)
    (folder / "cases").mkdir()
    (folder / "cases/test_all.py").write_text(CASES)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    inherited = {
        n: v for n, v in os.environ.items() if n not in ("INTEGRATION_TESTS", "PYTHONPATH")
    }
    done = subprocess.run(
        ["sh", "-c", 'trap "" INT; exec "$@"', "sh", *command],
        cwd=folder,
        env=inherited | {"PYTHONPATH": f"{ROOT}:{ROOT / 'scripts'}"} | env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("processes", ["0", "1"])
def test_the_fast_set_says_how_much_it_leaves_out(processes: str, tmp_path: Path) -> None:
    """Ctrl-C also reaches the runs of a `make test` that a shell has put in the background."""
    said = in_background(tmp_path, "-n", processes)
    assert "1 passed" in said
    line = "4 tests left out (slow, crash, soak, integration); make test-all runs all"
    assert line in said.splitlines()


@pytest.mark.parametrize(
    ("arguments", "env", "passed"),
    [
        ([], {"INTEGRATION_TESTS": "1"}, 5),
        (["cases"], {}, 5),
        (["-m", "slow or crash"], {}, 2),
        (["-k", "slow"], {}, 1),
    ],
    ids=["all", "a folder", "marks", "names"],
)
def test_who_asks_for_tests_gets_them(
    arguments: list[str], env: dict[str, str], passed: int, tmp_path: Path
) -> None:
    """Nothing is left out that was asked for."""
    said = in_background(tmp_path, "-n", "0", *arguments, **env)
    assert f"{passed} passed" in said
    assert "left out" not in said
