"""Whether yesterday can be read: asked as a run asks, so that a limit that a run meets is found."""

from collections.abc import Iterable, Iterator

from homeiot_batch.archive.day_bounds import bounded_day
from homeiot_batch.config import Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.days import LocalDay, yesterday
from homeiot_batch.doctor.finding import Finding, of_error, ok
from homeiot_batch.errors import HomeIotError
from homeiot_batch.sources.influx_reader import InfluxReader


def check_yesterday(settings: Settings, found: Iterable[Finding]) -> Iterator[Finding]:
    """Reads the day of each dataset of which no problem was `found`, and keeps nothing of it."""
    broken = {finding.name for finding in found if finding.level == "problem"}
    reader = InfluxReader(settings)
    over = yesterday(settings.instant(), settings.zone)
    for dataset in settings.datasets.values():
        if not any(_is_about(name, dataset) for name in broken):
            day = bounded_day(settings.layout, dataset.name, over, settings.zone)
            yield _try_day(reader, dataset, day)


def _is_about(name: str, dataset: Dataset) -> bool:
    """Whether a finding of this name is about the dataset, its tags, fields or sources."""
    column = f"{dataset.name}."
    source = f"{dataset.name} "
    return name == dataset.name or name.startswith((column, source))


def _try_day(reader: InfluxReader, dataset: Dataset, day: LocalDay) -> Finding:
    name = f"{dataset.name} {day}"
    try:
        points = sum(len(batch) for batch in reader.read(dataset, day))
    except HomeIotError as error:
        return of_error(name, error)
    return ok(name, f"can be read as a run reads it: {points} points")
