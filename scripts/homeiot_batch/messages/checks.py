"""What is wrong in the house after a night, and what is over."""

from collections.abc import Callable, Collection

from homeiot_batch.config import Settings
from homeiot_batch.messages.copy_faults import check_copy
from homeiot_batch.messages.day_faults import check_days, check_empty_days
from homeiot_batch.messages.disk_faults import check_disks
from homeiot_batch.messages.faults import Found, NightEnd, joined
from homeiot_batch.messages.meter_faults import check_meters
from homeiot_batch.messages.retention_faults import check_retention
from homeiot_batch.messages.run_faults import check_run
from homeiot_batch.messages.words import Words


def check_house(
    settings: Settings | None, end: NightEnd, told: Collection[str], words: Words
) -> tuple[Found, list[str]]:
    """What all checks find, and a warning for each that failed.

    `told` are the keys of the faults that any address was told. Without settings, which are
    refused, it is the run alone.
    """
    checks: dict[str, Callable[[], Found]] = {"run": lambda: check_run(end, told, words)}
    if settings:
        here = settings, settings.layout
        checks["days"] = lambda: check_days(*here, end, told, words)
        checks["second copy"] = lambda: check_copy(settings, end, told, words)
        checks["disks"] = lambda: check_disks(*here, told, words)
        if not end.error:
            checks["empty days"] = lambda: check_empty_days(*here, told, words)
            checks["retention"] = lambda: check_retention(*here, told, words)
        if end.tables_are_new:
            checks["meters"] = lambda: check_meters(*here, told, words)
    found: list[Found] = []
    warnings: list[str] = []
    for name, check in checks.items():
        try:
            found.append(check())
        except Exception as error:  # noqa: BLE001 - the others are told all the same
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            warnings.append(f"messages do not tell of the {name}, whose check failed: {reason}")
    return joined(found), warnings
