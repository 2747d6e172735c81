"""Whether an export holds a day whole: by the spans in its headers, and by its readings."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.errors import SourceError
from homeiot_batch.sources.exports.evidence import Evidence, Meter
from homeiot_batch.sources.exports.sections import BEFORE_ALL, Section, Span, holes, union

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
        self._written = self._last_written()
        self._spans = self._of_headers()
        self._by_meter = {meter: self._of_meter(meter) for meter in evidence.meters}

    def refuse(self, day: LocalDay) -> None:
        """SourceError for a day that the export cannot hold whole: it would be archived short."""
        self._refuse_unfinished(day)
        self._refuse_uncovered(day)
        last = self._evidence.last()
        if last is not None and last < day.start_ns:
            measurement = self._dataset.measurement
            end = f"{self._shown(last)}{self._unproven()}"
            raise SourceError(
                f"{self._path} has no point of {measurement!r} after {end}: {day} is not in it; "
                "give an earlier end"
            )

    def warnings(self, day: LocalDay) -> list[str]:
        """Where the export may begin, end or have a hole in the middle of the day, by meter."""
        found = []
        for meter, spans in self._by_meter.items():
            missing = holes(spans, day.start_ns, day.end_ns)
            if missing == [(day.start_ns, day.end_ns)]:
                continue
            texts = [self._warning_of_gap(meter, hole, day) for hole in missing]
            warning = "; and ".join(text for text in texts if text)
            if warning:
                found.append(warning)
        return found

    def first(self, since: int) -> int | None:
        """The first reading, by day, at `since` (ns since the epoch) or later. None without any."""
        return self._evidence.first(since)

    def notices(self, days: Sequence[LocalDay]) -> list[str]:
        """What the user should know of the readings as a whole, for the wanted days."""
        return [*self._ended(days), *self._wrong_clocks()]

    # how

    def _last_written(self) -> int:
        """When the newest file with readings was written, or the newest of all if none has any."""
        holders = [section for section in self._sections if self._evidence.hull(section)]
        sections = holders or self._evidence.sections
        return max(section.written for section in sections)

    def _refuse_unfinished(self, day: LocalDay) -> None:
        if self._written < day.end_ns:
            written = self._shown(self._written)
            raise SourceError(
                f"{self._path} was written at {written}, before {day} was over; "
                "export again, or give an earlier end"
            )

    def _refuse_uncovered(self, day: LocalDay) -> None:
        if self._spans is None:
            return
        missing = holes(self._spans, day.start_ns, day.end_ns)
        if not missing:
            return
        parts = _listed([self._from_to(hole) for hole in missing])
        headers = _listed([self._header_span(section) for section in self._headed()])
        raise SourceError(
            f"{self._path} does not cover {day} {parts}: {headers}; "
            "export the whole day, or give other days"
        )

    def _from_to(self, span: Span) -> str:
        begin, end = span
        return f"from {self._shown(begin)} to {self._shown(end)}"

    def _header_span(self, section: Section) -> str:
        begin = self._bound(section.begin, "the beginning")
        end = self._bound(section.end, "its last reading")
        return f"{section.file.name} is an export of {begin} to {end}"

    def _of_headers(self) -> list[Span] | None:
        """What headers, and files without one beside them, cover. None where there is no header."""
        headed = self._headed()
        if not headed:
            return None
        spans = self._of_each_header(headed)
        for section in self._bare():
            hull = self._evidence.hull(section)
            # what lies within other spans may be a part of their export, and shows nothing more
            if hull and holes(spans, *hull):
                spans.append(self._of_bare(section, hull))
        return union(spans)

    def _of_bare(self, section: Section, hull: Span) -> Span:
        """What a file without header covers, from its first to its last reading."""
        first, last = hull
        quiet = self._evidence.quiet_ns_of(section)
        if last == self._evidence.last():
            return first - quiet, self._end_of_day(last)
        return first - quiet, last + quiet

    def _of_each_header(self, headed: Iterable[Section]) -> list[Span]:
        """What each header covers, without those that cover nothing."""
        spans = map(self._of_header, headed)
        return [span for span in spans if span]

    def _of_header(self, section: Section) -> Span | None:
        hull = self._evidence.hull(section)
        begin = BEFORE_ALL if section.begin is None else section.begin
        if section.end is not None:
            return self._of_bounds(section, begin, section.end)
        if hull is None:
            return None
        day_end = self._end_of_day(hull[1])
        return begin, min(day_end, section.written)

    def _of_bounds(self, section: Section, begin: int, end: int) -> Span | None:
        """What a header covers that names its end. None if it is not an export of the dataset."""
        holds_others = section.points > 0 and not self._evidence.hull(section)
        if holds_others and not self._goes_on((begin, end)):
            return None  # only other measurements were exported, or this one is not there
        return begin, min(end, section.written)

    def _goes_on(self, span: Span) -> bool:
        """Whether a file without header has readings of the span, as the rest of a split one."""
        begin, end = span
        hulls = self._hulls(self._bare())
        return any(first < end and last >= begin for first, last in hulls)

    def _headed(self) -> list[Section]:
        return [section for section in self._sections if section.has_header]

    def _bare(self) -> list[Section]:
        return [section for section in self._sections if not section.has_header]

    def _hulls(self, sections: Iterable[Section]) -> list[Span]:
        """The first and the last reading of each section that has any."""
        hulls = map(self._evidence.hull, sections)
        return [hull for hull in hulls if hull]

    def _of_meter(self, meter: Meter) -> list[Span]:
        """What is surely not cut off in the middle of the meter's readings."""
        quiet = self._evidence.quiet_ns(meter)
        closed = [section for section in self._headed() if section.end is not None]
        spans = self._of_each_header(closed)
        for section, (first, last) in self._evidence.hulls(meter):
            begin = first - quiet
            if section.has_header and section.begin is None:
                begin = BEFORE_ALL
            spans.append((begin, last + quiet))
        return union(spans)

    def _end_of_day(self, time: int) -> int:
        date = self._local(time).date()
        return LocalDay(date, self._zone).end_ns

    def _warning_of_gap(self, meter: Meter, hole: Span, day: LocalDay) -> str:
        """What may be missing in a hole of the meter's readings, or "" if nothing is."""
        begin, end = hole
        quiet = self._evidence.quiet_ns(meter)
        last = begin - quiet
        first = end + quiet
        if end == day.end_ns:
            return self._warning_of_end(meter, last, day)
        if begin > day.start_ns:
            return self._warning_of_middle(meter, last, first, day)
        if self._is_new(meter, first, day):
            return ""
        return (
            f"the export's first reading{self._of_one(meter)} is at {self._shown(first)}; "
            f"if it begins in the day, {_run_again(day)}"
        )

    def _warning_of_end(self, meter: Meter, last: int, day: LocalDay) -> str:
        return (
            f"the export's last reading{self._of_one(meter)} is at {self._shown(last)}; "
            f"if it was made before the day was over, run with a later one and --date {day} --force"
        )

    def _warning_of_middle(self, meter: Meter, last: int, first: int, day: LocalDay) -> str:
        between = f"{self._shown(last)} and {self._shown(first)}"
        return (
            f"the export has no reading{self._of_one(meter)} between {between}, where a file ends "
            f"and another begins; if the files have a hole there, {_run_again(day)}"
        )

    def _of_one(self, meter: Meter) -> str:
        """The meter, where there are several."""
        if len(self._evidence.meters) == 1:
            return ""
        return self._of(meter)

    def _is_new(self, meter: Meter, first: int, day: LocalDay) -> bool:
        """Whether the file that holds the meter's first reading has earlier ones of others."""
        holders = []
        for section, (begin, _) in self._evidence.hulls(meter):
            if begin == first:
                holders.append(section)
        return any(begin < day.start_ns for begin, _ in self._hulls(holders))

    def _ended(self, days: Sequence[LocalDay]) -> list[str]:
        """Meters that end inside of the wanted days while others go on."""
        if not days:
            return []
        day_before = days[0].date - timedelta(days=1)
        begin = LocalDay(day_before, self._zone).start_ns
        end = days[-1].end_ns
        found = []
        for meter, spans in self._by_meter.items():
            last = self._evidence.last_of(meter)
            if begin <= last < end and holes(spans, self._end_of_day(last), end):
                found.append(self._end_of_meter(meter, last))
        return found

    def _end_of_meter(self, meter: Meter, last: int) -> str:
        return (
            f"{self._dataset.name}: the export has no reading{self._of(meter)} after "
            f"{self._shown(last)}, and the days after it are archived without"
        )

    def _wrong_clocks(self) -> list[str]:
        ahead = self._evidence.ahead
        strays = self._evidence.strays
        return [
            *self._no_proof(ahead, "are dated after their file was written"),
            *self._no_proof(strays, "come alone after days without any"),
        ]

    def _no_proof(self, readings: Counter[Meter], what: str) -> list[str]:
        """Why readings, counted by meter, do not show how far the export goes."""
        name = self._dataset.name
        return [
            f"{name}: {count} readings{self._of(meter)} {what}. A clock may have been wrong, so "
            "they do not count as proof that the export goes on"
            for meter, count in readings.items()
        ]

    def _unproven(self) -> str:
        count = self._evidence.ahead.total() + self._evidence.strays.total()
        if not count:
            return ""
        return f" ({count} later ones may come from a wrong clock)"

    def _of(self, meter: Meter) -> str:
        """The meter, by its declared tags."""
        tags = zip(self._dataset.tags, meter, strict=True)
        named = [f"{tag}={value}" for tag, value in tags if value is not None]
        if not named:
            return " without tags"
        return f" of {','.join(named)}"

    def _bound(self, time: int | None, open_bound: str) -> str:
        if time is None:
            return open_bound
        return self._shown(time)

    def _shown(self, time: int) -> str:
        """In the zone of the house, with its name, and the offset where an hour comes twice."""
        at = self._local(time)
        comes_twice = at.replace(fold=1 - at.fold).utcoffset() != at.utcoffset()
        offset = f"{at:%:z}" if comes_twice else ""
        return f"{at:%F %T}{offset} ({self._zone.key})"

    def _local(self, time: int) -> datetime:
        return datetime.fromtimestamp(time // 10**9, self._zone)


def _run_again(day: LocalDay) -> str:
    return f"run with one that has all of it and --date {day} --force"


def _listed(texts: list[str]) -> str:
    listed = ", ".join(texts[:LISTED])
    if len(texts) <= LISTED:
        return listed
    return f"{listed} and {len(texts) - LISTED} more"
