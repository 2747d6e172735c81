"""What tariffs must be besides well written: each holds at some time, and no two contradict.

No moment of a meter has two prices, and no day of it has two currencies.
"""

import functools
from collections.abc import Iterator, Sequence
from datetime import date

from homeiot_batch.warehouse.tariff_file import Tariff

DAY_NAMES = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def contradictions(tariffs: Sequence[Tariff]) -> list[str]:
    """What is wrong in lines that are each well written, with line and what to write."""
    found = [_never_holds(tariff) for tariff in tariffs]
    found += [_clash(first, second) for first, second in _neighbours(tariffs)]
    return [problem for problem in found if problem]


def _never_holds(tariff: Tariff) -> str:
    """Why there is no time at which the tariff holds, or "" if there is one."""
    if tariff.valid_to is not None and tariff.valid_to < tariff.valid_from:
        return (
            f"{tariff.place('valid_to')}: '{tariff.valid_to}' lies before valid_from "
            f"{tariff.valid_from}; write a later day, or nothing if the price still holds"
        )
    if not _quarters_of(tariff):
        return (
            f"{tariff.place('from_time')}: from {tariff.from_time} to {tariff.to_time} is no time; "
            "write from 00:00 to 24:00 for the whole day"
        )
    if not _common_days(tariff, tariff):
        span = f"from {tariff.valid_from} to {tariff.valid_to}"
        return (
            f"{tariff.place('weekdays')}: '{tariff.weekdays}' does not occur {span}; "
            "write other days, 1 is Monday"
        )
    return ""


def _neighbours(tariffs: Sequence[Tariff]) -> Iterator[tuple[Tariff, Tariff]]:
    """The pairs of a meter's tariffs that have a day in common, the earlier line first."""
    reach: dict[str, list[Tariff]] = {}
    for tariff in sorted(tariffs, key=lambda tariff: tariff.valid_from):
        begun = reach.get(tariff.source, [])
        near = [other for other in begun if _last(other) >= tariff.valid_from]
        for other in near:
            first, second = sorted([other, tariff], key=lambda tariff: tariff.line)
            yield first, second
        reach[tariff.source] = [*near, tariff]


def _clash(first: Tariff, second: Tariff) -> str:
    """How the two contradict each other, or "" if they do not."""
    days = _common_days(first, second)
    if not days:
        return ""
    day = f"{days[0]} ({DAY_NAMES[days[0].weekday()]})"
    common = _quarters_of(first) & _quarters_of(second)
    if common:
        moment = f"{min(common)} on {day}"
        return (
            f"line {second.line}: meter {second.source!r} has a price at {moment} "
            f"by line {first.line} too; end one of them before (valid_to), "
            "or give them other weekdays or times"
        )
    if first.currency != second.currency:
        one = first.currency or ""
        other = second.currency or ""
        return (
            f"{second.place('currency')}: {other!r} holds on {day}, as does {one!r} of line "
            f"{first.line}; write one currency for a day of a meter"
        )
    return ""


def _common_days(first: Tariff, second: Tariff) -> list[date]:
    """The first days on which both hold, a week at most: weekdays come again after that."""
    begin = max(first.valid_from, second.valid_from).toordinal()
    end = min(_last(first), _last(second)).toordinal()
    last = min(end, begin + 6)
    weekdays = set(first.weekdays) & set(second.weekdays)
    days = map(date.fromordinal, range(begin, last + 1))
    return [day for day in days if str(day.isoweekday()) in weekdays]


def _last(tariff: Tariff) -> date:
    return tariff.valid_to or date.max


def _quarters_of(tariff: Tariff) -> frozenset[str]:
    return _quarters(tariff.from_time, tariff.to_time)


@functools.cache
def _quarters(begin: str, end: str) -> frozenset[str]:
    """The quarters of an hour from one HH:MM to the other, which is the next day's if not later."""
    day = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 15, 30, 45)]
    after_begin = {at for at in day if at >= begin}
    before_end = {at for at in day if at < end}
    if begin < end:
        return frozenset(after_begin & before_end)
    return frozenset(after_begin | before_end)
