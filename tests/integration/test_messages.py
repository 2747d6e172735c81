"""What messages say of the retention of a real server."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from homeiot_batch.config import Settings, load_settings
from homeiot_batch.core.days import yesterday
from homeiot_batch.messages.faults import Found
from homeiot_batch.messages.retention_faults import check_retention
from homeiot_batch.messages.words import Words
from tests.integration.points import Point
from tests.integration.servers import Influx1, Influx2

DATASET = "raw_meter_readings"


@dataclass
class House:
    """A house of a server that keeps readings for some hours, and its settings."""

    server: Influx1 | Influx2
    folder: Path

    def settings(self, bucket: str, first: date | None) -> Settings:
        """The archive begins with the day `first`, if it is given."""
        given = {name.lower(): value for name, value in self.server.environment(bucket).items()}
        places = {"parquet_base_dir": str(self.folder / "parquet"), "influx_retries": 1}
        start = {"archive_start": str(first)} if first else {}
        return load_settings(given | places | start)

    def archive(self, settings: Settings, day: date) -> None:
        """The day is there."""
        settings.layout.day(DATASET, day).mkdir(parents=True)


@pytest.fixture
def house(influx16: Influx1, tmp_path: Path, clean_environment: None) -> House:
    """Of an InfluxDB 1.6."""
    return House(influx16, tmp_path)


def found(settings: Settings, *told: str) -> Found:
    """What the check finds."""
    return check_retention(settings, settings.layout, told, Words("en"))


def test_days_that_retention_takes_soon(house: House) -> None:
    """The days that are not archived are named until they are, or until they are gone."""
    house.server.create("told_soon", 24 * 10)
    now = datetime.now(UTC)
    last = yesterday(now, house.settings("told_soon", None).zone)
    first = last - timedelta(days=5)
    settings = house.settings("told_soon", first)
    day = first + timedelta(days=1)
    house.archive(settings, first)
    for n in range(2, 6):
        house.archive(settings, first + timedelta(days=n))
    gone = day + timedelta(days=10)
    [fault] = found(settings).faults
    assert (fault.key, fault.line) == (
        f"retention:{DATASET}",
        (
            f"{DATASET} {day} is not archived, and retention policy 'autogen' deletes readings of "
            f"{day} from {gone} on; fix why the day failed and run `homeiot run`, or let the "
            "policy keep more"
        ),
    )
    house.archive(settings, day)
    assert found(settings, f"retention:{DATASET}", "retention:policy") == Found(
        [],
        {
            f"retention:{DATASET}": (
                f"{DATASET}: retention takes nothing that is not archived within a week"
            ),
            "retention:policy": "the retention policy keeps readings for long enough",
        },
    )


def test_a_policy_that_is_too_short(house: House) -> None:
    """It keeps a day, so a night never sees the whole of yesterday."""
    house.server.create("told_short", 24)
    settings = house.settings("told_short", None)
    assert [(fault.key, fault.line) for fault in found(settings).faults] == [
        (
            "retention:policy",
            (
                "retention policy 'autogen' keeps 24 hours, so a day's first readings may be gone "
                "before the night reads them; let it keep at least 48 hours"
            ),
        )
    ]


def test_days_before_the_archive(house: House) -> None:
    """The server still has some, and will delete them. ARCHIVE_START says they are not wanted."""
    house.server.create("told_begin", 24 * 90)
    now = datetime.now(UTC)
    house.server.write(
        "told_begin",
        [
            Point(int((now - timedelta(days=n)).timestamp()) * 10**9, {"instant_power_w": 1.0})
            for n in (20, 10, 1)
        ],
    )
    settings = house.settings("told_begin", None)
    last = yesterday(now, settings.zone)
    house.archive(settings, last)
    [fault] = found(settings).faults
    begin = (now - timedelta(days=20)).astimezone(settings.zone).date()
    assert fault.key == f"retention:{DATASET} begin"
    assert fault.line.startswith(
        f"{DATASET}: the source has readings from {begin} on, and the archive begins with {last}, "
        f"and retention policy 'autogen' deletes them; `homeiot run --from {begin} --to "
    )
    assert found(house.settings("told_begin", last), fault.key) == Found(
        [], {fault.key: f"{DATASET}: the days before the archive's first one are archived, or gone"}
    )


def test_a_server_that_keeps_all_or_does_not_answer(house: House) -> None:
    """The first is no fault. The second says nothing of faults that were told."""
    house.server.create("ever")
    settings = house.settings("ever", None)
    assert found(settings, "retention:policy").faults == []
    assert list(found(settings, "retention:policy").over) == ["retention:policy"]
    silent = settings.model_copy(update={"influx_url": "http://127.0.0.1:9"})
    assert found(silent, "retention:policy") == Found()
