"""Log lines: their form, their places, and that they fail nothing."""

import json
from collections.abc import Generator
from pathlib import Path

import pytest
import structlog

from homeiot_batch.logging_conf import configure, job_log


@pytest.fixture(autouse=True)
def _as_before() -> Generator[None]:
    yield
    structlog.reset_defaults()


def test_lines_are_key_value_or_json_on_stderr_and_in_the_jobs_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The same line in both places, inside the job only in its file.

    A later job's lines replace it.
    """
    for log_format in ("keyvalue", "json"):
        configure(log_format)
        log = structlog.get_logger()
        with job_log(tmp_path / "sub/job.log"):
            log.info("read", fetched=3)
        log.info("outside")
        lines = capsys.readouterr().err.splitlines()
        assert (tmp_path / "sub/job.log").read_text().splitlines() == lines[:1]
        if log_format == "json":
            assert {
                key: value for key, value in json.loads(lines[0]).items() if key != "timestamp"
            } == {
                "event": "read",
                "level": "info",
                "fetched": 3,
            }
        else:
            assert lines[0].endswith("level=info event=read fetched=3")


def test_a_log_that_cannot_be_written_fails_nothing(tmp_path: Path) -> None:
    """Neither a full disk, also when the file is closed, nor a place where no file can be."""
    configure("keyvalue")
    (tmp_path / "file").write_text("")
    for path in (Path("/dev/full"), tmp_path / "file/job.log"):
        with job_log(path):
            structlog.get_logger().info("read")


def test_every_warning_is_told_as_a_sentence(tmp_path: Path) -> None:
    """With the names that the job bound, and only of this level. The line itself stays as it is."""
    told: list[str] = []
    configure("keyvalue", told.append)
    log = structlog.get_logger()
    names = {"step": "fetch", "dataset": "raw_meter_readings", "dt": "2026-11-09"}
    with job_log(tmp_path / "job.log"), structlog.contextvars.bound_contextvars(**names):
        log.warning("a staged day is dropped", reason="it\nis short")
        log.info("read", rows=3)
        log.error("failed", reason="full")
    log.warning("markers not checked")
    log.warning("days without their file", dataset="room_climate", days=["2026-11-09"])
    assert told == [
        "raw_meter_readings 2026-11-09: a staged day is dropped (reason=it is short)",
        "markers not checked",
        "room_climate: days without their file (days=['2026-11-09'])",
    ]
    assert "level=warning" in (tmp_path / "job.log").read_text().splitlines()[0]
