"""What cannot be meant by the declaration of the meters, found before anything is read."""

from collections.abc import Mapping
from typing import Any

from homeiot_batch.core.datasets import SHIPPED_DATASET, Dataset
from homeiot_batch.core.meter_series import find_series
from homeiot_batch.core.meters import Meter

KINDS = "grid, solar, battery or load"
OF_REGISTERS = (
    "direction",
    "export_direction",
    "counter_noise_kwh",
    "counter_wrap_kwh",
    "glitch_readings",
)


def refuse_wrong_meters(
    meters: Mapping[str, Meter],
    datasets: Mapping[str, Dataset],
    dbt_vars: Mapping[str, Any],
) -> None:
    """ValueError for the first mistake, as the end of a line that names the setting."""
    of_sources = dbt_vars.get("sources") or {}
    for name, meter in meters.items():
        _refuse_name(name)
        if meter.series:
            _refuse_as_declared(name, meter)
        elif SHIPPED_DATASET not in datasets:
            raise ValueError(
                f"{name} has no series, and {SHIPPED_DATASET} is not declared; "
                "give its `import`, `export` or `power`"
            )
        elif meter.until is not None:
            raise ValueError(
                f"{name}.until={meter.until}, but it has no series of its own; "
                f"a source of {SHIPPED_DATASET} ends with its readings, leave it out"
            )
        elif meter.reports == "auto":
            raise ValueError(
                f"{name}.reports='auto', but it has no series of its own; a source of "
                f"{SHIPPED_DATASET} has an interval, or say on_change"
            )
        elif meter.energy_from == "power":
            raise ValueError(
                f"{name}.energy_from='power', but it has none of its own; "
                f"a source of {SHIPPED_DATASET} has registers, leave it out"
            )
        own = of_sources.get(name) or {}
        _refuse_settings_given_twice(name, meter, own)
        _refuse_settings_without_effect(name, meter, own)
    find_series(meters, datasets)


def _refuse_name(name: str) -> None:
    if not name or name != name.strip() or not name.isprintable():
        raise ValueError(
            f"{name!r} cannot name a meter; give a name without blanks around it, on one line"
        )


def _refuse_as_declared(name: str, meter: Meter) -> None:
    if meter.kind is None:
        raise ValueError(f"{name} says no kind; give `kind`: {KINDS}")
    if meter.unit is not None:
        raise ValueError(f"{name}.unit: each register has its own; give it there, beside `dataset`")
    has_registers = bool(meter.import_ or meter.export)
    if meter.energy_from == "registers" and not has_registers:
        raise ValueError(
            f"{name}.energy_from='registers', but it has none; give its `import` or `export`"
        )
    if meter.energy_from == "power" and not meter.power:
        raise ValueError(f"{name}.energy_from='power', but it has none; give its `power`")
    if meter.counts_power:
        _refuse_of_registers(name, meter)
        _refuse_without_direction(name, meter)


def _refuse_of_registers(name: str, meter: Meter) -> None:
    for key in OF_REGISTERS:
        if key in meter.settings:
            raise ValueError(
                f"{name}.{key} is about registers, and its energy is computed from its power; "
                "leave it out"
            )


def _refuse_without_direction(name: str, meter: Meter) -> None:
    if meter.kind not in ("solar", "battery"):
        return
    if any("positive" not in power.model_fields_set for power in meter.power):
        raise ValueError(
            f"{name}.power does not say what a positive value of a {meter.kind} meter is; "
            "give `positive`: export for what is produced or discharged, import for the rest"
        )


def _refuse_settings_given_twice(name: str, meter: Meter, own: Mapping[str, object]) -> None:
    for key in own:
        is_register_unit = key == "unit" and meter.series
        if key in meter.settings or is_register_unit:
            raise ValueError(f"{name}.{key} is set in dbt_vars.sources.{name} too; remove it there")


def _refuse_settings_without_effect(name: str, meter: Meter, own: Mapping[str, object]) -> None:
    """Those of dbt_vars that a meter of power does not use, and those of an export that is none."""
    where = f"dbt_vars.sources.{name}"
    if meter.counts_power:
        for key in OF_REGISTERS:
            if key in own:
                raise ValueError(
                    f"{name}.{key} in {where} is about registers, and its energy is computed from "
                    "its power; remove it there"
                )
    if meter.series and "reports" in own:
        raise ValueError(f"{name}.reports in {where} has no effect; give it in the meter itself")
    if meter.series and not meter.export and "export_direction" in {*own, *meter.settings}:
        raise ValueError(
            f"{name}.export_direction is about its export, and it has none; leave it out"
        )
