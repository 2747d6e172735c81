"""How far back a source reaches beyond the archive."""

from datetime import UTC, date, datetime

import pytest

from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.sources.reach import begin_of_readings, unarchived_begin

BEGUN = date(2026, 11, 23)


def at(text: str) -> datetime:
    """An instant, UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class Readings:
    """A source that has readings at these times. It counts how often it is asked."""

    def __init__(self, *times: str) -> None:
        self._times = [at(time) for time in times]
        self.asked = 0

    def since(self, time: datetime) -> datetime | None:
        """The first reading then or later."""
        self.asked += 1
        return min((found for found in self._times if found >= time), default=None)

    def first_reading(self, dataset: Dataset, since: datetime) -> datetime | None:
        """The same, as a source has it."""
        return self.since(since)


@pytest.mark.parametrize(
    ("times", "begin"),
    [
        ([], None),
        (["2026-11-01T03:00"], "2026-11-01T03:00"),
        (["2026-09-30T03:00", "2026-11-01T03:00"], "2026-09-30T03:00"),
        (["1970-01-01T00:00:07", "2026-09-01T03:00", "2026-09-02T03:00"], "2026-09-01T03:00"),
        (
            ["1970-01-01T00:00:07", "2000-01-01T00:00", "2026-09-01T03:00", "2026-09-02T03:00"],
            "2026-09-01T03:00",
        ),
        (["2020-02-28T03:00", "2020-02-29T05:00", "2026-11-01T03:00"], "2020-02-28T03:00"),
    ],
)
def test_the_begin_is_the_first_reading_that_is_not_alone(
    times: list[str], begin: str | None
) -> None:
    """A day of readings a month and more before all others is of a wrong clock.

    The source is asked a few times only.
    """
    readings = Readings(*times)
    assert begin_of_readings(readings.since) == (at(begin) if begin else None)
    assert readings.asked <= 6


def test_what_is_not_archived_is_told_with_the_command(
    settings: Settings, dataset: Dataset
) -> None:
    """The first day is the local one: 15:00 UTC is the next day in Japan."""
    source = Readings("2026-10-31T15:00", "2026-11-01T15:00")
    found = "the source has readings from 2026-11-01 on, and the archive begins with 2026-11-23"
    what_to_do = (
        "`homeiot run --from 2026-11-01 --to 2026-11-22` archives the days before, as long as the "
        "source keeps them, or set ARCHIVE_START=2026-11-23"
    )
    told = unarchived_begin(settings, source, dataset, BEGUN)  # ty: ignore[invalid-argument-type]
    assert told == (found, what_to_do)


@pytest.mark.parametrize("times", [[], ["2026-11-22T15:00"], ["2026-11-24T00:00"]])
def test_nothing_is_told_where_nothing_is_missing(
    settings: Settings, dataset: Dataset, times: list[str]
) -> None:
    """No readings, or none before the archive's first day."""
    source = Readings(*times)
    found = unarchived_begin(settings, source, dataset, BEGUN)  # ty: ignore[invalid-argument-type]
    assert found is None


def test_archive_start_leaves_earlier_days_alone(settings: Settings, dataset: Dataset) -> None:
    """It says that they are not wanted."""
    wanted = settings.model_copy(update={"archive_start": date(2026, 11, 1)})
    source = Readings("2026-01-01T00:00")
    found = unarchived_begin(wanted, source, dataset, BEGUN)  # ty: ignore[invalid-argument-type]
    assert found is None
    assert source.asked == 0
