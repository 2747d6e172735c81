"""`make soak`: a house with a real server over many nights of kills and faults.

A short one in the integration tests.
"""

import os
import random
import time
from pathlib import Path

import pytest

from tests.house import Checkout
from tests.integration.servers import Influx1
from tests.soak.faults import small_disk
from tests.soak.inspector import Reader
from tests.soak.model import by_day
from tests.soak.nights import Nights

pytestmark = [
    pytest.mark.soak,
    pytest.mark.skipif(
        os.environ.get("INTEGRATION_TESTS") != "1",
        reason="needs real servers; set INTEGRATION_TESTS=1",
    ),
]


def test_nothing_is_lost(tmp_path: Path) -> None:
    """After nights of faults and kills, every point is archived and loaded once.

    It has its last value, and no hand was needed. Points that the server dropped before any run
    could read them are excepted.
    NIGHTS and KILLS in the environment ask for more of them, SEED for the same faults again.
    """
    nights, kills = int(os.environ.get("NIGHTS", "3")), int(os.environ.get("KILLS", "4"))
    seed = int(os.environ.get("SEED", time.time_ns() % 10**6))
    print(f"SEED={seed} NIGHTS={nights} KILLS={kills}", flush=True)
    folder = tmp_path / "house"
    started = time.monotonic()
    with small_disk(folder / "data") as full_disk, Influx1(tmp_path / "influx") as server:
        soak = Nights(Checkout(folder), server, random.Random(seed), full_disk=full_disk)
        reader = Reader(soak.house.read_copy, soak.ledger)
        try:
            with reader.reading():
                soak.pass_through(nights, kills)
        finally:
            report(soak, reader, time.monotonic() - started)
        assert_nothing_lost(soak, reader)
        assert soak.kills >= kills
        print("0 lost, 0 doubled")


def assert_nothing_lost(soak: Nights, reader: Reader) -> None:
    """Files, table and read copy hold each day's last version. The tools agree.

    Of a day that was dropped unread, they hold what could be read.
    """
    expected = {
        day: list(known.versions[known.kept if known.unread() else -1])
        for day, known in soak.ledger.days.items()
        if day < soak.today
    }
    assert soak.inspector.in_place() == expected
    assert by_day(soak.inspector.table()) == {day: rows for day, rows in expected.items() if rows}
    assert reader.errors == []
    assert reader.read() == {day: rows for day, rows in expected.items() if rows}
    for tool in ("verify", "status"):
        outcome = soak.house.python("homeiot_batch", tool, "--config", f"now={soak.now()}")
        assert outcome.code == 0, outcome.stderr


def report(soak: Nights, reader: Reader, seconds: float) -> None:
    """Say what has happened."""
    written = sum(
        len({(row[0], row[2]) for version in day.versions for row in version})
        for day in soak.ledger.days.values()
    )
    forgotten = sum(day.unread() for day in soak.ledger.days.values())
    print(
        f"{soak.zone}, to {soak.today}: {written} points written, {forgotten} of them forgotten by "
        "the server before any run could read them"
    )
    print(f"faults: {dict(sorted((soak.seen + soak.gateway.seen).items()))}")
    print(
        f"{soak.kills} kills, {soak.ended} runs ended before theirs; last step done when killed: "
        f"{dict(soak.moments)}"
    )
    print(f"{soak.points.total()} of them at named points: {dict(sorted(soak.points.items()))}")
    print(
        f"read copy: {reader.times} times read, {len(reader.errors)} errors; {seconds:.0f} s in all"
    )
    print(f"{soak.kill_seconds / max(soak.kills, 1) * 100:.0f} seconds per 100 kills")
