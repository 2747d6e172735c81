"""Times in an export that are no nanoseconds: read as such they lie in the first weeks of 1970."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from homeiot_batch.sources.exports.evidence import Meter

UNITS = {
    "hours": 3600 * 10**9,
    "minutes": 60 * 10**9,
    "seconds": 10**9,
    "milliseconds": 10**6,
    "microseconds": 10**3,
}
# microseconds of the year 2100: what lies later is nanoseconds
HIGHEST = 4_102_444_800 * 10**6


@dataclass
class Suspicion:
    """Lines whose times lie in a wanted day if they are in this unit."""

    unit: str
    place: str
    time: int
    meters: Counter[Meter] = field(default_factory=Counter)

    def advice(self) -> str:
        """How to make nanoseconds of them."""
        factor = UNITS[self.unit]
        zeros = str(factor).removeprefix("1")
        if zeros.strip("0"):
            return f"multiply each time by {factor}"
        return f"append {zeros} to each time"


class OtherUnits:
    """Collects the lines whose time may be in another unit than nanoseconds."""

    def __init__(self, day_at: Callable[[int], int]) -> None:
        self._day_at = day_at  # number of the wanted day at a time, -1 if it is in none
        self._by_day: dict[int, Suspicion] = {}
        self.lines: Counter[Meter] = Counter()

    def see(self, time: int, meter: Meter, place: Callable[[], str]) -> None:
        """Note a line whose time is within the first weeks of 1970."""
        self.lines[meter] += 1
        for unit, factor in UNITS.items():
            day = self._day_at(time * factor)
            if day >= 0:
                found = self._by_day.setdefault(day, Suspicion(unit, place(), time))
                found.meters[meter] += 1

    def of(self, day: int) -> Suspicion | None:
        """What was noted of the wanted day of this number."""
        return self._by_day.get(day)
