"""What must be so in the database before dbt builds the tables of the declared meters."""

import textwrap
from collections.abc import Mapping
from datetime import datetime
from itertools import pairwise
from typing import NamedTuple

import duckdb

from homeiot_batch.config import SHIPPED_DATASET, Settings
from homeiot_batch.core.datasets import Dataset
from homeiot_batch.core.meter_series import Found, Reports, SeriesKey, find_series
from homeiot_batch.core.near_names import hint
from homeiot_batch.core.sql_text import literal, quoted
from homeiot_batch.errors import BuildError
from homeiot_batch.warehouse.database import open_database
from homeiot_batch.warehouse.learned_reports import learn_reports
from homeiot_batch.warehouse.table_vars import table_datasets

IF_SILENT = "If it was only silent on the archived days, archive more of them"
MOST_LETTERS = 300  # of the values of a tag that a message names


def prepare_meters(settings: Settings) -> Mapping[SeriesKey, Reports]:
    """Make the raw tables that dbt reads and of which no day is loaded yet.

    Returns how the registers are written whose meters do not say it, learned from their readings.
    BuildError if a meter with series of its own has the name of a source of the shipped dataset,
    and if a declared series has no readings, or matches several series of the same time: the
    energy would be too small.
    """
    with open_database(settings.duckdb_path) as connection:
        for name in table_datasets(settings):
            connection.execute(settings.datasets[name].ddl())
        if SHIPPED_DATASET in settings.datasets:
            _refuse_sources(connection, settings)
        _refuse_series(connection, settings)
        return learn_reports(connection, settings)


def _refuse_series(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    problems = []
    for found in find_series(settings.meters, settings.datasets):
        spans = _spans(connection, found, settings.datasets[found.declared.dataset])
        if not spans:
            problems.append(_without_readings(connection, found))
        if several := _at_one_time(spans):
            problems.append(
                f"meters.{found.place} matches several series of the same time ({several}); "
                "name the tags of one in `where`, and declare the others beside it"
            )
    if problems:
        raise BuildError(problems)


class Span(NamedTuple):
    """The other tags of some points, and their first and last time (UTC)."""

    tags: dict[str, str | None]
    first_utc: datetime
    last_utc: datetime


def _spans(connection: duckdb.DuckDBPyConnection, found: Found, dataset: Dataset) -> list[Span]:
    """When the series had which values of the tags that its declaration does not name."""
    others = [tag for tag in dataset.tags if tag not in found.declared.where]
    conditions = [f"{quoted(found.field)} IS NOT NULL"]
    for tag, value in found.declared.where.items():
        conditions.append(f"{quoted(tag)} = {literal(value)}")
    columns = ", ".join(
        [*map(quoted, others), "min(ts_utc) AS begin_utc", "max(ts_utc) AS end_utc"]
    )
    rows = connection.execute(
        f"SELECT {columns} FROM {quoted(dataset.name)} WHERE {' AND '.join(conditions)} "
        "GROUP BY ALL HAVING begin_utc IS NOT NULL ORDER BY begin_utc"
    ).fetchall()
    return [Span(dict(zip(others, row, strict=False)), first, last) for *row, first, last in rows]


def _at_one_time(spans: list[Span]) -> str:
    """Two series of which one begins before the other has ended, or "". A renamed one does not."""
    for former, later in pairwise(spans):
        if later.first_utc < former.last_utc:
            return " and ".join(_tags(span) for span in (former, later))
    return ""


def _tags(span: Span) -> str:
    return ", ".join(f"{tag} {value!r}" for tag, value in span.tags.items())


def _without_readings(connection: duckdb.DuckDBPyConnection, found: Found) -> str:
    """That the series has none, with what the tag is that may be misspelt."""
    missing = f"meters.{found.place} has no readings in {found.declared.dataset}"
    table = quoted(found.declared.dataset)
    for tag, value in found.declared.where.items():
        query = f"SELECT DISTINCT {quoted(tag)} FROM {table} WHERE {quoted(tag)} IS NOT NULL"
        known = [name for (name,) in connection.execute(query).fetchall()]
        if known and value not in known:
            advice = textwrap.shorten(hint(value, sorted(known)), MOST_LETTERS, placeholder=" ...")
            if not advice.endswith(("?", "...")):
                advice += "."
            return f"{missing}: none has {tag}={value!r}; {advice} {IF_SILENT}"
    return f"{missing}; correct its `where` and `field`, or leave it out until there are some"


def _refuse_sources(connection: duckdb.DuckDBPyConnection, settings: Settings) -> None:
    names = [name for name, meter in settings.meters.items() if meter.series]
    if not names:
        return
    query = f"SELECT DISTINCT source FROM {SHIPPED_DATASET} WHERE source IN (SELECT unnest(?))"
    problems = [
        f"meters.{name} has series of its own, and {SHIPPED_DATASET} has a source of that name; "
        "give the meter another name"
        for (name,) in connection.execute(query, [names]).fetchall()
    ]
    if problems:
        raise BuildError(problems)
