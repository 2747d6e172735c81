"""Runs whose output nobody reads any more."""

import errno
import io
import logging
import os
import subprocess
import sys
from typing import TextIO

import pytest

from homeiot_batch.workflow.unread_output import go_on_unread
from tests.house import Checkout, House
from tests.prepared import LONGEST_RUN_S
from tests.workflow import drills
from tests.workflow.drills import DATASET, FIRST, LAST, UNTIL_LOAD, V1, span


def test_what_cannot_be_written_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """To a pipe without a reader, and to a full disk. Later output and log lines go on."""
    reader, writer = os.pipe()
    os.close(reader)
    unread = os.fdopen(writer, "w", buffering=1)
    logger = logging.Logger("of a run")
    logger.addHandler(_Strict(unread))
    monkeypatch.setattr(sys, "stderr", unread)
    monkeypatch.setattr(sys, "stdout", _Full())
    go_on_unread([logger])
    logger.error("a job failed")
    for stream in (sys.stdout, sys.stderr):
        assert stream.write("a line\n") == 7
        stream.flush()
    child = subprocess.run(["sh", "-c", "echo of a child"], stdout=writer, check=False)
    unread.close()
    assert child.returncode == 0


class _Full(io.StringIO):
    """A file on a full disk."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, f"no space for {text!r}")


class _Strict(logging.StreamHandler[TextIO]):
    """As Snakemake's: a pipe without a reader is an error of whoever logs."""

    def emit(self, record: logging.LogRecord) -> None:
        self.stream.write(record.getMessage() + "\n")


@pytest.mark.slow
def test_a_failing_job_whose_output_nobody_reads_ends_the_run(archived: House) -> None:
    """The run ends with its exit code and gives the lock back: the next one is right."""
    log = archived.markers / f"log/{DATASET}/dt={FIRST}.load.log"
    log.unlink()
    forced = (*UNTIL_LOAD, "--forcerun", "load", *span(FIRST, FIRST))
    with archived.held():
        process = archived.start(*forced, DUCKDB_WAIT_S="3")
        drills.wait_until(lambda: log.exists() and "open elsewhere" in log.read_text())
        _stop_reading(process)
        assert _end(process) == 1
    run = archived.snakemake(*forced)
    assert (run.code, run.jobs) == (0, drills.jobs("load", FIRST)), run.stderr
    drills.assert_archived(archived, V1)


@pytest.mark.slow
def test_a_night_whose_output_nobody_reads_does_its_work(checkout: Checkout) -> None:
    """The reader has gone before the first line. The days are there, and the exit code is 0."""
    drills.feed(checkout, V1)
    command = [sys.executable, "-m", "homeiot_batch.run_archive", "--from", FIRST, "--to", LAST]
    process = subprocess.Popen(
        [*command, "--config", "now=2026-11-13T01:00:00+09:00"],
        cwd="/",
        env=checkout.env(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    _stop_reading(process)
    assert _end(process) == 0
    drills.assert_archived(checkout, V1)


def _stop_reading(process: "subprocess.Popen[str]") -> None:
    assert process.stdout
    process.stdout.close()


def _end(process: "subprocess.Popen[str]") -> int:
    """The exit code. A run that waits for ever is killed."""
    try:
        return process.wait(LONGEST_RUN_S)
    finally:
        process.kill()
