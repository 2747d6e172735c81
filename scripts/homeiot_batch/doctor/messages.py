"""Whether Apprise can read the addresses that messages go to. Nothing is sent."""

from collections.abc import Iterator

from homeiot_batch.config import Settings
from homeiot_batch.core.layout import Layout
from homeiot_batch.doctor.finding import Finding, of_error, ok, warning
from homeiot_batch.errors import SettingsError
from homeiot_batch.messages.addresses import Address, addresses
from homeiot_batch.messages.post import check
from homeiot_batch.messages.told import read_told

NAME = "NOTIFY_URL"
TRY = "`homeiot notify --test` sends a test message"


def check_messages(settings: Settings, layout: Layout) -> Iterator[Finding]:
    """A finding for each address. Nothing if there is none."""
    try:
        to = addresses(settings)
    except SettingsError as error:
        yield of_error(NAME, error, "warning")
        return
    reasons = check(to)
    for address, reason in zip(to, reasons, strict=True):
        yield _checked(address, reason)
    if to:
        _, damaged = read_told(layout.told_faults, to)
        for message in damaged:
            yield warning(NAME, message, "nothing: the next night writes it anew")


def _checked(address: Address, reason: str) -> Finding:
    shown = f"address {address.number} ({address.service})"
    if reason:
        found, _, fix = reason.partition("; ")
        return warning(NAME, f"{shown}: {found}", fix or TRY)
    return ok(NAME, f"{shown} can be read; {TRY}")
