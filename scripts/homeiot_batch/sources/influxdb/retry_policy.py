"""How often a source is asked again after a failure, and how long to wait before."""

import time
from collections.abc import Callable
from datetime import datetime

import structlog
import tenacity

from homeiot_batch.errors import SourceBusy, SourceUnavailable
from homeiot_batch.sources.http_dates import http_date

# the longest wait that a server's Retry-After can ask for
MOST_WAIT_S = 60.0
BACK_OFF = tenacity.wait_exponential_jitter(initial=1, max=30)

log = structlog.get_logger()


class RetryPolicy:
    """Tries again after errors of one class, each time after a longer wait.

    Once all tries have failed, whatever is asked next is tried only once, until something
    succeeds: a server that is down costs the waits of one day, not those of every day of a range.
    """

    def __init__(
        self,
        tries: int,
        after: type[SourceUnavailable],
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._tries = tries
        self._after = after
        self._sleep = sleep
        self._answers = True

    def __call__[T](self, ask: Callable[[], T]) -> T:
        """What `ask` returns. Raises its last error if all tries fail, and other errors at once."""
        tries = 1
        if self._answers:
            tries = self._tries
        retrying = tenacity.Retrying(
            stop=tenacity.stop_after_attempt(tries),
            wait=_wait,
            retry=tenacity.retry_if_exception_type(self._after),
            before_sleep=_announce,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            answer = retrying(ask)
        except self._after:
            self._answers = False
            raise
        self._answers = True
        return answer


def asked_wait(retry_after: str | None, now: datetime) -> float | None:
    """The seconds that the header Retry-After asks to wait from `now` on, as seconds or a date.

    None if there is no header, if it means neither, or if its date is over.
    """
    text = (retry_after or "").strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        wait = (http_date(text) - now).total_seconds()
    except ValueError:
        return None
    if wait <= 0:
        return None
    return wait


def _wait(state: tenacity.RetryCallState) -> float:
    """The back-off, or what the server asked for if that is longer, up to MOST_WAIT_S."""
    back_off = BACK_OFF(state)
    error = _error(state)
    if not isinstance(error, SourceBusy) or error.wait_s is None:
        return back_off
    asked = min(error.wait_s, MOST_WAIT_S)
    return max(back_off, asked)


def _announce(state: tenacity.RetryCallState) -> None:
    log.info("trying again", attempt=state.attempt_number, reason=str(_error(state)))


def _error(state: tenacity.RetryCallState) -> BaseException | None:
    if state.outcome is None:
        return None
    return state.outcome.exception()
