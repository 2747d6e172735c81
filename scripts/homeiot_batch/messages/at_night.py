"""The nightly run as messages see it: however it ends, what is wrong is told."""

import contextlib
import sys
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from homeiot_batch.config import Settings, given_settings, settings_for_messages
from homeiot_batch.core.exit_codes import DONE, FAILED
from homeiot_batch.errors import HomeIotError
from homeiot_batch.messages.faults import NightEnd
from homeiot_batch.messages.words import Words
from homeiot_batch.workflow import refusal
from homeiot_batch.workflow.early_start import EarlyWorkflow


@dataclass
class Night:
    """What the run has come to: its settings once they are read, and its end.

    `was_ended` says that somebody ended it from outside, and `was_interrupted` that it was a person
    at the terminal, who needs no message.
    """

    settings: Settings | None = None
    end: NightEnd | None = None
    was_ended: bool = False
    was_interrupted: bool = False

    def ended(self, end: NightEnd, workflow: EarlyWorkflow) -> None:
        """Its workflow has ended."""
        self.end = end
        self.was_ended = workflow.was_ended
        self.was_interrupted = workflow.was_interrupted


@contextlib.contextmanager
def told_at_its_end(config: Sequence[str], *, is_night: bool) -> Generator[Night]:
    """Send messages when the run in the context ends. Exit code and exception go on as they are.

    Only the nightly run sends any. Whoever gives days, or forces them, reads what is printed.
    """
    night = Night()
    if not is_night:
        yield night
        return
    with refusal.asked_for() as reason:
        try:
            yield night
        except SystemExit as ended:
            _tell(night, config, _end(night, ended.code, reason, config))
            raise
        except Exception as error:
            what = _words(night, config)("run_fault", error=type(error).__name__)
            _tell(night, config, NightEnd(FAILED, error=what))
            raise


def _end(night: Night, code: object, reason: Path, config: Sequence[str]) -> NightEnd:
    """How the run ended, by what it exits with and by what its workflow has left."""
    if not isinstance(code, int):
        return NightEnd(FAILED, error=str(code).removeprefix("error: "))
    end = replace(night.end or NightEnd(code), code=code)
    if code == DONE:  # whatever a workflow said that was run once more
        return end
    error = _left(reason)
    if night.was_ended:
        error = _words(night, config)("run_ended")
    elif not error and not end.failures:
        error = _words(night, config)("run_code", code=code)
    return replace(end, error=error)


def _words(night: Night, config: Sequence[str]) -> Words:
    settings = night.settings or settings_for_messages(_given(config))
    return Words(settings.language)


def _left(reason: Path) -> str:
    with contextlib.suppress(OSError, ValueError):
        return reason.read_text(encoding="utf-8").strip()
    return ""


def _tell(night: Night, config: Sequence[str], end: NightEnd) -> None:
    """Send the messages, and print a warning for what went wrong. Nothing of it fails the run."""
    if night.was_interrupted:
        return
    try:
        warnings = _sent(night, config, end)
    except HomeIotError as error:
        warnings = [f"no message was sent: {error}"]
    except Exception as error:  # noqa: BLE001 - no message fails a night, and its text may be secret
        warnings = [f"no message was sent: {type(error).__name__}, a fault of the program"]
    for warning in warnings:
        print(f"warning: {warning}", file=sys.stderr)


def _sent(night: Night, config: Sequence[str], end: NightEnd) -> list[str]:
    settings = night.settings
    if settings and not (settings.notify_url or settings.notify_url_file):
        return []
    from homeiot_batch.messages.night import tell  # noqa: PLC0415 - only if there is an address

    return tell(settings, _given(config), end)


def _given(config: Sequence[str]) -> Mapping[str, object]:
    """What --config gives, or nothing where it cannot be read."""
    with contextlib.suppress(HomeIotError):
        return given_settings(config)
    return {}
