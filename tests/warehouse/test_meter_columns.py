"""A declaration that the daily tables cannot be built from is named before dbt fails on it."""

from typing import Any

import pytest

from homeiot_batch.config import Settings, load_settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.doctor.finding import problem
from homeiot_batch.doctor.house import check_house
from homeiot_batch.warehouse.meter_columns import undeclared_columns

pytestmark = pytest.mark.usefixtures("clean_environment")
WHOLE: dict[str, Any] = {
    "measurement": "power",
    "tags": {"source": "meter1"},
    "fields": {
        "instant_power_w": "double",
        "energy_import_kwh": "integer",
        "energy_export_kwh": "double",
    },
}
FIX = (
    "declare source as a tag and the others as fields of type double in config.yaml: "
    "a point may be without them"
)


def with_dataset(name: str, **changes: object) -> Settings:
    """The settings of a house with one dataset."""
    dataset = Dataset.model_validate(WHOLE | changes).named(name)
    return load_settings({}).model_copy(update={"datasets": {name: dataset}})


@pytest.mark.parametrize(
    ("changes", "lacking"),
    [
        ({"tags": {}}, "source"),
        ({"fields": {"watt": "double"}}, "instant_power_w, energy_import_kwh, energy_export_kwh"),
        ({"fields": WHOLE["fields"] | {"instant_power_w": "string"}}, "instant_power_w"),
    ],
)
def test_what_the_tables_need(changes: dict[str, object], lacking: str) -> None:
    """Each column that is missing or no number stands in one line, and doctor shows it."""
    settings = with_dataset("raw_meter_readings", **changes)
    found = f"the daily tables need {lacking} of raw_meter_readings"
    assert undeclared_columns(settings) == f"{found}; {FIX}"
    assert problem("tables", found, FIX) in check_house(settings, settings.layout)


def test_nothing_is_needed_of_other_datasets() -> None:
    """The shipped declaration has all, and other datasets need none of it."""
    assert undeclared_columns(with_dataset("raw_meter_readings")) == ""
    assert undeclared_columns(with_dataset("climate", fields={"c": "double"}, tags={})) == ""
