"""Asks about a time in pieces, where the server refuses to read so much for one question.

InfluxDB 3 refuses a question that would read more files than --query-file-limit allows. It writes
a file for each ten minutes as a rule, and more where points arrive late.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from homeiot_batch.core.days import instant_of
from homeiot_batch.errors import SourceLimit

# files of a minute are the shortest that InfluxDB 3 can be set to
SHORTEST_NS = 60 * 10**9


class Bounds(Protocol):
    """A half-open time [start_ns, end_ns), ns since the epoch: a day, days, or a piece of one."""

    @property
    def start_ns(self) -> int:
        """The first nanosecond."""
        ...

    @property
    def end_ns(self) -> int:
        """The first nanosecond after it."""
        ...


@dataclass(frozen=True)
class Span:
    """A piece of a time, as `Bounds`."""

    start_ns: int
    end_ns: int

    def __str__(self) -> str:
        first = instant_of(self.start_ns)
        return f"{first:%F %T} to {instant_of(self.end_ns):%F %T} UTC"


def in_pieces[T](
    time: Bounds, ask: Callable[[Span], T], *, newest_first: bool = False
) -> Iterator[T]:
    """What `ask` answers for the time, or for pieces of it in their order.

    A time that is refused by SourceLimit is asked for in halves, so each instant is in one piece
    that was answered. SourceLimit for a piece that cannot be halved any more.
    """
    span = Span(time.start_ns, time.end_ns)
    try:
        answer = ask(span)
    except SourceLimit as error:
        halves = _halves(span, error)
    else:
        yield answer
        return
    if newest_first:
        halves.reverse()
    for half in halves:
        yield from in_pieces(half, ask, newest_first=newest_first)


def _halves(span: Span, error: SourceLimit) -> list[Span]:
    middle = (span.start_ns + span.end_ns) // 2
    if middle - span.start_ns < SHORTEST_NS:
        raise SourceLimit(f"even for {span}, {error}")
    return [Span(span.start_ns, middle), Span(middle, span.end_ns)]
