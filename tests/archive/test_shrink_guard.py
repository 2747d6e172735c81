"""Readings that a new file lacks are counted, however large the files are."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest

from homeiot_batch.archive.shrink_guard import readings_lost
from homeiot_batch.config import Settings
from homeiot_batch.core import stretches
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.core.layout import PART
from tests.staging import stage_day

START = 1794150000 * 10**9
DAY = 86400 * 10**9
MICROSECOND = 1000

Reading = tuple[int, str]
A = [(START, "a"), (START + MICROSECOND, "a"), (START + DAY - MICROSECOND, "a")]
B = [(time, "b") for time, _ in A]
CASES = {
    "the same": (A, A, 0),
    "more": (A, A + B, 0),
    "the first is gone": (A, A[1:], 1),
    "the last is gone": (A, A[:-1], 1),
    "one is a microsecond later": (A, [A[0], (A[1][0] + MICROSECOND, "a"), A[2]], 1),
    "of another meter": (A, B, 3),
    "one of two at one time": (A + B, A + B[:2], 1),
    "one of two that are equal": ([*A, A[1]], A, 1),
    "nothing is left": (A, [], 3),
    "nothing was there": ([], A, 0),
    "nothing at all": ([], [], 0),
}


@pytest.fixture
def stage(
    settings: Settings,
    dataset: Dataset,
    day: LocalDay,
    batches: Callable[..., list[pa.RecordBatch]],
    tmp_path: Path,
) -> Callable[[list[Reading]], Path]:
    """The file of a day with these readings."""

    def make(readings: list[Reading]) -> Path:
        points = [(time, source, 1.0, None, None) for time, source in sorted(readings)]
        groups = batches(points) if points else []
        return stage_day(groups, dataset, day, settings, tmp_path / "staged").folder / PART

    return make


@pytest.mark.parametrize("at_once", [1, 2, 500_000])
@pytest.mark.parametrize(("old", "new", "lost"), CASES.values(), ids=CASES)
def test_readings_that_are_not_there_any_more_are_counted(
    dataset: Dataset,
    stage: Callable[[list[Reading]], Path],
    monkeypatch: pytest.MonkeyPatch,
    at_once: int,
    old: list[Reading],
    new: list[Reading],
    lost: int,
) -> None:
    """Whether a file is compared at once or in many stretches, also at their bounds."""
    monkeypatch.setattr(stretches, "ROWS_OF_A_STRETCH", at_once)
    assert readings_lost(stage(old), stage(new), dataset) == lost


def test_stretches_hold_each_reading_once(
    dataset: Dataset, stage: Callable[[list[Reading]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of days with readings anywhere, those of two meters at one time among them."""
    chance = random.Random(14)
    monkeypatch.setattr(stretches, "ROWS_OF_A_STRETCH", 7)
    for _ in range(5):
        times = [START + chance.randrange(DAY // MICROSECOND) * MICROSECOND for _ in range(60)]
        old = [(time, chance.choice("ab")) for time in times]
        new = [(time, chance.choice("ab")) for time in times if chance.random() > 0.1]
        lost = (Counter(old) - Counter(new)).total()
        assert readings_lost(stage(old), stage(new), dataset) == lost
