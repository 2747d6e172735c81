"""Tells a watchdog that a run has started, and how it ended.

It requests HEALTHCHECK_URL, with /start or /fail behind it, as healthchecks.io expects.
"""

import requests
import structlog

log = structlog.get_logger()

TIMEOUT_S = 10
LONGEST_BODY = 10_000


def ping(url: str | None, event: str = "", body: str = "") -> None:
    """Send `event` ("start", "fail", or "" for success) with a text.

    A ping that fails is logged and fails nothing. The URL is a secret.
    """
    if not url:
        return
    address = f"{url.rstrip('/')}/{event}".rstrip("/")
    try:
        requests.post(
            address, data=body[-LONGEST_BODY:].encode(), timeout=TIMEOUT_S
        ).raise_for_status()
    except requests.RequestException as error:
        log.warning(
            "the watchdog was not reached", ping=event or "success", reason=type(error).__name__
        )
