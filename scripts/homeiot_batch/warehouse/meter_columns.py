"""Which columns of the shipped dataset the daily tables need."""

from homeiot_batch.config import SHIPPED_DATASET, Settings

TAG = "source"
NUMBERS = ("instant_power_w", "energy_import_kwh", "energy_export_kwh")
NUMERIC = {"double", "integer"}


def undeclared_columns(settings: Settings) -> str:
    """Says which columns the tables cannot be built without, and what to do. "" if all are there.

    A house that does not declare the dataset has no such tables, and lacks nothing.
    """
    dataset = settings.datasets.get(SHIPPED_DATASET)
    if dataset is None:
        return ""
    lacking = [name for name in NUMBERS if dataset.fields.get(name) not in NUMERIC]
    if TAG not in dataset.tags:
        lacking.insert(0, TAG)
    if not lacking:
        return ""
    return (
        f"the daily tables need {', '.join(lacking)} of {SHIPPED_DATASET}; declare {TAG} as a tag "
        "and the others as fields of type double in config.yaml: a point may be without them"
    )
