"""What a person at a terminal is asked. Without a terminal, the default is the answer."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from zoneinfo import available_timezones

import typer

from homeiot_batch.core.meters import Kind
from homeiot_batch.setup_house.candidates import Candidate, Role
from homeiot_batch.setup_house.named_series import POWER_UNITS
from homeiot_batch.setup_house.words import device_of

MOST_QUESTIONS = 10
LEAVE_OUT = "none"


@dataclass(frozen=True)
class Answer:
    """What a register may be."""

    kind: Kind
    role: Role


ANSWERS = {
    "bought": Answer("grid", "import"),
    "sold": Answer("grid", "export"),
    "solar": Answer("solar", "export"),
    "charged": Answer("battery", "import"),
    "discharged": Answer("battery", "export"),
    "load": Answer("load", "import"),
}


def is_at_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def asked_zone(default: str) -> str:
    """The zone of the house."""
    while True:
        name = typer.prompt("The time zone of the house", default=default, err=True)
        if name in available_timezones():
            return name
        typer.echo("That is no IANA name; give one like Asia/Tokyo or Europe/Berlin", err=True)


def asked_kinds(candidates: Sequence[Candidate]) -> list[Candidate]:
    """The candidates, with what a person says of the counters that are not clear."""
    answered = []
    asked = 0
    for candidate in candidates:
        if _is_unclear(candidate) and asked < MOST_QUESTIONS:
            asked += 1
            answered.append(_asked(candidate))
        else:
            answered.append(candidate)
    return answered


def _is_unclear(candidate: Candidate) -> bool:
    is_energy = candidate.unit not in POWER_UNITS
    return is_energy and (candidate.kind is None or candidate.role is None)


def _asked(candidate: Candidate) -> Candidate:
    choices = [*ANSWERS, LEAVE_OUT]
    question = f"What does {candidate.shown!r} count ({', '.join(choices)})?"
    while True:
        given = typer.prompt(question, default=LEAVE_OUT, err=True)
        if given == LEAVE_OUT:
            return candidate
        if given in ANSWERS:
            break
        typer.echo(f"Give one of {', '.join(choices)}", err=True)
    answer = ANSWERS[given]
    device: str = answer.kind
    if answer.kind == "load":
        device = device_of(candidate.stem)
    return replace(
        candidate, kind=answer.kind, role=answer.role, device=device, why="by your answer"
    )
