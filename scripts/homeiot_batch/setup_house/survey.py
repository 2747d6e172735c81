"""What a source holds, as `homeiot init` found it."""

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from homeiot_batch.core.datasets import RESERVED, FieldType
from homeiot_batch.core.days import instant_of
from homeiot_batch.sources.influxdb.schema import Types

HOUR_NS = 3_600 * 10**9
DAYS = 7  # that are looked at, up to the newest reading
FEWEST_SAMPLES = 6  # that show whether a field is a counter
# shares of the steps: of those that fall, and of those that begin again, as a counter of the day
FALLS = 0.02
BEGINS = 0.1
ROUNDING = 0.001  # share of a value
NUMBERS = {"float", "integer", "unsigned"}
# what a text field may say of the number beside it
LABELS = (
    "device_class",
    "device_class_str",
    "friendly_name",
    "friendly_name_str",
    "state_class",
    "state_class_str",
    "unit_of_measurement",
    "unit_of_measurement_str",
)


@dataclass(frozen=True)
class Samples:
    """A number in the last days: its last value in each hour that has one.

    The keys are the begins of the hours, ns since the epoch, ascending.
    """

    values: Mapping[int, float]

    @property
    def last(self) -> float:
        """The last value."""
        return self.values[self.last_hour]

    @property
    def last_hour(self) -> int:
        """The begin of the last hour with a value (ns)."""
        return max(self.values)

    @property
    def rise(self) -> float:
        """From the first value to the last."""
        values = list(self.values.values())
        return values[-1] - values[0]

    @property
    def most_an_hour(self) -> float:
        """The highest rise in an hour, taken as even between two values."""
        rises = [
            (value - former) / (later - begin) * HOUR_NS
            for (begin, former), (later, value) in pairwise(self.values.items())
        ]
        return max(rises, default=0)

    @functools.cached_property
    def steps(self) -> list[tuple[float, float]]:
        """Each value with the next."""
        return list(pairwise(self.values.values()))

    @property
    def hardly_falls(self) -> bool:
        """Whether it may be a counter: it does not fall, or begins again now and then."""
        falls = [step for step in self.steps if _falls(*step)]
        others = [step for step in falls if not _begins_again(*step)]
        is_steady = len(others) <= FALLS * len(self.steps)
        return is_steady and len(falls) <= max(1, BEGINS * len(self.steps))

    @property
    def looks_like_a_counter(self) -> bool:
        """Whether it rises and hardly ever falls."""
        is_shown = len(self.values) >= FEWEST_SAMPLES
        rises = any(later > former for former, later in self.steps)
        return is_shown and rises and self.hardly_falls


@dataclass(frozen=True)
class Series:
    """The points of a measurement with the same tags: their numbers, and texts that tell more."""

    measurement: str
    tags: Mapping[str, str]
    numbers: Mapping[str, Samples] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Measurement:
    """A measurement: the types of its fields, and its series of the last days."""

    name: str
    types: Types
    series: Sequence[Series] = ()

    @functools.cached_property
    def tags(self) -> dict[str, list[str]]:
        """The tags with the values that were seen."""
        found: dict[str, set[str]] = {}
        for series in self.series:
            for tag, value in series.tags.items():
                found.setdefault(tag, set()).add(value)
        return {tag: sorted(values) for tag, values in sorted(found.items())}

    @functools.cached_property
    def usable_tags(self) -> list[str]:
        """The tags that can be columns."""
        taken = {name.lower() for name in [*RESERVED, *self.types]}
        found = []
        for tag in self.tags:
            if _is_column(tag, taken):
                found.append(tag)
                taken.add(tag.lower())
        return found

    @functools.cached_property
    def usable_numbers(self) -> dict[str, FieldType]:
        """The fields that can be columns of numbers, with the type to declare."""
        taken = {name.lower() for name in [*RESERVED, *self.tags]}
        found: dict[str, FieldType] = {}
        for name, kinds in sorted(self.types.items()):
            if kinds <= NUMBERS and _is_column(name, taken):
                found[name] = "double"
                taken.add(name.lower())
        return found

    @property
    def last_hour(self) -> int | None:
        """The begin of the last hour (ns) in which a number of it was seen."""
        hours = [number.last_hour for one in self.series for number in one.numbers.values()]
        return max(hours, default=None)


@dataclass(frozen=True)
class Silent:
    """A number that was not written in the last days: its last value and the hour of it (ns)."""

    measurement: str
    tags: Mapping[str, str]
    field: str
    hour: int
    last: float

    def __str__(self) -> str:
        name = " ".join([*self.tags.values(), self.field])
        silence = f"silent since {shown_hour(self.hour)}, last {self.last:.10g}"
        return f"{name} of {self.measurement}: {silence}"


@dataclass(frozen=True)
class Survey:
    """All measurements that were looked at, by name. `left_out` were not: there are too many."""

    place: str
    measurements: Sequence[Measurement]
    left_out: int = 0


def _falls(former: float, later: float) -> bool:
    return former - later > ROUNDING * abs(former)


def _begins_again(former: float, later: float) -> bool:
    """Whether a counter begins again, or a wrong value ends.

    A counter falls by half or more when it begins again. A temperature does not.
    """
    return later <= former / 2


def _is_column(name: str, taken: set[str]) -> bool:
    is_plain = bool(name) and name.isprintable()
    return is_plain and name.lower() not in taken


def in_order(series: Iterable[Series]) -> list[Series]:
    """The series by their tags, whatever order a source gives them in."""
    return sorted(series, key=lambda one: sorted(one.tags.items()))


def sampled_fields(types: Types, most: int) -> list[str]:
    """The number fields whose values are looked at.

    Where there is a `value`, the other numbers are attributes of it.
    """
    numbers = sorted(name for name, kinds in types.items() if kinds <= NUMBERS)
    if "value" in numbers:
        return ["value"]
    return numbers[:most]


def label_fields(types: Types) -> list[str]:
    """The text fields that may tell what the numbers are."""
    return [name for name in LABELS if types.get(name) == {"string"}]


def shown_hour(hour: int) -> str:
    """An hour (ns) for a comment, UTC."""
    return f"{instant_of(hour):%F %H}h UTC"
