"""A meter's figures in words: what was measured, what it cost, and how far to trust it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from homeiot_batch.core.days import LocalDay
from homeiot_batch.report.figures import Cost, Day, Energy, Meter
from homeiot_batch.report.words import Words

# what happened to a counter: the word for once, the one for more often, the field of a span
COUNTED = (
    ("caveat_reset", "caveat_resets", "reset_count"),
    ("caveat_step_back", "caveat_step_backs", "step_back_count"),
    ("caveat_backwards", "caveat_backwards_often", "backwards_count"),
    ("caveat_glitch", "caveat_glitches", "glitch_count"),
)


def with_caveats(text: str, caveats: Sequence[str], words: Words) -> str:
    """The text, and behind it the caveats, if there are any."""
    if not caveats:
        return text
    return words("with_caveats", said=text, caveats=words.listed(caveats))


def clock_change(day: LocalDay, words: Words) -> list[str]:
    """How long a day is on which the clocks change, as of 23 hours. Nothing of any other day."""
    hours = (day.end - day.start) / timedelta(hours=1)
    if hours == 24:
        return []
    key = "day_25"
    if hours < 24:
        key = "day_23"
    digits = 0 if hours.is_integer() else 1
    return [words(key, h=words.number(hours, digits))]


@dataclass(frozen=True)
class Wording:
    """Puts the figures of one meter into words."""

    meter: Meter
    words: Words

    # energy

    def label(self, word: str) -> str:
        """The heading of what is bought or sold, in the words of what the meter measures."""
        return self.words.of_kind(self.meter.kind, word)

    def what(self, word: str) -> str:
        """The same inside a sentence."""
        return self.words.of_kind(self.meter.kind, f"what_{word}")

    def measured(self, span: Energy) -> list[tuple[str, float | None]]:
        """The word and the value (kWh) of what the meter measures: bought, sold or both."""
        found = []
        if self.meter.shows_import:
            found.append(("bought", span.import_kwh))
        if self.meter.has_export:
            found.append(("sold", span.export_kwh))
        return found

    def sentence(self, name: str, span: Energy, caveats: Sequence[str]) -> str:
        """One line on a span: what was bought and sold, and the caveats."""
        said = self.words("no_data")
        if span.is_known:
            parts = [self._amount_of(word, value) for word, value in self.measured(span)]
            said = self.words.listed(parts)
        return with_caveats(self.words("line", name=name, said=said), caveats, self.words)

    def _amount_of(self, word: str, value: float | None) -> str:
        label = self.label(word)
        kwh = self.words.energy(value)
        if value is None:
            return self.words("unknown_amount", label=label, no_data=kwh)
        return self.words("amount", label=label, kwh=kwh)

    def sold(self, kwh: float | None) -> str:
        """What was sold, as a part of a sentence. Nothing for a meter without export."""
        if not self.meter.has_export:
            return ""
        return self.words("curve_sold", sold=self.words.energy(kwh), what=self.what("sold"))

    # caveats

    def day_caveats(self, day: Day) -> list[str]:
        """Why the day's figures are not to be taken bare, or None for a complete day."""
        caveats = self._day_gaps(day)
        caveats += self.counted(day)
        if not caveats and not day.is_complete:
            return [self.words("caveat_incomplete")]
        return caveats

    def shown_caveats(self, day: Day) -> list[str]:
        """The same, only where a bare number would promise too much."""
        if not day.has_caveat:
            return []
        return self.day_caveats(day)

    def _day_gaps(self, day: Day) -> list[str]:
        caveats = []
        if not day.is_measured:
            caveats.append(self.words("caveat_nothing"))
        if day.is_complete:
            return caveats
        if day.is_measured and day.coverage is not None and day.coverage < 1:
            percent = self.words.share(day.coverage)
            caveats.append(self.words("caveat_coverage", percent=percent))
        if day.longest_gap_s:
            caveats.append(self.longest_gap(day.longest_gap_s))
        return caveats

    def longest_gap(self, seconds: float) -> str:
        """The longest gap of a day."""
        return self.words("caveat_gap", gap=self.words.duration(seconds))

    def counted(self, span: Energy) -> list[str]:
        """What is estimated, reset or left out in the span."""
        caveats = []
        if span.estimated_kwh > 0:
            kwh = self.words.energy(span.estimated_kwh)
            caveats.append(self.words("caveat_estimated", kwh=kwh))
        for once, often, name in COUNTED:
            count = getattr(span, name, 0)
            if count == 1:
                caveats.append(self.words(once, n=count))
            elif count:
                caveats.append(self.words(often, n=count))
        return caveats

    def span_caveats(self, span: Energy, complete: int, days: int) -> list[str]:
        """How many of a longer span's days are incomplete, and the rest."""
        if complete >= days:
            return self.counted(span)
        incomplete = self.words("caveat_incomplete_days", n=days - complete, of=days)
        return [incomplete, *self.counted(span)]

    # money

    def unpriced(self, cost: Cost) -> list[str]:
        """What has no price, if anything."""
        if cost.unpriced_kwh <= 0:
            return []
        kwh = self.words.energy(cost.unpriced_kwh)
        return [self.words("unpriced", kwh=kwh)]

    def cost_caveats(self, cost: Cost | None, day: Day | None) -> list[str]:
        """Why a day's cost is not to be taken bare: its energy's caveats, and the unpriced part."""
        caveats = []
        if day:
            caveats += self.shown_caveats(day)
        if cost:
            caveats += self.unpriced(cost)
        return caveats

    def money(self, value: float | None, cost: Cost) -> str:
        """Money of the cost with its currency, or why there is none."""
        if value is None:
            return self._no_cost(cost)
        return self.words.money(value, cost.currency)

    def cost_amount(self, cost: Cost) -> str:
        """The cost as a number, or why there is none."""
        if cost.known_cost is None:
            return self._no_cost(cost)
        return self.words.amount(cost.known_cost, cost.currency)

    def _no_cost(self, cost: Cost) -> str:
        if cost.net_cost is None:
            return self.words("no_data")
        return self.words("no_price")
