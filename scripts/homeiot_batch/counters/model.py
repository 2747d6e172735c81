"""What the dbt model int_counter_judged calls: limits out of the database, rows back into it."""

from collections.abc import Mapping
from datetime import date, timedelta

import duckdb

from homeiot_batch.counters.archive import ALWAYS, EPOCH, Span, judge_archive
from homeiot_batch.counters.limits import Limits
from homeiot_batch.counters.rows import Key


def judged_rows(
    session: duckdb.DuckDBPyConnection, judged_table: str | None
) -> duckdb.DuckDBPyRelation:
    """Rows for int_counter_judged: of the days in `changed_days`, of all without a table.

    Reads the temporary tables that the model's hooks make, and leaves in `rejudged` what the rows
    replace.
    """
    changed = None
    if judged_table is not None:
        changed = [day for (day,) in session.execute("SELECT dt FROM changed_days").fetchall()]
    rows, spans = judge_archive(session, read_limits(session), changed, judged_table or "")
    _note(session, spans)
    return rows


def read_limits(session: duckdb.DuckDBPyConnection) -> Mapping[Key, Limits]:
    """The settings of every counter."""
    rows = session.execute(
        """
        SELECT source, counter, register, max_power_kw, counter_noise_kwh, counter_wrap_kwh,
            glitch_readings, max_gap_s, direction, kwh_per_unit, is_power, is_on_change,
            epoch_us(writer_utc), scale, writer
        FROM counter_limits ORDER BY source, counter, register
        """
    ).fetchall()
    return {Key(*row[:3]): Limits(*row[3:]) for row in rows}


def _note(session: duckdb.DuckDBPyConnection, spans: list[Span]) -> None:
    session.execute(
        """CREATE OR REPLACE TEMP TABLE rejudged
        (source VARCHAR, counter VARCHAR, register SMALLINT, first_utc DATE, last_utc DATE,
        replaces_open BOOLEAN)
        """
    )
    if not spans:
        return
    # in one statement: one for each of a thousand counters takes seconds
    rows = [
        (*key, _date(first), _date(last), replaces_open)
        for *key, first, last, replaces_open in spans
    ]
    columns = map(list, zip(*rows, strict=True))
    session.execute(
        "INSERT INTO rejudged SELECT unnest(?::VARCHAR[]), unnest(?::VARCHAR[]), "
        "unnest(?::SMALLINT[]), unnest(?::DATE[]), unnest(?::DATE[]), unnest(?::BOOLEAN[])",
        list(columns),
    )


def _date(day: int) -> date:
    if abs(day) >= -ALWAYS:
        return date.min if day < 0 else date.max
    return EPOCH + timedelta(days=day)
