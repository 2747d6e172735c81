"""Home Assistant's InfluxDB integration, in each of the ways that it can name measurements.

The entity is in the tags `domain` and `entity_id`, its number in `value`. The measurement is the
unit, or else the entity, its device class, or one name for all. Then a text field has the unit.
"""

from collections import Counter as Tally
from collections.abc import Sequence

from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.meters import EnergyUnit, PowerUnit
from homeiot_batch.setup_house.candidates import UNKNOWN, Candidate, Recognised
from homeiot_batch.setup_house.named_series import by_name, is_derived
from homeiot_batch.setup_house.naming import dataset_name, free_name
from homeiot_batch.setup_house.survey import Measurement, Series, Survey
from homeiot_batch.setup_house.words import plain

ENTITY = "entity_id"
TAGS = ("domain", ENTITY)
FIELD = "value"
UNITS: dict[str, EnergyUnit | PowerUnit] = {
    "kWh": "kWh",
    "Wh": "Wh",
    "MWh": "MWh",
    "W": "W",
    "kW": "kW",
}
DATASETS = {
    "kWh": "home_assistant_energy",
    "W": "home_assistant_power",
    "Wh": "home_assistant_energy_wh",
    "MWh": "home_assistant_energy_mwh",
    "kW": "home_assistant_power_kw",
}
# device and state classes of a number in kWh that is no counter
NO_COUNTER = {"energy_storage", "measurement"}


class HomeAssistant:
    """Entities with a unit of energy or power."""

    name = "Home Assistant"

    def recognise(self, survey: Survey, taken: Sequence[str]) -> Recognised:
        """The measurements with such entities. Each is a dataset."""
        found = Recognised(self.name)
        for measurement in survey.measurements:
            if measurement.name in taken or not _is_of_entities(measurement):
                continue
            entities = [series for series in measurement.series if FIELD in series.numbers]
            wanted = [series for series in entities if _unit(series)]
            if wanted:
                self._add(found, measurement, wanted)
        return found

    def _add(self, found: Recognised, measurement: Measurement, wanted: Sequence[Series]) -> None:
        name = DATASETS.get(measurement.name) or dataset_name(measurement.name, "home_assistant")
        if not name:
            return
        name = free_name(name, found.datasets)
        tags = {tag: UNKNOWN for tag in TAGS if tag in measurement.usable_tags}
        for tag in measurement.usable_tags:
            # an attribute that is written as a tag tells no entities apart
            if tag not in tags and _splits_entities(measurement, tag):
                tags[tag] = UNKNOWN
        found.datasets[name] = Dataset(
            measurement=measurement.name, tags=tags, fields={FIELD: "double"}
        )
        found.measurements.add(measurement.name)
        if measurement.name not in DATASETS and len(measurement.series) == 1:
            found.single.add(name)
        domains = Tally(series.tags[ENTITY] for series in wanted)
        for series in wanted:
            is_alone = domains[series.tags[ENTITY]] == 1
            self._add_entity(found, name, series, is_alone=is_alone)

    def _add_entity(
        self, found: Recognised, dataset: str, series: Series, *, is_alone: bool
    ) -> None:
        entity = series.tags[ENTITY]
        unit = _unit(series)
        reason = _no_register(series)
        if unit is None or reason:
            found.remarks.append(f"{entity} ({unit}) is no register: {reason}")
            return
        where = {ENTITY: entity}
        if not is_alone:
            where = {tag: series.tags[tag] for tag in TAGS if tag in series.tags}
        candidate: Candidate = by_name(
            plain(entity),
            dataset=dataset,
            where=where,
            field=None,
            unit=unit,
            shown=entity,
            samples=series.numbers[FIELD],
            reports_on_change=True,
        )
        found.candidates.append(candidate)


def _is_of_entities(measurement: Measurement) -> bool:
    return ENTITY in measurement.usable_tags and FIELD in measurement.usable_numbers


def _splits_entities(measurement: Measurement, tag: str) -> bool:
    """Whether an entity has points with several values of the tag."""
    values: dict[str, set[str]] = {}
    for series in measurement.series:
        values.setdefault(series.tags.get(ENTITY, ""), set()).add(series.tags.get(tag, ""))
    return any(len(found) > 1 for found in values.values())


def _unit(series: Series) -> EnergyUnit | PowerUnit | None:
    """The unit of energy or power that the measurement or a text names."""
    if ENTITY not in series.tags:
        return None
    named = series.texts.get("unit_of_measurement_str") or series.texts.get("unit_of_measurement")
    return UNITS.get(named or series.measurement)


def _no_register(series: Series) -> str:
    """Why an entity of energy is no counter that goes on and on, or ""."""
    if _unit(series) in ("W", "kW"):
        return ""
    for label in ("device_class", "state_class"):
        text = series.texts.get(f"{label}_str") or series.texts.get(label)
        if text in NO_COUNTER:
            return f"its {label} is {text}"
    if word := is_derived(plain(series.tags[ENTITY])):
        return f"'{word}' in its name"
    if not series.numbers[FIELD].hardly_falls:
        return "it falls often"
    return ""
