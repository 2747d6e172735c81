"""What a source has more or fewer of than is archived, counted by field."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class CountChange:
    """A day's values of each field: those that the source has now, beside the archived ones.

    Fields that are archived and that the source was not asked for do not count.
    """

    now: Mapping[str, int]
    archived: Mapping[str, int]

    @property
    def differences(self) -> dict[str, int]:
        """By how much each field has changed: above 0 where the source has more."""
        return {name: count - self.archived.get(name, 0) for name, count in self.now.items()}

    @property
    def has_more(self) -> bool:
        """Whether the source has more values of any field."""
        return any(difference > 0 for difference in self.differences.values())

    @property
    def has_fewer(self) -> bool:
        """Whether the source has fewer values of any field."""
        return bool(self.fewer)

    @property
    def fewer(self) -> list[str]:
        """The fields that the source has fewer values of."""
        return [name for name, difference in self.differences.items() if difference < 0]

    def listed(self) -> str:
        """The fields that have changed, each with its sign, for a message."""
        changed = [f"{name} {count:+d}" for name, count in self.differences.items() if count]
        return ", ".join(changed)

    def beside_archived(self, names: Iterable[str]) -> str:
        """The counts of these fields beside the archived ones, as text."""
        return ", ".join(
            f"{name} {self.now[name]} of {self.archived.get(name, 0)}" for name in names
        )
