"""What the points of an export prove about its end, meter by meter.

An export does not say when it was made. That a day is in it whole can only be seen from readings
after it, and a device with a wrong clock writes such readings too. All times are nanoseconds since
the epoch, days are counted from the epoch in UTC.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from homeiot_batch.sources.exports.sections import Section, Span

DAY_NS = 86_400 * 10**9
# the clocks of a server and of the machine that the file was copied to may differ by so much
CLOCK_SLACK_NS = 300 * 10**9
# readings that come after so many days without any, last for no more than so many, ...
SILENT_DAYS, FEW_DAYS = 2, 2
# ... and are so small a part of a day's readings before that, prove nothing; where a day has fewer
# readings than this, each counts
FEW, ENOUGH_A_DAY, DAYS_COMPARED = 0.1, 24, 30

Meter = tuple[str | None, ...]  # the values of the declared tags


@dataclass
class Days:
    """Readings of one meter in one section, by day: how many, the first and the last."""

    limit: int
    days: dict[int, list[int]] = field(default_factory=dict)
    ahead: int = 0

    def add(self, time: int) -> None:
        """Count a reading; one that lies after the writing of its file proves nothing."""
        if time > self.limit:
            self.ahead += 1
            return
        seen = self.days.get(time // DAY_NS)
        if seen is None:
            self.days[time // DAY_NS] = [1, time, time]
            return
        seen[0] += 1
        if time > seen[2]:
            seen[2] = time
        elif time < seen[1]:
            seen[1] = time


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
                seen = [bounds for day, bounds in readings.days.items() if day not in stray]
                if seen:
                    hulls[meter] = min(first for _, first, _ in seen), max(s[2] for s in seen)
                self._firsts += [first for _, first, _ in seen]
                counted = sum(bounds[0] for bounds in readings.days.values())
                self.strays[meter] += counted - sum(bounds[0] for bounds in seen)
                self.ahead[meter] += readings.ahead
                self.readings[meter] += counted + readings.ahead
            self._hulls.append((section, hulls))
            if hulls:
                firsts, lasts = zip(*hulls.values(), strict=True)
                self._whole[section] = min(firsts), max(lasts)
        self.ahead, self.strays = +self.ahead, +self.strays
        self._counted.clear()

    @property
    def sections(self) -> list[Section]:
        """All sections, in the order of the files."""
        return [section for section, _ in self._hulls]

    @property
    def meters(self) -> list[Meter]:
        """All meters, in their order."""
        return sorted({meter for _, hulls in self._hulls for meter in hulls}, key=repr)

    def hulls(self, meter: Meter) -> list[tuple[Section, Span]]:
        """First and last reading of the meter in each section that has one."""
        return [(section, hulls[meter]) for section, hulls in self._hulls if meter in hulls]

    def hull(self, section: Section) -> Span | None:
        """First and last reading of all meters in the section; None without any."""
        return self._whole.get(section)

    def first(self, since: int) -> int | None:
        """The first reading of a day that has its first one at `since` or later; None without any."""
        return min((first for first in self._firsts if first >= since), default=None)

    def last(self) -> int | None:
        """The last reading that proves how far the export goes; None without any."""
        return max((last for _, last in self._whole.values()), default=None)

    def _by_day(self) -> dict[int, Counter[Meter]]:
        found: dict[int, Counter[Meter]] = {}
        for _, meters in self._counted:
            for meter, readings in meters.items():
                for day, seen in readings.days.items():
                    found.setdefault(day, Counter())[meter] += seen[0]
        return found


def stray_days(readings: Mapping[int, Counter[Meter]]) -> set[int]:
    """Days at the end that a wrong clock may have made.

    They have few readings, and come after a long silence or from meters that had none just before.
    """
    active = sorted(readings)
    while tail := _silent_before(active, readings) or _of_others_only(active, readings):
        active = active[: -len(tail)]
    return set(readings) - set(active)


def _silent_before(active: list[int], readings: Mapping[int, Counter[Meter]]) -> list[int]:
    """The days after the last long silence, if they hold few readings or those of few meters."""
    gaps = [place for place in range(1, len(active)) if _gap(active, place) > SILENT_DAYS]
    if not gaps:
        return []
    body, tail = active[: gaps[-1]], active[gaps[-1] :]
    usual, later = _meters(body[-FEW_DAYS:], readings), _meters(tail, readings)
    is_short = tail[-1] - tail[0] < FEW_DAYS and _is_dense(body, readings)
    few_meters = 2 * len(later & usual) < len(usual)
    return tail if is_short and (few_meters or _has_few(tail, body, readings)) else []


def _of_others_only(active: list[int], readings: Mapping[int, Counter[Meter]]) -> list[int]:
    """The last day, if it holds few readings, and none of the meters before it."""
    body, tail = active[:-1], active[-1:]
    if not body or not _is_dense(body, readings) or not _has_few(tail, body, readings):
        return []
    goes_on = _meters(body[-FEW_DAYS:], readings) & _meters(tail, readings)
    return [] if goes_on else tail


def _gap(active: list[int], place: int) -> int:
    return active[place] - active[place - 1]


def _meters(days: list[int], readings: Mapping[int, Counter[Meter]]) -> set[Meter]:
    return set().union(*(readings[day] for day in days))


def _a_day(body: list[int], readings: Mapping[int, Counter[Meter]]) -> float:
    """How many readings a day had before."""
    before = body[-DAYS_COMPARED:]
    return sum(readings[day].total() for day in before) / len(before)


def _is_dense(body: list[int], readings: Mapping[int, Counter[Meter]]) -> bool:
    return _a_day(body, readings) >= ENOUGH_A_DAY


def _has_few(tail: list[int], body: list[int], readings: Mapping[int, Counter[Meter]]) -> bool:
    counted = sum(readings[day].total() for day in tail)
    return counted < FEW * _a_day(body, readings)
