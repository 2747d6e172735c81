"""The addresses that messages go to. Each is a secret: only its place in the list is shown."""

import re
from dataclasses import dataclass, field

from homeiot_batch.config import Settings


@dataclass(frozen=True)
class Address:
    """An address of Apprise. `number` counts from 1, `service` is what stands before ://."""

    number: int
    service: str
    url: str = field(repr=False)


def addresses(settings: Settings) -> list[Address]:
    """Those that are set. SettingsError where NOTIFY_URL_FILE names a file that cannot be read."""
    urls = settings.notify_urls()
    return [Address(number, _service(url), url) for number, url in enumerate(urls, start=1)]


def _service(url: str) -> str:
    """What stands before ://. What is no address may be a secret as a whole."""
    found = re.match(r"([a-z0-9]{2,16})://", url, re.IGNORECASE)
    if found is None:
        return "no address"
    return found[1].lower()
