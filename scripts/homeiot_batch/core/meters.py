"""A meter as config.yaml declares it: which series are its registers, and which is its power."""

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Kind = Literal["grid", "solar", "battery", "load"]
Direction = Literal["up", "down", "both"]
EnergyUnit = Literal["kWh", "Wh", "MWh"]
PowerUnit = Literal["W", "kW"]
Counter = Literal["import", "export"]

# 1000 of the first is one of what the tables have, and one of the second is 1000 of it
SMALL = ("Wh",)
LARGE = ("MWh", "kW")


def _as_list(value: object) -> object:
    """One register is a list of one."""
    if value == []:
        raise ValueError("is an empty list; name a series in it, or leave it out")
    if isinstance(value, list):
        return value
    return [value]


def _is_text(value: object) -> object:
    if not isinstance(value, str):
        raise ValueError(f"is no text; write the tag's value in quotes: '{value}'")
    return value


def _number(description: str, **bounds: Any) -> Any:
    """A setting that is a number, and that the meter need not have."""
    return Field(default=None, description=description, strict=True, allow_inf_nan=False, **bounds)


TagValue = Annotated[str, BeforeValidator(_is_text)]


class Series(BaseModel):
    """A field of a dataset, of the points whose tags have the given values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str = Field(description="The dataset that has it, by its name under `datasets`.")
    where: dict[str, TagValue] = Field(
        default={}, description="Tags of the dataset with the values that its points have."
    )
    field: str | None = Field(
        default=None, description="Its field. Leave it out if the dataset has one number."
    )
    factor: float = Field(
        default=1.0,
        gt=0,
        strict=True,
        allow_inf_nan=False,
        description="What each value is multiplied by, such as the constant of a meter.",
    )


class Register(Series):
    """A register that counts energy."""

    unit: EnergyUnit = Field(default="kWh", description="What its values are in: kWh, Wh or MWh.")


class Power(Series):
    """A series of power."""

    unit: PowerUnit = Field(default="W", description="What its values are in: W or kW.")
    positive: Counter = Field(
        default="import", description="What a positive value is: `import` or `export`."
    )


Registers = Annotated[
    list[Register], BeforeValidator(_as_list, json_schema_input_type=Register | list[Register])
]
Powers = Annotated[
    list[Power], BeforeValidator(_as_list, json_schema_input_type=Power | list[Power])
]


class Meter(BaseModel):
    """A meter of the tables. Without series it is a source of the shipped dataset."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: Kind | None = Field(
        default=None, description="What it measures: `grid`, `solar`, `battery` or `load`."
    )
    name: str | None = Field(default=None, min_length=1, description="Name for the report.")
    import_: Registers = Field(
        default=[],
        alias="import",
        description="Its register of the energy bought, charged or used, or a list of them.",
    )
    export: Registers = Field(
        default=[],
        description="Its register of the energy sold, produced or discharged, or a list of them.",
    )
    power: Powers = Field(
        default=[], description="Its power, or a list of series such as three phases."
    )
    energy_from: Literal["registers", "power"] | None = Field(
        default=None,
        description="What its energy is taken from: `registers` or `power`. Registers, if it has "
        "any.",
    )
    reports: Literal["auto", "interval", "on_change"] | None = Field(
        default=None,
        description="When its registers are written: at an `interval`, or `on_change` of their "
        "value. With `on_change`, silence without a rise is no gap. `auto`, as if it is not set, "
        "learns it from the first days of each. A source of `raw_meter_readings` has an `interval` "
        "if it is not set, and so has a meter whose energy is computed from its power.",
    )
    until: date | None = Field(
        default=None,
        description="Its last day, such as 2026-11-11, if it was taken out. Later readings do not "
        "count, and nothing is expected after it.",
    )
    max_power_kw: float | None = _number("Most that can flow. A faster rise is no energy.", ge=0)
    direction: Direction | None = Field(
        default=None, description="How its registers count: `up`, `down` or `both`."
    )
    export_direction: Direction | None = Field(
        default=None, description="The same of its export, if that differs."
    )
    unit: EnergyUnit | None = Field(
        default=None, description="Unit of a source of `raw_meter_readings`: kWh, Wh or MWh."
    )
    counter_noise_kwh: float | None = _number("A fall of no more is rounding.", ge=0)
    counter_wrap_kwh: float | None = _number("Where it begins again from zero.", ge=0)
    glitch_readings: int | None = _number("Readings in a row that may be wrong.", ge=0, le=20)
    max_gap_s: float | None = _number(
        "The place of the energy of a longer step is estimated.", ge=0
    )

    @property
    def series(self) -> list[tuple[str, Register | Power]]:
        """All of its series, each with what it is: import, export or power."""
        found: list[tuple[str, Register | Power]] = []
        found += [("import", register) for register in self.import_]
        found += [("export", register) for register in self.export]
        found += [("power", power) for power in self.power]
        return found

    @property
    def counts_power(self) -> bool:
        """Whether its energy is computed from its power."""
        if self.energy_from is not None:
            return self.energy_from == "power"
        return bool(self.power) and not self.import_ and not self.export

    @property
    def learns_reports(self) -> bool:
        """Whether its readings tell how its registers are written."""
        return bool(self.series) and self.reports in (None, "auto")

    def direction_of(self, role: str) -> Direction | None:
        """How its registers of a role count, if that is set."""
        if role == "export" and self.export_direction is not None:
            return self.export_direction
        return self.direction

    @property
    def settings(self) -> dict[str, object]:
        """What is set for it alone, by the names of the vars of the dbt project."""
        series = {"import_", "export", "power", "energy_from"}
        return self.model_dump(mode="json", exclude=series, exclude_none=True)


Meters = dict[str, Meter]
