"""The nights that run by themselves: when they are due, and how they end."""

import json
import os
import signal
import socket
import subprocess
import sys
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from homeiot_batch.commands.every_night import BEGINNING, last_due, no_night_since
from homeiot_batch.commands.good_nights import Nights
from homeiot_batch.commands.health import FIX, what_is_wrong
from homeiot_batch.config import Settings, load_settings
from homeiot_batch.core.files import write_json
from homeiot_batch.core.layout import Layout
from tests.house import Checkout

NOW = datetime(2026, 11, 23, 0, 20, tzinfo=ZoneInfo("Asia/Tokyo"))
AT = time(0, 10)


def instant(text: str) -> datetime:
    """An instant in UTC."""
    return datetime.fromisoformat(text).astimezone(UTC)


@pytest.mark.parametrize(
    ("zone", "now", "due"),
    [
        ("Asia/Tokyo", "2026-11-23T00:10:00+09:00", "2026-11-23T00:10:00+09:00"),
        ("Asia/Tokyo", "2026-11-23T00:09:59+09:00", "2026-11-22T00:10:00+09:00"),
        ("Australia/Darwin", "2026-11-23T00:10:00+09:30", "2026-11-23T00:10:00+09:30"),
        ("Asia/Tokyo", "2027-01-01T00:09:00+09:00", "2026-12-31T00:10:00+09:00"),
        ("Asia/Tokyo", "2028-03-01T00:00:00+09:00", "2028-02-29T00:10:00+09:00"),
        # summer begins at midnight: 00:10 does not exist, 01:10 is as long after the jump
        ("Asia/Beirut", "2026-03-29T01:09:59+03:00", "2026-03-28T00:10:00+02:00"),
        ("Asia/Beirut", "2026-03-29T01:10:00+03:00", "2026-03-29T01:10:00+03:00"),
        # summer ends at 01:00: 00:10 comes twice, the first counts
        ("America/Havana", "2026-11-01T00:10:00-04:00", "2026-11-01T00:10:00-04:00"),
        ("America/Havana", "2026-11-01T00:10:00-05:00", "2026-11-01T00:10:00-04:00"),
        # a zone that left out the 30th of December
        ("Pacific/Apia", "2011-12-31T00:10:00+14:00", "2011-12-31T00:10:00+14:00"),
        ("Pacific/Apia", "2011-12-31T00:09:00+14:00", "2011-12-29T00:10:00-10:00"),
    ],
)
def test_a_night_is_due_at_its_local_time(zone: str, now: str, due: str) -> None:
    """Also on the days on which the clock is changed, and at the ends of months and years."""
    assert last_due(instant(now), AT, ZoneInfo(zone)) == instant(due)


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "Asia/Beirut", "America/Havana", "Europe/Berlin"])
@pytest.mark.parametrize("at", [time(0, 0), AT, time(2, 30)])
def test_each_local_day_has_one_night(zone: str, at: time) -> None:
    """In a year of both clock changes, with the clock read every hour."""
    start = datetime(2026, 1, 1, 12, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    reads = (start + timedelta(hours=n) for n in range(365 * 24))
    dues = {last_due(now, at, ZoneInfo(zone)) for now in reads}
    days = sorted(due.astimezone(ZoneInfo(zone)).date() for due in dues)
    assert days == [date(2026, 1, 1) + timedelta(days=n) for n in range(366)]


def test_a_new_house_waits_for_its_first_night(settings: Settings, layout: Layout) -> None:
    """That of its first start: a machine that is off at night runs it when it is on again.

    A house with an archive does not wait: nobody knows when its last night was.
    """
    nights = Nights(layout)
    assert no_night_since(settings, nights, NOW) == NOW
    nights.begin(instant("2026-11-20T12:00:00+09:00"))
    assert no_night_since(settings, nights, NOW) == instant("2026-11-20T12:00:00+09:00")
    (layout.day("raw_meter_readings", "2026-11-20")).mkdir(parents=True)
    assert no_night_since(settings, nights, NOW) == BEGINNING


def test_the_last_good_night_counts(settings: Settings, layout: Layout) -> None:
    """From its start on: a night that was due while it ran is not lost by a restart.

    Unless it lies ahead, as after a wrong clock, or cannot be read.
    """
    nights = Nights(layout)
    (layout.day("raw_meter_readings", "2026-11-20")).mkdir(parents=True)
    start, end = instant("2026-11-21T23:50:00+09:00"), instant("2026-11-22T00:15:00+09:00")
    nights.note_good(start, end)
    assert no_night_since(settings, nights, NOW) == start
    assert last_due(NOW, AT, settings.zone) > start
    nights.note_good(instant("2027-11-22T00:11:00+09:00"), instant("2027-11-22T00:12:00+09:00"))
    assert no_night_since(settings, nights, NOW) == BEGINNING
    instants = ("7", '"2026-11-22"', '"0001-01-01T00:00:00+14:00"')
    damaged_dates = [f'{{"last_started": {text}}}' for text in instants]
    for damaged in ("", "{", "[]", "[" * 100_000, *damaged_dates):
        layout.nights.write_text(damaged)
        assert no_night_since(settings, nights, NOW) == BEGINNING


def test_the_first_start_is_noted_once(layout: Layout) -> None:
    """A later start changes nothing, and a good night keeps it. A clock that was ahead does not."""
    nights = Nights(layout)
    nights.begin(instant("2030-11-20T12:00:00+00:00"))
    nights.begin(instant("2026-11-20T12:00:00+00:00"))
    nights.note_good(instant("2026-11-21T00:10:00+00:00"), instant("2026-11-21T00:11:00+00:00"))
    nights.begin(instant("2026-11-22T12:00:00+00:00"))
    assert json.loads(layout.nights.read_text()) == {
        "since": "2026-11-20T12:00:00+00:00",
        "last_started": "2026-11-21T00:10:00+00:00",
        "last_good": "2026-11-21T00:11:00+00:00",
    }


TOO_OLD = f"more than 36 hours ago; {FIX}"
AHEAD = "which is not yet; set the clock of this machine"
HOURS_36 = "2026-11-21T12:20:00+09:00"


@pytest.mark.parametrize(
    ("since", "last_good", "wrong"),
    [
        (None, None, "no night has run here; start `homeiot every-night`"),
        (HOURS_36, None, None),
        ("2020-01-01T00:00:00+09:00", HOURS_36, None),
        (
            "2020-01-01T00:00:00+09:00",
            "2026-11-21T12:19:00+09:00",
            f"the last good night ended at 2026-11-21 03:19 UTC, {TOO_OLD}",
        ),
        (
            "2026-11-21T12:19:00+09:00",
            None,
            f"there was no good night since the start at 2026-11-21 03:19 UTC, {TOO_OLD}",
        ),
        (
            None,
            "2027-01-01T00:00:00+00:00",
            f"the last night was at 2027-01-01 00:00 UTC, {AHEAD}",
        ),
    ],
)
def test_what_health_says(since: str | None, last_good: str | None, wrong: str | None) -> None:
    """Good for 36 hours after the first start or the last good night, then bad."""
    instants = [instant(text) if text else None for text in (since, last_good)]
    assert what_is_wrong(NOW, *instants) == wrong


def note(instant: str) -> dict[str, str]:
    """A note of one good night at the instant."""
    return {"since": instant, "last_started": instant, "last_good": instant}


CLOCK = ("--config", "now=2026-11-23T00:20:00+09:00")


def start(checkout: Checkout, last_good: str) -> "subprocess.Popen[str]":
    """Start the service in a house whose last good night was at that instant."""
    write_json(checkout.markers / "nights.json", note(last_good))
    return subprocess.Popen(
        [sys.executable, "-m", "homeiot_batch", "every-night", *CLOCK],
        cwd="/",
        env=checkout.env(),
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )


def health(checkout: Checkout) -> tuple[int, str]:
    """What `homeiot health` says."""
    outcome = checkout.python("homeiot_batch", "health", *CLOCK)
    return outcome.code, outcome.stderr


def test_a_missed_night_runs_at_the_start(checkout: Checkout) -> None:
    """The machine slept at 00:10 of the 23rd: the 22nd is archived, and the night is noted.

    SIGTERM ends the service.
    """
    checkout.export("power,source=a instant_power_w=1 1795273200000000000")  # 22nd, 00:00
    former = "2026-11-21T00:11:00+09:00"
    process = start(checkout, former)
    assert process.stdout is not None
    said = []
    while not (said and said[-1].startswith("summary: ")):
        line = process.stdout.readline()
        assert line, said
        said.append(line)
    while json.loads((checkout.markers / "nights.json").read_text())["last_good"] == former:
        assert process.poll() is None
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 0
    assert said[0].endswith('event="a night runs every day" at=00:10 zone=Asia/Tokyo\n')
    assert checkout.day("2026-11-22").is_dir()
    now = "2026-11-22T15:20:00+00:00"
    noted = json.loads((checkout.markers / "nights.json").read_text())
    assert noted == note(former) | {"last_started": now, "last_good": now}
    assert health(checkout) == (0, "good: the last good night ended at 2026-11-22 15:20 UTC\n")


def test_a_signal_ends_the_night_too(checkout: Checkout) -> None:
    """While the server gives no answer: the night ends with the service, and is no good one.

    Both signals come at once. What is archived and noted stays as it was.
    """
    former = "2026-11-21T00:11:00+09:00"
    with socket.create_server(("127.0.0.1", 0)) as silent:
        checkout.environment["INFLUX_URL"] = f"http://127.0.0.1:{silent.getsockname()[1]}"
        # Snakemake ends when the day that is being read is done or has failed
        checkout.environment |= {"INFLUX_TIMEOUT_S": "1", "INFLUX_RETRIES": "1"}
        process = start(checkout, former)
        connection, _ = silent.accept()
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGHUP)
        said, _ = process.communicate(timeout=300)
        connection.close()
    assert process.returncode == 0
    assert 'event="the night was ended"' in said
    assert "Traceback" not in said
    assert json.loads((checkout.markers / "nights.json").read_text()) == note(former)
    assert not checkout.day("2026-11-22").exists()
    code, line = health(checkout)
    assert (code, line.split(";")[0]) == (
        1,
        "bad: the last good night ended at 2026-11-20 15:11 UTC, more than 36 hours ago",
    )


@pytest.mark.parametrize("wrong", ["24:00", "00:60", "noon", "10", "-1:10"])
def test_a_schedule_that_is_no_time_is_refused(
    checkout: Checkout, wrong: str, tmp_path: Path
) -> None:
    """In one line, and nothing is written."""
    outcome = checkout.python("homeiot_batch", "every-night", SCHEDULE=wrong)
    what = f"environment variable SCHEDULE: schedule={wrong!r} is not a time of day"
    line = f"error: {what}; give HH:MM, like 00:10\n"
    assert (outcome.code, outcome.stderr) == (1, line)
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize("text", ["00:10", "1:30", "10:00", "23:59"])
def test_a_schedule_in_a_file_needs_no_quotes(text: str, clean_environment: None) -> None:
    """YAML makes numbers of some times."""
    (Path(os.environ["HOUSE_DIR"]) / "config.yaml").write_text(f"schedule: {text}\n")
    assert f"{load_settings({}).schedule:%H:%M}" == text.zfill(5)
