"""Warnings of many days that differ in nothing but numbers are one line at the end of a run."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

# alike ones that are still listed day by day
MOST_LISTED = 9
_OF_A_DAY = re.compile(r"(\w+(?: \w+)?) (\d{4}-\d{2}-\d{2}): (.*)", re.DOTALL)


def grouped(warnings: Iterable[str], noted_in: str) -> list[str]:
    """The warnings in order, ten and more that are alike as one line.

    It has the first and last day, their number, and `noted_in`, where each is. Where their numbers
    differ it says of which day the text is. Where `noted_in` is "" all are listed.
    """
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for warning in sorted(warnings):
        alike[_kind(warning)].append(warning)
    lines = []
    for found in alike.values():
        lines += _lines(found, noted_in)
    return sorted(lines)


def _kind(warning: str) -> tuple[str, str]:
    """What alike warnings have in common. For one that names no day: itself."""
    found = _OF_A_DAY.fullmatch(warning)
    if found is None:
        return warning, ""
    subject, _, reason = found.groups()
    return subject, re.sub(r"\d+", "0", reason)


def _lines(alike: list[str], noted_in: str) -> Iterator[str]:
    days = [found.groups() for found in map(_OF_A_DAY.fullmatch, alike) if found]
    if not noted_in or len(days) <= MOST_LISTED:
        yield from alike
        return
    subject, first, reason = days[0]
    _, last, _ = days[-1]
    whose = ""
    if any(other != reason for _, _, other in days):
        whose = f", on {first}"
    count = f"{len(days)} warnings, each is in {noted_in}"
    yield f"{subject} {first} to {last} ({count}){whose}: {reason}"
