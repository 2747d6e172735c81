"""The columns of an export: their names for programs, and their headers for people."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from homeiot_batch.export.words import Words

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
UNITS: Mapping[Kind, str] = {"kwh": "kWh", "w": "W", "utc_time": "UTC"}
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


def header(column: Column, zone: str, currency: str | None, words: Words) -> str:
    """What stands above the column for people, with its unit or zone.

    `currency` is that of all its money, or None if there are several.
    """
    heading = words.name("columns", column.name)
    unit = _unit(column, zone, currency, words)
    if unit is None:
        return heading
    return words("with_unit", heading=heading, unit=unit)


def _unit(column: Column, zone: str, currency: str | None, words: Words) -> str | None:
    if column.kind in OF_ZONE:
        return zone
    if column.kind == "money" and currency is not None:
        return words.currency(currency)
    if column.kind == "seconds":
        return words("unit_seconds")
    return UNITS.get(column.kind)
