"""The house's balance in words: who fed it, and how far to trust that."""

from collections.abc import Sequence
from dataclasses import dataclass

from homeiot_batch.report.balances import SOURCES, Balance, DayBalance, HouseBalance, MonthBalance
from homeiot_batch.report.words import Words

ROUNDING = 0.005  # kWh. What counters round away


@dataclass(frozen=True)
class HouseWording:
    """Puts a balance into words."""

    balance: HouseBalance
    words: Words

    @property
    def sources(self) -> list[str]:
        """Where the energy of the house comes from: only what it has."""
        found = [name for name in SOURCES if self.balance.has(f"{name}_to_house_kwh")]
        return found or ["grid"]

    def parts(self, names: Sequence[str]) -> str:
        """The parts of the house in a sentence."""
        return self.words.all_of([self.words.name("parts", name) for name in names])

    def fed_by(self, spans: Sequence[Balance]) -> str:
        """How much came from where, in all of the spans together."""
        sums = {}
        for name in self.sources:
            sums[name] = sum(span.kwh(f"{name}_to_house_kwh") for span in spans)
        shown = [name for name, kwh in sums.items() if kwh > ROUNDING] or self.sources
        found = []
        for name in shown:
            part = self.words.name("parts", name)
            found.append(self.words("from", kwh=self.words.energy(sums[name]), part=part))
        return self.words.listed(found)

    def caveats(self, day: DayBalance) -> list[str]:
        """Why the day's figures are not to be taken bare. None for a complete day."""
        if not day.is_known:
            return [self.words("caveat_no_part", parts=self.parts(day.unknown_parts()))]
        if day.is_complete:
            return []
        hours = day.hours - day.complete_hours
        return [self.words("caveat_hours", n=hours, of=day.hours), *self._counted(day)]

    def month_caveats(self, month: MonthBalance, days: int) -> list[str]:
        """The same of a month with so many days."""
        if month.complete_days >= days:
            return []
        incomplete = days - month.complete_days
        caveat = self.words("caveat_incomplete_days", n=incomplete, of=days)
        return [caveat, *self._counted(month)]

    def _counted(self, span: Balance) -> list[str]:
        found = []
        estimated = span.kwh("estimated_kwh")
        if estimated > 0:
            found.append(self.words("caveat_estimated", kwh=self.words.energy(estimated)))
        unexplained = span.kwh("unexplained_kwh")
        if unexplained > ROUNDING:
            found.append(self.words("caveat_unexplained", kwh=self.words.energy(unexplained)))
        return found
