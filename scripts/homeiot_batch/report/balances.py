"""The house's balance, in kWh: who fed whom in a day or month, as its marts have it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

# the columns of what the meters of a part of the house measured
PARTS = {
    "grid": ("imported_kwh", "exported_kwh"),
    "solar": ("produced_kwh",),
    "battery": ("charged_kwh", "discharged_kwh"),
}
# from, to, and the column
FLOWS = (
    ("solar", "house", "solar_to_house_kwh"),
    ("solar", "battery", "solar_to_battery_kwh"),
    ("solar", "grid", "solar_to_grid_kwh"),
    ("battery", "house", "battery_to_house_kwh"),
    ("battery", "grid", "battery_to_grid_kwh"),
    ("grid", "house", "grid_to_house_kwh"),
    ("grid", "battery", "grid_to_battery_kwh"),
)
# the flows to the house, by where the energy came from
SOURCES = ("solar", "battery", "grid")


@dataclass(frozen=True)
class Balance:
    """A span's energies in kWh and shares from 0 to 1, None where unknown."""

    imported_kwh: float | None
    exported_kwh: float | None
    produced_kwh: float | None
    charged_kwh: float | None
    discharged_kwh: float | None
    consumed_kwh: float | None
    solar_to_house_kwh: float | None
    solar_to_battery_kwh: float | None
    solar_to_grid_kwh: float | None
    battery_to_house_kwh: float | None
    battery_to_grid_kwh: float | None
    grid_to_house_kwh: float | None
    grid_to_battery_kwh: float | None
    unexplained_kwh: float | None
    estimated_kwh: float | None
    self_consumption: float | None
    self_sufficiency: float | None
    is_complete: bool

    @property
    def is_known(self) -> bool:
        """Whether the consumption is known, and so are all flows."""
        return self.consumed_kwh is not None

    def kwh(self, name: str) -> float:
        """The energy of a column. 0.0 where it is unknown."""
        return getattr(self, name) or 0.0

    def unknown_parts(self) -> list[str]:
        """The parts of the house of which a part of the span is not known."""
        found = []
        for part, columns in PARTS.items():
            if any(getattr(self, column) is None for column in columns):
                found.append(part)
        return found


@dataclass(frozen=True)
class DayBalance(Balance):
    """A local day."""

    date_jst: date
    hours: int
    complete_hours: int


@dataclass(frozen=True)
class MonthBalance(Balance):
    """A local month: the sums of the days whose consumption is known."""

    month_jst: date
    known_days: int
    complete_days: int


@dataclass(frozen=True)
class SubMeter:
    """A meter of a part of the house, over the last days whose consumption is known."""

    name: str
    import_kwh: float | None
    complete_days: int


@dataclass(frozen=True)
class HouseBalance:
    """All that the page shows of the house.

    `days` runs without a gap to the house's last day. There is at least one.
    """

    days: list[DayBalance]
    months: list[MonthBalance]
    sub_meters: list[SubMeter]

    @property
    def last_day(self) -> DayBalance:
        """The house's last day."""
        return self.days[-1]

    @property
    def shown_day(self) -> DayBalance | None:
        """The newest day whose balance is known."""
        known = [day for day in self.days if day.is_known]
        if not known:
            return None
        return known[-1]

    def has(self, *columns: str) -> bool:
        """Whether any energy of the columns is shown."""
        spans: Iterable[Balance] = [*self.days, *self.months]
        return any(span.kwh(column) > 0 for span in spans for column in columns)
