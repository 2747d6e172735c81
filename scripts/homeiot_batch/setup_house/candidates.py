"""What a schema finds: datasets to declare, and series that may be a register or a power."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.meters import Counter, EnergyUnit, Kind, PowerUnit
from homeiot_batch.setup_house.survey import Samples, Survey

Role = Literal["import", "export", "power"]
UNKNOWN = "unknown"  # the value of a tag for points that lack it


@dataclass(frozen=True)
class Candidate:
    """A number field of some points that may be a series of a meter.

    `device` is the meter that it belongs to, among those of its kind. `part` is the tariff or the
    phase, "" for the whole, and `stem` what the parts of a whole have in common. `kind` and `role`
    are None where nothing tells them. `why` says by what all that was guessed.
    """

    dataset: str
    where: Mapping[str, str]
    field: str | None
    unit: EnergyUnit | PowerUnit
    kind: Kind | None
    role: Role | None
    device: str
    stem: str
    part: str
    why: str
    shown: str  # its name for a comment
    samples: Samples | None
    positive: Counter | None = None
    reports_on_change: bool = False
    # how long a power holds (s)
    max_gap_s: int | None = None

    @property
    def key(self) -> tuple[str, tuple[tuple[str, str], ...], str | None]:
        """What no two candidates have in common."""
        return self.dataset, tuple(sorted(self.where.items())), self.field


@dataclass
class Recognised:
    """What one schema has found, in which measurements."""

    schema: str
    datasets: dict[str, Dataset] = field(default_factory=dict)
    candidates: list[Candidate] = field(default_factory=list)
    measurements: set[str] = field(default_factory=set)
    # whether other schemas may find other fields in the same measurements
    is_shared: bool = False
    # datasets of one series: they are wanted only if it is a meter's
    single: set[str] = field(default_factory=set)
    # lines for the file: what was left out, and why
    remarks: list[str] = field(default_factory=list)


class Schema(Protocol):
    """A way in which a program lays out its measurements."""

    @property
    def name(self) -> str:
        """The program, as a user calls it."""
        ...

    def recognise(self, survey: Survey, taken: Sequence[str]) -> Recognised:
        """What is of this schema. `taken` are measurements that an earlier schema has."""
        ...
