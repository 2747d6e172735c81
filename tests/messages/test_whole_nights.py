"""The nightly command tells a failed day once, and once when it is over."""

import base64
import fcntl

import pytest

from homeiot_batch.core.exit_codes import BUSY
from tests.house import Checkout, Outcome
from tests.messages.receiver import SECRET, Heard, Receiver

NOON = 1794193200  # of 9 November 2026 in Japan
FOOTER = "Each night tries again what failed. `homeiot run` tries now, `homeiot doctor` shows more."


DECLARED = """
datasets:
  climate: {measurement: climate, fields: {temperature: double}}
"""


@pytest.fixture
def house(checkout: Checkout) -> Checkout:
    """A house without meters, whose nights build no tables and so take seconds."""
    own = checkout.folder / "data/house"
    own.mkdir(parents=True)
    (own / "config.yaml").write_text(DECLARED)
    checkout.environment |= {"LOOKBACK_DAYS": "0", "ARCHIVE_START": "2026-11-02"}
    return checkout


def feed(house: Checkout, *days: int) -> None:
    """An export with a reading at noon of each day of November 2026."""
    house.export(
        *(f"climate temperature={day} {NOON + (day - 9) * 86400}000000000" for day in days)
    )


def secrets_in(house: Checkout, *outcomes: Outcome) -> list[str]:
    """The files that hold the secret, plain or in base64, and "output" if a run printed it."""
    forms = [SECRET.encode(), base64.b64encode(f"user:{SECRET}".encode())]
    said = "".join(outcome.stderr for outcome in outcomes).encode()
    found = ["output"] if any(form in said for form in forms) else []
    for path in house.folder.rglob("*"):
        if path.is_file() and any(form in path.read_bytes() for form in forms):
            found.append(str(path))
    return found


@pytest.mark.slow
def test_a_failed_day_is_told_once_and_once_when_it_is_over(
    house: Checkout, receiver: Receiver
) -> None:
    """Three nights. The service does not take the first message, so the second night sends it.

    The third archives the day. A message that fails changes neither exit code nor files. The
    secret is nowhere.
    """
    house.environment["NOTIFY_URL"] = receiver.url
    receiver.status = 503
    unsent = house.night("2026-11-03", INFLUX_URL="/nowhere")
    assert (unsent.code, (house.markers / "messages.json").exists()) == (1, False)
    assert [line for line in unsent.stderr.splitlines() if line.startswith("warning: ")] == [
        (
            "warning: the message to address 1 of NOTIFY_URL (json) was not sent: the service "
            "answered 503; the next night sends it again"
        )
    ]
    receiver.status = 200
    failed = house.night("2026-11-03", INFLUX_URL="/nowhere")
    assert failed.failures == unsent.failures
    reason = failed.failures[0].partition("2026-11-02: ")[2]
    assert (failed.code, receiver.take()) == (
        1,
        [
            Heard(
                "HomeIoT: 1 new fault",
                f"New:\n- climate 2026-11-02 could not be read: {reason}\n{FOOTER}",
                "warning",
            )
        ],
    )
    feed(house, 2)
    good = house.night("2026-11-03")
    assert (good.code, receiver.take()) == (
        0,
        [
            Heard(
                "HomeIoT: 1 fault is over",
                "Over:\n- climate 2026-11-02 is archived and loaded",
                "success",
            )
        ],
    )
    assert secrets_in(house, unsent, failed, good) == []


@pytest.mark.slow
def test_a_night_that_dies_early(house: Checkout, receiver: Receiver) -> None:
    """A wrong setting, and a lock that is held: each is told. The address comes from a file.

    Exit code and last line are those without messages.
    """
    secret = house.folder.parent / "notify"
    secret.write_text(f"{receiver.url}\n")
    house.environment["NOTIFY_URL_FILE"] = str(secret)
    wrong = house.night("2026-11-03", INFLUX_RETRIES="none")
    [error] = wrong.failures
    assert error.startswith("error: environment variable INFLUX_RETRIES: ")
    reason = error.removeprefix("error: ")
    body = "New:\n- the nightly run did not come to its end: {}\n" + FOOTER
    assert (wrong.code, wrong.stderr) == (1, f"{error}\n")
    assert receiver.take() == [Heard("HomeIoT: 1 new fault", body.format(reason), "warning")]
    house.parquet.mkdir(parents=True)
    with (house.parquet / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        busy = house.night("2026-11-03", LOCK_WAIT_S="0.1", INFLUX_URL="/nowhere")
    [error] = busy.failures
    assert "still holds" in error
    reason = error.removeprefix("error: ")
    assert busy.code == BUSY
    assert receiver.take() == [Heard("HomeIoT: 1 new fault", body.format(reason), "warning")]
    assert secrets_in(house, wrong, busy) == []
