"""Empty days, and disks that will be full."""

from collections import namedtuple
from collections.abc import Callable
from dataclasses import replace
from datetime import date

import pytest

from homeiot_batch.archive import room
from homeiot_batch.config import Settings
from homeiot_batch.core.layout import PART
from homeiot_batch.messages import day_faults
from homeiot_batch.messages.faults import NightEnd
from tests.messages.nights import (
    DATASET,
    ENGLISH,
    GOOD,
    Nights,
    day_failed,
    nights_of,
    without_checks,
)

YESTERDAY = date(2026, 11, 23)
Usage = namedtuple("Usage", ["free"])


@pytest.fixture
def nights(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Nights:
    """Nights told at one address."""
    return nights_of(settings, monkeypatch, "json://one/")


def test_an_empty_day(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway was off: told once, until a day has readings."""
    without_checks(monkeypatch, "check_disks")
    nights.put_empty(DATASET, YESTERDAY)
    assert nights.end(GOOD) == [
        (
            f"1 new fault\nNew:\n- {DATASET} 2026-11-23 is archived empty, because the source "
            "holds no readings of it; check whether the gateway and its meters work"
        )
    ]
    assert nights.end(GOOD) == []
    nights.settings.layout.marker(DATASET, YESTERDAY).unlink()
    assert nights.end(GOOD) == []
    nights.put_empty(DATASET, YESTERDAY, rows=3)
    assert nights.end(GOOD) == [f"1 fault is over\nOver:\n- {DATASET} has readings again"]


def test_an_empty_day_of_a_dataset_on_change(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A car that was not charged writes nothing."""
    without_checks(monkeypatch, "check_disks")
    monkeypatch.setattr(day_faults, "find_on_change_datasets", lambda _: {DATASET})
    nights.put_empty(DATASET, YESTERDAY)
    assert nights.end(GOOD) == []


@pytest.fixture
def free(nights: Nights, monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Sets how many days of 1000 bytes have room on the one disk of a house of two such days."""
    layout = nights.settings.layout
    for day in (22, 23):
        part = layout.day(DATASET, date(2026, 11, day)) / PART
        part.parent.mkdir(parents=True)
        part.write_bytes(b"x" * 1000)
    monkeypatch.setattr(room, "_taken_bytes", lambda *_: {layout.parquet: 2000})

    def set_days(days: int) -> None:
        monkeypatch.setattr(room.shutil, "disk_usage", lambda _: Usage(days * 1000))

    return set_days


def test_a_disk_that_will_be_full(nights: Nights, free: Callable[[int], None]) -> None:
    """Told below a month, and over only with room for six weeks. Also of a night that died."""
    place = nights.settings.layout.parquet
    free(31)
    assert nights.end(GOOD) == []
    free(30)
    assert nights.end(GOOD) == [
        (
            "1 new fault\nNew:\n- the disk will be full within 31 days: 30.0 kB free for "
            f"{place}, a day took 1.0 kB: room for 30 days; make room, or move these folders to a "
            "larger disk"
        )
    ]
    for days in (0, 31, 44):
        free(days)
        assert nights.end(GOOD) == []
    free(45)
    [over] = nights.end(GOOD)
    assert nights.letters[0].body.count("\n") == 1  # nothing is to be done
    assert over.startswith("1 fault is over\nOver:\n- there is room again: 45.0 kB free for ")
    free(3)
    [told] = nights.end(NightEnd(1, error="no room"))
    assert told.startswith("2 new faults\n")


def test_a_full_disk_in_japanese(nights: Nights, free: Callable[[int], None]) -> None:
    """With its figures, and what to do."""
    free(30)
    nights.end(GOOD, report_language="ja")
    assert nights.letters[0].body.splitlines() == [
        "新しい異常:",
        (
            "- ディスクが31日以内にいっぱいになります"
            f"({nights.settings.layout.parquet} の空きは 30.0 kB、1日あたり 1.0 kB、残り30日分)。"
            "空きを増やすか、これらのフォルダーを大きなディスクに移してください"
        ),
        "詳しくは `homeiot doctor` で確認できます。",
    ]


def test_the_first_night_has_no_average(nights: Nights) -> None:
    """Nothing is archived yet."""
    assert (nights.end(GOOD), nights.warnings) == ([], [])


def test_a_second_copy_that_is_not_up_to_date(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Told once, and over when a night has copied all. A night without a copy says nothing."""
    without_checks(monkeypatch, "check_disks")
    failed = replace(GOOD, copy_fault="the NAS is away")
    assert nights.end(replace(GOOD, copy_fault="")) == []
    assert nights.end(failed) == [
        (
            "1 new fault\nNew:\n- the second copy is not up to date: the NAS is away; `homeiot "
            "mirror` tries again now"
        )
    ]
    assert nights.end(failed) == []
    assert nights.end(replace(GOOD, copy_fault="")) == [
        "1 fault is over\nOver:\n- the second copy is up to date again, or no longer wanted"
    ]


def test_a_second_copy_that_is_not_wanted_any_more(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without MIRROR_URL the fault is over."""
    without_checks(monkeypatch, "check_disks")
    assert len(nights.end(replace(GOOD, copy_fault="the NAS is away"))) == 1
    assert nights.end(GOOD) == [
        "1 fault is over\nOver:\n- the second copy is up to date again, or no longer wanted"
    ]


@pytest.mark.parametrize(
    "line",
    [
        "fetch tank 2026-02-30: no answer",
        "load tank 20261109: no answer",
        "extract tank 7: no answer",
        "fetch tank 2026-02-27 to 2026-02-30 (3 days): no answer",
    ],
)
def test_a_line_of_no_day_is_told_as_it_is(line: str) -> None:
    """A number or a day that no calendar has does not end the messages of a night."""
    assert day_faults.said(line, ENGLISH) == line


def test_a_fault_of_a_day_that_no_calendar_has_is_over(
    nights: Nights, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is told as it is, and nothing can prove it."""
    without_checks(monkeypatch, "check_disks")
    failure = day_failed("2026-02-30")
    assert nights.failed(failure) == [f"1 new fault\nNew:\n- {failure}"]
    assert nights.end(GOOD) == [
        f"1 fault is over\nOver:\n- {DATASET} 2026-02-30 is no longer checked"
    ]
