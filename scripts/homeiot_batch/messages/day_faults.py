"""The days that failed or were refused, and days that are archived empty."""

import re
from collections.abc import Collection, Iterable, Mapping
from datetime import date

from homeiot_batch.archive.day_bounds import DayBounds
from homeiot_batch.archive.day_file import prove_day
from homeiot_batch.config import Settings
from homeiot_batch.core.day_record import read_marker
from homeiot_batch.core.days import yesterday
from homeiot_batch.core.layout import Layout
from homeiot_batch.errors import ArchiveError
from homeiot_batch.messages.faults import Fault, Found, NightEnd, of_kind
from homeiot_batch.messages.words import Words
from homeiot_batch.warehouse.on_change_datasets import find_on_change_datasets

_OF_A_DAY = re.compile(r"\w+ (\w+ \d{4}-\d{2}-\d{2}): .*", re.DOTALL)
_JOINED = re.compile(
    r"(?P<step>fetch|extract|load) (?P<dataset>\w+) (?P<first>\d{4}-\d{2}-\d{2})"
    r"(?: to (?P<last>\d{4}-\d{2}-\d{2}) \((?P<n>\d+) days\))?: (?P<reason>.*)",
    re.DOTALL,
)


def check_days(
    settings: Settings, layout: Layout, end: NightEnd, told: Collection[str], words: Words
) -> Found:
    """The days whose jobs failed. Over are those that are now proven and loaded.

    The lines of the faults are as the jobs gave them, so that `said` can join them.
    """
    faults: dict[str, Fault] = {}
    for failure in end.failures:
        if found := _OF_A_DAY.fullmatch(failure):
            key = f"day:{found[1]}"
            faults.setdefault(key, Fault(key, failure))
    if end.error:  # it may not have tried
        return Found(list(faults.values()))
    over: dict[str, str] = {}
    for key, name in of_kind("day", told).items():
        if key not in faults:
            over |= _over(settings, layout, key, name, words)
    return Found(list(faults.values()), over)


def said(line: str, words: Words) -> str:
    """The line of a fault, or of days of one reason that were joined, in the words of messages.

    A line of no day stays as it is.
    """
    found = _JOINED.fullmatch(line)
    if found is None or not (_is_day(found["first"]) and _is_day(found["last"] or found["first"])):
        return line
    days = _days(found["first"], found["last"], found["n"], words)
    return words(found["step"], dataset=found["dataset"], days=days, reason=found["reason"])


def joined_days(lines: Mapping[str, str], words: Words) -> list[str]:
    """The lines of what is over, by key. Days that are archived now are one line a dataset."""
    others: list[str] = []
    days: dict[str, list[str]] = {}
    for key, line in sorted(lines.items()):
        if line:
            others.append(line)
        else:
            dataset, _, dt = key.removeprefix("day:").partition(" ")
            days.setdefault(dataset, []).append(dt)
    for dataset, dts in days.items():
        first, *others_of_it = dts
        if others_of_it:
            shown = _days(first, dts[-1], len(dts), words)
            others.append(words("over_days", dataset=dataset, days=shown))
        else:
            shown = words.day(date.fromisoformat(first), "date_plain")
            others.append(words("over_day", dataset=dataset, day=shown))
    return others


def _is_day(text: str) -> bool:
    """Whether it is a day of the calendar, as 2026-02-30 is not."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _days(first: str, last: str | None, n: object, words: Words) -> str:
    """A day, or the first and the last of `n` days, each YYYY-MM-DD."""
    begin = words.day(date.fromisoformat(first), "date_plain")
    if last is None:
        return begin
    end = words.day(date.fromisoformat(last), "date_plain")
    return words("days", first=begin, last=end, n=n)


def _over(settings: Settings, layout: Layout, key: str, name: str, words: Words) -> dict[str, str]:
    """A line if the day is no fault any more, "" for one that is archived, nothing if it is one."""
    dataset, _, dt = name.partition(" ")
    if dataset not in settings.datasets or not _is_day(dt):
        return {key: words("over_not_checked", name=name)}
    day = date.fromisoformat(dt)
    if settings.archive_start and day < settings.archive_start:
        return {key: words("over_not_wanted", name=name)}
    marker = read_marker(layout.marker(dataset, dt))
    if marker is None:
        return {}
    try:
        bounds = DayBounds(layout, dataset, settings.zone)
        prove_day(layout.day(dataset, dt), bounds.day(day), marker)
    except ArchiveError:
        return {}
    return {key: ""}


def check_empty_days(
    settings: Settings, layout: Layout, told: Collection[str], words: Words
) -> Found:
    """The datasets of which yesterday is archived empty.

    One with series that are written on a change may have no reading on a day.
    """
    last = yesterday(settings.instant(), settings.zone)
    shown = words.day(last, "date_plain")
    is_empty: dict[str, bool] = {}
    for dataset in settings.datasets:
        marker = read_marker(layout.marker(dataset, last))
        if marker is not None:
            is_empty[dataset] = marker.is_empty
    empty = _without_on_change(settings, [name for name in is_empty if is_empty[name]])
    faults: list[Fault] = []
    for dataset in empty:
        faults.append(Fault(f"empty:{dataset}", words("empty", dataset=dataset, day=shown)))
    over: dict[str, str] = {}
    for key, name in of_kind("empty", told).items():
        if name not in settings.datasets:
            over[key] = words("over_not_checked", name=name)
        elif not is_empty.get(name, True):
            over[key] = words("over_empty", name=name)
    return Found(faults, over)


def _without_on_change(settings: Settings, datasets: Iterable[str]) -> list[str]:
    found = sorted(datasets)
    if not found:
        return []
    on_change = find_on_change_datasets(settings)
    return [name for name in found if name not in on_change]
