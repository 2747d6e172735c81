"""What tariffs must be beside well written: each holds at some time, and no two contradict.

No moment of a meter has two prices, and no day of it has two currencies.
"""

import functools
from collections.abc import Iterator, Sequence
from datetime import date

from homeiot_batch.warehouse.tariff_file import Tariff

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def contradictions(tariffs: Sequence[Tariff]) -> list[str]:
    """What is wrong, each with its line and what to write; of lines that are each well written."""
    found = [said for tariff in tariffs if (said := _never_holds(tariff))]
    return found + [said for pair in _neighbours(tariffs) if (said := _clash(*pair))]


def _never_holds(tariff: Tariff) -> str:
    if tariff.valid_to is not None and tariff.valid_to < tariff.valid_from:
        return (
            f"{tariff.place('valid_to')}: '{tariff.valid_to}' lies before valid_from "
            f"{tariff.valid_from}; write a later day, or nothing if the price still holds"
        )
    if not _quarters(tariff.from_time, tariff.to_time):
        return (
            f"{tariff.place('from_time')}: from {tariff.from_time} to {tariff.to_time} is no time; "
            "write from 00:00 to 24:00 for the whole day"
        )
    if not _common_days(tariff, tariff):
        return (
            f"{tariff.place('weekdays')}: '{tariff.weekdays}' does not occur from "
            f"{tariff.valid_from} to {tariff.valid_to}; write other days, 1 is Monday"
        )
    return ""


def _neighbours(tariffs: Sequence[Tariff]) -> Iterator[tuple[Tariff, Tariff]]:
    """The pairs of a meter's tariffs that have a day in common, the earlier line first."""
    reach: dict[str, list[Tariff]] = {}
    for tariff in sorted(tariffs, key=lambda tariff: tariff.valid_from):
        near = [
            other for other in reach.get(tariff.source, []) if _last(other) >= tariff.valid_from
        ]
        for other in near:
            yield (other, tariff) if other.line < tariff.line else (tariff, other)
        reach[tariff.source] = [*near, tariff]


def _clash(first: Tariff, second: Tariff) -> str:
    days = _common_days(first, second)
    if not days:
        return ""
    day = f"{days[0]} ({DAY_NAMES[days[0].weekday()]})"
    quarters = _quarters(first.from_time, first.to_time)
    if common := quarters & _quarters(second.from_time, second.to_time):
        return (
            f"line {second.line}: meter {second.source!r} has a price at {min(common)} on {day} "
            f"by line {first.line} too; end one of them before (valid_to), "
            "or give them other weekdays or times"
        )
    if first.currency != second.currency:
        return (
            f"{second.place('currency')}: {second.currency or ''!r} holds on {day}, as does "
            f"{first.currency or ''!r} of line {first.line}; "
            "write one currency for a day of a meter"
        )
    return ""


def _common_days(first: Tariff, second: Tariff) -> list[date]:
    """The first days on which both hold, a week at most: weekdays come again after that."""
    begin = max(first.valid_from, second.valid_from).toordinal()
    end = min(_last(first), _last(second)).toordinal()
    weekdays = set(first.weekdays) & set(second.weekdays)
    days = map(date.fromordinal, range(begin, min(end, begin + 6) + 1))
    return [day for day in days if str(day.isoweekday()) in weekdays]


def _last(tariff: Tariff) -> date:
    return tariff.valid_to or date.max


@functools.cache
def _quarters(begin: str, end: str) -> frozenset[str]:
    """The quarters of an hour from one HH:MM to the other, which is the next day's if not later."""
    day = [f"{minute // 60:02}:{minute % 60:02}" for minute in range(0, 24 * 60, 15)]
    if begin < end:
        return frozenset(at for at in day if begin <= at < end)
    return frozenset(at for at in day if at >= begin or at < end)
