"""Schemas whose fields have known names: a table says what each field is."""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.meters import EnergyUnit, Kind, PowerUnit
from homeiot_batch.setup_house.candidates import UNKNOWN, Candidate, Recognised, Role
from homeiot_batch.setup_house.naming import dataset_name, free_name
from homeiot_batch.setup_house.survey import Measurement, Samples, Series, Survey
from homeiot_batch.setup_house.words import device_of, kind_of, plain

# tags that tell which device a point is of
DEVICE_TAGS = ("topic", "device", "name", "source", "meter", "id", "entity_id", "location", "room")
# tags that change with the machine that writes, not with the device
WRITER_TAGS = {"host", "hostname"}
# a register below this share of its device's highest register has counted only noise
NOISE = 0.01


@dataclass(frozen=True)
class FieldRow:
    """A field of a schema: its name as a pattern whose group is the part, and what it is.

    If it does not tell, the field alone is no sign of the schema. `parts` are all that make a
    whole, where they could also be devices of their own. `measurement` is a pattern, for a name
    that is common.
    """

    field: str
    role: Role
    unit: EnergyUnit | PowerUnit
    tells: bool = True
    parts: frozenset[str] = frozenset()
    measurement: str = ""


@dataclass(frozen=True)
class FieldTable:
    """A schema by a table of fields.

    `kind` is what its devices measure, if it is the same for all. If not, the name of the device
    tells it. `topic` is a pattern of the tag, where other devices have fields of these names too.
    `both_ways` is the kind of a device that has counted in both ways, and whose name tells none.
    """

    name: str
    rows: tuple[FieldRow, ...]
    kind: Kind | None = None
    topic: str = ""
    both_ways: Kind | None = None

    def recognise(self, survey: Survey, taken: Sequence[str]) -> Recognised:
        """Each measurement that has a field of the table. Its other numbers are kept too."""
        found = Recognised(self.name, is_shared=True)
        for measurement in survey.measurements:
            name = dataset_name(measurement.name)
            if not name or measurement.name in taken:
                continue
            groups = list(self._groups(measurement))
            if groups:
                name = free_name(name, found.datasets)
                found.candidates += self._of_groups(name, groups)
                found.datasets[name] = _dataset(measurement)
                found.measurements.add(measurement.name)
        return found

    def _groups(self, measurement: Measurement) -> Iterator["_Group"]:
        """The fields by device, where one of them tells that it is of this schema."""
        for where, series in devices(measurement):
            if self.topic and not re.fullmatch(self.topic, where.get("topic", "")):
                continue
            known = self._known(measurement, series)
            if any(field.row.tells for field in known):
                yield _Group(where, known)

    def _known(self, measurement: Measurement, series: Sequence[Series]) -> list["_Field"]:
        """The fields of a device that the table has."""
        known = []
        for name in measurement.usable_numbers:
            samples = merged(series, name)
            for row in self.rows:
                if not re.search(row.measurement, measurement.name, re.IGNORECASE):
                    continue
                match = re.fullmatch(row.field, name, re.IGNORECASE)
                if match and samples:
                    known.append(_Field(name, row, "".join(match.groups("")), samples))
                    break
        return known

    def _of_groups(self, dataset: str, groups: Sequence["_Group"]) -> Iterator[Candidate]:
        """The candidates of a measurement. Groups of one title are one device."""
        by_title: dict[str, list[_Group]] = defaultdict(list)
        for group in groups:
            by_title[group.title].append(group)
        for title, of_device in by_title.items():
            known = [field for group in of_device for field in group.fields]
            for group in of_device:
                yield from self._candidates(dataset, title, group, known)

    def _candidates(
        self, dataset: str, title: str, group: "_Group", known: Sequence["_Field"]
    ) -> Iterator[Candidate]:
        """A candidate for each field of the group. `known` are all fields of the device."""
        name = plain(title or self.kind or dataset)
        kind, why = self._kind(name, known)
        for field in group.fields:
            yield Candidate(
                dataset=dataset,
                where=group.where,
                field=field.name,
                unit=field.row.unit,
                kind=kind,
                role=_role(field, kind, known),
                device=device_of(name),
                stem=f"{name} {field.row.role} {field.row.unit}",
                part=field.part,
                why=f"by the field of {self.name}{why}",
                shown=" ".join([*group.where.values(), field.name]),
                samples=field.samples,
            )

    def _kind(self, name: str, known: Sequence["_Field"]) -> tuple[Kind | None, str]:
        """The kind of a device, and by what else it was found."""
        if self.kind:
            return self.kind, ""
        told = kind_of(name)
        if told:
            kind, word = told
            return kind, f" and '{word}' in the name"
        if self.both_ways and len(_ways(known)) > 1:
            return self.both_ways, ", which counts both ways"
        return None, ", the name tells no kind"


@dataclass(frozen=True)
class _Group:
    """The fields of the points with these tags."""

    where: Mapping[str, str]
    fields: Sequence["_Field"]

    @property
    def title(self) -> str:
        """The name of the device: a topic without what all devices of a program have."""
        texts = []
        for tag, value in self.where.items():
            text = value
            if tag == "topic":
                text = re.sub(r"^(?:tele|stat)/|/(?:SENSOR|STATE|status/[a-z0-9]+:\d+)$", "", value)
            texts.append(text)
        return " ".join(texts)


@dataclass(frozen=True)
class _Field:
    """A field of a device with its row of the table."""

    name: str
    row: FieldRow
    part: str
    samples: Samples


def _role(field: _Field, kind: Kind | None, known: Sequence[_Field]) -> Role | None:
    """The role. A roof produces what its device counts, unless that counts both ways.

    Which way a battery is charged depends on how the device was built in. A load feeds nothing in.
    """
    role = field.row.role
    parts = {other.part for other in known if other.row == field.row}
    if field.row.parts and parts != field.row.parts:
        return None
    if kind in ("grid", None) or role == "power":
        return role
    if kind == "solar" and _ways(known) == {role}:
        return "export"
    if kind == "load" and role == "import":
        return role
    return None


def _ways(known: Sequence[_Field]) -> set[Role]:
    """The ways in which registers have counted more than noise."""
    registers = [field for field in known if field.row.role != "power"]
    most = max((field.samples.last for field in registers), default=0)
    return {field.row.role for field in registers if field.samples.last > NOISE * most}


def _dataset(measurement: Measurement) -> Dataset:
    tags = dict.fromkeys(measurement.usable_tags, UNKNOWN)
    fields = measurement.usable_numbers
    return Dataset(measurement=measurement.name, tags=tags, fields=fields)


def devices(measurement: Measurement) -> list[tuple[dict[str, str], list[Series]]]:
    """The series by device: the tags that tell it apart from others, and its series."""
    tags = [tag for tag in measurement.usable_tags if tag not in WRITER_TAGS]
    telling = [tag for tag in tags if tag in DEVICE_TAGS]
    telling += [tag for tag in tags if tag not in telling and len(measurement.tags[tag]) > 1]
    found: dict[tuple[tuple[str, str], ...], list[Series]] = {}
    for series in measurement.series:
        key = tuple((tag, series.tags.get(tag, UNKNOWN)) for tag in telling)
        found.setdefault(key, []).append(series)
    return [(dict(key), series) for key, series in found.items()]


def merged(series: Sequence[Series], field: str) -> Samples | None:
    """The samples of a field in all of the series, or None if there are none."""
    values: dict[int, float] = {}
    for one in series:
        if field in one.numbers:
            values |= one.numbers[field].values
    if not values:
        return None
    return Samples(dict(sorted(values.items())))
