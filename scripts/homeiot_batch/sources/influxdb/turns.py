"""When a program's own questions to one server may run side by side."""

import contextlib
import threading
from collections.abc import Generator


class Turns:
    """Questions run side by side, or one after the other once the server had too many at once."""

    def __init__(self, longest_wait_s: float) -> None:
        self._longest_wait_s = longest_wait_s
        self._running = 0
        self._in_line = False
        self._ended = threading.Condition()

    @contextlib.contextmanager
    def taken(self) -> Generator[None]:
        """The time of one question, from asking it to the end of its answer.

        A turn begins after `longest_wait_s` in any case: an answer that nobody reads to its end
        must not stop all others.
        """
        with self._ended:
            self._ended.wait_for(self._is_free, self._longest_wait_s)
            self._running += 1
        try:
            yield
        finally:
            with self._ended:
                self._running -= 1
                self._ended.notify_all()

    def form_a_line(self) -> None:
        """From now on a question waits until the one before has ended."""
        self._in_line = True

    def _is_free(self) -> bool:
        return self._running == 0 or not self._in_line
