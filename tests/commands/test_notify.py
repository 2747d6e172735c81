"""`homeiot notify --test` sends a test message to each address."""

import pytest

from homeiot_batch.commands.notify import send_test
from tests.messages.receiver import SECRET, Heard, receiving

pytestmark = pytest.mark.usefixtures("clean_environment")


@pytest.mark.parametrize(
    ("language", "subject", "body"),
    [
        (
            "en",
            "HomeIoT: test message",
            "This is a test. The batch can send messages to this address.",
        ),
        ("ja", "HomeIoT: テスト通知", "テスト通知です。この宛先には通知が届きます。"),
    ],
)
def test_each_address_gets_a_line(
    language: str,
    subject: str,
    body: str,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """The exit code is 1 if one did not take it. No line has an address.

    The message has the language of the house, and the lines are English.
    """
    with receiving() as receiver:
        monkeypatch.setenv("NOTIFY_URL", f"{receiver.url} nosuch://{SECRET}")
        with pytest.raises(SystemExit) as ended:
            send_test([f"report_language={language}"])
    assert receiver.heard == [Heard(subject, body, "info")]
    said = capfd.readouterr()
    assert (ended.value.code, said.err, said.out) == (
        1,
        "",
        (
            "address 1 (json): the message was sent\n"
            "address 2 (nosuch): the message was not sent: Apprise cannot read the address; see "
            "docs/how-to/messages.md\n"
        ),
    )


def test_without_an_address() -> None:
    """The error says what to set."""
    with pytest.raises(SystemExit) as ended:
        send_test([])
    assert ended.value.code == (
        "error: NOTIFY_URL is not set; set it to an address of Apprise, as "
        "docs/how-to/messages.md shows"
    )


def test_the_address_does_not_belong_on_the_command_line() -> None:
    """Others on the machine could read it there."""
    with pytest.raises(SystemExit) as ended:
        send_test([f"notify_url=json://{SECRET}"])
    assert ended.value.code == (
        "error: notify_url does not belong in --config, where others can read it; "
        "set NOTIFY_URL instead"
    )
