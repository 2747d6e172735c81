"""The faults of the run itself: it died early, or a step that is of no day failed."""

import re
from collections.abc import Collection, Mapping

from homeiot_batch.messages.faults import Fault, Found, NightEnd, of_kind
from homeiot_batch.messages.words import Words

STEPS = ("ask_for_tables", "dbt", "publish", "report")
RUN = "run:"
_OF_A_STEP = re.compile(rf"({'|'.join(STEPS)}): (.*)", re.DOTALL)
_OF_A_DAY = re.compile(r"\w+ \w+ \d{4}-\d{2}-\d{2}: ")


def check_run(end: NightEnd, told: Collection[str], words: Words) -> Found:
    """Whether the run came to its end, and which of the steps of no day failed."""
    steps = _failed_steps(end, words)
    reason = _reason(end)
    if reason:
        return Found([Fault(RUN, words("run", reason=reason), cause_of(reason)), *steps.values()])
    over = {key: words("over_run") for key in told if key == RUN}
    if end.tables_are_new:
        for key, step in of_kind("step", told).items():
            if key not in steps:
                over[key] = words("over_step", name=step)
    return Found(list(steps.values()), over)


def cause_of(reason: str) -> str:
    """The reason without its numbers, which differ from night to night."""
    return re.sub(r"\d+", "#", reason)


def _reason(end: NightEnd) -> str:
    """Why the run did not come to its end, or "" if it did."""
    if end.error:
        return end.error
    others = [failure for failure in end.failures if not _is_of_a_job(failure)]
    if others:
        return others[0]
    return ""


def _is_of_a_job(failure: str) -> bool:
    return bool(_OF_A_DAY.match(failure) or _OF_A_STEP.match(failure))


def _failed_steps(end: NightEnd, words: Words) -> Mapping[str, Fault]:
    reasons: dict[str, list[str]] = {}
    for failure in end.failures:
        if found := _OF_A_STEP.fullmatch(failure):
            step, reason = found.groups()
            reasons.setdefault(step, []).append(reason)
    return {f"step:{step}": _step(step, all_of_it, words) for step, all_of_it in reasons.items()}


def _step(step: str, reasons: list[str], words: Words) -> Fault:
    """One fault, however many models or tests of it failed."""
    reason = reasons[0]
    if len(reasons) > 1:
        reason = words("step_more", reason=reason, n=len(reasons) - 1)
    return Fault(f"step:{step}", words("step", step=step, reason=reason), cause_of(reasons[0]))
