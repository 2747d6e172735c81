"""Random houses: a counter with all that devices do, and the energy that it counted."""

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from tests.counters.judging import Value

ZONES = ["Asia/Tokyo", "Europe/Berlin", "Pacific/Chatham", "America/St_Johns", "Asia/Kathmandu"]
DIGITS = [1, 2, 3, 3, 4]


class House:
    """A counter as it is read, and the true energy of each step."""

    def __init__(self, seed: int) -> None:
        chance = self.chance = random.Random(seed)
        self.zone = ZoneInfo(chance.choice(ZONES))
        self.cadence_s = chance.choice([10, 60, 60, 300, 900, 1800, 3600])
        self.digits = chance.choice(DIGITS)
        self.at = datetime(2026, 3, 27, 5, 17) + timedelta(minutes=chance.randrange(3000))
        self.true = float(chance.choice([0, 3, 40, 700, 12_000, 98_000]))
        self.offset = 0.0
        self.highest_kw = chance.choice([0.06, 0.9, 3.0, 9.0])
        self.values: list[Value] = []
        self.steps: list[tuple[datetime, datetime, float]] = []
        self.done: list[str] = []
        self.stood_still: set[date] = set()
        self.read()

    @property
    def shown(self) -> float:
        """What the counter shows."""
        return round(self.true - self.offset, self.digits)

    def pass_time(self, count: int = 1, share: float | None = None) -> None:
        """Let so many readings' time go by."""
        share = self.chance.random() if share is None else share
        span = timedelta(seconds=self.cadence_s * count)
        self.at += span
        self.true += share * self.highest_kw * span.total_seconds() / 3600

    def read(self, energy: float | None = None, since: datetime | None = None) -> None:
        """Archive a good reading. The step to it has the rise, or `energy`."""
        if self.values:
            rise = self.shown - self.read_kwh if energy is None else energy
            self.steps.append((since or self.read_at, self.at, rise))
        self.values.append((self.at, self.shown))
        self.read_at, self.read_kwh = self.at, self.shown

    def run(self, count: int) -> None:
        """So many good readings."""
        for _ in range(count):
            self.pass_time()
            self.read()

    def by_day(self) -> dict[date, float]:
        """The true energy by local day, spread evenly over each step."""
        found: dict[date, float] = defaultdict(float)
        for begin, end, kwh in self.steps:
            edges = [begin, *self._midnights(begin, end), end]
            for former, later in pairwise(edges):
                found[self._date(former)] += kwh * ((later - former) / (end - begin))
        return found

    def days_between(self, begin: datetime, end: datetime) -> set[date]:
        """The local days from one time to another."""
        return {self._date(at) for at in [begin, *self._midnights(begin, end), end]}

    def _date(self, at: datetime) -> date:
        return at.replace(tzinfo=UTC).astimezone(self.zone).date()

    def _midnights(self, begin: datetime, end: datetime) -> list[datetime]:
        found, quarter = [], timedelta(minutes=15)
        at = begin.replace(minute=begin.minute // 15 * 15, second=0, microsecond=0) + quarter
        while at < end:
            if self._date(at) != self._date(at - quarter):
                found.append(at)
            at += quarter
        return found


def holes(house: House) -> None:
    """Missing values, filled with 0.0."""
    for _ in range(house.chance.randrange(1, 4)):
        house.pass_time()
        house.values.append((house.at, 0.0))


def gap(house: House) -> None:
    """Nothing for some hours."""
    house.pass_time(house.chance.randrange(2, 2 + 60_000 // house.cadence_s))
    house.read()


def idle(house: House) -> None:
    """Nothing flows, and the last digit flaps."""
    flap = 10.0**-house.digits
    for n in range(house.chance.randrange(4, 40)):
        house.pass_time(share=0)
        if n % 2 and flap <= 0.01:
            house.values.append((house.at, round(house.shown - flap, house.digits)))
        else:
            house.read()
    house.pass_time(share=0)
    house.read()


def frozen(house: House) -> None:
    """The value stands still, then shows what flowed: on which of the days, no reading tells."""
    before = house.read_at
    for _ in range(house.chance.randrange(3, 30)):
        house.pass_time()
        house.values.append((house.at, house.read_kwh))
    house.pass_time()
    house.read()
    house.stood_still |= house.days_between(before, house.at)


def restored(house: House) -> None:
    """It comes back with an older value of its own."""
    house.pass_time(house.chance.choice([1, 2, 9]))
    house.offset += min(house.shown * 0.4, max(house.highest_kw, 0.5))
    house.read(energy=0.0)


def restart(house: House) -> None:
    """It begins again from zero."""
    house.offset = house.true
    house.pass_time()
    house.read(energy=house.shown)


def swap(house: House) -> None:
    """It is replaced by another meter."""
    house.offset = house.true - house.chance.choice([333, 8000, 64_000])
    house.pass_time()
    house.read(energy=0.0)


def spikes(house: House) -> None:
    """Wrong values, far off."""
    for wrong in house.chance.sample([9e5, 7e6, 123_456.0], house.chance.randrange(1, 4)):
        house.pass_time(share=0.1)
        house.values.append((house.at, wrong))
    house.pass_time(share=0.1)
    house.read()


def stale(house: House) -> None:
    """One value of long ago."""
    house.pass_time(share=0.1)
    house.values.append((house.at, round(house.shown * 0.9, house.digits)))
    house.pass_time(share=0.1)
    house.read()


def twice(house: House) -> None:
    """A reading that is archived twice."""
    house.pass_time()
    house.read()
    house.values.append(house.values[-1])


EVENTS: dict[str, Callable[[House], None]] = {
    "holes": holes,
    "gap": gap,
    "idle": idle,
    "frozen": frozen,
    "restored": restored,
    "restart": restart,
    "swap": swap,
    "spikes": spikes,
    "stale": stale,
    "twice": twice,
}


def random_house(seed: int) -> House:
    """A house with some mishaps, each some readings after the last."""
    house = House(seed)
    house.run(12)
    for _ in range(house.chance.randrange(1, 9)):
        name = house.chance.choice(list(EVENTS))
        house.done.append(name)
        EVENTS[name](house)
        house.run(house.chance.randrange(8, 8 + 40_000 // house.cadence_s))
    return house
