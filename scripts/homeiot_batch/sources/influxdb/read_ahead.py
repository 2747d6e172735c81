"""Reads an answer in a thread of its own, while what has arrived is being used.

Otherwise the server waits whenever the program computes, and the program whenever the server does.
"""

import contextlib
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator

# of an answer, at a time
PIECE_BYTES = 1 << 16
# more than that is not read ahead: 2 MiB
MOST_WAITING = 32


@contextlib.contextmanager
def reading_ahead(
    pieces: Iterable[bytes], interrupt: Callable[[], None]
) -> Generator[Iterator[bytes]]:
    """The same bytes in larger pieces. An error is raised after the bytes that came before it.

    At the end of the context the thread has ended. `interrupt` must end a read that waits for the
    server; it is called if not all has been read.
    """
    thread = _Thread(pieces)
    thread.start()
    try:
        yield thread.arrived()
    finally:
        thread.stop(interrupt)


class _Thread(threading.Thread):
    """Reads the pieces into a queue, and the error or the end after them."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        super().__init__(name="reading ahead", daemon=True)
        self._pieces = pieces
        self._waiting: queue.Queue[bytes | BaseException | None] = queue.Queue(MOST_WAITING)
        self._is_stopped = False
        self._is_read = False

    def run(self) -> None:
        """Read until the end, or until nobody wants more."""
        end = None
        try:
            for piece in _joined(self._pieces):
                self._waiting.put(piece)
                if self._is_stopped:
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised where the pieces are used
            end = error
        self._waiting.put(end)

    def arrived(self) -> Iterator[bytes]:
        """The pieces in their order."""
        while True:
            item = self._waiting.get()
            if isinstance(item, bytes):
                yield item
                continue
            self._is_read = True
            if item is not None:
                raise item
            return

    def stop(self, interrupt: Callable[[], None]) -> None:
        """End the thread, wherever it is."""
        self._is_stopped = True
        # one that waits for a place in the queue gets it
        with contextlib.suppress(queue.Empty):
            while True:
                self._waiting.get_nowait()
        if not self._is_read:
            interrupt()
        self.join()


def _joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of PIECE_BYTES or more, but for the last."""
    waiting = bytearray()
    for piece in pieces:
        waiting += piece
        if len(waiting) >= PIECE_BYTES:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)
