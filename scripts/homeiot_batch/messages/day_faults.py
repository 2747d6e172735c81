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
_JOINED = re.compile(r"(fetch|extract|load) (\w+ [\d-]+(?: to [\d-]+ \(\d+ days\))?): (.*)", re.S)


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
    """The line of a fault, or of days of one reason that were joined, in the words of messages."""
    found = _JOINED.fullmatch(line)
    if found is None:
        return line
    step, days, reason = found.groups()
    return words(step, days=days, reason=reason)


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
        others.append(words("over_day", days=f"{dataset} {_span(dts, words)}"))
    return others


def _span(dts: list[str], words: Words) -> str:
    if len(dts) == 1:
        return f"{dts[0]} is"
    return words("days", first=dts[0], last=dts[-1], n=len(dts)) + " are"


def _over(settings: Settings, layout: Layout, key: str, name: str, words: Words) -> dict[str, str]:
    """A line if the day is no fault any more, "" for one that is archived, nothing if it is one."""
    dataset, _, dt = name.partition(" ")
    day = date.fromisoformat(dt)
    if dataset not in settings.datasets:
        return {key: words("over_not_checked", name=name)}
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
    is_empty: dict[str, bool] = {}
    for dataset in settings.datasets:
        marker = read_marker(layout.marker(dataset, last))
        if marker is not None:
            is_empty[dataset] = marker.is_empty
    empty = _without_on_change(settings, [name for name in is_empty if is_empty[name]])
    faults: list[Fault] = []
    for dataset in empty:
        faults.append(Fault(f"empty:{dataset}", words("empty", dataset=dataset, day=last)))
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
