"""The dataset that the shipped config.yaml declares. Its sources are meters already."""

from collections.abc import Sequence

from homeiot_batch.config import ROOT
from homeiot_batch.core.datasets import SHIPPED_DATASET, Dataset
from homeiot_batch.core.settings_files import declared_settings
from homeiot_batch.setup_house.candidates import Recognised
from homeiot_batch.setup_house.survey import NUMBERS, Measurement, Survey

REGISTERS = {"energy_import_kwh", "energy_export_kwh"}


class Shipped:
    """A measurement with the fields of `raw_meter_readings`, whatever it is called."""

    name = "the shipped dataset"

    def recognise(self, survey: Survey, taken: Sequence[str]) -> Recognised:
        """At most one: the one that the declaration names, or else the only one with its fields."""
        found = Recognised(self.name)
        shipped = Dataset.model_validate(_declaration())
        fitting = [one for one in survey.measurements if _fits(one, shipped)]
        named = [one for one in fitting if one.name == shipped.measurement]
        if len(fitting) > 1 and not named:
            names = ", ".join(one.name for one in fitting)
            found.remarks.append(
                f"{names} all have the fields of {SHIPPED_DATASET}: name one of them"
            )
            return found
        for one in named or fitting:
            if one.name not in taken:
                dataset = shipped.model_copy(update={"measurement": one.name})
                found.datasets[SHIPPED_DATASET] = dataset
                found.measurements.add(one.name)
        return found


def _declaration() -> object:
    declared = declared_settings([ROOT / "config.yaml"])
    return declared.values["datasets"][SHIPPED_DATASET]


def _fits(measurement: Measurement, shipped: Dataset) -> bool:
    """Whether it has a register of the shipped dataset, and no field or tag of another type."""
    types = measurement.types
    if not REGISTERS & types.keys() or shipped.tags.keys() & types.keys():
        return False
    declared = [types[field] for field in shipped.fields if field in types]
    return all(kinds <= NUMBERS for kinds in declared)
