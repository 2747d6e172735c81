"""What is told to an address: what is new to it, what is over, and the last month."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from homeiot_batch.core.host_paths import explanation
from homeiot_batch.messages.addresses import Address
from homeiot_batch.messages.day_faults import joined_days, said
from homeiot_batch.messages.faults import Fault, Found
from homeiot_batch.messages.month import Month
from homeiot_batch.messages.post import Letter
from homeiot_batch.messages.told import Told
from homeiot_batch.messages.words import Words
from homeiot_batch.workflow.same_failures import joined

# services cut or refuse what is longer: the least that is common takes 2,000 characters
LONGEST = {"new": 1300, "over": 400, "month": 1700}
LONGEST_LINE = 500
# of a line that is longer: its begin, and its end, which says what to do
KEPT_BEGIN = 280
KEPT_END = 210
# what a night does again by itself
TRIED_AGAIN = ("day:", "step:", "run:")


class Draft(NamedTuple):
    """A letter, and what of the record it changes when it is sent."""

    letter: Letter
    told: Mapping[str, object]


def draft_of_faults(address: Address, told: Told, found: Found, words: Words) -> Draft | None:
    """What the address does not know yet, or None if it knows everything."""
    new = [fault for fault in found.faults if _is_new(fault, told)]
    over = {key: line for key, line in found.over.items() if key in told.faults}
    if not new and not over:
        return None
    faults = {key: cause for key, cause in told.faults.items() if key not in over}
    faults |= {fault.key: fault.cause for fault in new}
    kind = "warning" if new else "success"
    letter = Letter(address, _subject(new, over, words), _body(new, over, words), kind)
    return Draft(letter, {"faults": faults})


def draft_of_month(address: Address, told: Told, month: Month, words: Words) -> Draft | None:
    """The month, or None if the address knows it."""
    if told.month == month.name:
        return None
    body = "\n".join([*_listed(month.lines, "month", words), words("month_footer")])
    letter = Letter(address, words("month", month=words.month(month.first)), body, "info")
    return Draft(letter, {"month": month.name})


def _is_new(fault: Fault, told: Told) -> bool:
    """Whether the address was told nothing of it, or of another cause."""
    return told.faults.get(fault.key) != fault.cause


def _subject(new: list[Fault], over: Mapping[str, str], words: Words) -> str:
    if new and over:
        return words("both", new=len(new), over=len(over))
    name = "new" if new else "over"
    n = len(new) + len(over)
    if n == 1:
        return words(f"{name}_one")
    return words(f"{name}_many", n=n)


def _body(new: list[Fault], over: Mapping[str, str], words: Words) -> str:
    lines: list[str] = []
    footer: list[str] = []
    if new:
        tries_again = any(fault.key.startswith(TRIED_AGAIN) for fault in new)
        footer = [words("footer_days") if tries_again else words("footer")]
        reasons = [said(line, words) for line in joined(fault.line for fault in new)]
        lines += [words("new"), *_listed(reasons, "new", words)]
        lines += explanation(reasons)
    if over:
        lines += [words("over"), *_listed(joined_days(over, words), "over", words)]
    return "\n".join([*lines, *footer])


def _listed(lines: Sequence[str], part: str, words: Words) -> list[str]:
    """A line each, as many as services take."""
    listed: list[str] = []
    length = 0
    for line in lines:
        shown = words("line", line=_cut(line))
        length += len(shown) + 1
        if listed and length > LONGEST[part]:
            return [*listed, words("more", n=len(lines) - len(listed))]
        listed.append(shown)
    return listed


def _cut(line: str) -> str:
    if len(line) <= LONGEST_LINE:
        return line
    return f"{line[:KEPT_BEGIN]} … {line[-KEPT_END:]}"
