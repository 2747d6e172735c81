"""Which name the dataset of a measurement gets: its name in the former file, or else a free one."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from homeiot_batch.core.datasets import Dataset
from homeiot_batch.setup_house.naming import free_name


@dataclass
class DatasetNames:
    """One name for each measurement. `former` are the datasets that the file declares already."""

    former: Mapping[str, Dataset] = field(default_factory=dict)
    _by_measurement: dict[str, str] = field(default_factory=dict, init=False)

    def name_of(self, measurement: str, wanted: str) -> str:
        """The same name each time. `wanted` counts if the measurement has none yet."""
        if measurement not in self._by_measurement:
            self._by_measurement[measurement] = self._chosen(measurement, wanted)
        return self._by_measurement[measurement]

    def _chosen(self, measurement: str, wanted: str) -> str:
        declared = [name for name, one in self.former.items() if one.measurement == measurement]
        if wanted in declared:
            return wanted
        if declared:
            return declared[0]
        return free_name(wanted, {*self.former, *self._by_measurement.values()})
