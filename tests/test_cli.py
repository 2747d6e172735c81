"""The command line: what each command says of itself, and what a wrong call is told."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from homeiot_batch.cli import app
from homeiot_batch.config import ROOT

COMMANDS = [
    command.name or getattr(command.callback, "__name__", "") for command in app.registered_commands
]


def homeiot(*arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run the installed command."""
    command = [str(Path(sys.executable).with_name("homeiot")), *arguments]
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"COLUMNS": "100", "NO_COLOR": "1"},
    )


def test_help_lists_every_command_in_a_line() -> None:
    """Without arguments too. None is cut short."""
    listed = homeiot("--help")
    assert listed.returncode == 0
    assert re.findall(r"^  (\w[\w-]*)  ", listed.stdout, re.MULTILINE) == COMMANDS
    assert "..." not in listed.stdout.split("Commands:")[1]
    assert homeiot().stdout + homeiot().stderr == listed.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_with_examples_and_stands_in_the_readme(name: str) -> None:
    """A command that is not documented fails here."""
    said = homeiot(name, "--help")
    assert said.returncode == 0
    assert said.stdout.startswith(f"Usage: homeiot {name}")
    assert "Examples:\n" in said.stdout
    assert f"`homeiot {name}" in (ROOT / "README.md").read_text()


def module(*arguments: str) -> str:
    """What `python -m MODULE ARGUMENTS` prints."""
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_the_package_has_the_same_commands(name: str) -> None:
    """`python -m homeiot_batch COMMAND` is `homeiot COMMAND`. The page of commands names each."""
    page = (ROOT / "docs/reference/commands.md").read_text()
    assert f"| `homeiot {name}` |" in page
    said = homeiot(name, "--help").stdout
    assert " ".join(module("homeiot_batch", name, "--help").split()) == " ".join(said.split())


def test_run_archive_is_the_run() -> None:
    """`python -m homeiot_batch.run_archive` takes the options of `homeiot run`."""
    options = r"--[a-z-]+"
    door = set(re.findall(options, module("homeiot_batch.run_archive", "--help")))
    completion = {"--install-completion", "--show-completion"}
    assert door - completion == set(re.findall(options, homeiot("run", "--help").stdout))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("run", "--dat", "2026-11-09"), "No such option: --dat"),
        (("statu",), "No such command 'statu'"),
        (("simulate", "x.lp"), "a FILE needs --from and --to"),
        (("simulate",), "give a FILE, or a broker with --mqtt"),
        (("simulate", "x.lp", "--mqtt", "localhost"), "FILE does not go with --mqtt"),
        (("simulate", "x.lp", "--seconds", "9"), "--seconds does not go with FILE"),
        (("run", "--date"), "Option '--date' requires an argument"),
    ],
)
def test_a_wrong_call_is_told_so(arguments: tuple[str, ...], said: str) -> None:
    """Exit code 2, nothing on standard output, no traceback."""
    outcome = homeiot(*arguments)
    assert (outcome.returncode, outcome.stdout) == (2, "")
    assert said in outcome.stderr
    assert "Traceback" not in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("simulate", "x.lp", "--from", "2026-02-29", "--to", "2026-03-01"),
            "error: --from='2026-02-29' is not a date; give an existing day as YYYY-MM-DD\n",
        ),
        (
            ("simulate", "x.lp", "--from", "2026-11-09", "--to", "2026-11-09", "--tz", "Mars"),
            (
                "error: --config: tz='Mars' is not the IANA name of a time zone; give one like "
                "Asia/Tokyo or Europe/Berlin\n"
            ),
        ),
        (
            ("simulate", "--mqtt", "mqtt://broker:1883"),
            (
                "error: --mqtt='mqtt://broker:1883' is no broker; "
                "give HOST:PORT like localhost:1883\n"
            ),
        ),
        (
            ("simulate", "--mqtt", "broker:port"),
            "error: --mqtt='broker:port' is no broker; give HOST:PORT like localhost:1883\n",
        ),
        (
            ("demo", "--house", "home-assistant"),
            (
                "error: --house='home-assistant' is no house of examples; "
                "did you mean home_assistant?\n"
            ),
        ),
        (
            ("status", "--config", "tzz=UTC"),
            "error: --config: there is no setting 'tzz'; did you mean tz?\n",
        ),
    ],
)
def test_a_value_that_cannot_be_used_is_one_line(arguments: tuple[str, ...], said: str) -> None:
    """Exit code 1, with the fix."""
    outcome = homeiot(*arguments)
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (1, "", said)


def test_help_waits_for_nothing() -> None:
    """What the work needs is not imported for help."""
    script = (
        "import sys; from homeiot_batch.cli import app\n"
        "try: app(['run', '--help'])\n"
        "except SystemExit: print(sorted({'duckdb', 'pyarrow', 'requests', 'snakemake', "
        "'structlog'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
