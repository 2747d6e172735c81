"""Letters go through a real Apprise to a real server. Why one fails is told without secrets."""

import http.server
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pydantic import SecretStr

from homeiot_batch.config import ROOT, Settings
from homeiot_batch.messages import apprise_process, post
from homeiot_batch.messages.addresses import Address, addresses
from homeiot_batch.messages.post import Letter, check, send
from tests.http_server import QuietHandler, running
from tests.messages.receiver import SECRET, Heard, Receiver


def letters(settings: Settings, *urls: str) -> list[Letter]:
    """The same letter to each address."""
    able = settings.model_copy(update={"notify_url": SecretStr(" ".join(urls))})
    return [Letter(to, "subject", "first\nsecond <b>&amp;</b>", "info") for to in addresses(able)]


def test_each_address_has_its_own_result(
    settings: Settings, receiver: Receiver, capfd: pytest.CaptureFixture[str]
) -> None:
    """One that works, one that nobody answers at, a service that is none, and no address."""
    urls = [receiver.url, f"json://127.0.0.1:9/{SECRET}?cto=1", f"nosuch://{SECRET}", SECRET]
    assert send(letters(settings, *urls)) == [
        "",
        "the service could not be reached",
        "Apprise cannot read the address; see docs/how-to/messages.md",
        "Apprise cannot read the address; see docs/how-to/messages.md",
    ]
    assert receiver.take() == [Heard("subject", "first\nsecond <b>&amp;</b>", "info")]
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


def test_addresses_are_checked_without_sending(settings: Settings, receiver: Receiver) -> None:
    """Apprise can read the first and not the second."""
    to = [letter.address for letter in letters(settings, receiver.url, SECRET)]
    assert check(to) == [
        "",
        "Apprise cannot read the address; see docs/how-to/messages.md",
    ]
    assert receiver.take() == []
    assert SECRET not in repr(to)
    assert [one.service for one in to] == ["json", "no address"]


def test_the_addresses_of_the_page_can_be_read() -> None:
    """Each row of its table of services."""
    page = (ROOT / "docs/how-to/messages.md").read_text()
    table = re.search(r"\| service \| address \|\n(.*?)\n\n", page, re.DOTALL)
    assert table
    urls = re.findall(r"`(\w+://[^`]*)`", table[1])
    to = [Address(number, "any", url) for number, url in enumerate(urls, start=1)]
    assert check(to) == ["", "", ""]


def test_a_service_that_never_ends_is_left(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It sends a byte now and then, so no timeout of a request ends it."""

    class Handler(QuietHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            for _ in range(40):
                self.send_header("X", "y")
                self.flush_headers()
                time.sleep(0.2)

    monkeypatch.setattr(post, "START_S", 4)
    monkeypatch.setattr(post, "LETTER_S", 0)
    with running(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as port:
        reasons = send(letters(settings, f"json://127.0.0.1:{port}/{SECRET}"))
    assert reasons == ["there was no answer within 4 s"]


def test_a_process_that_dies_sent_nothing(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python itself may be broken."""
    monkeypatch.setattr(post, "COMMAND", ["/bin/false"])
    assert send(letters(settings, "json://x", "json://y")) == [
        "the service did not take it",
        "the service did not take it",
    ]


def test_without_apprise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each letter is answered."""
    monkeypatch.setitem(sys.modules, "apprise", None)
    order = [{"url": "json://x"}, {"url": "json://y"}]
    assert list(apprise_process.answers(order)) == [{"result": "missing"}] * 2
    assert post.REASONS["missing"] == "Apprise is not installed; run make setup"


def test_nothing_to_send_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apprise takes a second to start."""
    monkeypatch.setattr(post, "COMMAND", ["/nowhere"])
    assert send([]) == []


def test_the_night_does_not_import_apprise() -> None:
    """Neither does any command before it has something to send."""
    script = (
        "import sys, homeiot_batch.commands.run, homeiot_batch.messages.night, "
        "homeiot_batch.doctor.command; sys.exit('apprise' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


@pytest.mark.parametrize("text", ["aa://1 bb://2", "aa://1\nbb://2\n", "  aa://1\t\r\nbb://2"])
def test_several_addresses(settings: Settings, tmp_path: Path, text: str) -> None:
    """With spaces or line ends between them, in the variable or in a file."""
    expected = [Address(1, "aa", "aa://1"), Address(2, "bb", "bb://2")]
    file = tmp_path / "notify"
    file.write_text(text)
    in_file = settings.model_copy(update={"notify_url_file": file})
    assert addresses(in_file) == expected
    in_variable = settings.model_copy(update={"notify_url": SecretStr(text)})
    assert addresses(in_variable) == expected
    assert addresses(settings) == []
