"""Nights of a house whose messages are kept instead of being sent."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import pytest
from pydantic import SecretStr

from homeiot_batch.config import Settings
from homeiot_batch.core.files import write_json
from homeiot_batch.messages import checks, night
from homeiot_batch.messages.faults import Found, NightEnd
from homeiot_batch.messages.post import Letter
from homeiot_batch.messages.words import Words

DATASET = "raw_meter_readings"
ENGLISH = Words("en")
FOOTERS = {ENGLISH("footer"), ENGLISH("footer_days")}
GOOD = NightEnd(0, lines="summary: ...", built=True)


@dataclass
class Nights:
    """A house that is told of. `down` are the numbers of the addresses that take nothing."""

    settings: Settings
    down: set[int] = field(default_factory=set)
    letters: list[Letter] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def send(self, letters: Sequence[Letter]) -> list[str]:
        """Instead of Apprise."""
        reasons: list[str] = []
        for letter in letters:
            is_down = letter.address.number in self.down
            if not is_down:
                self.letters.append(letter)
            reasons.append("it is down" if is_down else "")
        return reasons

    def end(self, end: NightEnd, **changes: object) -> list[str]:
        """What is told at the end of a night, subject and lines of each message but its footer."""
        settings = self.settings.model_copy(update=changes)
        self.letters.clear()
        self.warnings = night.tell(settings, {}, end)
        bodies = [_without_footer(letter.body) for letter in self.letters]
        subjects = [letter.subject.removeprefix("HomeIoT: ") for letter in self.letters]
        return [f"{subject}\n{body}" for subject, body in zip(subjects, bodies, strict=True)]

    def failed(self, *failures: str) -> list[str]:
        """The same of a night in which these jobs failed."""
        return self.end(NightEnd(1, lines="summary: ...", failures=failures))

    def put_empty(self, dataset: str, day: date, rows: int = 0) -> None:
        """The day is loaded with so many rows."""
        values = {"instant_power_w": rows}
        write_json(self.settings.layout.marker(dataset, day), {"rows": rows, "values": values})


def _without_footer(body: str) -> str:
    *lines, last = body.splitlines()
    if last not in FOOTERS:
        lines.append(last)
    return "\n".join(lines)


def day_failed(day: str, reason: str = "no answer; run again") -> str:
    """A job that failed, as a run's summary has it."""
    return f"fetch {DATASET} {day}: {reason}"


def nights_of(settings: Settings, monkeypatch: pytest.MonkeyPatch, urls: str) -> Nights:
    """Nights that are told at these addresses. The source is an export: no server is asked."""
    given = {"notify_url": SecretStr(urls), "influx_url": "/nowhere"}
    house = Nights(settings.model_copy(update=given))
    monkeypatch.setattr(night, "send", house.send)
    return house


def without_checks(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """The checks find nothing."""
    for name in names:
        monkeypatch.setattr(checks, name, lambda *_: Found())


def days(first: str, count: int) -> list[str]:
    """So many days from the first on."""
    begin = date.fromisoformat(first)
    return [str(begin + timedelta(days=n)) for n in range(count)]
