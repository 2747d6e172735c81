"""The markers of days, each read once in a run: an archive of ten years has thousands."""

from dataclasses import dataclass, field
from datetime import date

from homeiot_batch.core.day_record import Marker, read_marker
from homeiot_batch.core.layout import Layout


@dataclass
class MarkerCache:
    """The markers as they were when each was read first.

    Use it only where nothing else changes markers. `set_aside` is the one change that it follows.
    """

    layout: Layout
    _read: dict[tuple[str, date], Marker | None] = field(default_factory=dict)

    def of(self, dataset: str, dt: date) -> Marker | None:
        """The day's marker, or None where there is none, or nothing in it."""
        day = (dataset, dt)
        if day not in self._read:
            self._read[day] = read_marker(self.layout.marker_text(dataset, dt))
        return self._read[day]

    def set_aside(self, dataset: str, dt: date) -> None:
        """Make the day's marker a former one, which no longer counts."""
        former = self.layout.former_marker(dataset, dt)
        former.parent.mkdir(exist_ok=True)
        self.layout.marker(dataset, dt).replace(former)
        self._read[dataset, dt] = None
