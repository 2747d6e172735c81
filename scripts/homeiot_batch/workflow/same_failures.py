"""Failures of many days for one reason are one message."""

import re
from collections import defaultdict
from collections.abc import Iterable

_OF_A_DAY = re.compile(r"(\w+ \w+) (\d{4}-\d{2}-\d{2}): (.*)", re.DOTALL)


def joined(failures: Iterable[str]) -> list[str]:
    """The messages in their order, those that differ in nothing but the day joined to one."""
    days: dict[tuple[str, str], list[str]] = defaultdict(list)
    others = []
    reasons = {}
    for failure in sorted(failures):
        found = _OF_A_DAY.fullmatch(failure)
        if found is None:
            others.append(failure)
            continue
        job, day, reason = found.groups()
        key = job, reason.replace(day, "{day}")
        reasons.setdefault(key, reason)
        days[key].append(day)
    return sorted([*others, *(_message(key[0], days[key], reasons[key]) for key in days)])


def _message(job: str, days: list[str], reason: str) -> str:
    if len(days) == 1:
        return f"{job} {days[0]}: {reason}"
    return f"{job} {days[0]} to {days[-1]} ({len(days)} days): {reason}"
