"""Messages of a container say where the paths are on the host."""

import pytest

from homeiot_batch.core.host_paths import explained, explanation
from homeiot_batch.workflow.summary import Summary

COMPOSE = "/data=./data,/app=.,/run/secrets/influx_token=secrets/token,/run/secrets/influx_ca="


@pytest.mark.parametrize(
    ("message", "places"),
    [
        ("error: /data/house/tariffs.csv line 2", "/data is ./data on the host"),
        ("error: MARKER_DIR='/data' is full", "/data is ./data on the host"),
        (
            "/app/dbt and /data/duckdb/x.duckdb",
            "/data is ./data on the host, /app is . on the host",
        ),
        (
            "INFLUX_TOKEN_FILE='/run/secrets/influx_token' is empty",
            "/run/secrets/influx_token is secrets/token on the host",
        ),
        ("error: /srv/data/house, ./data, /database and /data2 are other paths", ""),
        ("INFLUX_CA_FILE='/run/secrets/influx_ca' is not set by the house", ""),
        ("error: tz='Asia/Tokio' is not the IANA name", ""),
    ],
)
def test_the_paths_that_a_message_names(
    message: str, places: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only these, and on the same line. Outside of a container the message is as it was."""
    assert explained(message) == message
    monkeypatch.setenv("HOST_PATHS", COMPOSE)
    assert explained(message) == (f"{message} ({places})" if places else message)
    assert explanation(["none", message]) == ([f"note: {places}"] if places else [])


@pytest.mark.parametrize("given", ["", ",", "=", "/data", "/data=", "=./data", "nonsense"])
def test_what_is_no_pair_is_passed_over(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message is never lost by what only explains it."""
    monkeypatch.setenv("HOST_PATHS", given)
    assert explained("error: /data is full") == "error: /data is full"


def test_the_summary_explains_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the warnings and failures: the last lines are the failures, as ever."""
    monkeypatch.setenv("HOST_PATHS", COMPOSE)
    summary = Summary()
    summary.warn("/data/a")
    summary.fail("/data/b")
    assert summary.lines()[1:] == [
        "note: /data is ./data on the host",
        "warning: /data/a",
        "next step: fix what is named below and run the same command again. What is done is kept",
        "failed: /data/b",
    ]
