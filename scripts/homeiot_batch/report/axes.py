"""Labels and legends that charts have in common."""

from collections.abc import Sequence
from datetime import date

from homeiot_batch.report import charts
from homeiot_batch.report.charts import Scale
from homeiot_batch.report.doubts import measured
from homeiot_batch.report.figures import Energy, Source
from homeiot_batch.report.parts import Label, Span
from homeiot_batch.report.words import Words


def y_labels(axis: Scale, w: Words) -> list[Label]:
    """The ticks of the axis, without a sign: what is sold goes down."""
    return [Label(axis.percent(tick), w.number(abs(tick), axis.digits)) for tick in axis.ticks]


def date_labels(days: Sequence[date], padding: int, w: Words, most: int = 7) -> list[Label]:
    """At most so many dates, the newest among them."""
    shown = charts.spread(list(enumerate(days))[::-1], most)
    slot = 100 / (len(days) + padding)
    return [
        Label(round((padding + index + 0.5) * slot, 3), w.day(day, "date_short"))
        for index, day in reversed(shown)
    ]


def energy_legend(
    source: Source, w: Words, extra: Sequence[tuple[str, str]], holes: Sequence[Span], no_data: str
) -> list[tuple[str, str]]:
    """What the colours mean, and what else the chart shows."""
    return [
        *((word, w(word)) for word, _ in measured(Energy(None, None, None, 0), source)),
        *extra,
        *([("hole", no_data)] if holes else []),
    ]
