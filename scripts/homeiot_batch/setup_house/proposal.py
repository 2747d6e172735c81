"""From a survey to the content of the file."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from homeiot_batch.core.datasets import SHIPPED_DATASET, Dataset
from homeiot_batch.setup_house.candidates import Candidate, Recognised
from homeiot_batch.setup_house.choice import Choice
from homeiot_batch.setup_house.config_text import Content
from homeiot_batch.setup_house.dataset_names import DatasetNames
from homeiot_batch.setup_house.field_tables import devices, merged
from homeiot_batch.setup_house.named_series import POWER_UNITS
from homeiot_batch.setup_house.schemas import SCHEMAS
from homeiot_batch.setup_house.survey import Measurement, Survey

MOST_OTHERS = 40
MOST_LEFT = 40
NOT_KEPT = ("datasets", "meters")


@dataclass
class Found:
    """What all schemas have found."""

    names: DatasetNames = field(default_factory=DatasetNames)
    datasets: dict[str, Dataset] = field(default_factory=dict)
    schemas: dict[str, str] = field(default_factory=dict)
    candidates: list[Candidate] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)
    single: set[str] = field(default_factory=set)
    measurements: list[str] = field(default_factory=list)
    # those of the measurements that no other schema may look at
    whole: list[str] = field(default_factory=list)

    def add(self, recognised: Recognised) -> None:
        """Add what one schema has found. A measurement has one dataset, whatever found it."""
        names = {}
        for wanted, dataset in recognised.datasets.items():
            name = self.names.name_of(dataset.measurement, wanted)
            names[wanted] = name
            self.datasets.setdefault(name, dataset)
            of_dataset = [self.schemas.get(name), recognised.schema]
            self.schemas[name] = ", ".join(filter(None, of_dataset))
        known = {one.key for one in self.candidates}
        renamed = [self._renamed(one, names[one.dataset]) for one in recognised.candidates]
        self.candidates += [one for one in renamed if one.key not in known]
        self.remarks += recognised.remarks
        self.remarks += _former_registers(recognised, names)
        self.single |= {names[one] for one in recognised.single}
        new = sorted(recognised.measurements.difference(self.measurements))
        self.measurements += new
        if not recognised.is_shared:
            self.whole += new

    def _renamed(self, candidate: Candidate, dataset: str) -> Candidate:
        """The candidate in the dataset, which may have other fields in the former file."""
        former = self.names.former.get(dataset)
        if former is None:
            return replace(candidate, dataset=dataset)
        found = self.datasets[dataset]
        number = candidate.field
        [first, *_] = found.fields
        if former.fields.keys() - {first}:
            number = number or first
        where = dict(candidate.where)
        for tag, absent in found.tags.items():
            # the file may have another value for points without the tag
            if where.get(tag) == absent:
                where[tag] = former.tags.get(tag, absent)
        return replace(candidate, dataset=dataset, field=number, where=where)


def _former_registers(recognised: Recognised, names: Mapping[str, str]) -> Iterator[str]:
    """A remark if the file has another name for the shipped dataset, whose sources are meters."""
    shipped = recognised.datasets.get(SHIPPED_DATASET)
    if shipped and names[SHIPPED_DATASET] != SHIPPED_DATASET:
        yield (
            f"{shipped.measurement} has the registers of {SHIPPED_DATASET}, but is declared as "
            f"{names[SHIPPED_DATASET]}: declare its meters"
        )


def recognised_in(survey: Survey, former: Mapping[str, Dataset] | None = None) -> Found:
    """What the schemas find, each in what those before it have left.

    `former` are the datasets that the file declares already, by name.
    """
    found = Found(DatasetNames(former or {}))
    for schema in SCHEMAS:
        found.add(schema.recognise(survey, found.whole))
    found.remarks += _unknown_counters(survey, found)
    return found


def _unknown_counters(survey: Survey, found: Found) -> Iterator[str]:
    """Other counters in measurements that schemas share: the unit of such a field is not known."""
    by_measurement = {dataset.measurement: name for name, dataset in found.datasets.items()}
    known = {one.key for one in found.candidates}
    for measurement in survey.measurements:
        dataset = by_measurement.get(measurement.name)
        if dataset is None or measurement.name in found.whole:
            continue
        for where, series in devices(measurement):
            for name in measurement.usable_numbers:
                samples = merged(series, name)
                key = dataset, tuple(sorted(where.items())), name
                if samples and samples.looks_like_a_counter and key not in known:
                    place = " ".join([*where.values(), name])
                    yield f"{place} of {dataset} looks like a counter, its unit is not known"


def energy_fields(found: Found) -> dict[str, set[str]]:
    """The fields of the datasets, by measurement, in which a candidate for a register was found."""
    fields: dict[str, set[str]] = {}
    for candidate in found.candidates:
        dataset = found.datasets[candidate.dataset]
        if candidate.unit not in POWER_UNITS:
            [first, *_] = dataset.fields
            fields.setdefault(dataset.measurement, set()).add(candidate.field or first)
    return fields


def begun_before(candidates: Sequence[Candidate], midnight_ns: int) -> list[Candidate]:
    """The candidates with readings from before midnight.

    If none has any, all of them: no day is over yet.
    """
    begun = []
    for candidate in candidates:
        if candidate.samples and min(candidate.samples.values) < midnight_ns:
            begun.append(candidate)
    return begun or list(candidates)


def drop_unused(found: Found, choice: Choice) -> None:
    """Leave out datasets of one series that is no meter's: a house has thousands of them."""
    used = {
        candidate.dataset
        for meter in choice.meters
        for candidates in meter.series.values()
        for candidate in candidates
    }
    if not used:
        # a person will choose among these
        used = {one.dataset for one in found.candidates if one.unit not in POWER_UNITS}
    for name in found.single - used:
        del found.datasets[name]


def meter_names_taken(found: Found, survey: Survey) -> list[str]:
    """The sources of the shipped dataset: they are meters already."""
    shipped = found.datasets.get(SHIPPED_DATASET)
    if shipped is None:
        return []
    declared = found.names.former.get(SHIPPED_DATASET, shipped)
    absent = declared.tags.get("source", "")
    names: set[str] = set()
    for measurement in survey.measurements:
        if measurement.name == shipped.measurement:
            names |= {series.tags.get("source", absent) for series in measurement.series}
    return sorted(names)


def content_of(
    survey: Survey,
    found: Found,
    choice: Choice,
    former: Mapping[str, Any],
    *,
    shows_all: bool,
) -> Content:
    """The content, without settings of its own beside those of the former file."""
    others = _others(survey, found)
    # registers first: a power is needed for its peak alone
    left = sorted(choice.left, key=lambda one: one[0].unit in POWER_UNITS)
    more = []
    if not shows_all:
        hidden = max(0, len(left) - MOST_LEFT) + max(0, len(found.remarks) - MOST_LEFT)
        if hidden:
            more.append(f"{hidden} more series that may be meters")
        if len(others) > MOST_OTHERS:
            more.append(f"{len(others) - MOST_OTHERS} more measurements")
        others = others[:MOST_OTHERS]
        left = left[:MOST_LEFT]
        found.remarks = found.remarks[:MOST_LEFT]
    if survey.left_out:
        more.append(f"{survey.left_out} measurements that were not looked at")
    text = ""
    if more:
        text = f"and {' and '.join(more)}: `homeiot init --print --all` lists them"
    return Content(
        settings={name: value for name, value in former.items() if name not in NOT_KEPT},
        datasets=_with_former(found.datasets, found.names.former),
        schemas=found.schemas,
        meters=choice.meters,
        left=left,
        left_in_all=len(choice.left),
        remarks=found.remarks,
        others=others,
        more=text,
    )


def _others(survey: Survey, found: Found) -> list[Measurement]:
    """The measurements that no schema has, those with a counter first."""
    others = [one for one in survey.measurements if one.name not in found.measurements]
    return sorted(others, key=lambda one: (not _has_counter(one), one.name))


def _has_counter(measurement: Measurement) -> bool:
    numbers = [number for one in measurement.series for number in one.numbers.values()]
    return any(number.looks_like_a_counter for number in numbers)


def former_datasets(former: Mapping[str, Any]) -> dict[str, Dataset]:
    """The datasets that the settings of the former file declare, by name."""
    declared = former.get("datasets") or {}
    return {name: Dataset.model_validate(one) for name, one in declared.items()}


def _with_former(
    datasets: Mapping[str, Dataset], former: Mapping[str, Dataset]
) -> dict[str, Dataset]:
    """The datasets, with all that was declared before: what is archived must stay declared."""
    merged = dict(datasets)
    for name, before in former.items():
        new = merged.get(name)
        if new is None:
            merged[name] = before
            continue
        update = {"tags": {**new.tags, **before.tags}, "fields": {**new.fields, **before.fields}}
        merged[name] = before.model_copy(update=update)
    return merged
