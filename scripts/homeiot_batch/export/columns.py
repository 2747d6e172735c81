"""The columns of an export: their names for programs, and their headers for people.

A header in another language needs its words in `HEADINGS`, and nothing else.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "date",
    "local_time",
    "utc_time",
    "offset",
    "text",
    "number",
    "flag",
    "kwh",
    "w",
    "share",
    "money",
    "seconds",
]

# digits after the point: so few that noise of the arithmetic goes, and so many that a sum stays
DIGITS: Mapping[Kind, int] = {"kwh": 9, "w": 1, "share": 4, "money": 4, "seconds": 1}
UNITS: Mapping[Kind, str] = {"kwh": "kWh", "w": "W", "seconds": "s", "utc_time": "UTC"}
OF_ZONE: tuple[Kind, ...] = ("date", "local_time")


@dataclass(frozen=True)
class Column:
    """A column by its name for programs. An `exact` one is not rounded: it is as archived."""

    name: str
    kind: Kind
    exact: bool = False

    @property
    def digits(self) -> int | None:
        """To how many digits after the point its numbers are rounded, or None."""
        if self.exact:
            return None
        return DIGITS.get(self.kind)


HEADINGS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "day": "Day",
        "month": "First day of the month",
        "start_utc": "Start",
        "start_local": "Start",
        "time_utc": "Time",
        "time_local": "Time",
        "utc_offset": "Offset from UTC",
        "source": "Meter",
        "register": "Register",
        "power_w": "Power",
        "import_counter_kwh": "Import counter",
        "export_counter_kwh": "Export counter",
        "import_kwh": "Imported",
        "export_kwh": "Exported",
        "net_kwh": "Net",
        "estimated_kwh": "Estimated part",
        "peak_w": "Peak power",
        "readings": "Readings",
        "coverage": "Share of the usual readings",
        "longest_gap_s": "Longest gap",
        "reset_count": "Resets and swaps of a counter",
        "step_back_count": "Falls to an older value",
        "backwards_count": "Steps backwards",
        "glitch_count": "Wrong values left out",
        "days": "Days with a row",
        "complete_days": "Complete days",
        "hours": "Hours of the day",
        "complete_hours": "Complete hours",
        "complete": "Complete",
        "day_complete": "Day complete",
        "import_cost": "Cost of the import",
        "feed_in_revenue": "Revenue of the export",
        "net_cost": "Net cost",
        "unpriced_kwh": "Energy without a price",
        "priced_days": "Days with a tariff",
        "currency": "Currency",
        "imported_kwh": "Bought",
        "exported_kwh": "Sold",
        "produced_kwh": "Produced",
        "charged_kwh": "Charged",
        "discharged_kwh": "Discharged",
        "consumed_kwh": "Consumed",
        "solar_to_house_kwh": "Sun to house",
        "solar_to_battery_kwh": "Sun to battery",
        "solar_to_grid_kwh": "Sun to grid",
        "battery_to_house_kwh": "Battery to house",
        "battery_to_grid_kwh": "Battery to grid",
        "grid_to_house_kwh": "Grid to house",
        "grid_to_battery_kwh": "Grid to battery",
        "unexplained_kwh": "Unexplained",
        "self_consumption": "Share of the sun's energy used",
        "self_sufficiency": "Share of the consumption not bought",
    }
}


def header(column: Column, zone: str, currency: str | None, language: str = "en") -> str:
    """What stands above the column for people, with its unit or zone.

    `currency` is that of all its money, or None if there are several.
    """
    heading = HEADINGS[language][column.name]
    unit = _unit(column, zone, currency)
    if unit is None:
        return heading
    return f"{heading} ({unit})"


def _unit(column: Column, zone: str, currency: str | None) -> str | None:
    if column.kind in OF_ZONE:
        return zone
    if column.kind == "money":
        return currency
    return UNITS.get(column.kind)
