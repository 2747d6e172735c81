"""Hands letters to Apprise's process, and hears what became of each."""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from homeiot_batch.config import ROOT, environment_without_secrets
from homeiot_batch.messages.addresses import Address

COMMAND = [sys.executable, "-m", "homeiot_batch.messages.apprise_process"]
START_S = 30  # to import Apprise, on a busy machine
LETTER_S = 30
# by the result of the process. They are printed as warnings, so they are English everywhere
REASONS = {
    "missing": "Apprise is not installed; run make setup",
    "unknown": "Apprise cannot read the address; see docs/how-to/messages.md",
    "refused": "the service answered {status}",
    "unreachable": "the service could not be reached",
    "failed": "the service did not take it",
}

Kind = Literal["warning", "success", "info"]


@dataclass(frozen=True)
class Letter:
    """A message to one address."""

    address: Address
    subject: str
    body: str
    kind: Kind


def send(letters: Sequence[Letter]) -> list[str]:
    """Why each letter was not sent, in their order, or "" if it was. Without any secret."""
    order = []
    for letter in letters:
        content = {"subject": letter.subject, "body": letter.body, "kind": letter.kind}
        order.append({"url": letter.address.url, **content})
    return _reasons(order)


def check(addresses: Sequence[Address]) -> list[str]:
    """Why Apprise cannot read each address, or "" if it can. Sends nothing."""
    return _reasons([{"url": address.url} for address in addresses])


def _reasons(order: Sequence[dict[str, str]]) -> list[str]:
    if not order:
        return []
    seconds = START_S + LETTER_S * len(order)
    said, is_late = _said(json.dumps(order), seconds)
    reasons = [_reason(json.loads(line)) for line in said.splitlines()]
    unanswered = REASONS["failed"]
    if is_late:
        unanswered = f"there was no answer within {seconds} s"
    return reasons + [unanswered] * (len(order) - len(reasons))


def _said(order: str, seconds: float) -> tuple[str, bool]:
    """What the process has answered, and whether it was ended because its time was over."""
    process = subprocess.Popen(
        COMMAND,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # Apprise's log lines may hold addresses
        env=environment_without_secrets(),  # the address comes with the order
        cwd=ROOT,
        text=True,
    )
    with process:
        try:
            said, _ = process.communicate(order, timeout=seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            said, _ = process.communicate()
            return said, True
    return said, False


def _reason(answer: dict[str, str]) -> str:
    result = answer["result"]
    if result == "sent":
        return ""
    return REASONS[result].format(status=answer.get("status"))
