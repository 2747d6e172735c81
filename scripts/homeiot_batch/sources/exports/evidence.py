"""What the points of an export prove about its end, meter by meter.

An export does not name the time when it was made. Only readings after a day show that the day is
in it whole, and a device with a wrong clock writes such readings too. All times are nanoseconds
since the epoch, days are counted from the epoch in UTC.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from homeiot_batch.sources.exports.sections import Section, Span

DAY_NS = 86_400 * 10**9
# the clocks of a server and of the machine that the file was copied to may differ by so much
CLOCK_SLACK_NS = 300 * 10**9
# readings that come after so many days without any, last for no more than so many, ...
SILENT_DAYS = 1
FEW_DAYS = 2
# ... and are so small a part of a day's readings before that, prove nothing; where a day has fewer
# readings than this, each counts
FEW = 0.1
ENOUGH_A_DAY = 24
DAYS_COMPARED = 30
# a meter may be silent for so many of its usual intervals, within these bounds, before that counts
QUIET_INTERVALS = 6
LEAST_QUIET_NS = 60 * 10**9
MOST_QUIET_NS = 3600 * 10**9

Meter = tuple[str | None, ...]  # the values of the declared tags
Readings = Mapping[int, Counter[Meter]]  # how many, by day and meter


@dataclass(slots=True)
class Seen:
    """Readings that were counted, the first and the last of them, and the steps between them.

    A step goes to a reading that is later than all before: another field of the same point is none.
    """

    count: int
    first: int
    last: int
    steps: int = 0


@dataclass
class Days:
    """Readings of one meter in one section, by day."""

    limit: int
    days: dict[int, Seen] = field(default_factory=dict)
    ahead: int = 0

    def add(self, time: int) -> None:
        """Count a reading. One that lies after the writing of its file proves nothing."""
        if time > self.limit:
            self.ahead += 1
            return
        day = time // DAY_NS
        seen = self.days.get(day)
        if seen is None:
            self.days[day] = Seen(1, time, time)
            return
        seen.count += 1
        if time > seen.last:
            seen.last = time
            seen.steps += 1
        elif time < seen.first:
            seen.first = time

    def total(self) -> int:
        """The readings that were not written after their file."""
        return sum(seen.count for seen in self.days.values())


class Evidence:
    """The readings of one dataset in an export."""

    def __init__(self) -> None:
        self._counted: list[tuple[Section, dict[Meter, Days]]] = []
        self._hulls: list[tuple[Section, dict[Meter, Span]]] = []
        self._whole: dict[Section, Span] = {}
        # readings that prove nothing, by meter: dated after the writing of their file, or alone
        # after a long silence at the end
        self.ahead: Counter[Meter] = Counter()
        self.strays: Counter[Meter] = Counter()
        self.readings: Counter[Meter] = Counter()
        self._steps: Counter[Meter] = Counter()
        self._stepped_ns: Counter[Meter] = Counter()
        self._firsts: list[int] = []

    def begin(self, section: Section) -> None:
        """What is counted from now on stands in this section."""
        self._counted.append((section, {}))

    def of(self, meter: Meter) -> Days:
        """The readings of the meter in the present section."""
        section, meters = self._counted[-1]
        if meter not in meters:
            meters[meter] = Days(section.written + CLOCK_SLACK_NS)
        return meters[meter]

    def close(self) -> None:
        """All readings are counted."""
        stray = stray_days(self._by_day())
        for section, meters in self._counted:
            hulls: dict[Meter, Span] = {}
            for meter, readings in meters.items():
                proving = [seen for day, seen in readings.days.items() if day not in stray]
                if proving:
                    hulls[meter] = _hull(proving)
                self._firsts += [seen.first for seen in proving]
                self._count(meter, readings, proving)
            self._add_hulls(section, hulls)
        # without the meters that have none
        self.ahead = +self.ahead
        self.strays = +self.strays
        self._counted.clear()

    def _count(self, meter: Meter, readings: Days, proving: list[Seen]) -> None:
        total = readings.total()
        self.strays[meter] += total - sum(seen.count for seen in proving)
        self.ahead[meter] += readings.ahead
        self.readings[meter] += total + readings.ahead
        self._steps[meter] += sum(seen.steps for seen in proving)
        self._stepped_ns[meter] += sum(seen.last - seen.first for seen in proving)

    def _add_hulls(self, section: Section, hulls: dict[Meter, Span]) -> None:
        self._hulls.append((section, hulls))
        if hulls:
            firsts, lasts = zip(*hulls.values(), strict=True)
            self._whole[section] = min(firsts), max(lasts)

    @property
    def sections(self) -> list[Section]:
        """All sections, in the order of the files."""
        return [section for section, _ in self._hulls]

    @property
    def meters(self) -> list[Meter]:
        """All meters, in their order."""
        found: set[Meter] = set()
        for _, hulls in self._hulls:
            found |= hulls.keys()
        return sorted(found, key=repr)

    def quiet_ns(self, meter: Meter) -> int:
        """How long the meter may be silent before that counts, by its usual interval."""
        steps = self._steps[meter]
        if not steps:
            return MOST_QUIET_NS
        quiet = QUIET_INTERVALS * self._stepped_ns[meter] // steps
        return max(LEAST_QUIET_NS, min(quiet, MOST_QUIET_NS))

    def quiet_ns_of(self, section: Section) -> int:
        """The same of a section: that of the meter with the shortest interval."""
        meters = [meter for own, hulls in self._hulls if own is section for meter in hulls]
        return min(map(self.quiet_ns, meters), default=MOST_QUIET_NS)

    def hulls(self, meter: Meter) -> list[tuple[Section, Span]]:
        """First and last reading of the meter in each section that has one."""
        return [(section, hulls[meter]) for section, hulls in self._hulls if meter in hulls]

    def last_of(self, meter: Meter) -> int:
        """The meter's last reading in all sections. ValueError if it has none."""
        return max(last for _, (_, last) in self.hulls(meter))

    def hull(self, section: Section) -> Span | None:
        """First and last reading of all meters in the section, or None without any."""
        return self._whole.get(section)

    def first(self, since: int) -> int | None:
        """The first reading of a day that has its first one at `since` or later.

        None if there is no such day.
        """
        later = [first for first in self._firsts if first >= since]
        return min(later, default=None)

    def last(self) -> int | None:
        """The last reading that proves how far the export goes, or None without any."""
        lasts = [last for _, last in self._whole.values()]
        return max(lasts, default=None)

    def _by_day(self) -> dict[int, Counter[Meter]]:
        found: dict[int, Counter[Meter]] = {}
        for _, meters in self._counted:
            for meter, readings in meters.items():
                for day, seen in readings.days.items():
                    of_day = found.setdefault(day, Counter())
                    of_day[meter] += seen.count
        return found


def _hull(seen: list[Seen]) -> Span:
    """The first and the last reading of several days."""
    first = min(day.first for day in seen)
    last = max(day.last for day in seen)
    return first, last


def stray_days(readings: Readings) -> set[int]:
    """Days at the end that a wrong clock may have made.

    They have few readings, and come after a long silence or from meters that had none just before.
    """
    active = sorted(readings)
    while tail := _silent_before(active, readings) or _of_others_only(active, readings):
        active = active[: -len(tail)]
    return set(readings) - set(active)


def _silent_before(active: list[int], readings: Readings) -> list[int]:
    """The days after the last long silence, if they hold few readings or those of few meters."""
    begin = _after_silence(active)
    if begin is None:
        return []
    body = active[:begin]
    tail = active[begin:]
    is_long = tail[-1] - tail[0] >= FEW_DAYS
    if is_long or not _is_dense(body, readings):
        return []
    if _has_few_meters(tail, body, readings) or _has_few(tail, body, readings):
        return tail
    return []


def _after_silence(active: list[int]) -> int | None:
    """The place of the first day after the last long silence, or None without one."""
    for place in range(len(active) - 1, 0, -1):
        gap = active[place] - active[place - 1]
        if gap > SILENT_DAYS:
            return place
    return None


def _of_others_only(active: list[int], readings: Readings) -> list[int]:
    """The last day, if it holds few readings, and none of the meters before it."""
    body = active[:-1]
    tail = active[-1:]
    if not body or not _is_dense(body, readings) or not _has_few(tail, body, readings):
        return []
    if _usual_meters(body, readings) & _meters(tail, readings):
        return []
    return tail


def _meters(days: list[int], readings: Readings) -> set[Meter]:
    return set().union(*(readings[day] for day in days))


def _usual_meters(body: list[int], readings: Readings) -> set[Meter]:
    """The meters of the last days before."""
    return _meters(body[-FEW_DAYS:], readings)


def _has_few_meters(tail: list[int], body: list[int], readings: Readings) -> bool:
    """Whether fewer than half of the usual meters have readings in the tail."""
    usual = _usual_meters(body, readings)
    going_on = _meters(tail, readings) & usual
    return 2 * len(going_on) < len(usual)


def _count_of(days: list[int], readings: Readings) -> int:
    return sum(readings[day].total() for day in days)


def _a_day(body: list[int], readings: Readings) -> float:
    """How many readings a day had before."""
    before = body[-DAYS_COMPARED:]
    return _count_of(before, readings) / len(before)


def _is_dense(body: list[int], readings: Readings) -> bool:
    return _a_day(body, readings) >= ENOUGH_A_DAY


def _has_few(tail: list[int], body: list[int], readings: Readings) -> bool:
    return _count_of(tail, readings) < FEW * _a_day(body, readings)
