"""The fast set: what `make test` runs, and the line that says how much it leaves out.

A test is in the fast set unless it has one of the marks below. INTEGRATION_TESTS=1, a named file or
folder, -k or -m ask for more.
"""

import os
import signal
from collections.abc import Iterable
from typing import Any

import pytest
from _pytest.mark import ParameterSet

LEFT_OUT = ("slow", "crash", "soak", "integration")
FAST = " and ".join(f"not {mark}" for mark in LEFT_OUT)
COUNT = pytest.StashKey[int]()


def pytest_configure(config: pytest.Config) -> None:
    """Choose the tests, and let the runs that they start take Ctrl-C."""
    # a shell starts `make test &` with SIGINT ignored, and every child would inherit that
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if is_fast(config):
        config.option.markexpr = FAST


def is_fast(config: pytest.Config) -> bool:
    """Whether nobody asked for particular tests, or for all."""
    if os.environ.get("INTEGRATION_TESTS") == "1":
        return False
    if config.option.keyword or config.option.markexpr:
        return False
    return config.args_source is not pytest.Config.ArgsSource.ARGS


def pytest_deselected(items: list[pytest.Item]) -> None:
    """Count what is left out."""
    if items:
        stash = items[0].config.stash
        stash[COUNT] = stash.get(COUNT, 0) + len(items)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Tell the main process, if this is one of its workers."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = session.config.stash.get(COUNT, 0)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Take the count of a worker that has ended. Each has counted the same tests."""
    node.config.stash[COUNT] = getattr(node, "workeroutput", {}).get("left_out", 0)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say how many tests did not run."""
    count = config.stash.get(COUNT, 0)
    if config.option.markexpr == FAST:
        marks = ", ".join(LEFT_OUT)
        terminalreporter.write_line(f"{count} tests left out ({marks}); make test-all runs all")


def few(values: Iterable[Any], *fast: Any) -> list[ParameterSet]:
    """The values, for `parametrize`. All but those in `fast` are slow."""
    found = []
    for value in values:
        marks = () if value in fast else pytest.mark.slow
        found.append(pytest.param(*(value if isinstance(value, tuple) else (value,)), marks=marks))
    return found
