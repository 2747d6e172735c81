"""Sends letters by Apprise, or checks addresses, in a process of its own.

Apprise logs addresses, imports all of its services, and may wait long for a slow one. So the night
starts this process only if there is something to send, reads nothing but the answers, and ends it
when its time is over.

python -m homeiot_batch.messages.apprise_process     (the order comes by its standard input)
"""

import json
import logging
import os
import re
import sys
from collections.abc import Iterator
from typing import Any

from homeiot_batch.core.waiting_process import redirect

STATUS = re.compile(r"error=(\d{3})\b")


class Heard(logging.Handler):
    """Keeps of what Apprise logs only why a service failed: a status, or that it was not reached.

    The rest may hold the address.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.status = ""
        self.is_unreachable = False

    def emit(self, record: logging.LogRecord) -> None:
        """Look at the line, and drop it."""
        text = record.getMessage()
        if found := STATUS.search(text):
            self.status = found[1]
        self.is_unreachable = self.is_unreachable or "onnection error" in text

    def answer(self) -> dict[str, str]:
        """Why it failed."""
        if self.status:
            return {"result": "refused", "status": self.status}
        if self.is_unreachable:
            return {"result": "unreachable"}
        return {"result": "failed"}


def answers(order: Any) -> Iterator[dict[str, str]]:
    """One for each letter of the order. A letter without a body only checks its address."""
    logger = logging.getLogger("apprise")
    logger.propagate = False
    try:
        import apprise  # noqa: PLC0415 - what takes long, and may be missing
    except ImportError:
        yield from [{"result": "missing"}] * len(order)
        return
    for letter in order:
        heard = Heard()
        logger.handlers = [heard]
        try:
            yield _answer(apprise, letter, heard)
        except Exception:  # noqa: BLE001 - a service may fail in any way, and its text holds secrets
            yield {"result": "failed"}


def _answer(apprise: Any, letter: dict[str, str], heard: Heard) -> dict[str, str]:
    asset = apprise.AppriseAsset(app_id="HomeIoT", async_mode=False)
    service = apprise.Apprise.instantiate(letter["url"], asset=asset, suppress_exceptions=True)
    if service is None:
        return {"result": "unknown"}
    if "body" not in letter:
        return {"result": "sent"}
    sender = apprise.Apprise(asset=asset)
    sender.add(service)
    is_sent = sender.notify(
        letter["body"],
        title=letter["subject"],
        notify_type=letter["kind"],
        body_format=apprise.NotifyFormat.TEXT,
    )
    if is_sent:
        return {"result": "sent"}
    return heard.answer()


def main() -> None:
    """Read the order, and write a line for each answer. Whatever else is printed goes nowhere."""
    order = json.load(sys.stdin)
    with os.fdopen(os.dup(1), "w") as out:
        redirect(os.devnull, os.O_RDWR, 0, 1, 2)
        for answer in answers(order):
            print(json.dumps(answer), file=out, flush=True)


if __name__ == "__main__":
    main()
