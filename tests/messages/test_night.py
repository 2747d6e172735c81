"""Each fault is told once, and once that it is over."""

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest

from homeiot_batch.config import Settings
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.files import write_json
from homeiot_batch.messages import checks
from homeiot_batch.messages.faults import NightEnd
from homeiot_batch.messages.night import tell
from tests.messages.nights import DATASET, GOOD, Nights, day_failed, days, nights_of

NEW = "1 new fault\nNew:\n- {} 2026-11-09 could not be read: no answer; run again"
OVER = "1 fault is over\nOver:\n- {} 2026-11-09 is archived and loaded"


@pytest.fixture
def nights(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """Nights told at one address."""
    return nights_of(settings, monkeypatch, "json://secret-one/")


@pytest.fixture
def archive(settings: Settings, put_day: Callable[..., None], day: LocalDay) -> Callable[[], None]:
    """Archives the 9th of November, and loads it."""

    def put() -> None:
        put_day([(day.start_ns, "a", 1.0, None, None)], day, settings, folder)
        record = {"rows": 1, "values": {"instant_power_w": 1}}
        write_json(settings.layout.marker(DATASET, day.date), record)

    folder = settings.layout.day(DATASET, day.date)
    folder.parent.mkdir(parents=True)
    return put


def test_the_same_day_fails_for_ten_nights(nights: Nights, archive: Callable[[], None]) -> None:
    """One message, then one that it is over. If it fails again, that is a third."""
    failure = day_failed("2026-11-09")
    told = [nights.failed(failure) for _ in range(10)]
    assert told == [[NEW.format(DATASET)], *[[]] * 9]
    archive()
    assert nights.end(GOOD) == [OVER.format(DATASET)]
    assert nights.end(GOOD) == []
    assert nights.failed(day_failed("2026-11-09", "another reason")) == [
        NEW.format(DATASET).replace("no answer; run again", "another reason")
    ]
    assert nights.warnings == []


def test_a_day_is_over_only_if_it_is_proven(
    nights: Nights, archive: Callable[[], None], settings: Settings, day: LocalDay
) -> None:
    """A good night that did not try it again, a damaged file, and a night that died say nothing."""
    nights.failed(day_failed("2026-11-09"))
    assert nights.end(GOOD) == []
    archive()
    [part] = settings.layout.day(DATASET, day.date).glob("*.parquet")
    whole = part.read_bytes()
    part.write_bytes(whole[:-20])
    assert nights.end(GOOD) == []
    part.write_bytes(whole)
    [died] = nights.end(NightEnd(75, error="another run holds the archive"))
    assert died.startswith("1 new fault\nNew:\n- the nightly run did not come to its end: another")
    assert nights.end(GOOD) == [
        (
            "2 faults are over\nOver:\n- the nightly run came to its end again\n"
            f"- {DATASET} 2026-11-09 is archived and loaded"
        )
    ]


def test_two_faults_are_one_message(nights: Nights) -> None:
    """With two lines. Days in a row that failed for one reason share a line."""
    failures = [day_failed(dt) for dt in days("2026-10-30", 4)]
    assert nights.failed(*failures, "dbt: model fct_x: it failed; see the log") == [
        (
            "5 new faults\nNew:\n- dbt failed: model fct_x: it failed; see the log\n"
            f"- {DATASET} 2026-10-30 to 2026-11-02 (4 days) could not be read: no answer; run again"
        )
    ]


def test_what_is_over_may_come_with_what_is_new(
    nights: Nights, archive: Callable[[], None]
) -> None:
    """In one message."""
    nights.failed(day_failed("2026-11-09"))
    archive()
    assert nights.failed(day_failed("2026-11-10")) == [
        (
            f"1 new, 1 over\nNew:\n- {DATASET} 2026-11-10 could not be read: no answer; run again\n"
            f"Over:\n- {DATASET} 2026-11-09 is archived and loaded"
        )
    ]


def test_the_run_is_told_again_if_it_dies_of_another_cause(nights: Nights) -> None:
    """Numbers in the reason are no other cause."""
    lock = "another run (process {}) still holds the archive"
    first = nights.end(NightEnd(75, error=lock.format(17)))
    assert first == [
        "1 new fault\nNew:\n- the nightly run did not come to its end: " + lock.format(17)
    ]
    assert nights.end(NightEnd(75, error=lock.format(18))) == []
    [other] = nights.end(NightEnd(1, error="TZ is wrong"))
    assert other.endswith("did not come to its end: TZ is wrong")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"addresses": 1}', b"\xff\xfe", None])
def test_a_damaged_record_is_a_warning(nights: Nights, content: bytes | None) -> None:
    """All open faults are told again, and the record is written anew. A folder in its place stays.

    None stands for that folder.
    """
    record = nights.settings.layout.told_faults
    nights.failed(day_failed("2026-11-09"))
    record.unlink()
    if content is None:
        record.mkdir()
    else:
        record.write_bytes(content)
    assert nights.failed(day_failed("2026-11-09")) == [NEW.format(DATASET)]
    damaged = f"{record} cannot be read, so messages tell all open faults again"
    if content is None:
        unwritten = "cannot be written (Is a directory); see to disk space and permissions"
        later = f"{record} {unwritten}. Until then messages are sent again"
        assert nights.warnings == [damaged, later]
        return
    assert nights.warnings == [damaged]
    assert nights.failed(day_failed("2026-11-09")) == []
    assert nights.warnings == []


def test_a_kill_before_the_record_is_written_sends_again(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rather twice than never."""

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("homeiot_batch.messages.night.write_told", killed)
        with pytest.raises(KeyboardInterrupt):
            nights.failed(day_failed("2026-11-09"))
    assert len(nights.letters) == 1
    assert nights.failed(day_failed("2026-11-09")) == [NEW.format(DATASET)]


def test_an_address_that_fails_is_told_later(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one is not told again. A warning names it by its number and service."""
    nights = nights_of(settings, monkeypatch, "json://secret-one/ ntfy://secret-two/")
    nights.down = {2}
    assert nights.failed(day_failed("2026-11-09")) == [NEW.format(DATASET)]
    assert nights.warnings == [
        (
            "the message to address 2 of NOTIFY_URL (ntfy) was not sent: it is down; the next "
            "night sends it again"
        )
    ]
    nights.down = set()
    assert nights.failed(day_failed("2026-11-09")) == [NEW.format(DATASET)]
    assert [letter.address.number for letter in nights.letters] == [2]
    assert nights.failed(day_failed("2026-11-09")) == []
    kept = settings.layout.told_faults.read_text()
    assert "secret" not in kept
    assert json.loads(kept) == {
        "addresses": [
            {"service": name, "faults": {f"day:{DATASET} 2026-11-09": ""}, "month": ""}
            for name in ("json", "ntfy")
        ]
    }


def test_a_new_address_is_told_what_is_open(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also if it takes the place of one of another service."""
    nights_of(settings, monkeypatch, "json://one/").failed(day_failed("2026-11-09"))
    more = nights_of(settings, monkeypatch, "json://one/ ntfy://two/")
    more.failed(day_failed("2026-11-09"))
    assert [letter.address.number for letter in more.letters] == [2]
    turned = nights_of(settings, monkeypatch, "ntfy://two/ json://one/")
    turned.failed(day_failed("2026-11-09"))
    assert [letter.address.number for letter in turned.letters] == [1, 2]


def test_without_an_address_nothing_is_looked_at(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no record is written."""
    nights = nights_of(settings, monkeypatch, " \n")
    monkeypatch.setattr(checks, "check_run", None)
    assert (nights.failed(day_failed("2026-11-09")), nights.warnings) == ([], [])
    assert not settings.layout.told_faults.exists()


def test_a_check_that_fails_leaves_the_others(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named by a warning."""

    def broken(*_: object) -> None:
        raise PermissionError(13, "Permission denied", "/disk")

    monkeypatch.setattr(checks, "check_disks", broken)
    assert nights.failed(day_failed("2026-11-09")) == [NEW.format(DATASET)]
    assert nights.warnings == [
        (
            "messages do not tell of the disks, whose check failed: "
            "PermissionError: [Errno 13] Permission denied: '/disk'"
        )
    ]


def test_a_dataset_or_day_that_is_no_longer_wanted(nights: Nights) -> None:
    """Neither is called archived."""
    nights.failed(
        "fetch gone 2026-11-09: no answer", day_failed("2026-11-01"), day_failed("2026-11-09")
    )
    assert nights.end(GOOD, archive_start=date(2026, 11, 5)) == [
        (
            f"2 faults are over\nOver:\n- gone 2026-11-09 is no longer checked\n"
            f"- {DATASET} 2026-11-01 is no longer asked for"
        )
    ]


def test_a_step_is_over_when_it_was_done_again(nights: Nights) -> None:
    """Not in a night that did not come to it."""
    failure = "dbt: model fct_x: it failed"
    nights.failed(failure, "dbt: test of fct_y: it failed")
    body = "\n".join(letter.body for letter in nights.letters)
    assert "- dbt failed: model fct_x: it failed (and 1 more)\n" in body
    assert nights.failed(day_failed("2026-11-09")) == [NEW.format(DATASET)]
    built = NightEnd(1, failures=[day_failed("2026-11-09")], built=True)
    assert nights.end(built) == ["1 fault is over\nOver:\n- dbt works again"]
    assert nights.failed(day_failed("2026-11-09"), failure) == [
        "1 new fault\nNew:\n- dbt failed: model fct_x: it failed"
    ]


def test_snakemake_itself_fails(nights: Nights) -> None:
    """Its error is of no day."""
    [told] = nights.failed("Snakemake: WorkflowError: no room")
    assert told.endswith(
        "- the nightly run did not come to its end: Snakemake: WorkflowError: no room"
    )


def test_messages_have_the_length_that_services_take(nights: Nights) -> None:
    """The end of a long line stays: it says what to do. What has no room is counted."""
    failures = [
        day_failed(dt, f"{'x' * 900} {n}; run again") for n, dt in enumerate(days("2026-09-01", 40))
    ]
    nights.failed(*failures)
    [letter] = nights.letters
    assert len(letter.body) < 1900
    lines = letter.body.splitlines()
    assert lines[1].endswith("xx 0; run again")
    assert lines[-2:] == [
        "- and 38 more",
        "Each night tries again what failed. `homeiot run` tries now, `homeiot doctor` shows more.",
    ]


def test_the_address_may_come_from_a_file_of_the_house(
    clean_environment: None, monkeypatch: pytest.MonkeyPatch, nights: Nights, tmp_path: Path
) -> None:
    """Of settings that are refused, those that messages need are read all the same."""
    address = tmp_path / "notify"
    address.write_text("json://secret-two/\n")
    own = tmp_path / "own"
    own.mkdir()
    (own / "config.yaml").write_text(
        f"notify_url_file: {address}\nmarker_dir: {tmp_path / 'elsewhere'}\ntz: nowhere\n"
    )
    monkeypatch.setattr("homeiot_batch.messages.night.send", nights.send)
    assert tell(None, {"house_dir": str(own)}, NightEnd(1, error="tz is wrong")) == []
    assert [letter.address.url for letter in nights.letters] == ["json://secret-two/"]
    assert (tmp_path / "elsewhere/messages.json").exists()


def test_wrong_settings_are_told_by_the_address_that_can_be_had(
    monkeypatch: pytest.MonkeyPatch, nights: Nights, tmp_path: Path
) -> None:
    """The record lies where MARKER_DIR says, and the next good night tells that it is over."""
    monkeypatch.setenv("NOTIFY_URL", "json://secret-one/")
    monkeypatch.setenv("MARKER_DIR", str(nights.settings.marker_dir))
    monkeypatch.setattr("homeiot_batch.messages.night.send", nights.send)
    assert tell(None, {}, NightEnd(1, error="TZ is wrong")) == []
    assert len(nights.letters) == 1
    assert nights.end(GOOD) == ["1 fault is over\nOver:\n- the nightly run came to its end again"]
