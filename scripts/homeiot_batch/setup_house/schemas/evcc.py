"""evcc: a measurement for each of its values, the number in `value`, power in W and no counter.

Power from the grid is positive when it is bought, that of a battery when it is discharged.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.meters import Counter, Kind
from homeiot_batch.setup_house.candidates import Candidate, Recognised
from homeiot_batch.setup_house.field_tables import merged
from homeiot_batch.setup_house.survey import Measurement, Series, Survey
from homeiot_batch.setup_house.words import plain

FIELD = "value"
TOTAL = "total"
MAX_GAP_S = 900  # it writes every few seconds: after a quarter of an hour it does not run


class Row(NamedTuple):
    """A measurement of evcc, and what its power is. Without a kind it is no meter."""

    measurement: str
    dataset: str
    # the tag of a part, and the value for the whole
    tags: dict[str, str]
    kind: Kind | None
    positive: Counter | None


ROWS = (
    Row("gridPower", "evcc_grid_power", {}, "grid", "import"),
    Row("pvPower", "evcc_pv_power", {"id": TOTAL}, "solar", "export"),
    Row("batteryPower", "evcc_battery_power", {"id": TOTAL}, "battery", "export"),
    # what the house uses is what is left of the others
    Row("homePower", "evcc_home_power", {}, None, None),
    # not the vehicle: it comes and goes at one charging point
    Row("chargePower", "evcc_charge_power", {"loadpoint": "unknown"}, "load", "import"),
)
# without one of them it is another program that uses the name
TELLING = {"gridPower", "homePower", "chargePower"}


class Evcc:
    """The powers of the site and of its charging points."""

    name = "evcc"

    def recognise(self, survey: Survey, taken: Sequence[str]) -> Recognised:
        """The rows whose measurement is there, with a number in `value`."""
        found = Recognised(self.name)
        there = {one.name: one for one in survey.measurements if FIELD in one.usable_numbers}
        if len(TELLING & there.keys()) < 2:
            return found
        for row in ROWS:
            measurement = there.get(row.measurement)
            if measurement and row.measurement not in taken:
                self._add(found, row, measurement)
        return found

    def _add(self, found: Recognised, row: Row, measurement: Measurement) -> None:
        dataset = Dataset(measurement=row.measurement, tags=row.tags, fields={FIELD: "double"})
        found.datasets[row.dataset] = dataset
        found.measurements.add(row.measurement)
        for where, series in _of_a_whole(row, measurement):
            samples = merged(series, FIELD)
            if samples and row.kind:
                device = row.kind
                if row.kind == "load":
                    device = plain("_".join(where.values()))
                candidate = Candidate(
                    dataset=row.dataset,
                    where=where,
                    field=None,
                    unit="W",
                    kind=row.kind,
                    role="power",
                    device=device,
                    stem=row.measurement,
                    part=where.get("id", "").replace(TOTAL, ""),
                    why=f"as {row.measurement} of evcc",
                    shown=" ".join([row.measurement, *where.values()]),
                    samples=samples,
                    positive=row.positive,
                    max_gap_s=MAX_GAP_S,
                )
                found.candidates.append(candidate)


def _of_a_whole(
    row: Row, measurement: Measurement
) -> list[tuple[Mapping[str, str], Sequence[Series]]]:
    """The series by the tag of the row: the whole alone if it is there, or else all parts."""
    groups: dict[str, list[Series]] = {}
    for tag, default in row.tags.items():
        for series in measurement.series:
            groups.setdefault(series.tags.get(tag, default), []).append(series)
        if TOTAL in groups:
            return [({tag: TOTAL}, groups[TOTAL])]
        return [({tag: value}, groups[value]) for value in sorted(groups)]
    return [({}, measurement.series)]
