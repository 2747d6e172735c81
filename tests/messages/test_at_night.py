"""However the nightly run ends, what is wrong is told, and the end stays as it is."""

import os
import sys
import tempfile
from dataclasses import replace

import pytest
from pydantic import SecretStr

from homeiot_batch.config import Settings
from homeiot_batch.errors import SettingsError
from homeiot_batch.messages import night as night_messages
from homeiot_batch.messages.at_night import told_at_its_end
from homeiot_batch.messages.faults import NightEnd
from homeiot_batch.workflow import refusal

SECRET = "json://s3cret/"


class Told:
    """What `tell` was called with."""

    def __init__(self) -> None:
        self.ends: list[NightEnd] = []

    def tell(self, settings: object, given: object, end: NightEnd) -> list[str]:
        """Instead of sending."""
        self.ends.append(end)
        return ["of the message"]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What was told, nothing yet."""
    one = Told()
    monkeypatch.setattr(night_messages, "tell", one.tell)
    return one


@pytest.fixture
def able(settings: Settings) -> Settings:
    """With an address."""
    return settings.model_copy(update={"notify_url": SecretStr(SECRET)})


def night_that(ending: BaseException, *, is_night: bool, of: dict[str, object]) -> None:
    """A run that has come to what `of` says, and ends so."""
    with told_at_its_end([], is_night=is_night) as night:
        for name, value in of.items():
            setattr(night, name, value)
        raise ending


def run(ending: BaseException, **of: object) -> BaseException:
    """The nightly run that ends so. What came out of it."""
    with pytest.raises(type(ending)) as raised:
        night_that(ending, is_night=True, of=of)
    return raised.value


FAILED = NightEnd(1, lines="summary", failures=["fetch a 2026-11-09: it failed"])
ENDED = "it was ended from outside; the next night goes on where it stopped"


@pytest.mark.parametrize(
    ("ending", "of", "expected"),
    [
        (SystemExit(0), {"end": NightEnd(0, lines="summary")}, NightEnd(0, lines="summary")),
        (SystemExit(1), {"end": FAILED}, FAILED),
        (SystemExit("error: TZ is wrong"), {}, NightEnd(1, error="TZ is wrong")),
        (
            SystemExit(1),
            {"end": NightEnd(1)},
            NightEnd(1, error="exit code 1, and no cause was given; see the log of the night"),
        ),
        (
            SystemExit(1),
            {"end": FAILED, "was_ended": True},
            NightEnd(1, ENDED, "summary", FAILED.failures),
        ),
        (
            ZeroDivisionError(SECRET),
            {},
            NightEnd(
                1,
                error="ZeroDivisionError, a fault of the program; please report it with the log "
                "of the night",
            ),
        ),
    ],
)
def test_each_end_is_told(
    ending: BaseException,
    of: dict[str, object],
    expected: NightEnd,
    told: Told,
    able: Settings,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With its cause. The end of the run is the same object, and the warning is printed."""
    assert run(ending, settings=able, **of) is ending
    assert told.ends == [expected]
    assert capsys.readouterr().err == "warning: of the message\n"


def refused(settings: Settings, reason: str, code: int) -> None:
    """A run whose workflow, another process, has left a reason.

    Meanwhile another run has written the summary of the last run.
    """
    with told_at_its_end([], is_night=True) as night:
        night.settings = settings
        night.end = FAILED
        refusal.leave(reason)
        raise SystemExit(code)


def test_the_reason_of_a_workflow_that_refused(told: Told, able: Settings) -> None:
    """It comes by a file. Without anybody who asks there is none."""
    reason = "another run still holds the archive"
    with pytest.raises(SystemExit):
        refused(able, reason, 75)
    assert told.ends == [replace(FAILED, code=75, error=reason)]
    assert refusal.VARIABLE not in os.environ
    refusal.leave(reason)


def test_where_no_file_can_be_made_the_night_goes_on(
    told: Told, able: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk is full: the reason is not known, but the code is."""

    def full(**_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
    night: dict[str, object] = {"settings": able, "end": NightEnd(75)}
    with pytest.raises(SystemExit):
        night_that(SystemExit(75), is_night=True, of=night)
    assert told.ends == [
        NightEnd(75, error="exit code 75, and no cause was given; see the log of the night")
    ]


def test_a_workflow_that_was_run_once_more_may_have_refused(told: Told, able: Settings) -> None:
    """The second one did all: the night is good."""
    with pytest.raises(SystemExit):
        refused(able, "the database is damaged", 0)
    assert told.ends == [replace(FAILED, code=0)]


@pytest.mark.parametrize(
    ("ending", "of"),
    [
        (KeyboardInterrupt(), {}),
        (SystemExit(1), {"end": FAILED, "was_ended": True, "was_interrupted": True}),
    ],
)
def test_a_person_who_presses_ctrl_c_is_told_nothing(
    ending: BaseException, of: dict[str, object], told: Told, able: Settings
) -> None:
    """Before the workflow starts, or while it runs."""
    run(ending, settings=able, **of)
    assert told.ends == []


def test_runs_of_given_days_tell_nothing(told: Told, able: Settings) -> None:
    """Nor where they fail."""
    for ending in (SystemExit(1), ZeroDivisionError()):
        with pytest.raises(type(ending)):
            night_that(ending, is_night=False, of={"settings": able, "end": FAILED})
    assert told.ends == []


def test_without_an_address_nothing_is_imported(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The night costs nothing more."""
    monkeypatch.setitem(sys.modules, "homeiot_batch.messages.night", None)
    run(SystemExit(0), settings=settings, end=NightEnd(0))


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (SettingsError("NOTIFY_URL_FILE='x' is empty; write it"), "NOTIFY_URL_FILE='x' is empty"),
        (ValueError(SECRET), "ValueError, a fault of the program"),
    ],
)
def test_what_goes_wrong_is_one_warning(
    error: Exception,
    said: str,
    able: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Without a traceback or a secret. The run ends as it would."""

    def broken(*_: object) -> list[str]:
        raise error

    monkeypatch.setattr(night_messages, "tell", broken)
    ending = SystemExit(0)
    assert run(ending, settings=able, end=NightEnd(0)) is ending
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"warning: no message was sent: {said}")
    assert SECRET not in line
