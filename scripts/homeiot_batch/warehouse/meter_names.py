"""Meters that the user names in tariffs and vars, compared with those that have readings."""

from collections.abc import Iterator, Sequence

from homeiot_batch.config import Settings, shown_path
from homeiot_batch.core.near_names import hint
from homeiot_batch.errors import DatabaseError
from homeiot_batch.warehouse.database import columns_of, open_database
from homeiot_batch.warehouse.tariff_file import Tariff
from homeiot_batch.warehouse.tariffs import tariff_path


def unknown_meters(settings: Settings, tariffs: Sequence[Tariff]) -> list[str]:
    """A warning for each named meter that has no readings. None before there are any tables."""
    known = _meters(settings)
    if not known:
        return []
    return [
        f"{place}: there are no readings of a meter {name!r}; {hint(name, known)}"
        for place, name in _named(settings, tariffs)
        if name not in known
    ]


def _named(settings: Settings, tariffs: Sequence[Tariff]) -> Iterator[tuple[str, str]]:
    """Where each meter is named first, and its name."""
    path = shown_path(tariff_path(settings))
    lines: dict[str, int] = {}
    for tariff in tariffs:
        lines.setdefault(tariff.source, tariff.line)
    yield from ((f"{path} line {line}, column source", name) for name, line in lines.items())
    yield from (("dbt_vars.sources", name) for name in settings.dbt_vars.get("sources") or ())
    yield from (("meters", name) for name in settings.meters)


def _meters(settings: Settings) -> list[str]:
    """The meters of the tables as they were built, or None where they cannot be read."""
    if not settings.duckdb_path.exists():
        return []
    try:
        with open_database(settings.duckdb_path, read_only=True) as connection:
            if not columns_of(connection, "dim_source"):
                return []
            rows = connection.execute("SELECT source FROM dim_source ORDER BY source").fetchall()
    except DatabaseError:
        return []
    return [name for (name,) in rows]
