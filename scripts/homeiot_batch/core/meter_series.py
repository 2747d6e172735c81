"""The series of the declared meters, found in the datasets, and the mistakes in declaring them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Literal, NamedTuple

from homeiot_batch.core.datasets import SHIPPED_DATASET, Dataset
from homeiot_batch.core.meters import LARGE, SMALL, Meter, Power, Register
from homeiot_batch.core.near_names import hint

NUMERIC = ("double", "integer")

Reports = Literal["interval", "on_change"]


class SeriesKey(NamedTuple):
    """A series of a meter, by what it is and its number among the meter's of one role."""

    meter: str
    role: str
    register: int


@dataclass(frozen=True)
class Found:
    """A series of a meter. `register` counts from 1 among the meter's of one role."""

    meter: str
    role: str
    register: int
    place: str
    field: str
    declared: Register | Power
    counter: str | None
    measurement: str

    @property
    def key(self) -> SeriesKey:
        """What tells it apart from all others."""
        return SeriesKey(self.meter, self.role, self.register)

    @property
    def is_register(self) -> bool:
        """Whether it counts the energy of the meter."""
        return self.counter is not None and isinstance(self.declared, Register)

    def overlaps(self, other: "Found") -> bool:
        """Whether the two may hold the same points: no tag of both has two values."""
        if (self.measurement, self.field) != (other.measurement, other.field):
            return False
        ours = self.declared.where
        theirs = other.declared.where
        return all(ours[tag] == theirs[tag] for tag in ours.keys() & theirs.keys())

    def as_var(self) -> dict[str, object]:
        """What the model stg_meter_readings reads it by: a value in kWh or W."""
        declared = self.declared
        return {
            "source": self.meter,
            "role": self.role,
            "counter": self.counter,
            "register": self.register,
            "dataset": declared.dataset,
            "where": declared.where,
            "field": self.field,
            "times": declared.factor * (1000 if declared.unit in LARGE else 1),
            "over": 1000 if declared.unit in SMALL else 1,
            "factor": declared.factor,
        }


def find_series(meters: Mapping[str, Meter], datasets: Mapping[str, Dataset]) -> list[Found]:
    """The series of all meters. ValueError for one that is not there, or that is counted twice."""
    found = [series for name, meter in meters.items() for series in _of(name, meter, datasets)]
    for one, other in combinations(found, 2):
        if one.overlaps(other):
            raise ValueError(
                f"{one.place} and {other.place} count the same series of {one.declared.dataset}; "
                "remove one of them, or tell them apart by `where`"
            )
    return found


def _of(name: str, meter: Meter, datasets: Mapping[str, Dataset]) -> Iterator[Found]:
    numbers: dict[str, int] = {}
    for role, declared in meter.series:
        number = numbers[role] = numbers.get(role, 0) + 1
        place = f"{name}.{role}"
        if [other for other, _ in meter.series].count(role) > 1:
            place = f"{name}.{role}, no. {number},"
        dataset = _dataset(place, declared, datasets)
        _refuse_unknown_tags(place, declared, dataset)
        field = _field(place, declared, dataset)
        counter = _counter(role, meter, declared)
        if role == "power" and counter and dataset.missing is not None:
            raise ValueError(
                f"{place}: {declared.dataset} fills what a point lacks with "
                f"{dataset.missing:g}, which would pass for power; leave its `missing` out"
            )
        measurement = dataset.measurement
        yield Found(name, role, number, place, field, declared, counter, measurement)


def _counter(role: str, meter: Meter, declared: Register | Power) -> str | None:
    """What the energy of the series counts as. None if its energy is not used."""
    if isinstance(declared, Power):
        return declared.positive if meter.counts_power else None
    return None if meter.counts_power else role


def _dataset(place: str, declared: Register | Power, datasets: Mapping[str, Dataset]) -> Dataset:
    name = declared.dataset
    if name == SHIPPED_DATASET:
        raise ValueError(
            f"{place} names {SHIPPED_DATASET}, whose sources are meters without being declared; "
            "declare a meter with the name of the source, and give its settings alone"
        )
    if name not in datasets:
        raise ValueError(f"{place} names no dataset {name!r}; {hint(name, datasets)}")
    dataset = datasets[name]
    if dataset.missing not in (None, 0):
        raise ValueError(
            f"{place}: {name} fills what a point lacks with {dataset.missing:g}, which would pass "
            "for a reading; set its `missing` to 0.0, or leave that out"
        )
    return dataset


def _refuse_unknown_tags(place: str, declared: Register | Power, dataset: Dataset) -> None:
    for tag in declared.where:
        if tag in dataset.tags:
            continue
        what_to_do = f"declare the tag in {declared.dataset} first"
        if dataset.tags:
            what_to_do = hint(tag, dataset.tags)
        raise ValueError(f"{place}.where: {declared.dataset} declares no tag {tag!r}; {what_to_do}")


def _field(place: str, declared: Register | Power, dataset: Dataset) -> str:
    numbers = [name for name, kind in dataset.fields.items() if kind in NUMERIC]
    known = ", ".join(numbers)
    name = declared.field
    if not numbers:
        raise ValueError(
            f"{place}: {declared.dataset} declares no field that is a number; "
            "declare the field as double or integer there"
        )
    if name is None and len(numbers) > 1:
        raise ValueError(
            f"{place} says no field, and {declared.dataset} has several numbers; "
            f"give one as `field`: {known}"
        )
    if name is None:
        return numbers[0]
    if name not in dataset.fields:
        raise ValueError(
            f"{place}: {declared.dataset} has no field {name!r}; {hint(name, numbers)}"
        )
    if name not in numbers:
        raise ValueError(
            f"{place}: the field {name!r} of {declared.dataset} is declared as "
            f"{dataset.fields[name]}, which is no number; give one of {known}"
        )
    return name
