"""Whether an export holds a day whole: by the spans in its headers, and by its readings."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.errors import SourceError
from homeiot_batch.sources.exports.evidence import Evidence, Meter
from homeiot_batch.sources.exports.sections import BEFORE_ALL, Section, Span, holes, union

# a meter may be silent for so long before anything is said of it
QUIET_NS = 3600 * 10**9
LISTED = 5


class Coverage:
    """Judges the days of one dataset by what was seen of it in an export."""

    def __init__(
        self,
        path: Path,
        dataset: Dataset,
        zone: ZoneInfo,
        evidence: Evidence,
        sections: list[Section],
    ) -> None:
        self._path = path
        self._dataset = dataset
        self._zone = zone
        self._evidence = evidence
        self._sections = sections  # those of the dataset's database and retention policy
        holders = [section for section in sections if evidence.hull(section) is not None]
        self._written = max(section.written for section in holders or evidence.sections)
        self._spans = self._of_headers()
        self._by_meter = {meter: self._of_meter(meter) for meter in evidence.meters}

    def refuse(self, day: LocalDay) -> None:
        """SourceError for a day that the export cannot hold whole: it would be archived short."""
        self._refuse_unfinished(day)
        self._refuse_uncovered(day)
        last = self._evidence.last()
        if last is not None and last < day.start_ns:
            raise SourceError(
                f"{self._path} has no point of {self._dataset.measurement!r} after "
                f"{self._shown(last)}{self._unproven()}: {day} is not in it; give an earlier end"
            )

    def doubts(self, day: LocalDay) -> list[str]:
        """Where the export may begin, end or have a hole in the middle of the day, by meter."""
        found = []
        for meter, spans in self._by_meter.items():
            missing = holes(spans, day.start_ns, day.end_ns)
            if missing == [(day.start_ns, day.end_ns)]:
                continue
            texts = [text for hole in missing if (text := self._doubt(meter, hole, day))]
            if texts:
                found.append("; and ".join(texts))  # one warning for a meter and day
        return found

    def first(self, since: int) -> int | None:
        """The first reading, by day, at `since` (ns since the epoch) or later; None without any."""
        return self._evidence.first(since)

    def notices(self, days: Sequence[date]) -> list[str]:
        """What the user should know of the readings as a whole, for the wanted days."""
        return [*self._ended(days), *self._wrong_clocks()]

    # how

    def _refuse_unfinished(self, day: LocalDay) -> None:
        if self._written < day.end_ns:
            raise SourceError(
                f"{self._path} was written at {self._shown(self._written)}, before {day} was over; "
                "export again, or give an earlier end"
            )

    def _refuse_uncovered(self, day: LocalDay) -> None:
        if self._spans is None:
            return
        missing = holes(self._spans, day.start_ns, day.end_ns)
        if not missing:
            return
        parts = [f"from {self._shown(begin)} to {self._shown(end)}" for begin, end in missing]
        raise SourceError(
            f"{self._path} does not cover {day} {_listed(parts)}: {self._said()}; "
            "export the whole day, or give other days"
        )

    def _said(self) -> str:
        """The spans of the headers."""
        spans = [
            f"{section.file.name} is an export of {self._bound(section.begin, 'the beginning')} "
            f"to {self._bound(section.end, 'its last reading')}"
            for section in self._sections
            if section.has_header
        ]
        return _listed(spans)

    def _of_headers(self) -> list[Span] | None:
        """What headers, and files without one beside them, cover; None where there is no header."""
        headed = [section for section in self._sections if section.has_header]
        if not headed:
            return None
        spans = [span for section in headed if (span := self._of_header(section))]
        for section in self._bare():
            hull = self._evidence.hull(section)
            # what lies within other spans may be a part of their export, which says nothing more
            if hull and holes(spans, *hull):
                spans.append((hull[0] - QUIET_NS, self._open_end(hull[1])))
        return union(spans)

    def _of_header(self, section: Section) -> Span | None:
        hull = self._evidence.hull(section)
        begin = BEFORE_ALL if section.begin is None else section.begin
        if section.end is None:
            return hull and (begin, min(self._end_of_day(hull[1]), section.written))
        if hull is None and section.points and not self._goes_on((begin, section.end)):
            return None  # only other measurements were exported, or this one is not there
        return begin, min(section.end, section.written)

    def _goes_on(self, span: Span) -> bool:
        """Whether a file without header has readings of the span, as the rest of a split one."""
        hulls = [hull for section in self._bare() if (hull := self._evidence.hull(section))]
        return any(first < span[1] and last >= span[0] for first, last in hulls)

    def _bare(self) -> list[Section]:
        return [section for section in self._sections if not section.has_header]

    def _of_meter(self, meter: Meter) -> list[Span]:
        """What is surely not cut off in the middle of the meter's readings."""
        spans = []
        for section in self._sections:
            if section.has_header and section.end is not None:
                spans += [span] if (span := self._of_header(section)) else []
        for section, (first, last) in self._evidence.hulls(meter):
            begins_open = section.has_header and section.begin is None
            spans.append((BEFORE_ALL if begins_open else first - QUIET_NS, last + QUIET_NS))
        return union(spans)

    def _open_end(self, last: int) -> int:
        return self._end_of_day(last) if last == self._evidence.last() else last + QUIET_NS

    def _end_of_day(self, time: int) -> int:
        return LocalDay(self._local(time).date(), self._zone).end_ns

    def _doubt(self, meter: Meter, hole: Span, day: LocalDay) -> str:
        begin, end = hole
        of = self._of(meter) if len(self._evidence.meters) > 1 else ""
        again = f"run with one that has all of it and --date {day} --force"
        if end == day.end_ns:
            last = self._shown(begin - QUIET_NS)
            return (
                f"the export's last reading{of} is at {last}; if it was made before the day was "
                f"over, run with a later one and --date {day} --force"
            )
        if begin > day.start_ns:
            between = f"{self._shown(begin - QUIET_NS)} and {self._shown(end + QUIET_NS)}"
            return (
                f"the export has no reading{of} between {between}, where a file ends and another "
                f"begins; if the files have a hole there, {again}"
            )
        if self._is_new(meter, end + QUIET_NS, day):
            return ""
        first = self._shown(end + QUIET_NS)
        return f"the export's first reading{of} is at {first}; if it begins in the day, {again}"

    def _is_new(self, meter: Meter, first: int, day: LocalDay) -> bool:
        """Whether the file that holds the meter's first reading has earlier ones of others."""
        holders = [s for s, hull in self._evidence.hulls(meter) if hull[0] == first]
        hulls = [hull for section in holders if (hull := self._evidence.hull(section))]
        return any(begin < day.start_ns for begin, _ in hulls)

    def _ended(self, days: Sequence[date]) -> list[str]:
        """Meters that end inside of the wanted days while others go on."""
        if not days:
            return []
        begin = LocalDay(days[0] - timedelta(days=1), self._zone).start_ns
        end = LocalDay(days[-1], self._zone).end_ns
        found = []
        for meter in self._evidence.meters:
            last = max(last for _, (_, last) in self._evidence.hulls(meter))
            spans = self._by_meter[meter]
            if begin <= last < end and holes(spans, self._end_of_day(last), end):
                found.append(
                    f"{self._dataset.name}: the export has no reading{self._of(meter)} after "
                    f"{self._shown(last)}; the days after it are archived without"
                )
        return found

    def _wrong_clocks(self) -> list[str]:
        counted: list[tuple[Counter[Meter], str]] = [
            (self._evidence.ahead, "are dated after their file was written"),
            (self._evidence.strays, "come alone after days without any"),
        ]
        return [
            f"{self._dataset.name}: {count} readings{self._of(meter)} {what}; a clock may have "
            "been wrong, they do not count as proof that the export goes on"
            for meters, what in counted
            for meter, count in meters.items()
        ]

    def _unproven(self) -> str:
        count = self._evidence.ahead.total() + self._evidence.strays.total()
        return f" ({count} later ones may come from a wrong clock)" if count else ""

    def _of(self, meter: Meter) -> str:
        """The meter as its declared tags say it."""
        tags = zip(self._dataset.tags, meter, strict=True)
        named = [f"{tag}={value}" for tag, value in tags if value is not None]
        return f" of {','.join(named)}" if named else " without tags"

    def _bound(self, time: int | None, open_bound: str) -> str:
        return open_bound if time is None else self._shown(time)

    def _shown(self, time: int) -> str:
        """In the zone of the house, with its name."""
        return f"{self._local(time):%F %T} ({self._zone.key})"

    def _local(self, time: int) -> datetime:
        return datetime.fromtimestamp(time // 10**9, self._zone)


def _listed(texts: list[str]) -> str:
    more = f" and {len(texts) - LISTED} more" if len(texts) > LISTED else ""
    return ", ".join(texts[:LISTED]) + more
