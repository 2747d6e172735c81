"""Names of datasets and meters that are made from what the source has."""

from collections.abc import Collection

from homeiot_batch.core.datasets import is_dataset_name
from homeiot_batch.setup_house.words import plain

LONGEST = 60


def dataset_name(measurement: str, prefix: str = "") -> str:
    """A name for the dataset of a measurement, or "" if none can be made of its letters."""
    name = plain(f"{prefix} {measurement}")[:LONGEST].strip("_")
    for found in (name, f"readings_{name}"):
        if is_dataset_name(found):
            return found
    return ""


def free_name(name: str, taken: Collection[str]) -> str:
    """The name, or the name with a number behind it if it is taken."""
    found = name
    number = 2
    while found in taken:
        found = f"{name}_{number}"
        number += 1
    return found
