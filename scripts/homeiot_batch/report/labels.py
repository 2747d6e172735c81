"""Labels and legends that charts have in common."""

from collections.abc import Sequence
from datetime import date

from homeiot_batch.report import charts
from homeiot_batch.report.charts import Scale
from homeiot_batch.report.elements import Label, Span
from homeiot_batch.report.figures import UNKNOWN
from homeiot_batch.report.wording import Wording
from homeiot_batch.report.words import Words
from homeiot_batch.words.letter_widths import wide_letters

Legend = list[tuple[str, str]]


def half_of_width_em(text: str) -> float:
    """Half of about how wide a label is, in em: a Japanese letter is as wide as it is high."""
    wide = wide_letters(text)
    return round(0.5 * wide + 0.31 * (len(text) - wide), 2)


def y_labels(axis: Scale, words: Words) -> list[Label]:
    """The ticks of the axis, without a sign: what is sold goes down."""
    labels = []
    for tick in axis.ticks:
        at = axis.percent(tick)
        name = words.number(abs(tick), axis.digits)
        labels.append(Label(at, name))
    return labels


def place(index: int, padding: int, count: int) -> float:
    """The middle of a bar's place, in per cent. `padding` places are empty before `count` bars."""
    middle = padding + index + 0.5
    return round(middle * 100 / (padding + count), 3)


def date_labels(days: Sequence[date], padding: int, words: Words, most: int = 7) -> list[Label]:
    """At most so many dates, the newest among them."""
    newest_first = list(enumerate(days))[::-1]
    shown = charts.spread(newest_first, most)[::-1]
    labels = []
    for index, day in shown:
        at = place(index, padding, len(days))
        labels.append(Label(at, words.day(day, "date_axis")))
    return labels


def energy_legend(wording: Wording, extra: Legend, gaps: Sequence[Span]) -> Legend:
    """What the colours mean, and what else the chart shows."""
    words = wording.words
    legend = [(word, wording.label(word)) for word, _ in wording.measured(UNKNOWN)]
    legend += extra
    if gaps:
        legend.append(("hole", words("legend_no_data")))
    return legend
