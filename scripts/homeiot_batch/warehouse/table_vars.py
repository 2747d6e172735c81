"""What the dbt project is given: the vars of the house, and what its meters are."""

from collections.abc import Mapping

from homeiot_batch.config import SHIPPED_DATASET, Settings
from homeiot_batch.core.meter_series import Found, Reports, SeriesKey, find_series


def table_datasets(settings: Settings) -> list[str]:
    """The datasets that the tables are built from. None where the house has raw tables alone."""
    found = [SHIPPED_DATASET] if SHIPPED_DATASET in settings.datasets else []
    for meter in settings.meters.values():
        found += [series.dataset for _, series in meter.series]
    return list(dict.fromkeys(found))


def table_vars(settings: Settings, learned: Mapping[SeriesKey, Reports]) -> dict[str, object]:
    """The vars for dbt: those of `dbt_vars`, with what the declaration of the meters says.

    `learned` says how registers are written whose meters do not say it.
    """
    return settings.dbt_vars | meter_vars(settings, learned)


def meter_vars(settings: Settings, learned: Mapping[SeriesKey, Reports]) -> dict[str, object]:
    """What the meters say. Nothing where the shipped dataset is all that there is."""
    if not settings.meters and SHIPPED_DATASET in settings.datasets:
        return {}
    registers = find_series(settings.meters, settings.datasets)
    return {
        "datasets": table_datasets(settings),
        "registers": [_register_var(settings, register, learned) for register in registers],
        "sources": _settings_by_source(settings),
    }


def _register_var(
    settings: Settings, found: Found, learned: Mapping[SeriesKey, Reports]
) -> dict[str, object]:
    if found.counter is None:
        return found.as_var()
    reports = settings.meters[found.meter].reports
    if reports in (None, "auto"):
        reports = learned.get(found.key, "interval")
    return found.as_var() | {"reports": reports}


def _settings_by_source(settings: Settings) -> dict[str, dict[str, object]]:
    """The settings of single meters. A declared register gives kWh, whatever it counts in."""
    found = {name: dict(own) for name, own in (settings.dbt_vars.get("sources") or {}).items()}
    for name, meter in settings.meters.items():
        own = found.setdefault(name, {})
        own |= meter.settings
        if meter.series:
            own["unit"] = "kWh"
            own.pop("reports", None)  # each register has its own
        if meter.counts_power:  # what flows against the declared direction is the other counter's
            own |= {"direction": "both", "export_direction": "both"}
    return found
