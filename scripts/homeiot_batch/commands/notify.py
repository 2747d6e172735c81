"""Sends a test message to each address of NOTIFY_URL.

python -m homeiot_batch notify --test
"""

import os
from collections.abc import Sequence

import typer

from homeiot_batch.config import ROOT, given_settings, load_settings
from homeiot_batch.core.exit_codes import DONE, FAILED
from homeiot_batch.core.host_paths import explained
from homeiot_batch.errors import HomeIotError, SettingsError
from homeiot_batch.messages.addresses import Address, addresses
from homeiot_batch.messages.post import Letter, send
from homeiot_batch.messages.words import Words


def send_test(config: Sequence[str]) -> None:
    """Send it, print a line for each address, and exit with 1 if one did not take it."""
    os.chdir(ROOT)
    try:
        settings = load_settings(given_settings(config))
        to = addresses(settings)
        if not to:
            raise SettingsError(
                "NOTIFY_URL is not set; set it to an address of Apprise, as "
                "docs/how-to/messages.md shows"
            )
    except HomeIotError as error:
        raise SystemExit(explained(f"error: {error}")) from None
    words = Words(settings.language)
    reasons = send([_test_to(address, words) for address in to])
    for address, reason in zip(to, reasons, strict=True):
        result = "the message was sent"
        if reason:
            result = f"the message was not sent: {reason}"
        typer.echo(f"address {address.number} ({address.service}): {result}")
    raise SystemExit(FAILED if any(reasons) else DONE)


def _test_to(address: Address, words: Words) -> Letter:
    return Letter(address, words("test"), words("test_body"), "info")
