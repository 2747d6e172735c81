"""What makes a figure doubtful, in words."""

from collections.abc import Sequence

from homeiot_batch.report.figures import Cost, Day, Energy, Source
from homeiot_batch.report.words import Words


def doubts(day: Day, w: Words) -> list[str]:
    """Why the day's figures are not to be taken bare, in words; none for a complete day."""
    said = [w("doubt_nothing")] if not day.readings else []
    if not day.is_complete and day.readings and day.coverage is not None and day.coverage < 1:
        said.append(w("doubt_coverage", percent=w.share(day.coverage)))
    if not day.is_complete and day.longest_gap_s:
        said.append(w("doubt_gap", gap=w.duration(day.longest_gap_s)))
    said += counted(day, w)
    return said or ([] if day.is_complete else [w("doubt_incomplete")])


def counted(span: Energy, w: Words) -> list[str]:
    """What is estimated, reset or left out in the span."""
    resets, glitches = getattr(span, "reset_count", 0), getattr(span, "glitch_count", 0)
    said = (
        [w("doubt_estimated", kwh=w.energy(span.estimated_kwh))] if span.estimated_kwh > 0 else []
    )
    said += [w("doubt_reset" if resets == 1 else "doubt_resets", n=resets)] if resets else []
    return said + (
        [w("doubt_glitch" if glitches == 1 else "doubt_glitches", n=glitches)] if glitches else []
    )


def short_of(span: Energy, complete: int, days: int, w: Words) -> list[str]:
    """How many days of a longer span are not complete, and the rest."""
    incomplete = [w("doubt_incomplete_days", n=days - complete, of=days)] if complete < days else []
    return incomplete + counted(span, w)


def measured(span: Energy, source: Source) -> list[tuple[str, float | None]]:
    """The word and the value of what the source measures: bought, sold or both."""
    found = [("bought", span.import_kwh)] if source.has_import or not source.has_export else []
    return found + ([("sold", span.export_kwh)] if source.has_export else [])


def sentence(name: str, span: Energy, source: Source, why: Sequence[str], w: Words) -> str:
    """One line on a span: what was bought and sold, and the doubts."""
    parts = [
        f"{w(word)} {w.energy(value)}{'' if value is None else ' ' + w('unit_kwh')}"
        for word, value in measured(span, source)
    ]
    return f"{name}: {', '.join(parts) if span.is_known else w('no_data')}{'; ' if why else ''}{', '.join(why)}"


def unpriced(cost: Cost, w: Words) -> list[str]:
    """What has no price, if anything."""
    return [w("unpriced", kwh=w.energy(cost.unpriced_kwh))] if cost.unpriced_kwh > 0 else []


def cost_doubts(cost: Cost | None, day: Day | None, w: Words) -> list[str]:
    """Why a day's cost is not to be taken bare: what makes its energy doubtful, and what has no price."""
    return [
        *(doubts(day, w) if day and day.is_doubtful else []),
        *(unpriced(cost, w) if cost else []),
    ]


def amount(value: float, w: Words) -> str:
    """Money as a number."""
    return w.number(value, 2 if abs(value) < 999.995 else 0)


def money(value: float | None, cost: Cost, w: Words) -> str:
    """Money of the cost with its currency, or why there is none."""
    return (
        _no_cost(cost, w)
        if value is None
        else f"{amount(value, w)} {cost.currency or w('no_currency')}"
    )


def cost_amount(cost: Cost, w: Words) -> str:
    """The cost as a number, or why there is none."""
    return _no_cost(cost, w) if cost.known_cost is None else amount(cost.known_cost, w)


def _no_cost(cost: Cost, w: Words) -> str:
    return w("no_data" if cost.net_cost is None else "no_price")
