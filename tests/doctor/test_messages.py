"""Doctor says whether Apprise can read the addresses of NOTIFY_URL."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from homeiot_batch.config import Settings
from homeiot_batch.doctor.finding import Finding, ok, warning
from homeiot_batch.doctor.messages import check_messages
from homeiot_batch.messages import post

URLS = "json://127.0.0.1:9/s3cret nosuch://s3cret s3cret"


def findings(settings: Settings, **changes: object) -> list[Finding]:
    """All that it finds."""
    able = settings.model_copy(update=changes)
    return list(check_messages(able, able.layout))


def test_each_address(settings: Settings) -> None:
    """Nothing is sent, no finding has an address, and a damaged record is named."""
    record = settings.layout.told_faults
    record.parent.mkdir(parents=True)
    record.write_text("{")
    fix = "see docs/how-to/messages.md"
    assert findings(settings, notify_url=SecretStr(URLS)) == [
        ok(
            "NOTIFY_URL",
            "address 1 (json) can be read; `homeiot notify --test` sends a test message",
        ),
        warning("NOTIFY_URL", "address 2 (nosuch): Apprise cannot read the address", fix),
        warning("NOTIFY_URL", "address 3 (no address): Apprise cannot read the address", fix),
        warning(
            "NOTIFY_URL",
            f"{record} cannot be read, so messages tell all open faults again",
            "nothing: the next night writes it anew",
        ),
    ]


def test_a_file_that_cannot_be_read(settings: Settings, tmp_path: Path) -> None:
    """A warning: the runs themselves go on."""
    file = tmp_path / "none"
    assert findings(settings, notify_url_file=file) == [
        warning(
            "NOTIFY_URL",
            f"NOTIFY_URL_FILE={str(file)!r} cannot be read (No such file or directory)",
            "name a readable file",
        )
    ]


def test_without_an_address_nothing_is_started(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Apprise takes a second to start."""
    monkeypatch.setattr(post, "COMMAND", ["/nowhere"])
    assert findings(settings) == []
