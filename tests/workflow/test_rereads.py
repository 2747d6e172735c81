"""A day that was read too early, and of which the server now has fewer values."""

from collections.abc import Callable

import pyarrow as pa
import pytest

from homeiot_batch.archive.parquet_writer import rename_durably
from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay
from homeiot_batch.errors import SourceUnavailable
from homeiot_batch.sources.influx_reader import InfluxReader
from homeiot_batch.workflow.rereads import values_lost
from tests.staging import stage_day

START = 1794150000 * 10**9
COUNTS = {"instant_power_w": 2, "energy_import_kwh": 1, "energy_export_kwh": 0}
KEPT = (
    "it was read before it was over, and the source now holds fewer values than are archived "
    "(instant_power_w 1 of 2), so the archived day is kept"
)

Compare = Callable[..., str]


@pytest.fixture
def compare(
    settings: Settings,
    dataset: Dataset,
    day: LocalDay,
    batches: Callable[..., list[pa.RecordBatch]],
    monkeypatch: pytest.MonkeyPatch,
) -> Compare:
    """Compares an archived day of two readings with these counts of a server, or its error."""
    server = settings.model_copy(update={"influx_url": "http://localhost:1"})
    points = batches([(START, "a", 1.0, 5.0, None), (START + 10**9, "a", 1.0, None, None)])
    staged = stage_day(points, dataset, day, settings, settings.layout.staging / "tmp-test")
    rename_durably(staged.folder, settings.layout.day(dataset.name, day))

    def compared(counts: dict[str, int] | Exception) -> str:
        def answer(*_: object) -> dict[str, int]:
            if isinstance(counts, Exception):
                raise counts
            return counts

        monkeypatch.setattr(InfluxReader, "counts", answer)
        return values_lost(server, settings.layout, dataset.name, str(day))

    return compared


def test_a_day_of_which_the_server_has_fewer_is_kept(compare: Compare) -> None:
    """Fewer of one field are enough, also where there are more of another. Only they are named."""
    fewer = COUNTS | {"instant_power_w": 1}
    assert compare(fewer) == KEPT
    assert compare(fewer | {"energy_export_kwh": 9}) == KEPT


def test_a_day_of_which_the_server_has_as_much_is_read_again(compare: Compare) -> None:
    """As many or more. And where it does not answer, the read itself fails."""
    assert compare(COUNTS) == ""
    assert compare(COUNTS | {"instant_power_w": 3}) == ""
    assert compare(SourceUnavailable("no answer")) == ""
